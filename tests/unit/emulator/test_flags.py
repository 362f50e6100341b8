# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's flags and experiments over a real socket."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import typing as t

import pytest
import requests

from ansible_collections.community.amplitude.tests.emulator import Emulator, Invalid

KEY = "management-key"
KINDS = ["flags", "experiments"]
ROWS = [
    {"projectId": "1", "key": "checkout", "name": "The checkout", "enabled": True, "deployments": ["7", 10001]},
    {"id": "30", "projectId": 2, "key": "checkout", "evaluationMode": "local"},
    {"projectId": "1", "key": "gone", "archived": True, "deployments": ["8"]},
    {"projectId": "3", "key": "foreign", "deployments": ["7"]},
    {"projectId": "1", "key": "banner", "deployments": ["abc", "007"]},
]
DEPLOYMENTS = [{"id": id, "projectId": "1", "label": f"l{id}", "type": "client"} for id in ("7", "8", "9")]
SEED = {"keys": {KEY: ["1", "2"], "other-key": ["3"]}, "deployments": DEPLOYMENTS, "flags": ROWS, "experiments": ROWS}


@pytest.fixture(scope="module")
def session() -> t.Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


class Api:
    """A client that does nothing by itself."""

    def __init__(self, session: requests.Session, emulator: Emulator) -> None:
        self.session, self.emulator = session, emulator

    def call(self, method: str, path: str, key: str | None = KEY, **options: t.Any) -> requests.Response:
        headers = {**({"Authorization": "Bearer " + key} if key else {}), **options.pop("headers", {})}
        return self.session.request(method, self.emulator.url + path, headers=headers, timeout=60, **options)

    def page(self, kind: str, **query: t.Any) -> dict[str, t.Any]:
        answer = self.call("GET", "/api/1/" + kind, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pages(self, kind: str, most: int = 9, **query: t.Any) -> list[dict[str, t.Any]]:
        pages = [self.page(kind, **query)]
        while len(pages) < most and pages[-1].get("nextCursor") not in (None, "", 0):
            pages.append(self.page(kind, **{**query, "cursor": pages[-1]["nextCursor"]}))
        return pages

    def keys(self, kind: str, **query: t.Any) -> list[str]:
        return [row["key"] for page in self.pages(kind, **query) for row in page[kind]]

    def archive(self, id: str) -> requests.Response:
        return self.call("PATCH", "/api/1/deployments/" + id, json={"archive": True})


@pytest.fixture
def api(session: requests.Session, emulator: Emulator) -> Api:
    return Api(session, emulator)


def fill(emulator: Emulator, *keys: str, **switches: t.Any) -> None:
    rows = [{"projectId": "1", "key": key} for key in keys]
    emulator.reset({"flags": rows, "experiments": rows}, **switches)


# The documented API


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("kind", KINDS)
def test_documented_example(emulator: Emulator, kind: str) -> None:
    emulator.reset(SEED)
    command = ["curl", "--silent", "--show-error", "--noproxy", "*"]
    command += ["--request", "GET", "--url", f"{emulator.url}/api/1/{kind}?limit=1000"]
    command += ["--header", "Accept: application/json", "--header", "Authorization: Bearer " + KEY]
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60).stdout)
    assert list(answer) == [kind]
    banner, foreign, checkout = answer[kind]
    assert [row["key"] for row in answer[kind]] == ["banner", "checkout", "checkout"]
    assert checkout == {
        "id": 10001, "projectId": 1, "key": "checkout", "name": "The checkout", "enabled": True,
        "evaluationMode": "remote", "deployments": [7, 10001],
    }  # fmt: skip
    assert foreign == {
        "id": 30, "projectId": 2, "key": "checkout", "name": "checkout", "enabled": False,
        "evaluationMode": "local", "deployments": [],
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "query, key, expected",
    [
        ({}, KEY, ["banner", "checkout", "checkout"]),
        ({"includeArchived": "false"}, KEY, ["banner", "checkout", "checkout"]),
        ({"includeArchived": "true"}, KEY, ["banner", "gone", "checkout", "checkout"]),
        ({"projectId": "1"}, KEY, ["banner", "checkout"]),
        ({"projectId": "2", "includeArchived": "true"}, KEY, ["checkout"]),
        ({"key": "checkout"}, KEY, ["checkout", "checkout"]),
        ({"key": "checkout", "projectId": "1"}, KEY, ["checkout"]),
        ({"key": "check"}, KEY, []),
        ({"key": "gone"}, KEY, []),
        ({"deployment": "7"}, KEY, ["banner", "checkout", "checkout"]),
        ({}, "other-key", ["foreign"]),
        ({"limit": "0"}, KEY, "limit"),
        ({"cursor": "nonsense"}, KEY, "cursor"),
        ({"includeArchived": "True"}, KEY, "includeArchived"),
        ({"projectId": "3"}, KEY, "project 3"),
        ({"projectId": "1"}, "other-key", "project 1"),
        ({}, "wrong", "key"),
        ({}, None, "key"),
    ],
)
def test_query(api: Api, emulator: Emulator, kind: str, query: dict[str, str], key: t.Any, expected: t.Any) -> None:
    emulator.reset(SEED)
    answer = api.call("GET", "/api/1/" + kind, key, params=query)
    (record,) = emulator.requests()
    assert (record["path"], record["query"], record["key"]) == ("/api/1/" + kind, query, key)
    assert (record["status"], record["committed"]) == (answer.status_code, False)
    assert record["accepted"] is isinstance(expected, list)
    if isinstance(expected, list):
        assert (answer.status_code, [row["key"] for row in answer.json()[kind]]) == (200, expected)
    else:
        status = 401 if key not in (KEY, "other-key") else 403 if "project" in expected else 400
        assert (answer.status_code, expected in answer.json()["error"]) == (status, True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method, path, status", [("POST", "", 405), ("DELETE", "", 405), ("GET", "/30", 404)])
def test_nothing_else(api: Api, kind: str, method: str, path: str, status: int) -> None:
    assert api.call(method, "/api/1/" + kind + path).status_code == status


# Switches


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["oldest_first", "newest_first", "label", "shuffled"])
def test_newest_first_whatever_the_order(api: Api, emulator: Emulator, kind: str, order: str) -> None:
    fill(emulator, *"mbza", order=order)
    assert api.keys(kind, limit=3) == ["a", "z", "b", "m"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "switches, ids, deployments",
    [
        ({}, int, [7, "007", "abc"]),
        ({"ids": "string"}, str, ["7", "007", "abc"]),
        ({"deployment_ids_in_flags": "string"}, int, ["7", "007", "abc"]),
        ({"deployment_ids_in_flags": "number"}, int, [7, "007", "abc"]),
        ({"deployment_ids_in_flags": "number", "ids": "string"}, str, [7, "007", "abc"]),
        ({"deployment_ids_in_flags": "number", "opaque_ids": True}, str, ["7", "007", "abc"]),
        ({"opaque_ids": True}, str, ["7", "007", "abc"]),
    ],
)
def test_ids(
    api: Api, emulator: Emulator, kind: str, switches: dict[str, t.Any], ids: type, deployments: list[t.Any]
) -> None:
    row = {"projectId": "1", "key": "a", "deployments": ["7", "007", "abc"]}
    emulator.reset({"deployments": DEPLOYMENTS, kind: [row]}, **switches)
    (sent,) = api.page(kind)[kind]
    assert (sent["deployments"], type(sent["id"]), type(sent["projectId"])) == (deployments, ids, ids)
    assert {type(row["id"]) for row in api.page("deployments")["deployments"]} == {ids}
    assert (len(str(sent["id"])) == 24) is switches.get("opaque_ids", False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cursor", ["offset", "opaque"])
@pytest.mark.parametrize(
    "switches, expected",
    [
        ({}, ["ed", "cb", "a"]),
        ({"last_page": "null"}, ["ed", "cb", "a"]),
        ({"last_page": "empty_string"}, ["ed", "cb", "a"]),
        ({"last_page": "zero"}, ["ed", "cb", "a"]),
        ({"last_page": "false"}, ["ed", "cb", "a"]),
        ({"last_page": "empty_page"}, ["ed", "cb", "a", ""]),
        ({"last_page": "empty_page_with_cursor"}, ["ed", "cb", "a", "", "", "", "", "", ""]),
        ({"cursor_repeats": True}, ["ed", "cb", "a", "a", "a", "a", "a", "a", "a"]),
        ({"default_page_size": 4}, ["ed", "cb", "a"]),
        ({"max_page_size": 1}, list("edcba")),
    ],
)
def test_paging(
    api: Api, emulator: Emulator, kind: str, cursor: str, switches: dict[str, t.Any], expected: list[str]
) -> None:
    fill(emulator, *"abcde", cursor=cursor, **switches)
    pages = api.pages(kind, limit=2)
    assert ["".join(row["key"] for row in page[kind]) for page in pages] == expected
    assert {type(page.get("nextCursor")) for page in pages[:-1]} == {int if cursor == "offset" else str}
    assert len(api.page(kind)[kind]) == min(5, switches.get("default_page_size", 5), switches.get("max_page_size", 5))


@pytest.mark.parametrize("kind", KINDS)
def test_endless_pages(api: Api, emulator: Emulator, kind: str) -> None:
    fill(emulator, *"abc", endless_pages=True)
    rows = [row for page in api.pages(kind, limit=2) for row in page[kind]]
    assert [row["key"] for row in rows][:3] == ["c", "b", "a"]
    assert len({row["id"] for row in rows}) == len(rows) == 3 + 7
    assert all(row["deployments"] == [] for row in rows) and len(emulator.flags()) == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_pages_of_a_snapshot_show_one_moment(api: Api, emulator: Emulator, kind: str, cursor: str) -> None:
    fill(emulator, *"abc", cursor=cursor, pages="snapshot")
    create, edit = {
        "flags": (emulator.create_flag, emulator.edit_flag),
        "experiments": (emulator.create_experiment, emulator.edit_experiment),
    }[kind]
    first = api.page(kind, limit=2)
    create(projectId="1", key="d")
    edit("10001", archived=True)
    assert [row["key"] for row in api.page(kind, limit=2, cursor=first["nextCursor"])[kind]] == ["a"]
    assert api.keys(kind) == ["d", "c", "b"]
    assert api.keys(kind, includeArchived="true") == ["d", "c", "b", "a"]
    emulator.switch(stale_lists=1)
    edit("10001", archived=False)
    api.page("deployments")
    assert [len(api.keys(kind)) for _list in range(2)] == [3, 4]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_an_archived_one_hides_the_row_at_the_border_of_two_pages(
    api: Api, emulator: Emulator, kind: str, cursor: str
) -> None:
    fill(emulator, *"abcde", cursor=cursor)
    first = api.page(kind, limit=2)
    edit = emulator.edit_flag if kind == "flags" else emulator.edit_experiment
    edit("10005", archived=True)
    rest = api.page(kind, limit=5, cursor=first["nextCursor"])
    assert [row["key"] for row in first[kind] + rest[kind]] == ["e", "d", "b", "a"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", ["none", "archived", "deleted"])
def test_archived_field(api: Api, emulator: Emulator, kind: str, field: str) -> None:
    emulator.reset(SEED, archived_field=field)
    for query, expected in [({}, [None] * 3), ({"includeArchived": "true"}, [False, True, False, False])]:
        rows = api.page(kind, **query)[kind]
        assert len(rows) == len(expected)
        for name in ("archived", "deleted"):
            assert [row.get(name) for row in rows] == (expected if name == field else [None] * len(rows))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "switch, id, archived, status",
    [
        ("allowed", "7", False, 200),
        ("refused", "7", False, 400),
        ("refused", "7", True, 200),
        ("refused", "8", False, 200),
        ("refused", "9", False, 200),
    ],
)
def test_archive_in_use(
    api: Api, emulator: Emulator, kind: str, switch: str, id: str, archived: bool, status: int
) -> None:
    rows = [
        {"projectId": "1", "key": "user", "deployments": ["7"], "archived": archived},
        {"projectId": "1", "key": "gone", "deployments": ["8"], "archived": True},
    ]
    emulator.reset({"deployments": DEPLOYMENTS, kind: rows}, archive_in_use=switch)
    answer = api.archive(id)
    assert (answer.status_code, "user" in answer.text) == (status, status == 400)
    assert [row["id"] for row in emulator.deployments() if row["deleted"]] == ([id] if status == 200 else [])
    assert emulator.requests()[0]["committed"] is (status == 200)
    assert emulator.edit_deployment(id, deleted=True)["deleted"] is True
    assert api.archive(id).status_code == 200, "it is archived already"


@pytest.mark.parametrize("kind", KINDS)
def test_what_every_request_goes_through(api: Api, emulator: Emulator, kind: str) -> None:
    path = "/api/1/" + kind
    emulator.reset(SEED, gzip=True, extra_fields=True, daily_limit=5)
    answer = api.call("GET", path)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "_links" in answer.json() and all("_links" in row for row in answer.json()[kind])
    emulator.misbehave(action="status", path=f"/{kind}$")
    emulator.misbehave(action="cut", moment="after", path=f"/{kind}$", nth=2)
    assert api.page("deployments") and api.call("GET", path).status_code == 503
    with pytest.raises(requests.ConnectionError):
        api.call("GET", path)
    assert [api.call("GET", path).status_code for _request in range(2)] == [200, 429]
    assert [record["status"] for record in emulator.requests()] == [200, 200, 503, None, 200, 429]
    emulator.reset(SEED, error_body="text", latency=0.05)
    began = time.monotonic()
    assert api.call("GET", path, "wrong").text == "the management API key is missing or not valid"
    assert time.monotonic() - began >= 0.05


# Control


@pytest.mark.parametrize("kind", KINDS)
def test_control(api: Api, emulator: Emulator, kind: str) -> None:
    def control(method: str, path: str = "", body: t.Any = None, status: int = 200) -> t.Any:
        answer = api.call(method, "/_emulator/" + kind + path, None, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    first = control("POST", "", {"projectId": "1", "key": "a", "deployments": [7]})
    assert first == {
        "id": "10001", "projectId": "1", "key": "a", "name": "a", "enabled": False, "archived": False,
        "evaluationMode": "remote", "deployments": ["7"],
    }  # fmt: skip
    assert control("POST", "", {"id": 20000, "projectId": "1", "key": "b"})["id"] == "20000"
    assert control("POST", "", {"projectId": "1", "key": "c"})["id"] == "20001"
    for change in (
        {"deployments": ["8", "9"]},
        {"deployments": []},
        {"enabled": True, "name": "A"},
        {"archived": True},
    ):
        first.update(change)
        assert control("PATCH", "/10001", change) == first
    truth = control("GET")[kind]
    assert truth[0] == first and [row["key"] for row in truth] == ["a", "b", "c"]
    other = KINDS[1 - KINDS.index(kind)]
    assert (getattr(emulator, kind)(), getattr(emulator, other)()) == (truth, [])
    assert emulator.requests() == [] and emulator.deployments() == []
    assert api.keys(kind) == ["c", "b"] and api.keys(other) == []
    for method, path, body in [
        ("POST", "", {"projectId": "1"}),
        ("POST", "", {"projectId": "1", "key": "a", "self": 1}),
        ("POST", "", {"projectId": "1", "key": "a", "id": "10001"}),
        ("PATCH", "/1", {"enabled": True}),
        ("PATCH", "/10001", {"id": "2"}),
        ("PATCH", "/10001", {"deployments": "7"}),
        ("PATCH", "/10001", {"archived": 1}),
    ]:
        assert control(method, path, body, 400)["error"]
    assert control("GET")[kind] == truth


def test_control_in_process(emulator: Emulator) -> None:
    for create, edit, rows in [
        (emulator.create_flag, emulator.edit_flag, emulator.flags),
        (emulator.create_experiment, emulator.edit_experiment, emulator.experiments),
    ]:
        row = create(projectId="1", key="a")
        assert edit(10001, deployments=["7"], archived=True) == {**row, "deployments": ["7"], "archived": True}
        assert [row["archived"] for row in rows()] == [True]
        with pytest.raises(Invalid):
            edit("404", archived=True)
        with pytest.raises(Invalid):
            create(projectId="1", key="a", deployments=[None])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "row",
    [
        {},
        {"key": "a"},
        {"projectId": "1", "key": 5},
        {"projectId": "1", "key": "a", "deployment": []},
        {"projectId": "1", "key": "a", "deployments": "7"},
        {"projectId": "1", "key": "a", "deployments": [True]},
        {"projectId": "1", "key": "a", "deployments": [""]},
        {"projectId": "1", "key": "a", "enabled": "yes"},
        {"projectId": "1", "key": "a", "name": None},
        {"projectId": "1", "key": "a", "evaluationMode": "both"},
        "a",
    ],
)
def test_seed_that_is_not_understood(kind: str, row: t.Any) -> None:
    with pytest.raises(Invalid):
        Emulator({kind: [row]})


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_a_seed(kind: str) -> None:
    with pytest.raises(Invalid, match="7 is there already"):
        Emulator({kind: [{"id": id, "projectId": "1", "key": "a"} for id in ("7", 7)]})
    emulator = Emulator({kind: [{"projectId": "1", "key": "a"}, {"id": "10001", "projectId": "1", "key": "b"}]})
    assert [row["id"] for row in getattr(emulator, kind)()] == ["10002", "10001"]
