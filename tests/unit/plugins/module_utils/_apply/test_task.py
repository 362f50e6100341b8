# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One plan on its way: what is written, what is told of it, and how it ends, without a server."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._apply.task import State, Task
from ansible_collections.community.amplitude.plugins.module_utils._apply.writes import Writer
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AmplitudeError,
    AnswerLost,
    ApiError,
    Refused,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Change, Observed, plan
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Rules
from ansible_collections.community.amplitude.tests.support.account import Account
from ansible_collections.community.amplitude.tests.support.rows import row, want

WEB, SHOP = row("7", "web"), row("7", "shop")
ARCHIVED = WEB._replace(deleted=True)
CREATE = want("web", type="client")
RENAME = want("web", previous_label="shop")
RENAME_AND_RESTORE = want("web", id="7")
ABSENT = want("web", state="absent")


def lost():
    return AnswerLost("change it", "no answer", "run this again", transient=True)


def refused(status=400):
    return ApiError("change it", "it is refused", "do otherwise", status)


def planned(wanted, rows, account, answers=("7",)):
    account._answers[:] = answers
    return Task(Writer(account), plan(wanted, Observed(rows), Rules()))


def sent(wanted, rows, account, answers=("7",)):
    task = planned(wanted, rows, account, answers)
    task.send()
    assert task.state is State.SETTLING
    return task


def look(task, *rows):
    task.look(Observed(rows), Observed(rows))
    return task.state


def test_nothing_to_do():
    task = planned(CREATE, [WEB], Account())
    assert (task.state, task.current, task.pending, task.made_active) == (State.DONE, WEB, (), None)
    assert task.rivals_left() == 0.0


def test_create():
    account = Account()
    task = planned(CREATE, [], account)
    assert (task.state, task.current) == (State.PLANNED, None)
    assert task.pending == (Change("create", "1", None, "web", type="client"),)

    task.send()

    assert task.state is State.SETTLING
    assert (task.pending, task.changes) == ((), [Change("create", "1", None, "web", type="client")])
    assert task.current == task.made_active == WEB._replace(key=None)
    assert task._writer.unseen == {"7": None}
    assert look(task) is State.SETTLING and task._writer.unseen == {"7": None}
    assert look(task, WEB) is State.DONE and task._writer.unseen == {}
    assert (task.current, task.told.before, task.told.after, task.warnings) == (WEB, None, WEB, [])


def test_archive():
    task = sent(ABSENT, [WEB], Account())
    assert task._writer.unseen == {"7": WEB}
    assert task.changes == [Change("archive", "1", "7", "web")]
    assert (task.current, task.made_active) == (ARCHIVED, None)
    assert look(task, WEB) is State.SETTLING
    assert look(task, ARCHIVED) is State.DONE


def test_write_that_comes_to_nothing():
    account = Account([SHOP])
    task = planned(RENAME, [SHOP], account, [lost()])
    task.send()
    assert (task.state, task.pending, task.changes) == (State.PLANNED, (Change("rename", "1", "7", "web", "shop"),), [])
    task = planned(CREATE, [], Account(), [lost()])
    task.send()
    assert (task.state, task.changes, task.current) == (State.PLANNED, [], None)


@pytest.mark.parametrize(
    "lists, answers, sent, unaccounted",
    [
        ([[]], ["7"], 0.0, None),
        ([[]], [lost(), "7"], 5.0, 0.0),
        ([[]], [lost(), lost(), "7"], 10.0, 5.0),
        ([[WEB]], [lost()], 0.0, None),
        ([[], [], [], [], [WEB]], [lost(), lost()], 0.0, 5.0),
    ],
)
def test_creates_whose_answers_are_lost(lists, answers, sent, unaccounted):
    """The one that is found may be any of them, so that the others may be about to appear."""
    task = planned(CREATE, [], Account(*lists), answers)
    for dummy in answers:
        assert task.state is State.PLANNED
        task.send()
    assert task.state is State.SETTLING
    assert (task.write.id, task.write.sent, task.write.lost) == ("7", sent, unaccounted)


