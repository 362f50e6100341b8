# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody else does between an answer and the next request."""

from __future__ import annotations

import contextlib
import threading
import typing as t

import pytest
import requests

from ansible_collections.community.amplitude.tests.emulator import Emulator, Invalid
from ansible_collections.community.amplitude.tests.support.clocks import eventually
from ansible_collections.community.amplitude.tests.unit.emulator.api import KEY, SEED, Api

ROW = {"projectId": "1", "label": "rival", "type": "client"}
FLAG = {"id": "5", "projectId": "1", "key": "checkout"}


def test_the_client_sees_it_in_its_next_request(api: Api, emulator: Emulator) -> None:
    emulator.after("GET", 2, lambda: emulator.create_deployment(**ROW))
    api.create("web")
    assert [api.labels() for _list in range(4)] == [["web"], ["web"], ["web", "rival"], ["web", "rival"]]


def test_it_has_happened_before_the_answer_is_there(api: Api, emulator: Emulator) -> None:
    for number in range(20):
        emulator.after("POST", 1, lambda: emulator.edit_deployment(emulator.deployments()[-1]["id"], deleted=True))
        assert api.create(f"l{number}").status_code == 200
        assert emulator.deployments()[-1]["deleted"] is True


@pytest.mark.parametrize(
    "method, nth, path, acted",
    [
        (None, 1, "", [True] * 5),
        (None, 3, "", [False, False, True, True, True]),
        ("GET", 1, "", [False, True, True, True, True]),
        ("GET", 2, "", [False, False, False, True, True]),
        ("PATCH", 1, "", [False, False, True, True, True]),
        ("GET", 1, "/flags$", [False, False, False, True, True]),
        (None, 2, "/flags$", [False] * 5),
        ("DELETE", 1, "", [False, False, False, False, True]),
        ("PUT", 1, "", [False] * 5),
    ],
)
def test_when_it_happens(
    api: Api, emulator: Emulator, method: str | None, nth: int, path: str, acted: list[bool]
) -> None:
    done: list[int] = []
    emulator.after(method, nth, lambda: done.append(1), path)
    seen = []
    for call in (
        lambda: api.create("a"),
        lambda: api.call("GET"),
        lambda: api.edit(404),
        lambda: api.call("GET", "/api/1/flags"),
        lambda: api.call("DELETE"),
    ):
        call()
        seen.append(bool(done))
    assert seen == acted and len(done) == any(acted)


@pytest.mark.parametrize(
    "fault, created",
    [
        ({"action": "status"}, 0),
        ({"action": "status", "moment": "after"}, 1),
        ({"action": "cut"}, 0),
        ({"action": "cut", "moment": "after"}, 1),
        ({"action": "delay", "moment": "after", "seconds": 60}, 1),
    ],
)
def test_lost_answers_count(api: Api, emulator: Emulator, fault: dict[str, t.Any], created: int) -> None:
    emulator.misbehave(method="POST", **fault)
    emulator.after("POST", 1, lambda: emulator.create_deployment(**ROW))
    with contextlib.suppress(requests.RequestException):
        api.create("web", timeout=0.5 if fault["action"] == "delay" else 60)
    eventually(lambda: api.labels() == ["web"][:created] + ["rival"], api.labels)


def test_several(api: Api, emulator: Emulator) -> None:
    done: list[str] = []
    emulator.after("GET", 2, lambda: done.append("first"))
    api.call("GET")
    emulator.after("GET", 1, lambda: done.append("second"))
    emulator.after("GET", 2, lambda: done.append("third"))
    api.call("GET")
    assert done == ["first", "second"]
    emulator.after("GET", 1, lambda: done.append("fourth"))
    emulator.forget_actions()
    api.call("GET")
    emulator.after("GET", 1, lambda: done.append("fifth"))
    emulator.reset()
    api.call("GET")
    assert done == ["first", "second"]


def test_an_action_may_be_another_client(api: Api, emulator: Emulator) -> None:
    def rival() -> None:
        with requests.Session() as session:
            session.trust_env = False
            assert Api(session, emulator).create("rival").status_code == 200

    emulator.after("POST", 1, rival)
    assert api.create("web").json() == {"id": 10001}
    assert api.labels() == ["web", "rival"]


