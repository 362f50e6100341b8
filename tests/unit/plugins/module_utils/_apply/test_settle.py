# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the list says of a write: a table of looks, without a server or a clock."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._apply.settle import (
    Sight,
    Verdict,
    Write,
    active_beside,
    counts_up,
    is_half_of,
    last_verdict,
    rivalry,
    rivals_left,
    shows,
    verdict,
    ways_back,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.tests.support.rows import row

#: Whatever is written is sent at 100 seconds, and the first look of a table is at 101: the list is 1 second behind.
SENT, FIRST = 100.0, 101.0
WAITS = Waits(list_lag=5.0, rivals_withdraw=4.0, edit_shows=15.0)
#: What a first look at 101 seconds that shows the write allows others: 4 seconds and twice the lag.
UNTIL = 107.0
#: The list is taken to show everything after that.
LAGGED = 105.0

WEB, SHOP = row("11", "web"), row("11", "shop")
LOWER, HIGHER = row("10", "web"), row("12", "web")
ARCHIVED = WEB._replace(deleted=True)
NO_KEY = WEB._replace(key=None)
OPAQUE = row("e5", "web")

CREATE = Write(None, NO_KEY, SENT)
CREATE_OPAQUE = Write(None, OPAQUE, SENT)
RENAME = Write(SHOP, WEB, SENT)
RESTORE = Write(ARCHIVED, WEB, SENT)
RESTORE_AND_RENAME = Write(SHOP._replace(deleted=True), WEB, SENT)
ARCHIVE = Write(WEB, ARCHIVED, SENT)
SUPERSEDED = WEB._replace(label="web-superseded-11", deleted=True)
WITHDRAWAL = Write(WEB, SUPERSEDED, SENT, withdraws=True)
RENAME_BACK = Write(SHOP, WEB, SENT, withdraws=True)


def seen(*rivals: Deployment, until: float = UNTIL, **more: t.Any) -> Sight:
    """The write was shown before, beside these."""
    return Sight(WEB, (WEB, *rivals) if rivals else (WEB,), until, **more)


class Look(t.NamedTuple):
    """One look at the list; ``after`` is what it adds to what earlier looks have shown, if it adds anything."""

    write: Write
    found: list[Deployment]
    verdict: Verdict
    sight: Sight = Sight()
    after: Sight | None = None
    now: float = FIRST
    unseen: tuple[str, ...] = ("11",)


