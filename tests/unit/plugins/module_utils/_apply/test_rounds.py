# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rounds of planning, writing and settling, until the list shows nothing that is left to do: without a server."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._apply.rounds import MOST_ROUNDS, Rounds
from ansible_collections.community.amplitude.plugins.module_utils._apply.task import State
from ansible_collections.community.amplitude.plugins.module_utils._errors import AmplitudeError, Problem, Refused
from ansible_collections.community.amplitude.plugins.module_utils._plan.many import Places, plan_all
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Purge, Rules
from ansible_collections.community.amplitude.tests.support.rows import row, want
from ansible_collections.community.amplitude.tests.support.service import OK, UNSEEN, Service, fail, lost, refused

WEB, OLD = row("7", "web"), row("8", "old")
CREATE = want("web", type="client")
RENAME = want("new", previous_label="old")
#: The second one needs the label that the first one gives up.
HAND_ON = [want("new", previous_label="web"), want("web", type="client"), want("other", type="server")]


class Play:
    """The rounds of a run in which this is wanted: what is sent, and how it ends."""

    def __init__(self, service, *wanted, purge=False, guard=lambda plans: [], concurrency=1):
        self.service = service
        places = Places(wanted)
        observed = Observed([*service.rows.values()])
        bound = Purge(frozenset(["1"]), 9) if purge else None
        decided = plan_all(places, observed, Rules(), bound)
        assert decided.problems == []
        self.rounds = Rounds(service.client, len(places), Rules(), concurrency, guard, places.problem_of)
        self.error = self.rounds.begin(decided.plans.values(), observed)

    @property
    def states(self):
        return [task.state for task in self.rounds.tasks]


@pytest.mark.parametrize(
    "wanted, rows, answers, sent",
    [
        ([CREATE], [WEB], [], []),
        ([CREATE], [], [], ["create web"]),
        ([RENAME], [OLD], [], ["edit 8 label=new"]),
        ([CREATE], [], [lost(True)], ["create web"]),
        # What has come to nothing is decided again.
        ([CREATE], [], [lost(False)], ["create web", "create web"]),
        ([RENAME], [OLD], [lost(False)], ["edit 8 label=new", "edit 8 label=new"]),
        ([RENAME], [OLD], [UNSEEN], ["edit 8 label=new"]),
        (HAND_ON, [WEB], [], ["edit 7 label=new", "create other", "create web"]),
        # The second wave relies on the first, which is repeated before it.
        (HAND_ON, [WEB], [lost(False)], ["edit 7 label=new", "create other", "edit 7 label=new", "create web"]),
    ],
)
def test_it_ends_well(wanted, rows, answers, sent):
    service = Service(rows, answers=answers)
    play = Play(service, *wanted)
    assert (play.error, play.service.sent) == (None, sent)
    assert set(play.states) == {State.DONE}
    assert not any(task.pending for task in play.rounds.tasks)


def test_nothing_is_read_where_nothing_is_to_be_done():
    assert Play(Service([WEB]), CREATE).service.lists == []


def test_no_request_is_begun_after_an_error():
    """Neither in the same wave nor in a later one; what was not sent is pending."""
    play = Play(Service([WEB], answers=[refused(403)]), *HAND_ON)
    assert play.service.sent == ["edit 7 label=new"] and "refused with 403" in str(play.error)
    assert [bool(task.pending) for task in play.rounds.tasks] == [True, True, True]
    assert play.rounds.tasks[0].failure is play.error and play.rounds.tasks[2].failure is None


def test_what_was_sent_before_an_error_is_seen_through():
    play = Play(Service([WEB], answers=[OK, refused(403)]), *HAND_ON)
    assert play.service.sent == ["edit 7 label=new", "create other"] and "refused with 403" in str(play.error)
    assert play.states == [State.DONE, State.PLANNED, State.PLANNED] and play.service.lists


def test_something_else_keeps_changing_it():
    """As soon as it is written, the list shows something that it neither was before nor was made."""
    service = Service([OLD])

    def rename(number):
        service.rows["8"] = OLD._replace(label=f"by-hand-{number}")

    service.before_list = rename
    play = Play(service, want("new", id="8"))
    text = str(play.error)
    assert f"even after {MOST_ROUNDS} rounds within" in text and play.error.transient
    assert "something else keeps changing" in text and "others" not in text
    assert len(service.sent) == MOST_ROUNDS


@pytest.mark.parametrize("patience", [0.0, 1.0, 3.0])
def test_withdrawal_without_time_beside_what_the_list_does_not_show_yet(patience):
    """It does not get its old label back beside what this run has created with that label."""
    service = Service([OLD], answers=[OK, UNSEEN], patience=patience)

    def create(number):
        service.rows["9"] = row("9", "new")

    service.before_list = create
    play = Play(service, RENAME, want("old", type="client"))
    assert service.sent == ["edit 8 label=new", "create old", "edit 8 label=new-superseded-8"]
    assert "created with the id 101, but the list of deployments does not show it yet" in str(play.error)


