# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was decided, carried out until the lists show that nothing is left; and what is told of it: without a server."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._apply.execution import MOST_TAKEN_OVER, Execution
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Change
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Purge, Rules
from ansible_collections.community.amplitude.tests.support.rows import flag, row, want
from ansible_collections.community.amplitude.tests.support.service import (
    OK,
    UNSEEN,
    Service,
    lost,
    refused,
    run_of,
    told,
)

WEB, OLD, TWIN = row("7", "web"), row("8", "old"), row("9", "web")
CREATE = want("web", type="client")
TAKE_OVER = want("web", replaces="7", retire=True)
CART, PAY, HERO = flag("1", "cart", "7", "8"), flag("2", "pay", "7"), flag("3", "hero", "7", kind="experiment")


def execution_of(service, *wanted, **options):
    """What is about to carry out what is wanted, against which there is nothing to say."""
    run = run_of(service, *wanted, **options)
    assert run.decide(False) == []
    return Execution(run)


def test_what_was_not_approved_is_not_done_later():
    """What a lost request has brought about counts as done; what has to be done instead is no part of the approval."""
    service = Service([OLD], answers=[lost(False)])
    rename = Change("rename", "1", "8", "web", "old")

    def archive(number):
        if len(service.sent) == 1:
            service.rows["8"] = OLD._replace(deleted=True)

    service.before_list = archive
    execution = execution_of(service, want("web", id="8"), approved=[rename])
    error = execution.carry_out()
    assert "it would also restore" in str(error) and service.sent == ["edit 8 label=web"]
    assert [told(each.pending) for each in execution.outcomes()] == [["rename 8 web"]]


def test_what_was_approved_is_done_once():
    """Somebody archives what was created; another one would be a second create."""
    service = Service([OLD])

    def archive(number):
        if "101" in service.rows:
            service.rows["101"] = service.rows["101"]._replace(deleted=True)

    service.before_list = archive
    create = Change("create", "1", None, "web", type="client")
    execution = execution_of(service, CREATE, rules=Rules(restore_archived=False), approved=[create])
    error = execution.carry_out()
    assert "it would also create the client deployment 'web'" in str(error) and service.sent == ["create web"]


def test_what_is_foreseen_is_what_is_done():
    """Taking over: first everything is assigned, then removed, then archived; a second run does nothing."""
    service = Service([WEB, OLD], [CART, PAY, HERO])
    run = run_of(service, TAKE_OVER)
    assert run.decide(False) == []
    [foreseen] = run.predicted()
    execution = Execution(run)
    assert execution.carry_out() is None
    [done] = execution.outcomes()
    assert service.sent == [
        "edit 7 label=web-superseded-7",
        "create web",
        "assign 102 to cart",
        "assign 102 to hero",
        "assign 102 to pay",
        "remove 7 from cart",
        "remove 7 from pay",
        "remove 7 from hero",
        "edit 7 deleted=True",
    ]
    assert told(done.changes) == told(foreseen.changes) and len(done.changes) == len(service.sent)
    assert (done.pending, done.served) == ([], foreseen.served)
    assert (done.replaced[1], done.replaced[0].after.deleted) == (foreseen.replaced[1], True)
    assert {each.key: each.deployments for each in service.flags.values()} == {
        "cart": ("8", "102"),
        "pay": ("102",),
        "hero": ("102",),
    }
    again = execution_of(service, TAKE_OVER)
    assert again.carry_out() is None
    assert len(service.sent) == len(done.changes)


def test_a_takeover_that_was_begun_is_finished():
    """What was there before the run is told with its id."""
    service = Service([row("10", "web"), row("7", "web-superseded-7")], [PAY])
    execution = execution_of(service, TAKE_OVER)
    assert execution.carry_out() is None
    [done] = execution.outcomes()
    assert told(done.changes) == [
        "assign 10 web pay",
        "unassign 7 web-superseded-7 pay",
        "archive 7 web-superseded-7",
    ]


def test_nothing_is_read_of_what_is_not_managed():
    service = Service([OLD], [CART])
    execution = execution_of(service, want("new", previous_label="old"))
    assert execution.carry_out() is None
    assert service.reads == [] and execution.outcomes()[0].served is None


