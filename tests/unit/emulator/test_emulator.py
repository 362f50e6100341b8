# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator over a real socket: the documented API, each switch, each fault, the program."""

from __future__ import annotations

import email.utils
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import typing as t

import pytest
import requests
import yaml

from ansible_collections.community.amplitude.tests.emulator import Emulator, Invalid
from ansible_collections.community.amplitude.tests.emulator.cli import SEED_HELP, main

KEY = "management-key"
PATH = "/api/1/deployments"
EMULATOR = pathlib.Path(__file__).resolve().parents[2] / "emulator"
SEED = {
    "keys": {KEY: ["1", "2"], "other-key": ["3"]},
    "deployments": [
        {"id": 7, "projectId": "1", "label": "web", "type": "client"},
        {"projectId": "1", "label": "api", "type": "server"},
        {"projectId": "2", "label": "default", "type": None},
        {"projectId": "2", "label": "old", "key": "server-fixed", "deleted": True},
        {"projectId": "3", "label": "foreign", "type": "client"},
    ],
}


@pytest.fixture(scope="module")
def running() -> t.Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> t.Iterator[Emulator]:
    running.reset()
    yield running


@pytest.fixture(scope="module")
def session() -> t.Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


class Api:
    """A client that does nothing by itself."""

    def __init__(self, session: requests.Session, emulator: Emulator) -> None:
        self.session, self.emulator = session, emulator

    def call(self, method: str, path: str = PATH, key: str | None = KEY, **options: t.Any) -> requests.Response:
        headers = {**({"Authorization": "Bearer " + key} if key else {}), **options.pop("headers", {})}
        options = {"timeout": 5, "allow_redirects": False, **options}
        return self.session.request(method, self.emulator.url + path, headers=headers, **options)

    def create(self, label: str = "hello", project: t.Any = "1", type: t.Any = "client", **options: t.Any) -> t.Any:
        return self.call("POST", json={"projectId": project, "label": label, "type": type}, **options)

    def edit(self, id: t.Any, **body: t.Any) -> requests.Response:
        return self.call("PATCH", f"{PATH}/{id}", json=body)

    def pages(self, most: int = 50, **query: t.Any) -> list[dict[str, t.Any]]:
        pages: list[dict[str, t.Any]] = []
        while len(pages) < most:
            answer = self.call("GET", params=query)
            assert answer.status_code == 200, answer.text
            pages.append(answer.json())
            query["cursor"] = pages[-1].get("nextCursor")
            if query["cursor"] in (None, ""):
                break
        return pages

    def rows(self, **query: t.Any) -> list[dict[str, t.Any]]:
        return [row for page in self.pages(**query) for row in page["deployments"]]

    def labels(self, **query: t.Any) -> list[str]:
        return [row["label"] for row in self.rows(**query)]


@pytest.fixture
def api(session: requests.Session, emulator: Emulator) -> Api:
    return Api(session, emulator)


def fill(emulator: Emulator, *labels: str, **switches: t.Any) -> None:
    rows = [{"projectId": "1", "label": label, "type": "client"} for label in labels]
    emulator.reset({"deployments": rows}, **switches)


# The documented API


def curl(*arguments: str) -> str:
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--write-out", " %{http_code}", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=10).stdout.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_documented_examples(emulator: Emulator) -> None:
    url = emulator.url + PATH
    headers = ("--header", "Accept: application/json", "--header", "Authorization: Bearer " + KEY)
    data = ("--header", "Content-Type: application/json", "--data")
    body = '{"projectId":"1","label":"hello-world","type":"client"}'
    assert curl("--request", "POST", "--url", url, *headers, *data, body) == '{"id": 10001} 200'
    assert curl("--request", "POST", "--url", url, *headers).endswith(" 400")
    patch = ("--request", "PATCH", "--url", url + "/10001")
    assert curl(*patch, *headers) == "OK 200"
    assert curl(*patch, *headers, *data, '{"label": "updated-label"}') == "OK 200"
    listed, status = curl("--request", "GET", "--url", url + "?limit=1000", *headers).rsplit(" ", 1)
    (row,) = json.loads(listed)["deployments"]
    key = row.pop("key")
    assert (status, row) == ("200", {"id": 10001, "projectId": 1, "label": "updated-label", "deleted": False})
    assert re.fullmatch("client-[A-Za-z0-9]{32}", key)