def test_list_that_cannot_be_read():
    service = Service([OLD])
    service.before_list = fail
    play = Play(service, RENAME)
    assert "refused with 500, so what was written could not be read back" in str(play.error)
    assert play.states == [State.LOST]


def test_it_is_decided_again_whether_it_may_be():
    """The guard is asked again, and what it refuses is not sent."""
    asked = []

    def guard(plans):
        asked.append(sorted(plans))
        return [Problem(Refused("archive it", "it is used", "leave it"), 1)]

    service = Service([WEB], answers=[lost(False)])
    play = Play(service, want("web", state="absent"), guard=guard)
    assert "it is used" in str(play.error) and asked == [[0]]
    assert service.sent == ["edit 7 deleted=True"]


def test_it_is_decided_again_whether_it_can_be():
    """Meanwhile somebody else has made a second one with the label: which is meant, nobody knows."""
    service = Service([OLD], answers=[lost(False)])

    def create(number):
        for identifier in ("20", "21") if len(service.lists) > 3 else ():
            service.rows[identifier] = row(identifier, "new")

    service.before_list = create
    play = Play(service, RENAME)
    assert "there are 2 active deployments with the label 'new'" in str(play.error)
    assert play.error.problems[0].item == 1 and service.sent == ["edit 8 label=new"]
    # It may pass, so that it is not told at once.
    assert service.lists[-1] - service.lists[4] >= service.waits.races_settle


@pytest.mark.parametrize(
    "rows, confirmed",
    [
        ([row("100", "web")], True),
        ([], False),
        ([row("100", "web", deleted=True)], False),
        ([row("100", "web"), row("101", "web")], False),
        ([row("100", "web"), row("101", "web", deleted=True)], True),
    ],
)
def test_is_confirmed_by(rows, confirmed):
    """What a run has made active must be there, alone."""
    play = Play(Service(), CREATE)
    assert play.error is None and play.rounds.is_confirmed_by(Observed(rows)) is confirmed
    # Only then what the list shows is what is returned.
    assert (play.rounds.tasks[0].current in rows) is confirmed


def test_what_is_meant_by_its_id_must_be_alone_too():
    play = Play(Service([OLD]), want("new", id="8"))
    assert play.error is None and play.rounds.is_confirmed_by(Observed([row("8", "new")]))
    assert not play.rounds.is_confirmed_by(Observed([row("8", "new"), row("9", "new")]))


def test_unseen_writes_are_part_of_what_is_observed():
    service = Service([OLD], answers=[UNSEEN])
    play = Play(service, RENAME)
    assert play.error is None and "does not show it yet" in play.rounds.tasks[0].warnings[0]
    assert play.rounds.is_confirmed_by(Observed([OLD]))
    assert [each.label for each in play.rounds.observed.all_active()] == ["new"]


def test_what_others_will_withdraw_is_no_part_of_what_is_observed():
    """Also if two tasks wait for the same one, which somebody has given the other label meanwhile."""
    play = Play(Service(), CREATE, want("shop", type="client"))
    rows = list(play.service.rows.values())
    for task in play.rounds.tasks:
        task.yielding = [row("900", task.current.label)]
    assert play.rounds.is_confirmed_by(Observed([*rows, row("900", "shop")]))
    assert sorted(play.rounds.observed.all_active()) == sorted(rows)
    assert play.rounds.observed.with_id("900") is None


def test_go_on():
    """From what was just read, or from what is read now; with what is wanted now."""
    service = Service([WEB])
    play = Play(service, CREATE)
    assert play.rounds.go_on(Observed([WEB])) is None and service.lists == []
    assert play.rounds.go_on() is None and len(service.lists) == 1
    service.rows["7"] = WEB._replace(deleted=True)
    assert play.rounds.go_on() is None and service.sent == ["edit 7 deleted=False"]
    service.rows["9"] = row("9", "web")
    error = play.rounds.go_on(Observed([*service.rows.values()]))
    assert "2 active deployments with the label 'web'" in str(error)


@pytest.mark.parametrize("answer, label", [(OK, "old"), (lost(False), "new"), (refused(400), "new")])
def test_give_back(answer, label):
    """If that comes to nothing, it keeps what it was given, and nothing is pending."""
    service = Service([OLD])
    play = Play(service, RENAME)
    service._answers[:] = [answer]
    [task] = play.rounds.tasks
    error = play.rounds.give_back(task)
    assert (task.current.label, task.pending) == (label, ())
    assert (error is None) is (answer.failure is None or answer.failure.outcome_unknown)
    assert isinstance(error, (AmplitudeError, type(None)))