LOOKS = {
    # What was created stays if it is alone, has its key, and nothing is still to appear.
    "create: not there yet": Look(CREATE, [], Verdict.WAIT),
    "create: not there for an hour": Look(CREATE, [], Verdict.WAIT, now=3700.0),
    "create: there without its key": Look(CREATE, [NO_KEY], Verdict.WAIT, after=Sight(NO_KEY, (NO_KEY,), UNTIL)),
    "create: there without its key, beside one that would win": Look(
        CREATE, [NO_KEY, LOWER], Verdict.WITHDRAW, after=Sight(NO_KEY, (LOWER, NO_KEY), UNTIL)
    ),
    "create: there": Look(CREATE, [WEB], Verdict.STAYS, after=seen()),
    "create: was there and is hidden again": Look(CREATE, [], Verdict.WAIT, seen(HIGHER)),
    "create: renamed by hand": Look(CREATE, [SHOP], Verdict.OVERTAKEN),
    "create: archived by hand": Look(CREATE, [ARCHIVED], Verdict.OVERTAKEN),
    "create: archived by hand before its key was there": Look(
        CREATE, [NO_KEY._replace(deleted=True)], Verdict.OVERTAKEN
    ),
    "create: there, and renamed by hand while a rival was waited for": Look(
        CREATE, [SHOP, HIGHER], Verdict.OVERTAKEN, seen(HIGHER)
    ),
    # An edit is waited for only so long, and only as long as what the list shows may be from before it.
    "rename: not there yet": Look(RENAME, [SHOP], Verdict.WAIT, after=Sight(until=116.0)),
    "rename: not there for just so long": Look(
        RENAME, [SHOP], Verdict.WAIT, Sight(until=116.0), Sight(until=116.0), now=116.0
    ),
    "rename: not there for too long": Look(RENAME, [SHOP], Verdict.STAYS_UNSEEN, Sight(until=116.0), now=116.5),
    "rename: the row is missing": Look(RENAME, [], Verdict.WAIT, after=Sight(until=116.0)),
    "rename: the row is missing for too long": Look(RENAME, [], Verdict.STAYS_UNSEEN, Sight(until=116.0), now=117.0),
    "rename: there": Look(RENAME, [WEB], Verdict.STAYS, after=seen()),
    "rename: there, of a deployment without a key": Look(
        RENAME, [NO_KEY], Verdict.STAYS, after=Sight(NO_KEY, (NO_KEY,), UNTIL)
    ),
    "rename: seen as late as it was": Look(
        RENAME, [WEB], Verdict.STAYS, Sight(until=116.0), seen(until=110.0 + 4 + 2 * 10), now=110.0
    ),
    "rename: was there and is hidden again": Look(RENAME, [], Verdict.WAIT, seen(HIGHER), now=3700.0),
    "rename: was there and is undone by hand": Look(RENAME, [SHOP], Verdict.OVERTAKEN, seen(HIGHER)),
    "rename: renamed by hand, before it or after": Look(RENAME, [row("11", "blog")], Verdict.WAIT),
    "rename: renamed once more by hand": Look(RENAME, [row("11", "blog")], Verdict.OVERTAKEN, now=LAGGED + 0.1),
    "rename: archived under the old label by hand, before it or after": Look(
        RENAME, [SHOP._replace(deleted=True)], Verdict.WAIT, now=LAGGED
    ),
    "rename: archived under the old label by hand": Look(
        RENAME, [SHOP._replace(deleted=True)], Verdict.OVERTAKEN, now=LAGGED + 0.1
    ),
    "archive: renamed by hand, before it or after": Look(ARCHIVE, [SHOP], Verdict.WAIT),
    "archive: renamed by hand, and active again": Look(ARCHIVE, [SHOP], Verdict.OVERTAKEN, now=LAGGED + 0.1),
    "rename: carried out, and archived by hand": Look(RENAME, [ARCHIVED], Verdict.OVERTAKEN),
    "restore: not there yet": Look(RESTORE, [ARCHIVED], Verdict.WAIT, after=Sight(until=116.0)),
    "restore: there": Look(RESTORE, [WEB], Verdict.STAYS, after=seen()),
    "restore and rename: only restored": Look(RESTORE_AND_RENAME, [SHOP], Verdict.OVERTAKEN),
    "restore and rename: only renamed": Look(RESTORE_AND_RENAME, [ARCHIVED], Verdict.OVERTAKEN),
    "restore and rename: there": Look(RESTORE_AND_RENAME, [WEB], Verdict.STAYS, after=seen()),
    "archive: not there yet": Look(ARCHIVE, [WEB], Verdict.WAIT, after=Sight(until=116.0)),
    "archive: there": Look(ARCHIVE, [ARCHIVED], Verdict.STAYS, after=Sight(ARCHIVED, (), UNTIL)),
    "archive: there, and others have the label": Look(
        ARCHIVE, [ARCHIVED, LOWER, HIGHER], Verdict.STAYS, after=Sight(ARCHIVED, (), UNTIL)
    ),
    # The lowest id stays. Others are given time to withdraw, and no more.
    "a lower one": Look(CREATE, [WEB, LOWER], Verdict.WITHDRAW, after=Sight(WEB, (LOWER, WEB), UNTIL)),
    "a lower one beside an edit": Look(RENAME, [LOWER, WEB], Verdict.WITHDRAW, after=Sight(WEB, (LOWER, WEB), UNTIL)),
    "a higher one": Look(CREATE, [HIGHER, WEB], Verdict.WAIT, after=seen(HIGHER)),
    "a higher one beside an edit": Look(RESTORE, [WEB, HIGHER], Verdict.WAIT, after=seen(HIGHER)),
    "a higher one until just then": Look(CREATE, [WEB, HIGHER], Verdict.WAIT, seen(HIGHER), seen(HIGHER), UNTIL),
    "a higher one for too long": Look(CREATE, [WEB, HIGHER], Verdict.WITHDRAW, seen(HIGHER), now=UNTIL + 0.1),
    "a higher one that comes later has no more time": Look(
        CREATE, [WEB, HIGHER], Verdict.WAIT, seen(), seen(HIGHER), now=106.0
    ),
    "a higher one that has withdrawn": Look(
        CREATE, [WEB, HIGHER._replace(deleted=True)], Verdict.STAYS, seen(HIGHER), seen(), now=103.0
    ),
    "lower and higher are told by value": Look(
        CREATE, [WEB, row("9", "web")], Verdict.WITHDRAW, after=Sight(WEB, (row("9", "web"), WEB), UNTIL)
    ),
    "a number is lower than text": Look(
        CREATE_OPAQUE, [OPAQUE, WEB], Verdict.WITHDRAW, after=Sight(OPAQUE, (WEB, OPAQUE), UNTIL), unseen=("e5",)
    ),
    "an archived one is no rival": Look(CREATE, [WEB, LOWER._replace(deleted=True)], Verdict.STAYS, after=seen()),
    "one of another project is no rival": Look(
        CREATE, [WEB, row("10", "web", project_id="2")], Verdict.STAYS, after=seen()
    ),
    "one whose label differs in case is no rival": Look(CREATE, [WEB, row("10", "Web")], Verdict.STAYS, after=seen()),
    "what this run has renamed is no rival while the list lags": Look(
        CREATE, [WEB, LOWER], Verdict.STAYS, after=seen(), unseen=("11", "10")
    ),
    "what this run has renamed, beside a rival": Look(
        CREATE, [WEB, LOWER, HIGHER], Verdict.WAIT, after=seen(HIGHER), unseen=("10",)
    ),
    # A create that was sent again: the first one may still appear, as the list is behind.
    "lost create: alone so far": Look(
        CREATE._replace(lost=99.0), [WEB], Verdict.WAIT, after=seen(quiet_until=99.0 + 5)
    ),
    "lost create: alone so far, in a list that is far behind": Look(
        CREATE._replace(lost=99.0),
        [WEB],
        Verdict.WAIT,
        after=seen(until=110.0 + 4 + 2 * 10, quiet_until=99.0 + 3 * 10),
        now=110.0,
    ),
    "lost create: just before it is quiet": Look(
        CREATE._replace(lost=99.0), [WEB], Verdict.WAIT, seen(quiet_until=104.0), now=103.9
    ),
    "lost create: quiet": Look(CREATE._replace(lost=99.0), [WEB], Verdict.STAYS, seen(quiet_until=104.0), now=104.0),
    "lost create: it appears": Look(
        CREATE._replace(lost=99.0),
        [LOWER, WEB],
        Verdict.WITHDRAW,
        seen(quiet_until=104.0),
        Sight(WEB, (LOWER, WEB), UNTIL, 104.0),
        now=103.0,
    ),
    # Nothing competes with what is taken back.
    "withdrawal: not there yet": Look(WITHDRAWAL, [WEB, LOWER], Verdict.WAIT, after=Sight(until=116.0)),
    "withdrawal: not there for too long": Look(
        WITHDRAWAL, [WEB, LOWER], Verdict.STAYS_UNSEEN, Sight(until=116.0), now=117.0
    ),
    "withdrawal: only renamed": Look(WITHDRAWAL, [SUPERSEDED._replace(deleted=False)], Verdict.OVERTAKEN),
    "withdrawal: only archived": Look(WITHDRAWAL, [ARCHIVED], Verdict.OVERTAKEN),
    "withdrawal: there": Look(WITHDRAWAL, [SUPERSEDED, LOWER], Verdict.STAYS, after=Sight(SUPERSEDED, (), UNTIL)),
    "withdrawal: the old label is free": Look(RENAME_BACK, [WEB], Verdict.STAYS, after=seen()),
    "withdrawal: the old label was taken meanwhile, even by a higher one": Look(
        RENAME_BACK, [WEB, HIGHER], Verdict.WITHDRAW, after=seen(HIGHER)
    ),
}