def test_seed(api: Api, emulator: Emulator) -> None:
    emulator.reset(SEED)
    truth = {row["label"]: row for row in emulator.deployments()}
    assert [row["id"] for row in truth.values()] == ["7", "10001", "10002", "10003", "10004"]
    assert [row["type"] for row in truth.values()] == ["client", "server", None, "server", "client"]
    assert re.fullmatch("[0-9a-f]{32}", truth["default"]["key"])
    assert api.labels() == ["web", "api", "default", "old"]
    assert [row["deleted"] for row in api.rows()] == [False, False, False, True]
    emulator.reset({"deployments": [{"id": "20000", "projectId": "1", "label": "a", "type": "client"}]})
    assert api.create().json() == {"id": 20001}


@pytest.mark.parametrize(
    "seed",
    [
        {"deploments": []},
        {"keys": {"k": "1"}},
        {"deployments": [{"projectId": "1", "labell": "a"}]},
        {"deployments": [{"projectId": "1", "label": "a", "type": "mobile"}]},
        {"deployments": [{"projectId": "1", "label": "a", "type": "client", "key": "server-1"}]},
        {"deployments": [{"id": 1, "projectId": "1", "label": "a"}] * 2},
        {"deployments": [{"label": "a"}]},
        {"switches": {"idz": "number"}},
    ],
)
def test_seed_that_is_not_understood(seed: t.Any) -> None:
    with pytest.raises(Invalid):
        Emulator(seed)


VALID = {"projectId": "1", "label": "a", "type": "client"}


@pytest.mark.parametrize(
    "method, path, key, body, status, word",
    [
        ("GET", PATH, None, None, 401, "key"),
        ("GET", PATH, "wrong", None, 401, "key"),
        ("POST", PATH, "other-key", VALID, 403, "project 1"),
        ("PATCH", PATH + "/7", "other-key", {"archive": True}, 403, "project 1"),
        ("PATCH", PATH + "/8", KEY, {"archive": True}, 404, "8"),
        ("GET", "/api/1/nothing", KEY, None, 404, "Not Found"),
        ("GET", PATH + "/", KEY, None, 404, "Not Found"),
        ("GET", PATH + "/7", KEY, None, 405, "Not Allowed"),
        ("DELETE", PATH + "/7", KEY, None, 405, "Not Allowed"),
        ("PUT", PATH, KEY, None, 405, "Not Allowed"),
        ("OPTIONS", PATH, KEY, None, 405, "Not Allowed"),
        ("POST", PATH, KEY, None, 400, "body"),
        ("POST", PATH, KEY, [], 400, "object"),
        ("POST", PATH, KEY, {**VALID, "projectId": 1}, 400, "projectId"),
        ("POST", PATH, KEY, {**VALID, "label": "a b"}, 400, "label"),
        ("POST", PATH, KEY, {**VALID, "label": "a\n"}, 400, "label"),
        ("POST", PATH, KEY, {**VALID, "label": ""}, 400, "label"),
        ("POST", PATH, KEY, {**VALID, "type": "mobile"}, 400, "type"),
        ("POST", PATH, KEY, {"projectId": "1", "label": "a"}, 400, "type"),
        ("PATCH", PATH + "/7", KEY, {"label": None}, 400, "label"),
        ("PATCH", PATH + "/7", KEY, {"archive": "true"}, 400, "archive"),
        ("PATCH", PATH + "/7", KEY, {"archive": None}, 400, "archive"),
        ("GET", PATH + "?limit=0", KEY, None, 400, "limit"),
        ("GET", PATH + "?limit=-1", KEY, None, 400, "limit"),
        ("GET", PATH + "?limit=many", KEY, None, 400, "limit"),
        ("GET", PATH + "?cursor=nonsense", KEY, None, 400, "cursor"),
        ("GET", PATH + "?cursor=", KEY, None, 400, "cursor"),
    ],
)
def test_refusal(
    api: Api, emulator: Emulator, method: str, path: str, key: str | None, body: t.Any, status: int, word: str
) -> None:
    emulator.reset(SEED)
    before = emulator.deployments()
    answer = api.call(method, path, key, json=body)
    assert (answer.status_code, word in answer.json()["error"]) == (status, True), answer.text
    (record,) = emulator.requests()
    assert (record["status"], record["accepted"], record["committed"], record["key"]) == (status, False, False, key)
    assert emulator.deployments() == before


