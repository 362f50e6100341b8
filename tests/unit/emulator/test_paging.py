# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How lists are ordered and cut, and what they show when."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.support.clocks import SetClock
from ansible_collections.community.amplitude.tests.unit.emulator.api import Api, fill


def test_page_sizes(api: Api, emulator: Emulator) -> None:
    fill(emulator, *(f"l{n}" for n in range(7)), default_page_size=3, max_page_size=4)
    for limit, expected in [({}, [3, 3, 1]), ({"limit": 2}, [2, 2, 2, 1]), ({"limit": 1000}, [4, 3])]:
        assert [len(page["deployments"]) for page in api.pages(**limit)] == expected
    emulator.switch(default_page_size=1000)
    assert len(api.pages()) == 2


@pytest.mark.parametrize("cursor", ["offset", "opaque"])
@pytest.mark.parametrize("count", [0, 2, 3, 4])
@pytest.mark.parametrize(
    "last_page, ending",
    [
        ("omit", {}),
        ("null", {"nextCursor": None}),
        (None, {"nextCursor": None}),
        ("empty_string", {"nextCursor": ""}),
        ("zero", {"nextCursor": 0}),
        ("false", {"nextCursor": False}),
        (False, {"nextCursor": False}),
        ("empty_page", {}),
        ("empty_page_with_cursor", None),
    ],
)
def test_last_page(api: Api, emulator: Emulator, cursor: str, count: int, last_page: t.Any, ending: t.Any) -> None:
    fill(emulator, *(f"l{n}" for n in range(count)), last_page=last_page, cursor=cursor)
    pages = api.pages(most=6, limit=2)
    sizes = [len(page.pop("deployments")) for page in pages]
    assert sum(sizes) == count
    cursors = [page["nextCursor"] for page in pages if page.get("nextCursor") not in (None, "", 0)]
    assert len(set(cursors)) == len(cursors)
    assert {type(cursor) for cursor in cursors} <= {int if cursor == "offset" else str}
    if ending is None:
        assert len(pages) == 6 and sizes[-1] == 0
    else:
        assert json.dumps(pages[-1]) == json.dumps(ending)
        assert (sizes[-1] == 0) is (count == 0 or last_page == "empty_page")


@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_cursor_repeats(api: Api, emulator: Emulator, cursor: str) -> None:
    fill(emulator, "a", "b", "c", cursor_repeats=True, cursor=cursor)
    pages = api.pages(most=5, limit=2)
    assert [[row["label"] for row in page["deployments"]] for page in pages] == [["a", "b"]] + [["c"]] * 4
    assert len({page["nextCursor"] for page in pages}) == 1


@pytest.mark.parametrize("cursor", ["offset", "opaque"])
@pytest.mark.parametrize("labels", ["", "abc"])
def test_endless_pages(api: Api, emulator: Emulator, cursor: str, labels: str) -> None:
    fill(emulator, *labels, endless_pages=True, cursor=cursor)
    pages = api.pages(most=8, limit=2)
    rows = [row for page in pages for row in page["deployments"]]
    assert [row["label"] for row in rows][: len(labels)] == list(labels)
    assert len({row["id"] for row in rows}) == len(rows) > len(labels)
    assert len({page["nextCursor"] for page in pages}) == 8
    assert len(emulator.deployments()) == len(labels)


def test_order(api: Api, emulator: Emulator) -> None:
    labels = ["m", "b", "z", "a", "q", "k", "c", "x"]
    fill(emulator, *labels)
    for order, expected in [("oldest_first", labels), ("newest_first", labels[::-1]), ("label", sorted(labels))]:
        emulator.switch(order=order)
        assert api.labels(limit=3) == expected
    emulator.switch(order="shuffled")
    shuffled = api.labels(limit=3)
    assert sorted(shuffled) == sorted(labels) and shuffled not in (labels, labels[::-1], sorted(labels))
    assert api.labels(limit=1) == shuffled


@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_stale_lists(api: Api, emulator: Emulator, cursor: str) -> None:
    fill(emulator, "a", stale_lists=2, unique_labels="all", cursor=cursor)
    api.create("b")
    assert api.create("b").status_code == 400
    assert api.labels() == ["a"]
    api.edit(10001, label="c")
    assert [api.labels() for _list in range(3)] == [["a"], ["a", "b"], ["c", "b"]]
    emulator.edit_deployment("10001", deleted=True)
    emulator.switch(stale_lists=0)
    api.create("d")
    assert [len(api.rows()) for _list in range(3)] == [2, 2, 3], "a write shows no sooner than those before it"


def test_stale_seconds(api: Api, emulator: Emulator, clock: SetClock) -> None:
    emulator.reset(stale_seconds=0.15)
    api.create("a")
    assert api.labels() == []
    clock.pass_by(0.16)
    assert api.labels() == ["a"]


@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_pages_of_a_snapshot_show_one_moment(api: Api, emulator: Emulator, cursor: str) -> None:
    fill(emulator, "a", "b", "c", cursor=cursor, order="newest_first", pages="snapshot")
    first = api.pages(most=1, limit=2)[0]
    api.create("d")
    api.edit(10001, label="z")
    rest = api.call("GET", params={"limit": 2, "cursor": first["nextCursor"]}).json()
    assert [row["label"] for row in first["deployments"] + rest["deployments"]] == ["c", "b", "a"]
    assert api.labels() == ["d", "c", "b", "z"]


@pytest.mark.parametrize("cursor", ["offset", "opaque"])
@pytest.mark.parametrize("staleness", [{}, {"stale_lists": 1}, {"stale_seconds": 60}])
def test_live_pages_shift_under_their_reader(
    api: Api, emulator: Emulator, cursor: str, staleness: dict[str, int]
) -> None:
    fill(emulator, "a", "b", "c", cursor=cursor, order="newest_first", **staleness)
    first = api.pages(most=1, limit=2)[0]
    api.create("d")
    api.edit(10001, label="z")
    rest = api.call("GET", params={"limit": 2, "cursor": first["nextCursor"]}).json()
    seen = [row["label"] for row in first["deployments"] + rest["deployments"]]
    assert seen == (["c", "b", "a"] if staleness else ["c", "b", "b", "z"])


def test_no_page_of_a_stale_list_shows_the_write(api: Api, emulator: Emulator) -> None:
    fill(emulator, "a", "b", "c", stale_lists=1)
    api.rows(limit=2)
    api.create("d")
    assert api.labels(limit=2) == ["a", "b", "c"]
    assert api.labels(limit=2) == ["a", "b", "c", "d"]


def test_pages_of_100_000_rows_while_they_change(api: Api, emulator: Emulator) -> None:
    fill(emulator, *(f"l{n}" for n in range(100_000)), rate_limit=0)
    ids = []
    for page in range(100):
        emulator.edit_deployment("10001", label=f"shifted-{page}")
        answer = api.call("GET", params={"limit": 1000, "cursor": page * 1000})
        ids += [row["id"] for row in answer.json()["deployments"]]
    assert len(set(ids)) == 100_000
