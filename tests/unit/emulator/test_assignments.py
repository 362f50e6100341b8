# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployments of flags and experiments, which the API and others change."""

from __future__ import annotations

import json
import shutil
import subprocess
import typing as t

import pytest
import requests

from ansible_collections.community.amplitude.tests.emulator import Emulator, Invalid, account
from ansible_collections.community.amplitude.tests.support.clocks import eventually
from ansible_collections.community.amplitude.tests.unit.emulator.api import KEY, Api

KINDS = ["flags", "experiments"]
WORDS = {"flags": "flag", "experiments": "experiment"}
DEPLOYMENTS = [
    {"id": "7", "projectId": "1", "label": "web", "type": "client"},
    {"id": "8", "projectId": "1", "label": "api", "type": "server"},
    {"id": "9", "projectId": "1", "label": "old", "type": "client", "deleted": True},
    {"id": "20", "projectId": "2", "label": "other", "type": "client"},
    {"id": "30", "projectId": "3", "label": "foreign", "type": "client"},
]
FLAGS = [
    {"id": "5", "projectId": "1", "key": "cart", "enabled": True, "deployments": ["7"]},
    {"id": "6", "projectId": "1", "key": "draft", "deployments": ["7"]},
    {"id": "55", "projectId": "1", "key": "gone", "archived": True, "deployments": ["7"]},
    {"id": "60", "projectId": "3", "key": "foreign", "deployments": ["30"]},
]
SEED = {"keys": {KEY: ["1", "2"]}, "deployments": DEPLOYMENTS, "flags": FLAGS, "experiments": FLAGS}


class Usage:
    """One of the two kinds, as its caller and as the truth."""

    def __init__(self, api: Api, kind: str, **switches: t.Any) -> None:
        self.api, self.kind, self.emulator = api, kind, api.emulator
        self.emulator.reset(SEED, **switches)

    def path(self, id: str, deployment_id: str = "") -> str:
        return f"/api/1/{self.kind}/{id}/deployments" + (deployment_id and "/" + deployment_id)

    def assign(self, id: str, *ids: str, **options: t.Any) -> requests.Response:
        return self.api.call("POST", self.path(id), json={"deployments": ids}, **options)

    def remove(self, id: str, deployment_id: str, **options: t.Any) -> requests.Response:
        return self.api.call("DELETE", self.path(id, deployment_id), **options)

    def has(self, id: str) -> list[str]:
        (found,) = [row["deployments"] for row in getattr(self.emulator, self.kind)() if row["id"] == id]
        return found

    def by_hand(self, what: str) -> t.Callable[..., t.Any]:
        return getattr(self.emulator, f"{what}_{WORDS[self.kind]}")

    def assigned(self, id: str) -> list[str]:
        answer = self.api.call("GET", self.path(id))
        assert answer.status_code == 200, answer.text
        return [str(row["id"]) for row in answer.json()]

    def listed(self, id: str) -> list[str]:
        rows = self.api.call("GET", "/api/1/" + self.kind).json()[self.kind]
        return [str(each) for row in rows if str(row["id"]) == id for each in row["deployments"]]


@pytest.fixture(params=KINDS)
def kind(request: t.Any) -> str:
    return request.param


# The documented calls


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_documented_examples(emulator: Emulator, kind: str) -> None:
    emulator.reset(SEED)

    def curl(method: str, path: str, *more: str) -> str:
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--write-out", " %{http_code} %{content_type}"]
        command += ["--request", method, "--url", f"{emulator.url}/api/1/{kind}/5/deployments{path}"]
        command += ["--header", "Accept: application/json", "--header", "Authorization: Bearer " + KEY, *more]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=10).stdout.decode()

    body = ["--header", "Content-Type: application/json", "--data", '{"deployments": ["8"]}']
    assert curl("POST", "", *body) == "OK 200 text/plain; charset=utf-8"
    rows, status, content_type = curl("GET", "").rsplit(" ", 2)
    web, api = json.loads(rows)
    assert (status, content_type) == ("200", "application/json")
    assert web == {"id": 7, "projectId": 1, "label": "web", "key": emulator.deployments()[0]["key"], "deleted": False}
    assert api["label"] == "api"
    assert curl("DELETE", "/7") == "OK 200 text/plain; charset=utf-8"
    assert [row["deployments"] for row in getattr(emulator, kind)() if row["id"] == "5"] == [["8"]]
    other = emulator.experiments() if kind == "flags" else emulator.flags()
    assert [row["deployments"] for row in other] == [row["deployments"] for row in FLAGS]