def test_content_type_is_required(api: Api) -> None:
    answer = api.call("POST", data=json.dumps(VALID), headers={"Content-Type": "text/plain"})
    assert (answer.status_code, "Content-Type" in answer.text) == (400, True)
    answer = api.call("POST", data=json.dumps(VALID), headers={"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 200


def test_create_edit_and_what_is_recorded(api: Api, emulator: Emulator) -> None:
    id = api.create("a").json()["id"]
    for body, expected, committed in [
        ({"label": "b"}, ("b", False), True),
        ({"archive": True}, ("b", True), True),
        ({"archive": True, "unknown": 1}, ("b", True), False),
        ({"archive": False, "label": "c"}, ("c", False), True),
        ({}, ("c", False), False),
    ]:
        answer = api.edit(id, **body)
        assert (answer.status_code, answer.text) == (200, "OK")
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert [(row["label"], row["deleted"]) for row in emulator.deployments()] == [expected]
        record = emulator.requests()[-1]
        assert (record["body"], record["accepted"], record["committed"]) == (body, True, committed)
    api.call("GET", params={"limit": "2"}, headers={"User-Agent": "me", "X-More": "1"})
    record = emulator.requests(since=6)[0]
    assert record["time"] >= 0 and record["headers"]["X-More"] == "1"
    assert {name: record[name] for name in ("n", "method", "path", "query", "body", "status", "user_agent")} == {
        "n": 7, "method": "GET", "path": PATH, "query": {"limit": "2"}, "body": None, "status": 200, "user_agent": "me",
    }  # fmt: skip
    emulator.forget_requests()
    api.rows()
    assert [record["n"] for record in emulator.requests()] == [8]


# Switches


@pytest.mark.parametrize("switches, kind", [({}, int), ({"ids": "string"}, str), ({"opaque_ids": True}, str)])
def test_ids(api: Api, emulator: Emulator, switches: dict[str, t.Any], kind: type) -> None:
    emulator.reset(**switches)
    created = [api.create(f"l{n}").json()["id"] for n in range(8)]
    rows = api.rows()
    assert [row["id"] for row in rows] == created
    assert {row["projectId"] for row in rows} == {kind("1")}
    assert all(isinstance(id, kind) for id in created)
    assert (sorted(created) == created) is not switches.get("opaque_ids", False)
    assert api.edit(created[0], archive=True).status_code == 200


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
        ("empty_page", {}),
        ("empty_page_with_cursor", None),
    ],
)
def test_last_page(api: Api, emulator: Emulator, cursor: str, count: int, last_page: t.Any, ending: t.Any) -> None:
    fill(emulator, *(f"l{n}" for n in range(count)), last_page=last_page, cursor=cursor)
    pages = api.pages(most=6, limit=2)
    sizes = [len(page.pop("deployments")) for page in pages]
    assert sum(sizes) == count
    cursors = [page["nextCursor"] for page in pages if page.get("nextCursor") not in (None, "")]
    assert len(set(cursors)) == len(cursors)
    assert {type(cursor) for cursor in cursors} <= {int if cursor == "offset" else str}
    if ending is None:
        assert len(pages) == 6 and sizes[-1] == 0
    else:
        assert pages[-1] == ending
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


@pytest.mark.parametrize("duplicate_status", [400, 409])
@pytest.mark.parametrize(
    "unique_labels, create_active, create_archived, rename, restore, rename_archived",
    [
        ("none", True, True, True, True, True),
        ("active", False, True, False, False, True),
        ("all", False, False, False, False, False),
    ],
)
def test_unique_labels(
    api: Api, emulator: Emulator, duplicate_status: int, unique_labels: str, create_active: bool,
    create_archived: bool, rename: bool, restore: bool, rename_archived: bool,
) -> None:  # fmt: skip
    rows = [("1", "a", False), ("2", "a", True), ("3", "b", True), ("4", "c", False), ("5", "d", True)]
    seed = [{"id": id, "projectId": "1", "label": label, "deleted": gone} for id, label, gone in rows]
    for call, allowed in [
        (lambda: api.create("a"), create_active),
        (lambda: api.create("b"), create_archived),
        (lambda: api.create("a", project="2"), True),
        (lambda: api.create("A"), True),
        (lambda: api.edit(4, label="a"), rename),
        (lambda: api.edit(4, label="c"), True),
        (lambda: api.edit(4, archive=True), True),
        (lambda: api.edit(1, archive=True), True),
        (lambda: api.edit(2, archive=False), restore),
        (lambda: api.edit(2, archive=False, label="e"), True),
        (lambda: api.edit(5, label="a"), rename_archived),
        (lambda: api.edit(5, archive=False), True),
    ]:
        emulator.reset({"deployments": seed}, unique_labels=unique_labels, duplicate_status=duplicate_status)
        assert call().status_code == (200 if allowed else duplicate_status)


