# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters and the order of amplitude_deployment_info, and both modules among deployments that fill three pages.

Over every variant of what the API does not document about lists.
"""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.tests.support.modules import run_module

pytestmark = pytest.mark.core

KEYS = {"management-key": [1, 2, 10, "eu"]}
ROWS = [
    dict(id=10, projectId=1, label="web", type="client"),
    dict(id=9, projectId=1, label="web", type="server"),
    dict(id=111, projectId=1, label="api", type="server"),
    dict(id=7, projectId=1, label="old", type="client", deleted=True),
    dict(id=8, projectId=1, label="old", type="server", deleted=True),
    dict(id=5, projectId=10, label="web", type="client"),
    dict(id=6, projectId=2, label="web", type="client"),
    dict(id=3, projectId=2, label="Web", type="client", deleted=True),
    dict(id=4, projectId=1, label="Main", type=None, key="0123456789abcdef0123456789abcdef"),
    dict(id="b2", projectId="eu", label="web", type="server"),
    dict(id="a1", projectId="eu", label="web", type="server"),
    dict(id=99, projectId="eu", label="web", type="server"),
]
WORLDS = {
    "as documented": dict(),
    "ids as strings": dict(ids="string"),
    "pages end with null": dict(max_page_size=3, last_page="null"),
    "pages end with an empty cursor": dict(max_page_size=4, last_page="empty_string"),
    "pages end with an empty page": dict(max_page_size=3, last_page="empty_page"),
    "pages end with an empty page and a cursor": dict(max_page_size=3, last_page="empty_page_with_cursor"),
    "opaque cursors": dict(max_page_size=3, cursor="opaque"),
    "newest first": dict(order="newest_first"),
    "by label": dict(order="label"),
    "shuffled": dict(order="shuffled", max_page_size=1),
    "extra fields": dict(extra_fields=True),
    "active rows without deleted": dict(omit_deleted=True),
    "gzip": dict(gzip=True),
}
ALL = ["4", "111", "7", "8", "9", "10", "3", "6", "5", "99", "a1", "b2"]
ACTIVE = ["4", "111", "9", "10", "6", "5", "99", "a1", "b2"]
FILTERS = [  # the options, and the ids of what is returned, in this order: project, label, id, numbers by value
    (dict(), ACTIVE),
    (dict(include_archived=False), ACTIVE),
    (dict(include_archived=True), ALL),
    (dict(project_id="1"), ["4", "111", "9", "10"]),
    (dict(project_id=1, include_archived=True), ["4", "111", "7", "8", "9", "10"]),
    (dict(project_id="eu"), ["99", "a1", "b2"]),
    (dict(project_id="3"), []),
    (dict(project_id="01"), []),
    (dict(labels=["web"]), ["9", "10", "6", "5", "99", "a1", "b2"]),
    (dict(labels=["WEB"]), []),
    (dict(labels=["we"]), []),
    (dict(labels=["Web", "old"]), []),
    (dict(labels=["Web", "old"], include_archived=True), ["7", "8", "3"]),
    (dict(labels=["api", "web", "web", "nothing"], project_id="1"), ["111", "9", "10"]),
    (dict(labels="api,Main"), ["4", "111"]),
    (dict(labels=[]), []),
    (dict(ids=["10", "9"]), ["9", "10"]),
    (dict(ids=[10, 9, "b2", "10", "12345"]), ["9", "10", "b2"]),
    (dict(ids=["7"]), []),
    (dict(ids=["7"], include_archived=True), ["7"]),
    (dict(ids=["1"]), []),
    (dict(ids=[]), []),
    (dict(ids=[], include_archived=True), []),
    (dict(ids=["6"], project_id="1"), []),
    (dict(ids=["6", "9"], project_id="2"), ["6"]),
    (dict(ids=["6", "4"], labels=["Main"]), ["4"]),
    (dict(ids=["6", "4"], labels=[]), []),
    (dict(type="client"), ["10", "6", "5"]),
    (dict(type="client", include_archived=True), ["7", "10", "3", "6", "5"]),
    (dict(type="server"), ["111", "9", "99", "a1", "b2"]),
    (dict(type="server", ids=["4"]), []),
    (dict(type="server", labels=["web"], project_id="1"), ["9"]),
    (dict(type="server", labels=["old"], project_id="1", ids=["7", "8"], include_archived=True), ["8"]),
]


@pytest.mark.parametrize("options, ids", FILTERS)
@pytest.mark.parametrize("check_mode", [False, True], ids=["real", "check"])
def test_filters(emulator, connection, options, ids, check_mode):
    emulator.reset(dict(keys=KEYS, deployments=ROWS))
    result = run_module("amplitude_deployment_info", check_mode, **dict(connection, **options))
    assert [row["id"] for row in result["deployments"]] == ids
    assert result["changed"] is False and "diff" not in result
    assert [request["method"] for request in emulator.requests()] == ["GET"]


@pytest.mark.parametrize("include_archived", [False, True], ids=["active", "all"])
@pytest.mark.parametrize("world", WORLDS)
def test_whole_list_in_every_world(emulator, connection, world, include_archived):
    emulator.reset(dict(keys=KEYS, deployments=ROWS), **WORLDS[world])
    result = run_module("amplitude_deployment_info", include_archived=include_archived, **connection)
    true_state = {row["id"]: row for row in emulator.deployments()}
    assert result["deployments"] == [
        dict(
            id=identifier,
            project_id=true_state[identifier]["projectId"],
            label=true_state[identifier]["label"],
            key=true_state[identifier]["key"],
            type=true_state[identifier]["type"],
            deleted=true_state[identifier]["deleted"],
        )
        for identifier in (ALL if include_archived else ACTIVE)
    ]
    assert {request["method"] for request in emulator.requests()} == {"GET"}
    assert emulator.deployments() == list(true_state.values())


def test_default_deployment(emulator, connection):
    emulator.reset(dict(keys=KEYS, deployments=ROWS))
    result = run_module("amplitude_deployment_info", labels=["Main"], **connection)
    expected = dict(id="4", project_id="1", label="Main", key=ROWS[8]["key"], type=None, deleted=False)
    assert result["deployments"] == [expected]


def test_no_deployments(emulator, connection):
    result = run_module("amplitude_deployment_info", **connection)
    assert (result.get("failed"), result["changed"], result["deployments"]) == (None, False, [])


@pytest.mark.parametrize("order", ["oldest_first", "newest_first", "shuffled"])
def test_ids_sort_by_value_before_text(emulator, connection, order):
    ids = ["9", "10", "100", "1a", "B", "a"]
    rows = [dict(id=identifier, projectId=1, label="web", type="client") for identifier in reversed(ids)]
    emulator.reset(dict(keys=KEYS, deployments=rows), order=order)
    result = run_module("amplitude_deployment_info", **connection)
    assert [row["id"] for row in result["deployments"]] == ids


# Three pages

MANY = [
    dict(id=20000 + n, projectId=1, label=f"app-{n}", key=f"client-{n:032}", deleted=n % 5 == 4) for n in range(2500)
]
LISTS = {  # switches, and the number of requests that it takes to read the whole list
    "as documented": (dict(), 3),
    "strings": (dict(ids="string", last_page="null", cursor="opaque", extra_fields=True), 3),
    "newest first": (dict(order="newest_first", last_page="empty_string", omit_deleted=True), 3),
    "shuffled": (dict(order="shuffled", last_page="empty_page", gzip=True), 4),
    "by label": (dict(order="label", last_page="empty_page_with_cursor", cursor="opaque"), 4),
}


def fill(emulator, world):
    """Make the 2,500 deployments; the answer is the number of requests that it takes to list them."""
    switches, requests = LISTS[world]
    emulator.reset(dict(keys=KEYS, deployments=MANY), rate_limit=0, **switches)
    return requests


def methods(emulator):
    return [request["method"] for request in emulator.requests()]


@pytest.mark.parametrize("world", LISTS)
def test_many(emulator, connection, world):
    requests = fill(emulator, world)
    result = run_module("amplitude_deployment_info", include_archived=True, **connection)
    by_label = sorted(MANY, key=lambda row: row["label"])
    assert [(int(row["id"]), row["label"], row["deleted"]) for row in result["deployments"]] == [
        (row["id"], row["label"], row["deleted"]) for row in by_label
    ]
    assert methods(emulator) == ["GET"] * requests
    assert {request["query"]["limit"] for request in emulator.requests()} == {"1000"}


@pytest.mark.parametrize("world", LISTS)
def test_deployment_of_the_third_page_is_found_and_not_created_again(emulator, connection, world):
    requests = fill(emulator, world)
    with Client(emulator.url, "management-key") as client:
        third_page = list(client.pages("/api/1/deployments", "deployments", "list"))[2]
    wanted = next(row for row in third_page if not row.get("deleted"))
    emulator.forget_requests()
    options = dict(project_id="1", label=wanted["label"], type="client")
    result = run_module("amplitude_deployment", **dict(connection, **options))
    assert not result.get("failed"), result["msg"]
    assert (result["changed"], result["deployment"]["id"]) == (False, str(wanted["id"]))
    assert methods(emulator) == ["GET"] * requests


def test_usage(emulator, connection):
    rows = [dict(id=1, projectId=1, label="web", type="client"), dict(id=2, projectId=10, label="api", type="server")]
    flags = [
        dict(id=21, projectId=1, key="new-web", name="New web", enabled=True, deployments=[1]),
        dict(id=22, projectId=1, key="gone", name="Gone", enabled=False, archived=True, deployments=[1]),
        dict(id=23, projectId=10, key="new-api", name="New API", enabled=False, deployments=[2]),
    ]
    experiments = [dict(id=31, projectId=1, key="colours", name="Colours", enabled=True, deployments=[1])]
    emulator.reset(dict(keys=KEYS, deployments=rows, flags=flags, experiments=experiments))
    result = run_module("amplitude_deployment_info", include_usage=True, **connection)

    def user(id, key, name, enabled, archived=False):
        return dict(id=id, key=key, name=name, enabled=enabled, archived=archived)

    assert [row["used_by"] for row in result["deployments"]] == [
        dict(
            flags=[user("21", "new-web", "New web", True), user("22", "gone", "Gone", False, archived=True)],
            experiments=[user("31", "colours", "Colours", True)],
        ),
        dict(flags=[user("23", "new-api", "New API", False)], experiments=[]),
    ]