@pytest.mark.parametrize(
    "method, id, more, body, key, status, word",
    [
        ("GET", "5", "", None, None, 401, "key"),
        ("POST", "5", "", ["8"], "wrong", 401, "key"),
        ("DELETE", "5", "/7", None, None, 401, "key"),
        ("GET", "60", "", None, KEY, 403, "project 3"),
        ("POST", "60", "", ["30"], KEY, 403, "project 3"),
        ("DELETE", "60", "/30", None, KEY, 403, "project 3"),
        ("GET", "404", "", None, KEY, 404, "404"),
        ("POST", "404", "", ["8"], KEY, 404, "404"),
        ("DELETE", "404", "/7", None, KEY, 404, "404"),
        ("POST", "cart", "", ["8"], KEY, 404, "cart"),
        ("POST", "5", "", None, KEY, 400, "array of strings"),
        ("POST", "5", "", [], KEY, 400, "array of strings"),
        ("POST", "5", "", "8", KEY, 400, "array of strings"),
        ("POST", "5", "", [8], KEY, 400, "array of strings"),
        ("POST", "5", "", ["8", 9], KEY, 400, "array of strings"),
        ("POST", "5", "", ["8", None], KEY, 400, "array of strings"),
        ("POST", "5", "", ["20"], KEY, 400, "project 1"),
        ("POST", "5", "", ["8", "30"], KEY, 400, "project 1"),
        ("POST", "5", "", ["8", "404"], KEY, 400, "404"),
        ("POST", "5", "", ["web"], KEY, 400, "web"),
        ("DELETE", "5", "/8", None, KEY, 404, "8"),
        ("DELETE", "5", "", None, KEY, 405, "Not Allowed"),
        ("GET", "5", "/7", None, KEY, 405, "Not Allowed"),
        ("PATCH", "5", "", ["8"], KEY, 405, "Not Allowed"),
        ("PUT", "5", "", ["8"], KEY, 405, "Not Allowed"),
        ("OPTIONS", "5", "", None, KEY, 405, "Not Allowed"),
        ("GET", "5", "/", None, KEY, 404, "Not Found"),
    ],
)
def test_refusal(
    api: Api, kind: str, method: str, id: str, more: str, body: t.Any, key: str | None, status: int, word: str
) -> None:
    usage = Usage(api, kind)
    before = getattr(api.emulator, kind)()
    sent = {} if body is None else {"json": {"deployments": body}}
    answer = api.call(method, usage.path(id) + more, key, **sent)
    assert (answer.status_code, word in answer.json()["error"]) == (status, True), answer.text
    (record,) = api.emulator.requests()
    assert (record["status"], record["accepted"], record["committed"]) == (status, False, False)
    assert getattr(api.emulator, kind)() == before


def test_body_that_is_none(api: Api, kind: str) -> None:
    usage = Usage(api, kind)
    for options in ({}, {"json": {}}, {"json": ["8"]}, {"data": '{"deployments": ["8"]}'}):
        assert api.call("POST", usage.path("5"), **options).status_code == 400
    assert usage.has("5") == ["7"]


def test_what_is_recorded(api: Api, kind: str) -> None:
    usage = Usage(api, kind, removed_again_status=200)
    calls = [lambda: usage.assign("5", "8", "8"), lambda: usage.assign("5", "8"), lambda: usage.remove("5", "8")]
    calls += [lambda: usage.remove("5", "8"), lambda: api.call("GET", usage.path("5"))]
    assert {call().status_code for call in calls} == {200}
    records = api.emulator.requests()
    assert [record["committed"] for record in records] == [True, False, True, False, False]
    assert all(record["accepted"] for record in records)
    assert [record["body"] for record in records][:3] == [{"deployments": ["8", "8"]}, {"deployments": ["8"]}, None]
    assert records[2]["path"] == usage.path("5", "8")


# Switches