@pytest.mark.parametrize("name", LOOKS)
def test_verdict(name):
    look = LOOKS[name]
    judged, sight = verdict(look.write, look.sight, Observed(look.found), set(look.unseen), look.now, WAITS)
    assert judged is look.verdict
    assert sight == (look.sight if look.after is None else look.after)


@pytest.mark.parametrize("rows", [[WEB, LOWER, HIGHER], [HIGHER, LOWER, WEB]])
def test_order_of_the_list_does_not_matter(rows):
    judged, sight = verdict(CREATE, Sight(), Observed(rows), set(), FIRST, WAITS)
    assert judged is Verdict.WITHDRAW and sight.rivals == (LOWER, WEB, HIGHER)


def test_runs_that_look_at_the_same_list_agree():
    """Of several that were made at the same moment exactly one waits, and it is alone after the others have withdrawn."""
    rows = [LOWER, WEB, HIGHER]
    judged = [verdict(Write(None, each, SENT), Sight(), Observed(rows), set(), FIRST, WAITS)[0] for each in rows]
    assert judged == [Verdict.WAIT, Verdict.WITHDRAW, Verdict.WITHDRAW]


#: The write, what was seen of it, and whether the last look has failed.
LAST = {
    "create, never shown": (CREATE, Sight(), False, Verdict.HIDDEN),
    "create, not looked for at all": (CREATE, Sight(), False, Verdict.HIDDEN),
    "create, shown without its key": (CREATE, Sight(NO_KEY, (NO_KEY,), UNTIL), False, Verdict.KEYLESS),
    "create, shown without its key beside a higher number": (
        CREATE,
        Sight(NO_KEY, (NO_KEY, HIGHER), UNTIL),
        False,
        Verdict.KEYLESS,
    ),
    "create, the list fails": (CREATE, Sight(), True, Verdict.UNREAD),
    "create, the list shows it and fails then": (CREATE, seen(HIGHER), True, Verdict.UNREAD),
    "create, alone": (CREATE, seen(), False, Verdict.STAYS),
    "create, alone, but not for long enough": (
        CREATE._replace(lost=SENT),
        seen(quiet_until=104.0),
        False,
        Verdict.STAYS_DOUBTED,
    ),
    "create, beside a higher number that may be the lost one": (
        CREATE._replace(lost=SENT),
        seen(HIGHER),
        False,
        Verdict.STAYS_UNSETTLED,
    ),
    "create, beside a higher number": (CREATE, seen(HIGHER), False, Verdict.STAYS_UNSETTLED),
    "create, beside a higher text": (
        CREATE_OPAQUE,
        Sight(OPAQUE, (OPAQUE, row("f0", "web")), UNTIL),
        False,
        Verdict.WITHDRAW,
    ),
    "edit, never shown": (RENAME, Sight(), False, Verdict.STAYS_UNSEEN),
    "edit, not looked for at all": (RENAME, Sight(), False, Verdict.STAYS_UNSEEN),
    "edit, the list fails": (RENAME, Sight(), True, Verdict.UNREAD),
    "edit, the list shows it and fails then": (RENAME, seen(HIGHER), True, Verdict.UNREAD),
    "edit, alone": (RESTORE, seen(), False, Verdict.STAYS),
    "edit, beside a higher one": (RENAME, seen(HIGHER), False, Verdict.WITHDRAW),
    "archive, never shown": (ARCHIVE, Sight(until=116.0), False, Verdict.STAYS_UNSEEN),
    "archive, the list fails": (ARCHIVE, Sight(until=116.0), True, Verdict.UNREAD),
    "withdrawal, never shown": (WITHDRAWAL, Sight(), False, Verdict.STAYS_UNSEEN),
    "withdrawal, the list fails": (WITHDRAWAL, Sight(), True, Verdict.UNREAD),
}