@pytest.mark.parametrize(
    "shape, content_type, pattern",
    [
        ("json", "application/json", r'\{"code": 400, "error": ".*limit.*"\}'),
        ("json_nested", "application/json", r'\{"error": \{"code": 400, "message": ".*limit.*"\}\}'),
        ("text", "text/plain; charset=utf-8", ".*limit.*"),
        ("html", "text/html; charset=utf-8", "(?s)<html>.*limit.*</html>\n"),
        ("empty", "text/plain; charset=utf-8", ""),
    ],
)
def test_error_body(api: Api, emulator: Emulator, shape: str, content_type: str, pattern: str) -> None:
    emulator.reset(error_body=shape)
    answer = api.call("GET", params={"limit": 0})
    assert answer.status_code == 400 and answer.headers["Content-Type"] == content_type
    assert re.fullmatch(pattern, answer.text)


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


def test_stale_seconds(api: Api, emulator: Emulator) -> None:
    emulator.reset(stale_seconds=0.15)
    api.create("a")
    assert api.labels() == []
    time.sleep(0.16)
    assert api.labels() == ["a"]


@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_pages_of_one_listing_show_one_moment(api: Api, emulator: Emulator, cursor: str) -> None:
    fill(emulator, "a", "b", "c", cursor=cursor, order="newest_first")
    first = api.pages(most=1, limit=2)[0]
    api.create("d")
    api.edit(10001, label="z")
    rest = api.call("GET", params={"limit": 2, "cursor": first["nextCursor"]}).json()
    assert [row["label"] for row in first["deployments"] + rest["deployments"]] == ["c", "b", "a"]
    assert api.labels() == ["d", "c", "b", "z"]


def test_extra_fields_and_omit_deleted(api: Api, emulator: Emulator) -> None:
    emulator.reset(SEED, extra_fields=True, omit_deleted=True)
    (page,) = api.pages()
    assert len(page) > 1 and isinstance(page["_links"], dict)
    assert all("_links" in row for row in page["deployments"])
    assert [row.get("deleted") for row in page["deployments"]] == [None, None, None, True]
    assert len(api.create().json()) > 1


def test_latency(api: Api, emulator: Emulator) -> None:
    emulator.reset(latency=0.1)
    began = time.monotonic()
    api.rows()
    assert 0.1 <= time.monotonic() - began < 1


@pytest.mark.parametrize("retry_after", ["none", "seconds", "date"])
@pytest.mark.parametrize("limits", [{"rate_limit": 3}, {"daily_limit": 3}])
def test_rate_limit(api: Api, emulator: Emulator, limits: dict[str, int], retry_after: str) -> None:
    emulator.reset(SEED, retry_after=retry_after, **limits)
    answers = [api.call("GET", params={"limit": n % 2}) for n in range(5)]
    assert [answer.status_code for answer in answers] == [400, 200, 400, 429, 429]
    assert api.call("GET", key="other-key").status_code == 200
    wait = answers[-1].headers.get("Retry-After")
    if retry_after == "none":
        assert wait is None
        return
    seconds = email.utils.parsedate_to_datetime(wait).timestamp() - time.time() if retry_after == "date" else int(wait)
    assert 0 < seconds <= (2 if "rate_limit" in limits else 86401)
    if "rate_limit" in limits and retry_after == "seconds":
        time.sleep(1.01)
        assert api.call("GET").status_code == 200


def test_default_rate_limit_and_none(api: Api, emulator: Emulator) -> None:
    assert (emulator.switches()["rate_limit"], emulator.switches()["daily_limit"]) == (100, 100000)
    emulator.reset(rate_limit=0, daily_limit=0)
    assert {api.call("GET").status_code for _request in range(120)} == {200}


