# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault, and which requests it strikes."""

from __future__ import annotations

import json
import socket
import threading
import time
import typing as t

import pytest
import requests

from ansible_collections.community.amplitude.tests.emulator import Emulator, Invalid
from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER
from ansible_collections.community.amplitude.tests.unit.emulator.api import KEY, PATH, VALID, Api


@pytest.mark.parametrize("moment, created", [("before", 0), ("after", 1)])
@pytest.mark.parametrize(
    "fault, status, text",
    [
        ({"action": "status"}, 503, "Service Unavailable"),
        ({"action": "status", "status": 500, "body": "oops"}, 500, "oops"),
        ({"action": "status", "status": 408}, 408, "Request Timeout"),
        ({"action": "status", "status": 425}, 425, "Too Early"),
        ({"action": "status", "status": 599}, 599, "Unknown"),
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
    assert fault["action"] != "delay" or took >= 0.05
    assert api.create("next").status_code == 200


def test_trickle(api: Api, emulator: Emulator) -> None:
    emulator.misbehave(action="trickle", seconds=0.02)
    began = time.monotonic()
    answer = api.call("GET", stream=True)
    received = list(answer.iter_content(1))
    assert len(received) == len('{"deployments": []}') == int(answer.headers["Content-Length"])
    assert time.monotonic() - began >= 0.3


def test_early_hints(api: Api, emulator: Emulator) -> None:
    emulator.misbehave(action="early_hints", method="POST")
    body = json.dumps(VALID)
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    for created in ("10001", "10002"):
        with socket.create_connection(("127.0.0.1", emulator.port)) as connection:
            connection.sendall((head + body).encode())
            received = connection.makefile("rb").read().decode()
        assert received.startswith("HTTP/1.1 103 Early Hints\r\n") is (created == "10001")
        assert "HTTP/1.1 200 OK" in received and created in received
    assert [record["committed"] for record in emulator.requests()] == [True, True]


def test_reset_ends_waiting(api: Api, emulator: Emulator) -> None:
    emulator.misbehave(action="delay", seconds=2 * FOR_EVER)
    began = time.monotonic()
    timer = threading.Timer(0.05, emulator.reset)
    timer.start()
    assert api.create(timeout=FOR_EVER).status_code == 200
    timer.join()
    assert time.monotonic() - began < FOR_EVER
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
