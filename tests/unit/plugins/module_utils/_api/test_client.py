# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client over a real socket: what it sends, and what it makes of what it gets."""

from __future__ import annotations

import contextlib
import itertools
import json
import pathlib
import re
import socket

import pytest
import yaml

from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._api.limits import Limits
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AnswerLost,
    AnswerTooLarge,
    ApiError,
    ConnectionFailed,
    RequestFailed,
    UnexpectedAnswer,
)
from ansible_collections.community.amplitude.tests.support.client import (
    CALLS,
    KEY,
    PATH,
    Clock,
    failure,
    impatient,
    seed,
    sleepless,
    usual,
)
from ansible_collections.community.amplitude.tests.support.clocks import late_answers
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http

pytestmark = pytest.mark.core

GALAXY = yaml.safe_load((pathlib.Path(__file__).parents[5] / "galaxy.yml").read_text(encoding="utf-8"))


# What is sent


@pytest.mark.parametrize("verb", CALLS)
def test_bearer_and_user_agent(emulator, client, verb):
    CALLS[verb](client)
    (request,) = emulator.requests()
    assert request["headers"]["Authorization"] == "Bearer management-key"
    assert request["user_agent"] == "ansible-community.amplitude/" + GALAXY["version"]


@pytest.mark.parametrize("variable", ["NETRC", "HOME"])
def test_netrc_does_not_replace_the_bearer(emulator, client, monkeypatch, tmp_path, variable):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\ndefault login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv(variable, str(netrc if variable == "NETRC" else tmp_path))
    CALLS["GET"](client)
    assert [request["headers"]["Authorization"] for request in emulator.requests()] == ["Bearer management-key"]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy_sees_what_goes_to_a_loopback_address(client, monkeypatch, variable):
    with RawServer(http("200 OK", '{"deployments": []}')) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        assert len(CALLS["GET"](client)["deployments"]) == 1
        assert (proxy.connections, proxy.requests) == (0, [])


def test_path_of_base_url_is_kept():
    with RawServer(http("200 OK", "{}")) as server, impatient(server.url + "/some/prefix") as client:
        CALLS["GET"](client)
        assert server.requests[0].startswith(b"GET /some/prefix/api/1/deployments?limit=1000 HTTP/1.1\r\n")


# Connections


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "503 Service Unavailable", "302 Found"])
def test_one_connection_serves_many_requests(status):
    answer = usual if status == "200 OK" else http(status, "{}", "Location: /elsewhere")
    with RawServer(answer) as server, impatient(server.url) as client:
        for call in list(CALLS.values()) * 2:
            with contextlib.suppress(ApiError):
                call(client)
        assert (server.connections, len(server.requests)) == (1, 6)


@pytest.mark.parametrize("verb", CALLS)
def test_connection_that_was_closed_while_idle_does_no_harm(verb):
    with RawServer(usual, closes=True) as server, impatient(server.url) as client:
        CALLS["GET"](client)
        assert server.closed.wait(5)
        CALLS[verb](client)
        assert (server.connections, len(server.requests)) == (2, 2)


def test_closed_port():
    with contextlib.closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with impatient(url) as client:
            lost = failure(CALLS["POST"], client, ConnectionFailed)
    assert f"no connection to {url} could be established (Connection refused); check base_url" in str(lost)
    assert (lost.transient, lost.outcome_unknown) == (True, False)


# Redirects


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(emulator, client, status, verb):
    sleeps = sleepless(client)
    with RawServer(http("200 OK", '{"deployments": []}')) as target:
        emulator.misbehave(action="redirect", status=status, headers={"Location": target.url + PATH}, times=0)
        error = failure(CALLS[verb], client, ApiError)
        assert (target.connections, target.requests) == (0, [])
    assert error.status == status
    assert str(error).endswith("; set base_url to the address of the API itself: redirects are not followed.")
    assert len(emulator.requests()) == 1 and sleeps == []


@pytest.mark.parametrize("body", ["OK", "OK\n", '"OK"'])
def test_edit_is_confirmed(emulator, client, body):
    emulator.misbehave(action="body", body=body)
    CALLS["PATCH"](client)
    assert len(emulator.requests()) == 1


@pytest.mark.parametrize("body", ["", "ok?", "null", "{}", {"error": "no"}, "<html><title>Welcome</title></html>"])
def test_edit_is_not_confirmed(emulator, client, body):
    sleeps = sleepless(client)
    emulator.misbehave(action="body", body=body)
    error = failure(CALLS["PATCH"], client, UnexpectedAnswer)
    assert re.search(r" sent an answer that is not OK \(.+\); check that base_url or region leads to ", str(error))
    assert error.outcome_unknown
    assert len(emulator.requests()) == 1 and sleeps == []


