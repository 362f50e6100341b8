# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented API of deployments over a real socket."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.support.clocks import SetClock
from ansible_collections.community.amplitude.tests.unit.emulator.api import KEY, PATH, SEED, VALID, Api


def curl(*arguments: str) -> str:
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--write-out", " %{http_code}", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60).stdout.decode()


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


@pytest.mark.parametrize(
    "where, from_post, from_patch",
    [
        ("body", (200, "body"), (200, "body-2", False)),
        ("query", (200, "query"), (200, "query-2", True)),
        ("body_alone", (400, None), (400, "hello", False)),
    ],
)
def test_where_fields_are_read(
    api: Api, emulator: Emulator, where: str, from_post: tuple[int, str | None], from_patch: tuple[int, str, bool]
) -> None:
    emulator.reset(fields_of_post=where)
    answer = api.create("body", params={"projectId": "1", "label": "query", "type": "server"})
    labels = [row["label"] for row in emulator.deployments()]
    assert (answer.status_code, *labels) == (from_post if from_post[1] else from_post[:1])
    without = api.call("POST", params={}) if where == "query" else api.create("alone")
    assert without.status_code == (400 if where == "query" else 200)

    emulator.reset(fields_of_patch=where)
    id = api.create().json()["id"]
    both = {"json": {"label": "body-2"}, "params": {"label": "query-2", "archive": "true"}}
    answer = api.call("PATCH", f"{PATH}/{id}", **both)
    (row,) = emulator.deployments()
    assert (answer.status_code, row["label"], row["deleted"]) == from_patch
    answer = api.edit(id, label="alone")
    assert (answer.status_code, answer.text) == (200, "OK")
    assert (emulator.deployments()[0]["label"] == "alone") is (where != "query")
    assert emulator.requests()[-1]["committed"] is (where != "query")
    strange = api.call("PATCH", f"{PATH}/{id}", params={"archive": "yes"})
    assert strange.status_code == (200 if where == "body" else 400)


def test_longest_label(api: Api, emulator: Emulator) -> None:
    assert api.create("a" * 5000).status_code == 200
    emulator.switch(longest_label=5)
    for length, status in [(5, 200), (6, 400)]:
        for answer in (api.create("b" * length), api.edit(10001, label="c" * length)):
            assert (answer.status_code, "no more than 5" in answer.text) == (status, status == 400)
    assert [row["label"] for row in emulator.deployments()] == ["ccccc", "bbbbb"]


@pytest.mark.parametrize("by_hand", [False, True])
def test_late_keys(api: Api, emulator: Emulator, by_hand: bool) -> None:
    emulator.reset({"deployments": [VALID]}, late_keys=2)
    api.rows()
    if by_hand:
        emulator.create_deployment(**{**VALID, "label": "b"})
    else:
        api.create("b")
    key = emulator.deployments()[1]["key"]
    assert key.startswith("client-")
    page = api.call("GET", params={"limit": 1, "cursor": 1}).json()
    assert page["deployments"][0]["key"] is None, "a page of a list begun before"
    listed = [[row["key"] for row in api.rows(limit=1)] for _list in range(3)]
    assert [keys[1] for keys in listed] == [None, None, key] and all(keys[0] for keys in listed)


def test_late_key_seconds(api: Api, emulator: Emulator, clock: SetClock) -> None:
    emulator.reset(late_key_seconds=0.15)
    api.create()
    assert api.rows()[0]["key"] is None
    clock.pass_by(0.16)
    assert api.rows()[0]["key"] == emulator.deployments()[0]["key"]