ASSIGNING = [  # switches, flag or experiment, what is sent, status, what it has then
    ({}, "5", ["8"], 200, ["7", "8"]),
    ({}, "5", ["7"], 200, ["7"]),
    ({}, "5", ["8", "7"], 200, ["7", "8"]),
    ({"assigning": "replaces"}, "5", ["8"], 200, ["8"]),
    ({"assigning": "replaces"}, "5", ["7", "8"], 200, ["7", "8"]),
    ({"assigning": "replaces", "assigned_again_status": 409}, "5", ["7", "8"], 200, ["7", "8"]),
    ({"assigning": "replaces", "refused_assignment": "rest"}, "5", ["8", "20"], 400, ["8"]),
    ({"assigning": "replaces", "refused_assignment": "rest"}, "5", ["20"], 400, ["7"]),
    ({"assigned_again_status": 400}, "5", ["7"], 400, ["7"]),
    ({"assigned_again_status": 409}, "5", ["7"], 409, ["7"]),
    ({"assigned_again_status": 409}, "5", ["8"], 200, ["7", "8"]),
    ({"assigned_again_status": 409}, "5", ["7", "8"], 409, ["7"]),
    ({"assigned_again_status": 409, "refused_assignment": "rest"}, "5", ["7", "8"], 409, ["7", "8"]),
    ({"refused_assignment": "rest"}, "5", ["20", "8"], 400, ["7", "8"]),
    ({"missing_deployment_status": 404}, "5", ["404"], 404, ["7"]),
    ({"missing_deployment_status": 404}, "5", ["20"], 400, ["7"]),
    ({}, "5", ["9"], 200, ["7", "9"]),
    ({"archived_deployment_status": 400}, "5", ["9"], 400, ["7"]),
    ({"archived_deployment_status": 400}, "5", ["8"], 200, ["7", "8"]),
    ({}, "55", ["8"], 200, ["7", "8"]),
    ({"archived_flag_status": 400}, "55", ["8"], 400, ["7"]),
    ({"archived_flag_status": 404}, "55", ["8"], 404, ["7"]),
    ({"archived_flag_status": 404}, "5", ["8"], 200, ["7", "8"]),
]


@pytest.mark.parametrize("switches, id, sent, status, has", ASSIGNING)
def test_assigning(
    api: Api, kind: str, switches: dict[str, t.Any], id: str, sent: list[str], status: int, has: list[str]
) -> None:
    usage = Usage(api, kind, **switches)
    answer = usage.assign(id, *sent)
    assert (answer.status_code, usage.has(id)) == (status, has), answer.text
    (record,) = api.emulator.requests()
    assert (record["committed"], record["accepted"]) == (has != ["7"], status == 200)


REMOVING = [  # switches, flag or experiment, what is removed from those two, status, what it has then
    ({}, "5", "7", 200, ["8"]),
    ({}, "5", "9", 404, ["7", "8"]),
    ({"removed_again_status": 200}, "5", "9", 200, ["7", "8"]),
    ({"removed_again_status": 200}, "5", "404", 200, ["7", "8"]),
    ({"last_deployment_status": 400}, "5", "7", 200, ["8"]),
    ({}, "55", "7", 200, ["8"]),
    ({"archived_flag_status": 400}, "55", "7", 400, ["7", "8"]),
    ({"archived_flag_status": 404}, "55", "7", 404, ["7", "8"]),
    ({"archived_flag_status": 404}, "5", "7", 200, ["8"]),
]


@pytest.mark.parametrize("switches, id, gone, status, has", REMOVING)
def test_removing(
    api: Api, kind: str, switches: dict[str, t.Any], id: str, gone: str, status: int, has: list[str]
) -> None:
    usage = Usage(api, kind, **switches)
    usage.by_hand("assign_to")(id, ["8"])
    assert (usage.remove(id, gone).status_code, usage.has(id)) == (status, has)
    assert [record["committed"] for record in api.emulator.requests()] == [len(has) == 1]


@pytest.mark.parametrize(
    "status, id, expected", [(200, "5", 200), (200, "6", 200), (400, "5", 400), (400, "6", 200), (400, "55", 200)]
)
def test_last_deployment_of_an_enabled_one(api: Api, kind: str, status: int, id: str, expected: int) -> None:
    usage = Usage(api, kind, last_deployment_status=status)
    assert (usage.remove(id, "7").status_code, usage.has(id)) == (expected, [] if expected == 200 else ["7"])
    usage.by_hand("edit")("6", enabled=True, deployments=["7", "8"])
    answers = [usage.remove("6", gone).status_code for gone in ("7", "8")]
    assert answers == [200, status]


@pytest.mark.parametrize("replaced", KINDS)
def test_one_kind_may_replace_where_the_other_adds(api: Api, kind: str, replaced: str) -> None:
    usage = Usage(api, kind, assigning="replaces_in_" + replaced)
    usage.assign("5", "8")
    assert usage.has("5") == (["8"] if kind == replaced else ["7", "8"])