@pytest.mark.parametrize("gzip", [False, True])
def test_answer_that_is_too_large(emulator, client, gzip):
    emulator.reset(seed(50), rate_limit=0, gzip=gzip)
    assert len(CALLS["GET"](client)["deployments"]) == 50
    with impatient(emulator.url, limits=Limits(largest_answer=4000)) as client:
        assert "sent an answer of more than " in str(failure(CALLS["GET"], client, AnswerTooLarge))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_answer_that_lies_about_its_encoding(emulator, client, encoding):
    emulator.misbehave(action="body", body={"deployments": []}, headers={"Content-Encoding": encoding})
    assert "an answer whose content encoding is wrong; " in str(failure(CALLS["GET"], client, UnexpectedAnswer))


# Answers that do not arrive


@pytest.mark.parametrize("action", ["delay", "trickle"])
def test_timeout(emulator, action):
    emulator.misbehave(action=action, seconds=0.25)
    with late_answers(), impatient(emulator.url, timeout=0.25) as client:
        error = failure(CALLS["GET"], client, AnswerLost)
    assert f"the connection to {emulator.url} sent no complete answer within 0.25 seconds; " in str(error)
    assert (error.transient, error.outcome_unknown) == (True, True)


@pytest.mark.parametrize("moment, committed", [("before", False), ("after", True)])
@pytest.mark.parametrize("action", ["cut", "truncate"])
@pytest.mark.parametrize("verb", CALLS)
def test_broken_connection(emulator, client, verb, action, moment, committed):
    emulator.misbehave(action=action, moment=moment)
    error = failure(CALLS[verb], client, AnswerLost)
    assert re.search(r"the connection to \S+ was (closed|cut off) [^;]* answer[^;]*; check the network", str(error))
    assert (error.transient, error.outcome_unknown) == (True, True)
    assert [request["committed"] for request in emulator.requests()] == [committed and verb != "GET"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a"',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\n{  }",
    ],
    ids=["nothing", "not HTTP", "cut in a chunk", "wrong chunk", "two lengths"],
)
def test_broken_answer(answer):
    with RawServer(answer, closes=True) as server, impatient(server.url) as client:
        failure(CALLS["POST"], client, AnswerLost)


# The forms of answers


OK_CALLS = {
    "POST": lambda client: client.post_ok("/api/1/flags/5/deployments", "assign it", dict(deployments=["7"])),
    "PATCH": lambda client: client.patch_ok(PATH + "/7", "archive it", dict(archive=True)),
    "DELETE": lambda client: client.delete_ok("/api/1/flags/5/deployments/7", "remove it"),
}


@pytest.mark.parametrize("verb", OK_CALLS)
def test_answer_that_is_ok(verb):
    with RawServer(http("200 OK", "OK")) as server, impatient(server.url) as client:
        assert OK_CALLS[verb](client) is None
        (request,) = server.requests
    assert request.startswith(verb.encode() + b" /api/1/")
    assert (b"\r\n\r\n{" in request) == (verb != "DELETE")


@pytest.mark.parametrize("body", ["", "ok", "{}", '{"id": 7}', "OK, but"])
@pytest.mark.parametrize("verb", OK_CALLS)
def test_answer_that_is_not_ok(verb, body):
    with RawServer(http("200 OK", body)) as server, impatient(server.url) as client:
        error = failure(OK_CALLS[verb], client, UnexpectedAnswer)
    assert " sent an answer that is not OK (" in str(error) and error.outcome_unknown


@pytest.mark.parametrize("fault", [http("503 Busy"), http("408 Late"), b"HTTP/1.1 2"], ids=["503", "408", "cut off"])
@pytest.mark.parametrize("verb, times", [("POST", 1), ("PATCH", 2), ("DELETE", 2)])
def test_verb_that_is_repeated(verb, times, fault):
    answers = itertools.chain([fault], itertools.repeat(http("200 OK", "OK")))
    with RawServer(lambda dummy: next(answers), closes=True) as server, Client(server.url, KEY) as client:
        sleepless(client)
        with contextlib.suppress(RequestFailed):
            OK_CALLS[verb](client)
        assert len(server.requests) == times


def test_only_wanted_fields_are_kept():
    document = dict(id=1, more=dict(id=2, other=3), list=[dict(id=4, other=[dict(id=5)])])
    with RawServer(http("200 OK", json.dumps(document))) as server, impatient(server.url) as client:
        assert client.get_json(PATH, "look", keep=frozenset(["id", "list"])) == dict(id=1, list=[dict(id=4)])
        assert client.get_json(PATH, "look") == document


def test_waits_that_are_handed_in():
    clock = Clock()
    waits = clock.waits._replace(first_backoff=8.0, longest_backoff=10.0, requests_per_second=1.0, arrival_margin=2.0)
    waits = waits._replace(chance=lambda: 1.0)
    with RawServer(http("503 Busy")) as server, Client(server.url, KEY, True, 5, 33, waits) as client:
        failure(CALLS["GET"], client, ApiError)
        assert client.waits is waits and clock.sleeps == [8, 10, 10]
        failure(CALLS["GET"], client, ApiError)
        assert clock.sleeps == [8, 10, 10, 3], "its pace"
        assert len(server.requests) == 5
