# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flags and experiments: their lists, over pages that shift under their reader, and over pages of any size."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.module_utils._api.flags import (
    MOST_READINGS,
    Flag,
    Usage,
    agree,
    in_doubt,
    list_flags,
    read_usage,
)
from ansible_collections.community.amplitude.plugins.module_utils._api.limits import Limits
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AnswerTooLarge,
    UnexpectedAnswer,
)
from ansible_collections.community.amplitude.tests.support.client import KEY, failure, impatient
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http
from ansible_collections.community.amplitude.tests.support.values import TEXTS, VALUES, answer_of, bounded


def flag(number, *deployments, archived=False, **more):
    row = dict(id=number, key=f"flag-{number}", name=None, enabled=True, deployments=list(deployments or [number]))
    return dict(row, archived=archived, **more)


class Account:
    """Stands in for a client of an account whose lists are cut into pages when they are asked for, by their rows.

    :param events: functions of the account by the number of the page after which somebody calls them.
    """

    base_url = "https://example.com"

    def __init__(self, flags, page_size=2, events=()):
        self.flags = {row["id"]: row for row in flags}
        self.page_size = page_size
        self.events = dict(events)
        self.asked = []

    def pages(self, path, rows, doing, params, keep):
        assert path == "/api/1/" + rows and params["projectId"] == "1"
        offset = 0
        while True:
            wanted = params["includeArchived"] == "true"
            found = self.flags.values() if rows == "flags" else []
            listed = sorted((row for row in found if wanted or not row["archived"]), key=lambda row: -row["id"])
            page = [{name: row[name] for name in keep} for row in listed[offset : offset + self.page_size]]
            offset += len(page)
            self.asked.append((rows, wanted))
            event = self.events.get(len(self.asked))
            yield page
            if event:
                event(self)
            if offset >= len(listed) or not page:
                return

    def archive(self, number, archived=True):
        self.flags[number] = dict(self.flags[number], archived=archived)

    def active(self):
        return {number for number, row in self.flags.items() if not row["archived"]}

    def readings(self):
        """How often the list of active flags was begun, if it always had as many pages."""
        return sum(1 for rows, wanted in self.asked if (rows, wanted) == ("flags", False))


def active(usage, deployment):
    return [user.key for user in usage.of(str(deployment))]


def archived(usage, deployment):
    return [user.key for user in usage.of(str(deployment), archived=True)]


def test_one_page_is_read_once():
    account = Account([flag(1), flag(2), flag(3, archived=True)], page_size=3)
    usage = read_usage(account, ["1"])
    assert (active(usage, 1), active(usage, 3), archived(usage, 3)) == (["flag-1"], [], ["flag-3"])
    assert account.asked == [("flags", True), ("flags", False), ("experiments", True), ("experiments", False)]


def test_several_pages_are_read_until_two_readings_agree():
    account = Account([flag(number) for number in range(1, 6)])
    usage = read_usage(account, ["1"])
    assert all(active(usage, number) == [f"flag-{number}"] for number in range(1, 6))
    assert account.readings() == 2 * 3


@pytest.mark.parametrize("page", range(1, 9))
@pytest.mark.parametrize("gone", range(1, 6))
def test_flag_at_the_border_of_a_page_is_in_use_though_another_one_is_archived_meanwhile(gone, page):
    """E7: the flags after the one that is archived move up, and the first of the next page is never sent."""
    account = Account([flag(number) for number in range(1, 6)], events={page: lambda account: account.archive(gone)})
    usage = read_usage(account, ["1"])
    for number in account.active():
        assert (active(usage, number), archived(usage, number)) == ([f"flag-{number}"], [])


@pytest.mark.parametrize("last_page", ["omit", "empty_page"])
def test_flag_that_moves_up_to_the_only_page_left(emulator, last_page):
    """The second page is empty, since its only flag is now where the first page was."""
    flags = [dict(id=number, projectId="1", key=f"flag-{number}", deployments=["7"]) for number in "12"]
    emulator.reset(dict(keys={KEY: ["1"]}, flags=flags), max_page_size=1, last_page=last_page)
    emulator.after("GET", 3 if last_page == "omit" else 4, lambda: emulator.edit_flag("2", archived=True), "/flags$")
    with impatient(emulator.url) as client:
        usage = read_usage(client, ["1"])
    assert [flag["archived"] for flag in emulator.flags()] == [False, True]
    assert (active(usage, 7), archived(usage, 7)) == (["flag-1"], ["flag-2"])