def test_deployment_that_is_not_there_can_be_removed_and_is_not_shown(api: Api, kind: str) -> None:
    usage = Usage(api, kind)
    usage.by_hand("edit")("5", deployments=["404", "7"])
    assert usage.assigned("5") == ["7"]
    assert usage.remove("5", "404").status_code == 200 and usage.has("5") == ["7"]


@pytest.mark.parametrize("how", ["assigned", "listed"])
def test_lists_may_be_stale(api: Api, kind: str, how: str) -> None:
    usage = Usage(api, kind, stale_lists=2)
    usage.assign("5", "8")
    usage.remove("5", "7")
    look = getattr(usage, how)
    assert [look("5") for _list in range(3)] == [["7"], ["7"], ["8"]]
    assert (usage.assigned("5"), usage.listed("5")) == (["8"], ["8"]), "both are lists of its kind"
    created = usage.by_hand("create")(projectId="1", key="new")
    assert [api.call("GET", usage.path(created["id"])).status_code for _list in range(3)] == [404, 404, 200]


def test_stale_for_some_time(api: Api, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(account, "_monotonic", lambda: now[0])
    usage = Usage(api, kind, stale_seconds=5)
    usage.assign("5", "8")
    now[0] += 4.9
    assert usage.assigned("5") == usage.listed("5") == ["7"]
    now[0] += 0.2
    assert usage.assigned("5") == usage.listed("5") == ["7", "8"]


def test_pages_go_on_where_a_list_of_assignments_comes_between(api: Api, kind: str) -> None:
    usage = Usage(api, kind, pages="snapshot")
    first = api.call("GET", "/api/1/" + kind, params={"limit": 1}).json()
    usage.remove("5", "7")
    assert usage.assigned("5") == []
    rest = api.call("GET", "/api/1/" + kind, params={"limit": 5, "cursor": first["nextCursor"]}).json()
    assert [row["deployments"] for row in first[kind] + rest[kind]] == [[7], [7]]


def test_deployments_that_lists_do_not_show_yet(api: Api, kind: str) -> None:
    usage = Usage(api, kind, late_keys=1)
    api.emulator.switch(stale_lists=1, late_keys=2)
    new = str(api.create("new").json()["id"])
    api.emulator.switch(stale_lists=0)
    assert usage.assign("5", new).status_code == 200
    assert usage.assigned("5") == ["7"]
    seen = []
    for _list in range(4):
        api.rows()
        seen.append([(row["label"], bool(row["key"])) for row in api.call("GET", usage.path("5")).json()])
    assert seen == [[("web", True)], [("web", True), ("new", False)], [("web", True), ("new", True)], seen[2]]


@pytest.mark.parametrize("switches, id", [({}, 7), ({"ids": "string"}, "7"), ({"opaque_ids": True}, "7")])
def test_form_of_the_array(api: Api, kind: str, switches: dict[str, t.Any], id: t.Any) -> None:
    usage = Usage(api, kind, extra_fields=True, byte_order_mark=True, deployment_padding=100, **switches)
    answer = api.call("GET", usage.path("5"))
    (row,) = json.loads(answer.content.decode("utf-8-sig"))
    assert row["id"] == id and "_links" in row and "segments" in row


# Faults, limits and others


@pytest.mark.parametrize("moment, carried_out", [("before", False), ("after", True)])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "fault, status",
    [
        ({"action": "status"}, 503),
        ({"action": "status", "status": 429}, 429),
        ({"action": "body", "body": "<html>"}, 200),
        ({"action": "cut"}, None),
        ({"action": "truncate"}, None),
        ({"action": "delay", "seconds": 60}, None),
    ],
)
def test_faults(
    api: Api, kind: str, fault: dict[str, t.Any], status: int | None, method: str, moment: str, carried_out: bool
) -> None:
    usage = Usage(api, kind)
    api.emulator.misbehave(method=method, moment=moment, **fault)
    timeout = 0.5 if fault["action"] == "delay" else 60
    call: t.Any = (lambda: usage.assign("5", "8", timeout=timeout)) if method == "POST" else None
    call = call or (lambda: usage.remove("5", "7", timeout=timeout))
    if status is None:
        with pytest.raises(requests.RequestException):
            answer = call()
            # urllib3 1.26 takes what is cut off for the whole.
            if len(answer.content) < int(answer.headers["Content-Length"]):
                raise requests.ConnectionError
    else:
        assert call().status_code == status
    expected = (["7", "8"] if method == "POST" else []) if carried_out else ["7"]

    def outcome() -> t.Any:
        return usage.has("5"), [record["committed"] for record in api.emulator.requests()]

    eventually(lambda: outcome() == (expected, [carried_out]), outcome)