def test_each_happens_once_among_threads(emulator: Emulator) -> None:
    done: list[int] = []
    for number in range(1, 41):
        emulator.after("GET", number, lambda number=number: done.append(number))

    def work() -> None:
        for _request in range(10):
            requests.get(emulator.url + "/api/1/deployments", headers={"Authorization": "Bearer " + KEY}, timeout=60)

    threads = [threading.Thread(target=work) for _worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(1, 41))


def test_an_action_that_fails(api: Api, emulator: Emulator) -> None:
    emulator.after("GET", 1, lambda: emulator.edit_deployment("404", label="a"))
    answer = api.call("GET")
    assert (answer.status_code, "no deployment 404" in answer.json()["error"]) == (500, True)
    assert api.call("GET").status_code == 200


@pytest.mark.parametrize(
    "method, nth, action, path",
    [
        ("post", 1, print, ""),
        ("GET", 0, print, ""),
        ("GET", True, print, ""),
        ("GET", 1, {}, ""),
        ("GET", 1, print, "("),
    ],
)
def test_action_that_is_not_understood(emulator: Emulator, method: str, nth: int, action: t.Any, path: str) -> None:
    with pytest.raises(Invalid):
        emulator.after(method, nth, action, path)


# As data


def control(api: Api, method: str, body: t.Any = None, status: int = 200) -> None:
    answer = api.call(method, "/_emulator/actions", None, json=body)
    assert answer.status_code == status, answer.text


def test_ordered_over_http(api: Api, emulator: Emulator) -> None:
    emulator.reset({**SEED, "flags": [FLAG], "experiments": [FLAG]})
    order: dict[str, t.Any] = {
        "create_deployment": ROW,
        "edit_deployment": {"id": 7, "label": "renamed", "deleted": True},
        "create_flag": {"projectId": "1", "key": "banner"},
        "edit_flag": {"id": "5", "archived": True},
        "create_experiment": {"projectId": "1", "key": "pricing"},
        "edit_experiment": {"id": "5", "deployments": [7]},
        "misbehave": {"action": "status", "method": "PATCH"},
        "switch": {"order": "label"},
    }
    control(api, "POST", {"method": "POST", "nth": 2, "path": "deployments$", **order})
    api.create("one")
    before = api.labels()
    api.create("two")
    assert api.labels() == sorted([*before[1:], "renamed", "two", "rival"])
    assert [(row["key"], row["archived"]) for row in emulator.flags()] == [("checkout", True), ("banner", False)]
    assert [(row["key"], row["deployments"]) for row in emulator.experiments()] == [
        ("checkout", ["7"]),
        ("pricing", []),
    ]
    assert [api.edit(7).status_code for _request in range(2)] == [503, 200]
    count = len(emulator.deployments())
    control(api, "POST", {"create_deployment": ROW})
    api.call("GET")
    assert len(emulator.deployments()) == count + 1, "by default after the next answer to any method"
    control(api, "POST", {"create_deployment": ROW})
    control(api, "DELETE")
    api.call("GET")
    assert len(emulator.deployments()) == count + 1


def test_ordered_in_process(api: Api, emulator: Emulator) -> None:
    emulator.order_action(method="GET", create_deployment=ROW)
    assert [api.labels() for _list in range(2)] == [[], ["rival"]]
    with pytest.raises(Invalid):
        emulator.order_action(method="GET")


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"method": "POST"},
        {"create_deployment": ROW, "nht": 2},
        {"create_deployment": ROW, "nth": 0},
        {"create_deployment": ROW, "nth": "2"},
        {"create_deployment": ROW, "method": "post"},
        {"create_deployment": ROW, "path": "("},
        {"create_deployment": {**ROW, "self": 1}},
        {"create_deployment": [ROW]},
        {"edit_deployment": {"label": "a"}},
        {"edit_deployment": {"id": "7", "key": "a"}},
        {"edit_flag": {"archived": True}},
        {"self": {}, "create_deployment": ROW},
        {"misbehave": {"action": "explode"}},
        {"switch": {"ids": "float"}},
        {"reset": {}},
        {"after": {}},
    ],
)
def test_order_that_is_not_understood(api: Api, order: dict[str, t.Any]) -> None:
    control(api, "POST", order, 400)