def test_gzip(api: Api, emulator: Emulator) -> None:
    emulator.reset(SEED, gzip=True)
    answer = api.call("GET", headers={"Accept-Encoding": "gzip"}, stream=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(answer.raw.read()))["deployments"]) == 4
    assert "Content-Encoding" not in api.call("GET", headers={"Accept-Encoding": "identity"}).headers
    assert "Content-Encoding" not in api.edit(7).headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"idz": "number"}, {"ids": "float"}, {"rate_limit": -1}, {"rate_limit": 1.5}, {"rate_limit": True},
        {"max_page_size": 0}, {"latency": "nan"}, {"latency": []}, {"gzip": "maybe"}, {"duplicate_status": 422},
        {"order": None},
    ],
)  # fmt: skip
def test_switch_that_is_not_understood(emulator: Emulator, wrong: dict[str, t.Any]) -> None:
    before = emulator.switches()
    for change in (emulator.switch, emulator.reset):
        with pytest.raises(Invalid):
            change(**wrong)
    assert emulator.switches() == before


# Faults


@pytest.mark.parametrize("moment, created", [("before", 0), ("after", 1)])
@pytest.mark.parametrize(
    "fault, status, text",
    [
        ({"action": "status"}, 503, "Service Unavailable"),
        ({"action": "status", "status": 500, "body": "oops"}, 500, "oops"),
        ({"action": "cut"}, None, None),
        ({"action": "truncate"}, None, None),
        ({"action": "body", "body": "<html>"}, 200, "<html>"),
        ({"action": "body", "body": {"id": []}, "status": 201}, 201, '{"id": []}'),
        ({"action": "redirect", "headers": {"Location": "http://127.0.0.1:1/"}}, 302, "Found"),
        ({"action": "delay", "seconds": 0.05}, 200, '{"id": 10001}'),
    ],
)
def test_fault(
    api: Api, emulator: Emulator, fault: dict[str, t.Any], moment: str, created: int, status: t.Any, text: t.Any
) -> None:
    emulator.misbehave(moment=moment, method="POST", **fault)
    began = time.monotonic()
    if status is None:
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            answer = api.create()
            # urllib3 1.26 takes what is cut off for the whole.
            if len(answer.content) < int(answer.headers["Content-Length"]):
                raise requests.ConnectionError
    else:
        answer = api.create()
        assert answer.status_code == status and text in answer.text
        assert answer.headers.get("Location") == fault.get("headers", {}).get("Location")
    took = time.monotonic() - began
    created = 1 if fault["action"] == "delay" else created
    (record,) = emulator.requests()
    expected = {"cut": None, "truncate": 200}.get(fault["action"], status)
    assert (record["status"], record["committed"], record["accepted"]) == (expected, bool(created), bool(created))
    assert len(emulator.deployments()) == created
    assert took < 1 and (fault["action"] != "delay" or took >= 0.05)
    assert api.create("next").status_code == 200


def test_trickle(api: Api, emulator: Emulator) -> None:
    emulator.misbehave(action="trickle", seconds=0.02)
    answer = api.call("GET", stream=True)
    arrivals = [time.monotonic() for _byte in answer.iter_content(1)]
    assert len(arrivals) == len('{"deployments": []}') == int(answer.headers["Content-Length"])
    assert arrivals[-1] - arrivals[0] >= 0.3


def test_reset_ends_waiting(api: Api, emulator: Emulator) -> None:
    emulator.misbehave(action="delay", seconds=60)
    began = time.monotonic()
    timer = threading.Timer(0.05, emulator.reset)
    timer.start()
    assert api.create().status_code == 200
    timer.join()
    assert time.monotonic() - began < 2
    assert emulator.deployments() == [] and emulator.requests() == []


@pytest.mark.parametrize(
    "fault, statuses",
    [
        ({}, [503, 200, 200, 200]),
        ({"nth": 2}, [200, 503, 200, 200]),
        ({"nth": 2, "times": 2}, [200, 503, 503, 200]),
        ({"nth": 2, "times": 0}, [200, 503, 503, 503]),
        ({"method": "PATCH"}, [200, 200, 200, 200]),
        ({"path": "/flags$"}, [200, 200, 200, 200]),
        ({"method": "GET", "path": "/deployments$"}, [503, 200, 200, 200]),
    ],
)
def test_which_requests_a_fault_strikes(
    api: Api, emulator: Emulator, fault: dict[str, t.Any], statuses: list[int]
) -> None:
    emulator.misbehave(action="status", **fault)
    assert [api.call("GET").status_code for _status in statuses] == statuses
    emulator.behave()
    assert api.call("GET").status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"action": "explode"},
        {"action": "redirect"},
        {"action": "body"},
        {"action": "cut", "nht": 2},
        {"action": "cut", "nth": 0},
        {"action": "cut", "times": -1},
        {"action": "cut", "moment": "during"},
        {"action": "cut", "path": "("},
        {"action": "cut", "method": "post"},
        {"action": "delay", "seconds": "1"},
        {"action": "status", "status": "500"},
        {"action": "status", "headers": []},
    ],
)
def test_fault_that_is_not_understood(emulator: Emulator, fault: dict[str, t.Any]) -> None:
    with pytest.raises(Invalid):
        emulator.misbehave(**fault)


