# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads, connections and TLS."""

from __future__ import annotations

import json
import pathlib
import socket
import ssl
import threading
import time

import pytest
import requests

from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER
from ansible_collections.community.amplitude.tests.unit.emulator.api import KEY, PATH, VALID, Api


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
            emulator.misbehave(action="delay", seconds=2 * FOR_EVER)
            connection.sendall(head + body)
            began = time.monotonic()
            emulator.close()
    assert time.monotonic() - began < FOR_EVER
    assert set(threading.enumerate()) <= before


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
