# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of a write whose answer does not tell: lists as tables, on a clock on which nothing takes time."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._apply.looks import looks_at
from ansible_collections.community.amplitude.plugins.module_utils._apply.writes import Writer, together
from ansible_collections.community.amplitude.plugins.module_utils._errors import AnswerLost, ApiError, Refused
from ansible_collections.community.amplitude.tests.support.account import Account
from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER
from ansible_collections.community.amplitude.tests.support.rows import row

NEW = row("", "web")._replace(id=None, key=None)
OLD, RENAMED, ARCHIVED = row("7", "old"), row("7", "web"), row("7", "old", deleted=True)


def lost():
    return AnswerLost("create it", "no answer", "run this again", transient=True)


def refused(status=400):
    return ApiError("rename it", "the label is taken", "use another label", status)


@pytest.mark.parametrize(
    "concurrency, count, at_once", [(1, 6, 1), (2, 6, 2), (3, 6, 3), (32, 6, 6), (8, 2, 2), (8, 1, 1)]
)
def test_together(concurrency, count, at_once):
    together([], concurrency)
    done, threads = [], set()
    barrier = threading.Barrier(at_once, timeout=FOR_EVER)

    def work(number):
        threads.add(threading.get_ident())
        barrier.wait()
        done.append(number)

    together([lambda number=number: work(number) for number in range(count)], concurrency)

    assert sorted(done) == list(range(count))
    assert len(threads) == at_once
    if at_once == 1:
        assert done == list(range(count)) and threads == {threading.get_ident()}