# Control over HTTP


def test_control_over_http(api: Api, emulator: Emulator) -> None:
    def control(method: str, path: str, body: t.Any = None, status: int = 200) -> t.Any:
        answer = api.call(method, "/_emulator" + path, None, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    control("POST", "/reset", {"seed": SEED, "switches": {"ids": "string", "latency": 0.0}})
    assert control("GET", "/switches")["ids"] == "string"
    assert control("PATCH", "/switches", {"order": "label"})["order"] == "label"
    assert control("GET", "/deployments")["deployments"] == emulator.deployments()
    row = control("POST", "/deployments", {"projectId": "1", "label": "by hand", "type": "client"})
    assert control("PATCH", "/deployments/" + row["id"], {"deleted": True}) == {**row, "deleted": True}
    control("POST", "/faults", {"action": "status", "times": 0})
    assert api.call("GET").status_code == 503
    control("DELETE", "/faults")
    assert api.labels() == ["api", "by hand", "default", "old", "web"]
    assert [record["status"] for record in control("GET", "/requests?since=1")["requests"]] == [200]
    control("DELETE", "/requests")
    assert control("GET", "/requests")["requests"] == []
    control("POST", "/reset")
    assert emulator.deployments() == [] and emulator.switches()["ids"] == "number"
    for method, path, body, status in [
        ("POST", "/reset", {"sede": {}}, 400),
        ("POST", "/reset", {"switches": {"self": 1}}, 400),
        ("POST", "/reset", [], 400),
        ("PATCH", "/switches", {"idz": 1}, 400),
        ("POST", "/faults", {"acton": "cut"}, 400),
        ("POST", "/deployments", {"projectId": "1"}, 400),
        ("PATCH", "/deployments/1", {"label": "a"}, 400),
        ("PATCH", "/deployments/1", {"id": "a"}, 400),
        ("GET", "/requests?sinse=1", None, 400),
        ("GET", "/request", None, 404),
        ("PUT", "/switches", None, 405),
    ]:
        assert control(method, path, body, status)["error"]


# The server


def test_threads_that_create(emulator: Emulator) -> None:
    emulator.reset(rate_limit=0, unique_labels="all")
    answers: list[requests.Response] = []

    def work(worker: int) -> None:
        with requests.Session() as session:
            api = Api(session, emulator)
            for number in range(10):
                answers.append(api.create(f"shared-{number}"))
                answers.append(api.create(f"own-{worker}-{number}"))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    assert len(answers) == 160 and len(ids) == len(set(ids)) == 10 + 80
    assert len({row["label"] for row in emulator.deployments()}) == len(emulator.deployments()) == len(ids)
    assert [record["n"] for record in emulator.requests()] == list(range(1, 161))


def test_connections_stay_open_and_threads_do_not() -> None:
    before = set(threading.enumerate())
    with Emulator() as emulator, requests.Session() as session:
        Api(session, emulator).call("GET")
        with socket.create_connection(("127.0.0.1", emulator.port)) as connection:
            body = json.dumps(VALID).encode()
            head = b"POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n" % (PATH.encode(), KEY.encode())
            head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection.sendall((head + body) * 3)  # pipelined
            received = b""
            while received.count(b'{"id": ') < 3:
                received += connection.recv(65536)
            assert received.count(b"HTTP/1.1 200") == 3 and b"Connection: close" not in received
            assert len(set(threading.enumerate()) - before) == 3
            emulator.misbehave(action="delay", seconds=60)
            connection.sendall(head + body)
            began = time.monotonic()
            emulator.close()
    assert time.monotonic() - began < 1
    assert set(threading.enumerate()) <= before


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: t.Any) -> pathlib.Path:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    path: pathlib.Path = tmp_path_factory.mktemp("tls") / "both.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    request += " -addext subjectAltName=IP:127.0.0.1 -keyout both.pem -out certificate.pem"
    subprocess.run(["openssl", *request.split()], cwd=path.parent, check=True, stderr=subprocess.DEVNULL)
    path.write_text(path.read_text() + (path.parent / "certificate.pem").read_text())
    return path