def test_write_that_is_shown_after_all():
    """What has come to nothing, as far as was known, is told as done if it is there when it is decided again."""
    for wanted, rows in ((RENAME, [SHOP]), (CREATE, [])):
        task = planned(wanted, rows, Account(rows), [lost()])
        first = task.plan
        task.send()
        task.decide_again(plan(wanted, Observed([WEB]), Rules()))
        assert (task.state, task.current, task.pending) == (State.DONE, WEB, ())
        assert task.changes == list(first.changes)
        assert task.told == first._replace(after=WEB)


def test_create_of_which_another_one_may_still_appear():
    task = planned(CREATE, [], Account(), [lost()])
    first = task.plan
    task.send()
    task.send()
    task.decide_again(plan(CREATE, Observed([WEB]), Rules()))
    assert (task.state, task.plan, task.current) == (State.SETTLING, first, WEB)
    assert task.changes == [Change("create", "1", None, "web", type="client")]
    assert (task.write.before, task.write.own, task.write.sent, task.write.lost) == (None, WEB, 0.0, 5.0)


def test_create_of_which_there_is_no_time_to_see_whether_another_one_appears():
    task = planned(CREATE, [], Account(), [lost()])
    task.send()
    task.send()
    task.decide_again(plan(CREATE, Observed([WEB]), Rules()))
    assert look(task, WEB) is State.SETTLING
    task.give_up(Observed([WEB]), None)
    assert (task.state, task.current) == (State.DONE, WEB)
    assert task.warnings == [
        "The create of deployment 'web' in project 1 was sent again since its answer was lost, and retry_timeout leaves no "
        "time to see whether there are two now: run this again, which fails if there are."
    ]


@pytest.mark.parametrize("status", [400, 409])
def test_refused_label_is_explained(status):
    account = Account([SHOP, row("8", "Web")])
    with pytest.raises(Refused, match="active deployment 'Web' with the id 8"):
        planned(RENAME, [SHOP], account, [refused(status)]).send()
    account = Account([SHOP, row("8", "web")])
    task = planned(RENAME, [SHOP], account, [refused(status)])
    task.send()
    assert (task.state, task.changes) == (State.PLANNED, [])


@pytest.mark.parametrize("wanted, status", [(RENAME, 403), (RENAME, 404), (want("shop", state="absent"), 400)])
def test_refusal_that_is_about_no_label(wanted, status):
    account = Account([SHOP, row("8", "web")])
    with pytest.raises(ApiError):
        planned(wanted, [SHOP], account, [refused(status)]).send()
    assert account.begun == []


def test_decide_again():
    task = sent(CREATE, [], Account())
    first = task.plan
    task.decide_again(plan(CREATE, Observed([WEB]), Rules()))
    assert (task.state, task.current, task.pending) == (State.DONE, WEB, ())
    assert task.told == first._replace(after=WEB)

    task.decide_again(plan(CREATE, Observed([ARCHIVED]), Rules()))
    assert (task.state, task.current, task.pending) == (State.PLANNED, WEB, (Change("restore", "1", "7", "web"),))


def test_what_was_archived_is_told_although_there_are_several_of_it():
    several = [ARCHIVED, row("8", "web", deleted=True)]
    task = sent(ABSENT, [WEB, several[1]], Account())
    task.decide_again(plan(ABSENT, Observed(several), Rules()))
    assert (task.state, task.current) == (State.DONE, ARCHIVED)
    task = planned(ABSENT, [WEB], Account())
    task.decide_again(plan(ABSENT, Observed(several), Rules()))
    assert (task.state, task.current) == (State.DONE, None)


@pytest.mark.parametrize(
    "half, told", [(SHOP, Change("restore", "1", "7", "shop")), (ARCHIVED, Change("rename", "1", "7", "web", "shop"))]
)
def test_half_of_an_edit(half, told):
    """What is told is what was carried out, and the whole when the rest has been carried out."""
    old = SHOP._replace(deleted=True)
    whole = [Change("restore", "1", "7", "shop"), Change("rename", "1", "7", "web", "shop")]
    task = sent(RENAME_AND_RESTORE, [old], Account())
    assert task.changes == whole
    assert look(task, half) is State.LOST
    assert (task.current, task.changes) == (half, [told])
    assert "7" not in task._writer.unseen

    task.decide_again(plan(RENAME_AND_RESTORE, Observed([half]), Rules()))
    task.send()

    assert (task.changes, task.current) == (whole, WEB)
    assert look(task, WEB) is State.DONE