def test_together_where_no_thread_can_be_started(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    done = []
    together([lambda number=number: done.append(number) for number in range(3)], 8)
    assert done == [0, 1, 2]


@pytest.mark.parametrize("concurrency", [1, 2, 8])
def test_together_hides_no_error_of_the_program(concurrency):
    """Nor one of the kind that says that no thread can be started."""

    def fail():
        raise RecursionError("too deep")

    done = []
    with pytest.raises(RecursionError):
        together([fail, *[lambda: done.append(None)] * 20], concurrency)
    assert concurrency > 1 or done == []


def test_create():
    account = Account(answers=["7"])
    assert Writer(account).create(NEW) == ("7", False)
    assert (account.sent, account.begun) == ([("1", "web", "client")], [])


@pytest.mark.parametrize(
    "lists, found",
    [
        ([[]], None),
        ([[], [], [], [row("8", "web")]], "8"),
        ([[row("10", "web"), row("9", "web")]], "10"),
        ([[row("8", "web")], [row("8", "web"), row("9", "web")]], "9"),
        ([[row("8", "web", None)]], "8"),
        ([[row("8", "web"), row("9", "web", "server")]], "8"),
        ([[row("8", "web", deleted=True), row("9", "api")]], None),
        ([[row("8", "web")], lost()], "8"),
        # What this run has renamed away from the label, and the list does not show yet.
        ([[row("3", "web")]], None),
    ],
)
def test_create_whose_answer_is_lost(lists, found):
    account = Account(*lists, answers=[lost()])
    writer = Writer(account)
    writer.unseen = {"3": row("3", "web")}
    assert writer.create(NEW) == (found, True)
    if not isinstance(lists[-1], Exception):
        assert account.begun == [0, 1, 3, 5]


@pytest.mark.parametrize("more", [dict(patience=2.0), dict(patience=0.0), dict(failing=True)])
def test_create_of_which_nobody_knows_what_became(more):
    lists = [[], lost()] if more.pop("failing", False) else [[]]
    with pytest.raises(
        AnswerLost,
        match=r"create it: no answer, so it is not known whether it was carried out( \(the list was read for 1 "
        r"second\))?; run",
    ):
        Writer(Account(*lists, answers=[lost()], **more)).create(NEW)


def test_writes_that_are_refused():
    account = Account([row("8", "web"), RENAMED], answers=[refused()])
    with pytest.raises(ApiError):
        Writer(account).create(NEW)
    with pytest.raises(ApiError):
        Writer(account).edit(OLD, RENAMED)
    assert account.begun == []


@pytest.mark.parametrize(
    "after, sent",
    [
        (RENAMED, ("7", "web", None)),
        (ARCHIVED, ("7", None, True)),
        (RENAMED._replace(deleted=True), ("7", "web", True)),
    ],
)
def test_edit(after, sent):
    account = Account()
    assert Writer(account).edit(OLD, after) is True
    assert (account.sent, account.begun) == ([sent], [])
    assert Writer(account).edit(after, OLD) is True
    assert account.sent[1:] == [("7", sent[1] and "old", None if sent[2] is None else False)]


@pytest.mark.parametrize(
    "lists, done, begun",
    [
        ([[RENAMED]], True, [0]),
        ([[OLD], [OLD], [OLD], [RENAMED]], True, [0, 1, 3, 5]),
        ([[OLD]], False, [0, 1, 3, 5]),
        ([[row("7", "web", deleted=True)]], False, [0, 1, 3, 5]),
        ([[]], False, [0, 1, 3, 5]),
    ],
)
def test_edit_whose_answer_is_lost(lists, done, begun):
    account = Account(*lists, answers=[lost()])
    assert Writer(account).edit(OLD, RENAMED) is done
    assert account.begun == begun


@pytest.mark.parametrize(
    "lists, begun",
    [
        ([[OLD, row("8", "web")]], [0]),
        ([[OLD], [OLD, row("8", "web", deleted=True)], [OLD, row("8", "web")]], [0, 1, 3]),
    ],
)
def test_label_that_another_run_has_just_made_active(lists, begun):
    account = Account(*lists)
    Writer(account).explain_duplicate(None, RENAMED, refused())
    assert account.begun == begun


@pytest.mark.parametrize(
    "shown, told, begun",
    [
        (row("8", "Web"), "active deployment 'Web' with the id 8 has this label; use another label.", [0]),
        (
            row("8", "web", deleted=True),
            "archived deployment 'web' with the id 8 has this label (the list was read for 5 seconds); use another label: "
            "an archived deployment keeps its label, and restoring it would bring back its key.",
            [0, 1, 3, 5],
        ),
        (
            row("8", "WEB", deleted=True),
            "archived deployment 'WEB' with the id 8 has this label (the list",
            [0, 1, 3, 5],
        ),
    ],
)
def test_label_that_is_taken(shown, told, begun):
    refusal = refused()
    account = Account([RENAMED, shown, row("9", "web", project_id="2")])
    with pytest.raises(Refused) as caught:
        Writer(account).explain_duplicate(None, RENAMED, refusal)
    assert f"Could not rename it: the label is taken, and the {told}" in str(caught.value)
    assert caught.value.__cause__ is refusal
    assert account.begun == begun


@pytest.mark.parametrize(
    "lists", [[[]], [lost()], [[RENAMED, row("8", "api")]]], ids=["nothing", "lost", "another label"]
)
def test_refusal_that_nothing_explains(lists):
    refusal = refused()
    with pytest.raises(ApiError) as caught:
        Writer(Account(*lists)).explain_duplicate(None, RENAMED, refusal)
    assert caught.value is refusal


def test_label_that_this_run_has_renamed_away_is_not_that_of_another_run():
    """Nor is it named as what has the label: it has it no more, though the list does not show that yet."""
    refusal = refused()
    for others in ([], [row("8", "web", deleted=True)]):
        writer = Writer(Account([row("3", "web"), *others]))
        writer.unseen = {"3": row("3", "web")}
        with pytest.raises(Refused if others else ApiError) as caught:
            writer.explain_duplicate(None, RENAMED, refusal)
        assert "id 8" in str(caught.value) if others else caught.value is refusal


def test_what_the_list_shows_as_it_was():
    writer = Writer(Account())
    writer.unseen = {"3": row("3", "web"), "4": row("4", "api"), "5": None, "6": row("6", "gone")}
    [observed] = looks_at(Account([row("3", "web"), row("4", "job"), row("5", "new")]), 0.0)
    assert [each for each in ("3", "4", "5", "6", "7") if each in writer.outdated(observed)] == ["3"]