def test_tls(certificate: pathlib.Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Emulator(ssl_context=context) as emulator, requests.Session() as session:
        api = Api(session, emulator)
        with socket.create_connection(("127.0.0.1", emulator.port)):  # says nothing, and must not be in the way
            with pytest.raises(requests.exceptions.SSLError):
                api.call("GET")
            assert emulator.url.startswith("https://")
            assert api.call("GET", verify=str(certificate)).status_code == 200
            emulator.misbehave(action="cut", moment="after")
            with pytest.raises(requests.ConnectionError):
                api.create(verify=str(certificate))
            assert len(emulator.deployments()) == 1


# The program


class Program:
    def __init__(self, *arguments: t.Any, how: t.Any = (str(EMULATOR),), cwd: t.Any = None) -> None:
        command = [sys.executable, *how, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd)
        self.line = self.process.stdout.readline() if self.process.stdout else ""
        self.url = self.line.rpartition(" ")[2].strip()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exc_info: t.Any) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def test_program(session: requests.Session, tmp_path: pathlib.Path) -> None:
    seed, port_file = tmp_path / "seed.json", tmp_path / "port"
    seed.write_text(json.dumps({**SEED, "switches": {"ids": "string"}}))
    arguments = ["--seed", seed, "--port-file", port_file, "--switch", "order=label", "--switch", "gzip=yes"]
    with Program(*arguments) as program:
        assert re.fullmatch(r"Amplitude Experiment emulator listening on http://127.0.0.1:\d+\n", program.line)
        assert program.url.endswith(f":{int(port_file.read_text())}")
        assert sorted(os.listdir(tmp_path)) == ["port", "seed.json"]
        rows = session.get(program.url + PATH, headers={"Authorization": "Bearer " + KEY}, timeout=5).json()
        assert [row["id"] for row in rows["deployments"]] == ["10001", "10002", "10003", "7"]
        program.process.send_signal(signal.SIGTERM)
        assert program.process.communicate(timeout=5) == ("", "")
        assert program.process.returncode == 0


@pytest.mark.parametrize("end", [signal.SIGINT, "parent"])
def test_program_as_module_with_parent(session: requests.Session, tmp_path: pathlib.Path, end: t.Any) -> None:
    yaml = pytest.importorskip("yaml")
    seed = tmp_path / "seed.yml"
    seed.write_text(yaml.safe_dump(SEED))
    with subprocess.Popen(["sleep", "60"]) as parent:
        try:
            arguments = ["--seed", seed, "--parent-pid", parent.pid]
            with Program(*arguments, how=("-m", "tests.emulator"), cwd=EMULATOR.parents[1]) as program:
                assert session.get(program.url + "/_emulator/deployments", timeout=5).status_code == 200
                if end == "parent":
                    parent.kill()  # and is a zombie until it is waited for
                else:
                    program.process.send_signal(end)
                assert program.process.wait(timeout=5) == 0
        finally:
            parent.kill()


def test_program_over_tls(certificate: pathlib.Path) -> None:
    with Program("--tls-cert", certificate, "--tls-key", certificate) as program:
        assert program.url.startswith("https://127.0.0.1:")
        assert requests.get(program.url + "/_emulator/switches", verify=str(certificate), timeout=5).status_code == 200


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["--switch", "idz=1"], "idz"),
        (["--switch", "ids"], "NAME=VALUE"),
        (["--seed", "/nonexistent"], "nonexistent"),
        (["--tls-cert", "/nonexistent"], "--tls-key"),
    ],
)
def test_program_that_is_misused(capsys: t.Any, arguments: list[str], word: str) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2 and word in capsys.readouterr().err


def test_program_explains_every_switch(capsys: t.Any, emulator: Emulator) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert set(emulator.switches()) <= set(capsys.readouterr().out.split())


def test_seed_of_the_help() -> None:
    with Emulator(yaml.safe_load(SEED_HELP.partition("\n")[2])) as emulator:
        assert [(row["label"], row["type"]) for row in emulator.deployments()] == [("web", "client")]
        assert [flag["deployments"] for flag in emulator.flags()] == [[emulator.deployments()[0]["id"]]]