def test_what_somebody_else_has_changed():
    task = sent(CREATE, [], Account())
    assert look(task, SHOP) is State.LOST
    assert (task.current, task.changes, task.warnings) == (
        SHOP,
        [Change("create", "1", None, "web", type="client")],
        [],
    )


def test_renamed_while_it_was_archived():
    task = sent(ABSENT, [WEB], Account())
    assert look(task, SHOP._replace(deleted=True)) is State.LOST
    assert task.warnings == [
        "Somebody else renamed the deployment with the id 7 from 'web' to 'shop' while this run archived it."
    ]


@pytest.mark.parametrize(
    "rows, told",
    [([], "does not show it yet"), ([WEB._replace(key=None)], "shows it without its key")],
)
def test_create_whose_key_is_not_shown(rows, told):
    task = sent(CREATE, [], Account())
    look(task, *rows)
    with pytest.raises(AmplitudeError) as caught:
        task.give_up(Observed(rows), None)
    assert str(caught.value) == (
        "Could not read the key of deployment 'web' in project 1: it was created with the id 7, but the list of "
        f"deployments {told}; run this again, which finds it as soon as the list shows it, or raise retry_timeout."
    )


def test_edit_that_is_not_shown():
    task = sent(RENAME, [SHOP], Account())
    task.give_up(Observed([SHOP]), None)
    assert (task.state, task.current) == (State.DONE, WEB)
    assert task.warnings == [
        "The change of deployment 'web' in project 1 was accepted, but the list of deployments does not show it yet: a run "
        "right after this one may find the old state."
    ]


def test_list_that_cannot_be_read():
    failure = lost()
    for wanted, rows in ((CREATE, []), (RENAME, [SHOP])):
        with pytest.raises(AnswerLost) as caught:
            sent(wanted, rows, Account()).give_up(None, failure)
        assert caught.value is failure
    task = sent(ABSENT, [WEB], Account())
    task.give_up(None, failure)
    assert (task.state, task.current) == (State.DONE, ARCHIVED)
    assert task.warnings == [f"The change was accepted, but could not be read back. {failure}"]


def test_rivals_that_there_is_no_time_to_see_withdrawn():
    rival = row("8", "web")
    task = sent(CREATE, [], Account())
    assert look(task, WEB, rival) is State.SETTLING
    assert look(task, WEB, rival) is State.SETTLING
    task.give_up(Observed([WEB, rival]), None)
    assert (task.state, task.yielding) == (State.DONE, [rival])
    assert task.warnings == [
        "Another run has made the label 'web' in project 1 active at the same moment (id 8). It should be withdrawn, but "
        "retry_timeout leaves no time to confirm that."
    ]


RIVAL = row("5", "web")
RACE = "Another run has made the label 'web' in project 1 active at the same moment (id 5)"


def test_withdrawal():
    account = Account()
    task = sent(CREATE, [], account)
    assert look(task, WEB, RIVAL) is State.SETTLING
    superseded = WEB._replace(label="web-superseded-7", deleted=True)
    assert account.sent[1:] == [("7", "web-superseded-7", True)]
    assert task.current == superseded and task.made_active is None
    assert task.changes[1:] == [
        Change("rename", "1", "7", "web-superseded-7", "web"),
        Change("archive", "1", "7", "web-superseded-7"),
    ]
    assert task.warnings == [
        f"{RACE}. This run has withdrawn its own deployment with the id 7, which is now 'web-superseded-7' and archived."
    ]
    assert task.rivals_left() == 0.0
    assert look(task, superseded, RIVAL) is State.WITHDRAWN
    assert task.rivals_left() == 0.0