def test_flags_that_are_archived_one_after_the_other():
    """No two readings agree, so that whatever was seen as active in one of them counts as active."""
    events = {number: lambda account, number=number: account.archive(40 - number // 3) for number in range(8, 80)}
    account = Account([flag(number) for number in range(1, 42)], page_size=8, events=events)
    usage = read_usage(account, ["1"])
    assert account.readings() <= MOST_READINGS * 6
    for number in account.active():
        assert active(usage, number) == [f"flag-{number}"] and not archived(usage, number)


@given(
    count=st.integers(1, 12),
    size=st.integers(1, 5),
    events=st.lists(
        st.tuples(st.integers(1, 60), st.integers(1, 12), st.sampled_from(["archive", "restore", "make", "remove"]))
    ),
)
def test_flag_that_was_never_archived_never_counts_as_archived(count, size, events):
    touched = set()

    def change(number, what):
        def carry_out(account):
            touched.add(number)
            if what == "make":
                account.flags[100 + len(account.flags)] = flag(100 + len(account.flags))
            elif what == "remove":
                account.flags.pop(number, None)
            elif number in account.flags:
                account.archive(number, what == "archive")

        return carry_out

    account = Account(
        [flag(number) for number in range(1, count + 1)],
        size,
        {page: change(number, what) for page, number, what in events},
    )
    usage = read_usage(account, ["1"])
    for number in set(range(1, count + 1)) - touched:
        assert not archived(usage, number)
    if not events:
        assert all(active(usage, number) == [f"flag-{number}"] for number in range(1, count + 1))


def rows(**deployments):
    return {
        id: Flag("flag", id, "1", "key-" + id, None, True, False, tuple(sorted(used)))
        for id, used in deployments.items()
    }


@pytest.mark.parametrize(
    "one, other, same",
    [
        (rows(), rows(), True),
        (rows(a="12"), rows(a="21"), True),
        (rows(a="1", b="2"), rows(b="2", a="1"), True),
        (rows(a="1"), rows(a="1", b="2"), False),
        (rows(a="1"), rows(a="12"), False),
        (rows(a="1"), rows(b="1"), False),
    ],
)
def test_agree(one, other, same):
    assert [agree(*pair) for pair in ((one, other), (other, one))] == [same, same]


def test_name_of_a_flag_may_change_all_the_time():
    (row,) = rows(a="1").values()
    assert agree({"a": row}, {"a": row._replace(name="new", enabled=False)})


def test_in_doubt_everything_counts():
    assert in_doubt([rows(a="1", b="2"), rows(a="3"), rows(c="4")]) == rows(a="13", b="2", c="4")


def test_only_what_uses_the_deployments_of_interest_is_kept():
    account = Account([flag(1, 7, 8), flag(2, 9), flag(3, 7, archived=True)])
    usage = read_usage(account, ["1"], ["7"])
    assert (active(usage, 7), archived(usage, 7)) == (["flag-1"], ["flag-3"])
    assert active(usage, 8) == active(usage, 9) == []


USED_BY_7 = dict(id="1", key="flag-1", name=None, enabled=True, archived=False)


def test_usage_as_it_is_returned():
    flags = [
        Flag("flag", "2", "1", "old", "Old", False, True, ("7",)),
        Flag("experiment", "1", "1", "colours", None, None, False, ("7", "8")),
        Flag("flag", "1", "1", "flag-1", None, True, False, ("7",)),
    ]
    usage = Usage(flags)
    assert usage.as_result("7") == dict(
        flags=[USED_BY_7, dict(USED_BY_7, id="2", key="old", name="Old", enabled=False, archived=True)],
        experiments=[dict(USED_BY_7, key="colours", enabled=None)],
    )
    assert [str(user) for user in usage.of("8")] == ["experiment 'colours'"]
    assert usage.as_result("9") == dict(flags=[], experiments=[])
    assert Usage(flags, ["8"]).as_result("7") == dict(flags=[], experiments=[])


# The lists


def test_active_ones_are_listed_without_a_look_at_those_that_are_archived():
    account = Account([flag(1, 10, 9, 10), flag(2, 7, archived=True), flag(3, 8)], page_size=5)
    found = list_flags(account, "flag", "1")
    assert found == [
        Flag("flag", "3", "1", "flag-3", None, True, False, ("8",)),
        Flag("flag", "1", "1", "flag-1", None, True, False, ("9", "10")),
    ]
    assert account.asked == [("flags", False)]
    assert list_flags(account, "experiment", "1") == []
    assert account.asked[1:] == [("experiments", False)]


def test_archived_ones_are_listed_last():
    account = Account([flag(1, archived=True), flag(2), flag(3, archived=True), flag(4)], page_size=5)
    found = list_flags(account, "flag", "1", archived=True)
    assert [(each.id, each.archived) for each in found] == [("4", False), ("2", False), ("3", True), ("1", True)]


@pytest.mark.parametrize("kind", ["flag", "experiment"])
@pytest.mark.parametrize(
    "switches", [{}, dict(ids="string"), dict(deployment_ids_in_flags="string", extra_fields=True)]
)
def test_lists_of_an_account(emulator, kind, switches):
    rows = [dict(id=5, projectId="1", key="cart", enabled=True, deployments=["7", "8"]), dict(projectId="2", key="b")]
    emulator.reset({"keys": {KEY: ["1", "2"]}, kind + "s": rows}, **switches)
    with impatient(emulator.url) as client:
        assert list_flags(client, kind, "1") == [Flag(kind, "5", "1", "cart", "cart", True, False, ("7", "8"))]
    (request,) = emulator.requests()
    assert request["query"] == dict(projectId="1", includeArchived="false", limit="1000")


# Large rows


def server(flags, sizes=None):
    """A server of flags, whose pages are as many rows as are asked for; it keeps what was asked for in ``sizes``."""

    def answer(request):
        address = urlsplit(request.split(b" ")[1].decode())
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        kind = address.path.rpartition("/")[2]
        offset, limit = int(query.get("cursor", 0)), int(query["limit"])
        if sizes is not None:
            sizes.append((kind, limit))
        listed = flags if kind == "flags" else []
        end = offset + limit
        page = {kind: listed[offset:end], "nextCursor": end if end < len(listed) else None}
        return http("200 OK", json.dumps(page))

    return RawServer(answer)


def large_flag(number, users):
    segment = dict(conditions=[dict(prop="user_id", values=[f"user-{each:08d}@example.com" for each in range(users)])])
    return flag(
        number, 7, evaluationMode="local", targetSegments=[segment], variants=[dict(key="on", payload={"id": 1})]
    )


def test_pages_of_any_size_are_read_in_bounded_memory():
    """E8: 70 flags of 5,000 targeted users each, 12 MB a page."""
    flags = [large_flag(number, 5000) for number in range(70)]
    sizes = []
    with server(flags, sizes) as large, impatient(large.url, 20) as client, bounded(60, 60 * 10**6):
        usage = read_usage(client, ["1"])
    assert len(usage.of("7")) == 70
    kinds = [size for kind, size in sizes if kind == "flags"]
    assert kinds[:4] == [1000, 250, 62, 15] and set(kinds[3:]) == {15}, "what was found out is remembered"
    assert {size for kind, size in sizes if kind == "experiments"} == {1000}


def test_what_is_thrown_away_takes_no_memory():
    with server([large_flag(number, 50000) for number in range(4)]) as large:
        with impatient(large.url, 20) as client, bounded(60, 40 * 10**6):
            assert len(read_usage(client, ["1"]).of("7")) == 4


def test_single_row_that_is_too_large_is_an_error_with_fitting_advice():
    flags = [flag(3), large_flag(2, 500), flag(1)]
    sizes = []
    with server(flags, sizes) as large, impatient(large.url, limits=Limits(largest_answer=4000)) as client:
        error = failure(lambda client: read_usage(client, ["1"]), client, AnswerTooLarge)
    assert " when asked for only one of the flags; look for the largest of the flags in Amplitude and " in str(error)
    assert [size for dummy, size in sizes] == [1000, 250, 62, 15, 3, 1, 1]


@pytest.mark.parametrize("most", [1500, 2500, 5000, 10**6])
def test_no_row_is_lost_where_pages_become_smaller(most):
    flags = [flag(number, 7, more="x" * (number * 37 % 1000)) for number in range(30)]
    with server(flags) as large, impatient(large.url, limits=Limits(largest_answer=most)) as client:
        usage = read_usage(client, ["1"])
    assert sorted(user.id for user in usage.of("7")) == sorted(str(number) for number in range(30))


# Rows that are none


@pytest.mark.parametrize(
    "change, what",
    [
        (dict(id=None), "a row has no id or key"),
        (dict(id=True), "a row has no id or key"),
        (dict(key=None), "a row has no id or key"),
        (dict(key=5), "a row has no id or key"),
        (dict(deployments=None), "'flag-1' does not say which deployments it uses"),
        (dict(deployments={}), "'flag-1' does not say which deployments it uses"),
        (dict(deployments="7"), "'flag-1' does not say which deployments it uses"),
        (dict(deployments=[7, None]), "'flag-1' does not say which deployments it uses"),
        (dict(deployments=[{"id": 7}]), "'flag-1' does not say which deployments it uses"),
    ],
)
@pytest.mark.parametrize("missing", [False, True])
def test_row_that_is_none(change, what, missing):
    row = dict(flag(1), **change)
    if missing:
        del row[next(iter(change))]
    with server([row]) as wrong, impatient(wrong.url) as client:
        error = failure(lambda client: read_usage(client, ["1"]), client, UnexpectedAnswer)
    assert f"Could not list the flags of project 1: {wrong.url} sent an answer in which {what}; " in str(error)


@pytest.mark.parametrize("value", VALUES)
def test_name_and_enabled_may_be_anything(value):
    name = VALUES[value] if value in TEXTS else None
    enabled = VALUES[value] if value in ("true", "false") else None
    row = dict(flag(1), name=VALUES[value], enabled=VALUES[value])
    with RawServer(answer_of(dict(flags=[row]))) as other, impatient(other.url) as client:
        (found,) = list_flags(client, "flag", "1")
    assert (found.name, found.enabled) == (name, enabled)
