# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run decides before the first write, and how long it looks for that: without a server."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import AmplitudeError, Problem, RequestFailed
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Change
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Invalid, Purge, Rules
from ansible_collections.community.amplitude.tests.support.rows import flag, row, want
from ansible_collections.community.amplitude.tests.support.service import Service, fail, run_of, told

WEB, OLD, TWIN = row("7", "web"), row("8", "old"), row("9", "web")
CREATE = want("web", type="client")


def refusal_of(run, check_mode=False):
    with pytest.raises(AmplitudeError) as raised:
        run.decide(check_mode)
    return raised.value


def told_pending(error):
    return [f"{each['action']} {each['id'] or '-'} {each['label']}" for each in error.result["pending"]]


#: Who wants what, what the list shows from which reading on, and how often it is read before it is known, and is said.
LOOKS = {
    "nothing in the way": ([CREATE], {1: [WEB]}, 1, None),
    "what does not pass": ([want("web", type="server")], {1: [WEB]}, 1, "the API cannot change the type"),
    "two with one label that become one": ([CREATE], {1: [WEB, TWIN], 3: [WEB]}, 3, None),
    "two with one label that stay": ([CREATE], {1: [WEB, TWIN]}, 8, "there are 2 active deployments"),
    "a key that is listed later": ([CREATE], {1: [WEB._replace(key=None)], 2: [WEB]}, 2, None),
    "one that passes beside one that does not": (
        [CREATE, want("old", type="server")],
        {1: [WEB, TWIN, OLD]},
        1,
        "the API cannot change the type",
    ),
}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", LOOKS)
def test_how_long_is_looked(name, check_mode):
    """Check mode tells what is so at this moment; a real run waits for what may pass."""
    wanted, lists, reads, problem = LOOKS[name]
    service = Service()

    def show(number):
        service.rows = {each.id: each for each in lists.get(number, service.rows.values())}

    service.before_list = show
    run = run_of(service, *wanted)
    passes_later = check_mode and len(lists[1]) > 1 and problem is None
    if problem is None and not passes_later:
        assert run.decide(check_mode) == []
    else:
        error = refusal_of(run, check_mode)
        assert (problem or "there are 2 active deployments") in str(error)
        waited = [each for each in error.warnings if each.startswith("The list was read for ")]
        assert bool(waited) is (reads > 1 and not check_mode)
    assert len(service.lists) == (1 if check_mode else reads)


def test_key_that_is_not_listed():
    service = Service([WEB._replace(key=None)])
    assert run_of(service, CREATE).decide(False) == ["The API lists no key for deployment 'web' (id 7)."]
    assert service.lists[-1] - service.lists[0] == service.waits.races_settle
    assert run_of(service, CREATE).decide(True) == []
    # Nobody gets a key of what is archived.
    assert run_of(service, want("web", state="absent"), rules=Rules(force=True)).decide(False) == []


def test_all_that_is_wrong_is_told():
    """What is wrong with an item is not waited beside; with nothing else to plan, nothing is read."""
    wrong = want("a b", type="client")
    service = Service([WEB, TWIN, OLD])
    error = refusal_of(run_of(service, wrong, CREATE, want("new", previous_label="old"), want("old-2", type="client")))
    assert [each.item for each in error.problems] == [1, 2]
    assert told_pending(error) == ["rename 8 new", "create - old-2"]
    assert len(service.lists) == 1 and service.patience.left == 0.0
    service = Service([WEB])
    error = refusal_of(run_of(service, wrong))
    assert [each.item for each in error.problems] == [1] and service.lists == []


def test_list_that_cannot_be_read():
    """What is known to be wrong is told, else why nothing is known."""
    for wanted, words in (([CREATE], "refused with 500"), ([CREATE, want("a b")], "'a b'")):
        service = Service()
        service.before_list = fail
        error = refusal_of(run_of(service, *wanted))
        assert words in str(error) and isinstance(error, RequestFailed) is (len(wanted) == 1)


def test_problem_of_the_only_one():
    """It has no number, and nothing beside it could be done."""
    error = refusal_of(run_of(Service([WEB]), want("web", type="server"), is_list=False))
    assert [each.item for each in error.problems] == [None] and "pending" not in error.result


CREATED, RENAMED = Change("create", "1", None, "web", type="client"), Change("rename", "1", "8", "new", "old")
GONE = Change("archive", "1", "9", "gone")
NOT_NEEDED = "No longer needed from approved_changes: archive 'gone' (id 9) in project 1."


@pytest.mark.parametrize("check_mode", [True, False])
def test_approval(check_mode):
    wanted = [CREATE, want("new", previous_label="old")]
    error = refusal_of(run_of(Service([OLD]), *wanted, approved=[CREATED]), check_mode)
    assert [(each.item, each.label) for each in error.problems] == [(2, "new")]
    assert "it would also rename 'old' (id 8) to 'new'" in str(error)
    # What is carried out tells itself what was not needed for it.
    run = run_of(Service([OLD]), *wanted, approved=[CREATED, RENAMED, GONE])
    assert run.decide(check_mode) == ([NOT_NEEDED] if check_mode else [])
    run = run_of(Service([WEB, OLD._replace(label="new")]), *wanted, approved=[GONE])
    assert run.decide(check_mode) == [NOT_NEEDED]


def test_purge():
    """It comes after the items."""
    run = run_of(Service([OLD, WEB]), CREATE, purge=Purge(frozenset(["1"])))
    assert run.decide(False) == []
    assert [told(each.changes) for each in run.predicted()] == [[], ["archive 8 old"]]


def test_prediction_of_a_takeover():
    """As if all of it was done at once."""
    run = run_of(Service([WEB], [flag("2", "pay", "7")]), want("web", replaces="7", retire=True))
    assert run.decide(True) == []
    [outcome] = run.predicted()
    assert told(outcome.changes) == [
        "rename 7 web-superseded-7",
        "create web",
        "assign web pay",
        "unassign 7 web-superseded-7 pay",
        "archive 7 web-superseded-7",
    ]
    assert outcome.replaced[0].after.deleted and outcome.served[1].flags == ("pay",)


def test_problems_that_are_known_before():
    """They belong to no item that could be planned."""
    known = Invalid([Problem(AmplitudeError("use the options", "something is wrong", "correct it"))], set())
    error = refusal_of(run_of(Service(), CREATE, invalid=known))
    assert "something is wrong" in str(error) and told_pending(error) == ["create - web"]