def test_withdrawal_of_what_may_still_win():
    """Where ids do not count up, the one that has won may lose to a later one, for as long as that can appear."""
    account = Account()
    task = sent(CREATE, [], account, ["e7"])
    assert look(task, WEB._replace(id="e7"), row("a5", "web")) is State.SETTLING
    assert task.rivals_left() == 0.0
    assert look(task, row("e7", "web-superseded-e7", deleted=True)) is State.WITHDRAWN
    assert task.rivals_left() == account.client.waits.rivals_withdraw


@pytest.mark.parametrize("status", [400, 409])
def test_withdrawal_whose_label_is_refused(status):
    account = Account()
    task = sent(CREATE, [], account, ["7", refused(status), None])
    assert look(task, WEB, RIVAL) is State.SETTLING
    assert account.sent[1:] == [("7", "web-superseded-7", True), ("7", None, True)]
    assert (task.current, task.changes[1:]) == (ARCHIVED, [Change("archive", "1", "7", "web")])
    assert task.warnings == [
        f"{RACE}. This run has withdrawn its own deployment with the id 7, which is now 'web' and archived."
    ]


@pytest.mark.parametrize("answer, count", [(refused(400), 2), (refused(403), 1), (lost(), 1)])
def test_withdrawal_that_fails(answer, count):
    account = Account(patience=0.0)
    task = sent(CREATE, [], account, ["7", answer])
    with pytest.raises(AmplitudeError) as caught:
        look(task, WEB, RIVAL)
    assert len(account.sent) == 1 + count
    told = str(caught.value)
    assert told.startswith(f"Could not withdraw deployment 'web' (id 7) in project 1: {RACE}, {answer.problem}")
    assert told.endswith(
        ", and as far as is known the deployments with the ids 5, 7 are all active now; archive or rename all but one of "
        "them (amplitude_deployment_info with include_usage shows which of them is used), and run this again."
    )
    assert caught.value.__cause__ is answer


def test_withdrawal_that_comes_to_nothing():
    account = Account([WEB])
    task = sent(CREATE, [], account, ["7", lost()])
    assert look(task, WEB, RIVAL) is State.LOST
    told = "This run tried to withdraw its own deployment with the id 7, but the API did not carry that out."
    assert task.warnings == [f"{RACE}. {told}"]


def test_withdrawal_without_time_to_see_it():
    task = sent(RENAME, [SHOP], Account())
    assert look(task, WEB, row("8", "web")) is State.SETTLING
    task.give_up(Observed([WEB, row("8", "web")]), None)
    assert (task.state, task.current) == (State.WITHDRAWN, SHOP)


def test_half_of_a_withdrawal():
    """The rest is sent at once, and the changes tell the whole."""
    account = Account()
    task = sent(CREATE, [], account)
    look(task, WEB, RIVAL)
    half = WEB._replace(label="web-superseded-7")
    account.client.waits.sleep(3.0)
    assert look(task, half, RIVAL) is State.SETTLING
    assert (task.write.before, task.write.sent, task.write.withdraws) == (half, 3.0, True)
    assert account.sent[2:] == [("7", None, True)]
    assert [change.action for change in task.changes] == ["create", "rename", "archive"]
    assert task.current == half._replace(deleted=True)
    assert look(task, task.current, RIVAL) is State.WITHDRAWN


@pytest.mark.parametrize("overlaid", [[SHOP], [SHOP, row("3", "shop")]])
def test_withdrawal_beside_another_one_with_the_old_label(overlaid):
    """It does not get the old label back a second time."""
    account = Account()
    task = sent(RENAME, [SHOP], account)
    assert look(task, WEB, RIVAL) is State.SETTLING
    assert account.sent[1:] == [("7", "shop", None)]
    task.look(Observed([SHOP, row("3", "shop")]), Observed(overlaid))
    assert account.sent[2:] == [("7", "shop-superseded-7", None)]
    assert look(task, row("7", "shop-superseded-7"), row("3", "shop")) is State.WITHDRAWN
    assert task.current == row("7", "shop-superseded-7")