@pytest.mark.parametrize("name", LAST)
def test_last_verdict(name):
    write, sight, list_failed, expected = LAST[name]
    assert last_verdict(write, sight, list_failed) is expected


@pytest.mark.parametrize(
    "write, sight, now, seconds",
    [
        # Numbers count up, so that what has won was created before all others.
        (CREATE, seen(LOWER), 103.0, 0.0),
        # A later one may have a lower id than what has won, and wins over it in turn.
        (CREATE_OPAQUE, seen(LOWER), 103.0, 4.0),
        (CREATE_OPAQUE, seen(LOWER), 200.0, 0.0),
        (CREATE_OPAQUE, Sight(), 103.0, 0.0),
        (RENAME, seen(LOWER), 103.0, 0.0),
        (Write(row("e5", "shop"), OPAQUE, SENT), seen(LOWER), 103.0, 0.0),
    ],
)
def test_rivals_left(write, sight, now, seconds):
    assert rivals_left(write, sight, now) == seconds


SHOP_BESIDE = row("30", "shop")

#: How it was before the run (None: created), what is listed, and the label and deleted of each way back.
WAYS_BACK = {
    "created": (None, [], [("web-superseded-11", True), ("web", True)]),
    "restored": (ARCHIVED, [], [("web", True)]),
    "restored and renamed": (SHOP._replace(deleted=True), [], [("shop", True), ("web", True)]),
    "restored and renamed, the old label is taken": (
        SHOP._replace(deleted=True),
        [SHOP_BESIDE],
        [("shop", True), ("web", True)],
    ),
    "renamed, the old label is free": (SHOP, [], [("shop", False), ("web-superseded-11", False)]),
    "renamed, the old label is taken": (SHOP, [SHOP_BESIDE], [("web-superseded-11", False)]),
    "renamed, an archived one has the old label": (
        SHOP,
        [SHOP_BESIDE._replace(deleted=True)],
        [("shop", False), ("web-superseded-11", False)],
    ),
    "renamed, one of another project has the old label": (
        SHOP,
        [SHOP_BESIDE._replace(project_id="2")],
        [("shop", False), ("web-superseded-11", False)],
    ),
    "renamed, the list shows it itself with the old label": (
        SHOP,
        [SHOP],
        [("shop", False), ("web-superseded-11", False)],
    ),
}