@pytest.mark.parametrize("rounds, ends_well", [(MOST_TAKEN_OVER, True), (MOST_TAKEN_OVER + 1, False)])
def test_what_somebody_attaches_meanwhile(rounds, ends_well):
    """It is taken over too, some times; then nothing is removed or archived, and the error names it."""
    service = Service([WEB], [PAY])

    def attach(number):
        new = len(service.sent) - 2
        if 1 <= new <= rounds and ("flag", str(10 + new)) not in service.flags:
            service.flags["flag", str(10 + new)] = flag(str(10 + new), f"new-{new}", "7")

    service.before_read = attach
    execution = execution_of(service, TAKE_OVER)
    error = execution.carry_out()
    assert (error is None) is ends_well and service.rows["7"].deleted is ends_well
    assert len([each for each in service.sent if each.startswith("assign")]) == 1 + MOST_TAKEN_OVER
    if not ends_well:
        assert str(error).startswith("Could not retire 'web-superseded-7' (id 7) in project 1: ")
        assert f"'new-{rounds}'" in str(error) and error.transient
        [done] = execution.outcomes()
        assert told(done.pending)[0] == f"assign web new-{rounds}"
        assert told(done.pending)[-1] == "archive 7 web-superseded-7"


def test_nothing_is_retired_before_all_is_seen():
    """What the lists do not show may not be so."""
    service = Service([WEB], [flag("4", "free"), PAY], answers=[OK, OK, OK, UNSEEN])
    execution = execution_of(service, want("web", replaces="7", retire=True, flags=("free",)))
    error = execution.carry_out()
    assert "flag 'free' does not list deployment 101 yet" in str(error)
    assert not service.rows["7"].deleted and not [each for each in service.sent if each.startswith("remove")]
    [done] = execution.outcomes()
    assert [each for each in done.warnings if "was accepted, but the list does not show it yet" in each]
    assert done.served[1].flags == ("free", "pay")


@pytest.mark.parametrize(
    "meanwhile, sent",
    [
        # Its label is taken from it, and what it replaces is attached to something else.
        (
            lambda service: (
                service.rows.update({"101": service.rows["101"]._replace(label="by-hand")}),
                service.flags.update({HERO.place: HERO}),
            ),
            ["create web", "assign 102 to hero", "assign 102 to pay"],
        ),
        # It is archived, and there is another one.
        (
            lambda service: service.rows.update(
                {"101": service.rows["101"]._replace(deleted=True), "55": row("55", "web", "server")}
            ),
            ["assign 55 to pay"],
        ),
    ],
)
def test_what_changes_before_anything_is_removed(meanwhile, sent):
    """It is seen in the list that is read before, and all is decided again: first everything is assigned."""
    service = Service([WEB], [PAY])
    seen = []

    def change(number):
        if len(service.sent) == 3 and not seen:
            seen.append(number)
            meanwhile(service)

    service.before_list = change
    execution = execution_of(service, TAKE_OVER)
    assert execution.carry_out() is None
    assert service.sent[:3] == ["edit 7 label=web-superseded-7", "create web", "assign 101 to pay"]
    [first, *_rest] = [number for number, each in enumerate(service.sent) if each.startswith("remove")]
    assert service.sent[3:first] == sent
    assert service.rows["7"].deleted and not [each for each in service.flags.values() if "7" in each.deployments]


#: How the create is answered, what happens meanwhile, the label at the end, and what is said of it.
GIVEN_BACK = {
    "refused": (refused(403), None, "web", "has its label 'web' back, since no other one could be created with it"),
    "not known": (lost(False), None, "web-superseded-7", None),
    "taken by somebody else": (refused(403), TWIN, "web-superseded-7", None),
    "not given back": (refused(403), refused(403), "web-superseded-7", "could not be given its label 'web' back: "),
}


@pytest.mark.parametrize("name", GIVEN_BACK)
def test_label_that_nothing_could_be_created_with(name):
    answer, meanwhile, label, words = GIVEN_BACK[name]
    is_answer = isinstance(meanwhile, type(OK))
    service = Service([WEB], [PAY], answers=[OK, answer, *([meanwhile] if is_answer else [])])

    def create(number):
        if meanwhile is not None and not is_answer and len(service.sent) == 2:
            service.rows[meanwhile.id] = meanwhile

    service.before_list = create
    if answer.failure.outcome_unknown:
        service.patience.end()
    execution = execution_of(service, TAKE_OVER)
    assert execution.carry_out() is not None
    assert service.rows["7"].label == label
    [done] = execution.outcomes()
    assert [words in each for each in done.warnings] == ([] if words is None else [True])
    assert "create web" in [f"{each.action} {each.label}" for each in done.pending]


def test_purge():
    """It comes after the items, and its changes can be approved like theirs."""
    service = Service([OLD, WEB])
    archive, gone = Change("archive", "1", "8", "old"), Change("archive", "1", "9", "gone")
    execution = execution_of(service, CREATE, purge=Purge(frozenset(["1"])), approved=[archive, gone])
    assert execution.carry_out() is None and service.sent == ["edit 8 deleted=True"]
    assert [told(each.changes) for each in execution.outcomes()] == [[], ["archive 8 old"]]
    assert execution.unused() == ["No longer needed from approved_changes: archive 'gone' (id 9) in project 1."]