def test_fault_that_is_aimed_at_one_of_many(api: Api, kind: str) -> None:
    usage = Usage(api, kind)
    fault = {"action": "status", "status": 403, "times": 0}
    api.emulator.misbehave(path=f"/{kind}/5/deployments", **fault)
    assert [usage.assign(id, "8").status_code for id in ("6", "5", "55", "5")] == [200, 403, 200, 403]
    assert [usage.remove(id, "7").status_code for id in ("6", "5", "55")] == [200, 403, 200]
    assert (usage.has("6"), usage.has("5"), usage.has("55")) == (["8"], ["7"], ["8"])
    other = KINDS[1 - KINDS.index(kind)]
    assert api.call("GET", f"/api/1/{other}/5/deployments").status_code == 200


def test_limits_count_them(api: Api, kind: str) -> None:
    usage = Usage(api, kind, daily_limit=3)
    statuses = [usage.assign("5", "8").status_code, usage.remove("5", "8").status_code]
    statuses += [api.call("GET", usage.path("5")).status_code for _request in range(2)]
    statuses += [usage.assign("5", "8").status_code, usage.remove("5", "7").status_code]
    assert statuses == [200, 200, 200, 429, 429, 429] and usage.has("5") == ["7"]


def test_others_act_after_an_answer(api: Api, kind: str) -> None:
    usage = Usage(api, kind, archived_flag_status=404)
    assign, remove, edit = (usage.by_hand(what) for what in ("assign_to", "remove_from", "edit"))
    api.emulator.after("DELETE", 1, lambda: assign("5", ["7"]), path=f"/{kind}/5/")
    api.emulator.after("DELETE", 2, lambda: edit("5", archived=True))
    api.emulator.after("POST", 1, lambda: remove("6", ["7", "8"]))
    api.emulator.after("POST", 1, lambda: edit("6", enabled=True))
    assert usage.remove("5", "7").status_code == 200 and usage.has("5") == ["7"]
    assert usage.assign("6", "8").status_code == 200 and usage.has("6") == []
    assert usage.remove("5", "7").status_code == 200
    assert [usage.remove("5", "7").status_code, usage.assign("5", "8").status_code] == [404, 404]


# By hand


def test_control_over_http(api: Api, kind: str) -> None:
    usage = Usage(api, kind)

    def control(method: str, path: str, body: t.Any = None, status: int = 200) -> t.Any:
        answer = api.call(method, "/_emulator" + path, None, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    path = f"/{kind}/5/deployments"
    assert control("POST", path, {"deployments": [8, "404", "7"]})["deployments"] == ["7", "8", "404"]
    assert control("DELETE", path + "/7")["deployments"] == ["8", "404"]
    assert control("DELETE", path + "/7")["deployments"] == ["8", "404"]
    for method, where, body in [
        ("POST", path, {}),
        ("POST", path, {"deployments": "8"}),
        ("POST", path, {"deployments": ["8"], "id": "6"}),
        ("POST", f"/{kind}/404/deployments", {"deployments": ["8"]}),
        ("DELETE", f"/{kind}/404/deployments/7", None),
    ]:
        assert control(method, where, body, 400)["error"]
    word = WORDS[kind]
    actions = {f"assign_to_{word}": {"id": 6, "deployments": ["20"]}}
    actions[f"remove_from_{word}"] = {"id": 5, "deployments": ["8", "9"]}
    control("POST", "/actions", {"method": "GET", **actions})
    assert usage.assigned("6") == ["7"] and api.emulator.requests()[-1]["status"] == 200
    assert (usage.has("6"), usage.has("5")) == (["7", "20"], ["404"])
    for arguments in ({}, {"id": "5"}, {"deployments": []}, {"id": "5", "deployments": [], "key": "a"}, ["5"]):
        for name in actions:
            control("POST", "/actions", {name: arguments}, 400)


def test_by_hand_no_rule_applies(api: Api, kind: str) -> None:
    refused = {"archived_flag_status": 400, "archived_deployment_status": 400, "last_deployment_status": 400}
    usage = Usage(api, kind, assigned_again_status=409, assigning="replaces", **refused)
    usage.by_hand("assign_to")(55, ["9", "7", "30"])
    usage.by_hand("remove_from")("5", ["7"])
    assert (usage.has("55"), usage.has("5")) == (["7", "9", "30"], [])
    with pytest.raises(Invalid):
        usage.by_hand("assign_to")("404", ["7"])