@pytest.mark.parametrize("name", WAYS_BACK)
def test_ways_back(name):
    before, found, expected = WAYS_BACK[name]
    ways = ways_back(before, WEB, Observed(found))
    assert list(dict.fromkeys((way.label, way.deleted) for way in ways)) == expected
    assert {way._replace(label="web", deleted=False) for way in ways} == {WEB}, "nothing else changes"


def test_ways_back_of_what_has_its_old_label_beside_another_one():
    """It was renamed back, and somebody else took the old label at the same moment."""
    assert ways_back(SHOP, SHOP, Observed([SHOP]), again=True) == [SHOP._replace(label="shop-superseded-11")]


@pytest.mark.parametrize(
    "identifier, suffix",
    [("7", "7"), ("a1B2", "a1B2"), ("a.b", "a-b"), ("a/b:c", "a-b-c"), ("a_b-c", "a_b-c"), ("%2F", "-2F")],
)
def test_superseded_label_is_a_possible_label(identifier, suffix):
    first = ways_back(None, WEB._replace(id=identifier), Observed([]))[0]
    assert (first.id, first.label) == (identifier, "web-superseded-" + suffix)


@pytest.mark.parametrize("rivals, told", [([LOWER, WEB], "10"), ([LOWER, WEB, HIGHER], "10, 12"), ([HIGHER], "12")])
def test_rivalry(rivals, told):
    assert rivalry(WEB, rivals) == (
        f"Another run has made the label 'web' in project 1 active at the same moment (id {told})."
    )


@pytest.mark.parametrize(
    "found, expected",
    [(None, False), (WEB, True), (NO_KEY, True), (SHOP, False), (ARCHIVED, False)],
)
def test_shows(found, expected):
    assert shows(found, WEB) is expected


@pytest.mark.parametrize("identifier, expected", [("7", True), ("0012", True), ("e5", False), ("7a", False)])
def test_counts_up(identifier, expected):
    assert counts_up(WEB._replace(id=identifier)) is expected


def test_active_beside():
    rows = [HIGHER, ARCHIVED._replace(id="1"), LOWER, WEB, SHOP_BESIDE, row("2", "web", project_id="2")]
    assert active_beside(WEB, Observed(rows), ()) == [LOWER, WEB, HIGHER]
    assert active_beside(WEB, Observed(rows), {"12", None}) == [LOWER, WEB]


OLD = SHOP._replace(deleted=True)


@pytest.mark.parametrize(
    "before, shown, own, half",
    [
        (OLD, SHOP, WEB, True),
        (OLD, ARCHIVED, WEB, True),
        (OLD, OLD, WEB, False),
        (OLD, WEB, WEB, False),
        (OLD, row("11", "other"), WEB, False),
        (OLD, row("11", "other", deleted=True), WEB, False),
        # Of one change there is no half.
        (SHOP, row("11", "other"), WEB, False),
        (SHOP, OLD, WEB, False),
        (SHOP, ARCHIVED, WEB, False),
        (WEB, SHOP, ARCHIVED, False),
        (WEB, OLD, ARCHIVED, False),
        # The same, the other way round.
        (WEB, SHOP, OLD, True),
        (WEB, ARCHIVED, OLD, True),
    ],
)
def test_half_of_an_edit(before, shown, own, half):
    assert is_half_of(before, shown, own) is half
