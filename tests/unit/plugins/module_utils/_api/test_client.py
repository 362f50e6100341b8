# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client over a real socket: what it sends, how often, and the one sentence it makes of every failure."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import json
import pathlib
import re
import socket
import time
import typing as t

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.module_utils._api import client as api_client
from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment, Deployments
from ansible_collections.community.amplitude.plugins.module_utils._api.retry import Patience
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AnswerLost,
    ApiError,
    ConnectionFailed,
    RequestFailed,
    UnexpectedAnswer,
)
from ansible_collections.community.amplitude.tests.support.client import CALLS, KEY, PATH, Clock, failure
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http

#: As it is outside of the tests, which do not wait that long.
REQUESTS_PER_SECOND = api_client.REQUESTS_PER_SECOND

GALAXY = yaml.safe_load((pathlib.Path(__file__).parents[5] / "galaxy.yml").read_text(encoding="utf-8"))
CLIENT_KEY = "client-" + "aB3" * 10 + "zZ"
SERVER_KEY = "server-" + "0f9" * 10 + "Qq"


def seed(count=1):
    rows = [dict(id=7 + number, projectId=1, label=f"web-{number}", type="server") for number in range(count)]
    return dict(keys={KEY: [1]}, deployments=rows)


def usual(request: bytes) -> bytes:
    """What the API answers: OK to an edit, JSON to everything else."""
    return http("200 OK", "OK" if request.startswith(b"PATCH") else "{}")


@pytest.fixture
def client(emulator):
    """A client of an emulator with one deployment; it never retries."""
    emulator.reset(seed(), rate_limit=0)
    with Client(emulator.url, KEY, timeout=5, retry_timeout=0) as client:
        yield client


@contextlib.contextmanager
def impatient(url: str, timeout: float = 5.0) -> t.Iterator[Client]:
    with Client(url, KEY, timeout=timeout, retry_timeout=0) as client:
        yield client


def sleepless(client: Client, budget: float = 1000.0) -> list[float]:
    """Give a client patience that passes no time; the answer is the list in which the seconds will be."""
    clock = Clock(time.monotonic)
    client.patience = Patience(budget, clock.sleeps.append, clock)
    return clock.sleeps


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


def test_id_cannot_leave_its_place_in_the_path():
    with RawServer(http("200 OK", "OK")) as server, impatient(server.url) as client:
        Deployments(client).edit(Deployment("../a?b#c%2F", "1", "web", None, None, False), archive=True)
        assert server.requests[0].startswith(b"PATCH /api/1/deployments/..%2Fa%3Fb%23c%252F HTTP/1.1\r\n")
        assert server.requests[0].endswith(b'\r\n{"archive": true}')


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
    assert f"no connection to {url} came about (Connection refused); check base_url" in str(lost)
    assert (lost.transient, lost.outcome_unknown) == (True, False)


# Pages


@pytest.mark.parametrize("rows", [0, 1, 6, 7])
@pytest.mark.parametrize("cursor", ["offset", "opaque"])
@pytest.mark.parametrize("last_page", ["omit", "null", "empty_string", "empty_page", "empty_page_with_cursor"])
def test_pages_give_each_row_once(emulator, client, last_page, cursor, rows):
    emulator.reset(seed(rows), rate_limit=0, max_page_size=3, last_page=last_page, cursor=cursor)
    pages = list(client.pages(PATH, "deployments", "list the deployments"))
    assert [row["id"] for page in pages for row in page] == list(range(7, 7 + rows))
    queries = [request["query"] for request in emulator.requests()]
    assert {query["limit"] for query in queries} == {"1000"}
    assert "cursor" not in queries[0]
    assert len(queries) <= (rows + 2) // 3 + 1, "at most one request beyond the pages with rows"


def test_other_parameters_go_with_every_page(emulator, client):
    emulator.reset(seed(4), rate_limit=0, max_page_size=3)
    list(client.pages(PATH, "deployments", "list the deployments", {"projectId": "1"}))
    assert [request["query"]["projectId"] for request in emulator.requests()] == ["1", "1"]


@pytest.mark.parametrize("rows", [1, 3, 7])
@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_cursor_that_repeats_is_an_error(emulator, client, cursor, rows):
    emulator.reset(seed(rows), rate_limit=0, max_page_size=3, cursor=cursor, cursor_repeats=True)
    error = failure(lambda client: Deployments(client).list(), client, UnexpectedAnswer)
    assert "a nextCursor that it had sent before, so the list would never end" in str(error)
    assert len(emulator.requests()) <= (rows + 2) // 3 + 1


def test_cursors_that_go_in_a_circle_are_an_error():
    circle = {b"cursor=a ": "b", b"cursor=b ": "c", b"cursor=c ": "a"}

    def answer(request):
        cursor = next((circle[mark] for mark in circle if mark in request.partition(b"HTTP")[0]), "a")
        return http("200 OK", json.dumps(dict(deployments=[{}], nextCursor=cursor)))

    with RawServer(answer) as server, impatient(server.url) as client:
        error = failure(lambda client: list(client.pages(PATH, "deployments", "list")), client, UnexpectedAnswer)
        assert "a nextCursor that it had sent before" in str(error)
        assert len(server.requests) == 4


@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_list_without_an_end_is_an_error(emulator, client, monkeypatch, cursor):
    monkeypatch.setattr(api_client, "MOST_PAGES", 5)
    emulator.reset(seed(), rate_limit=0, cursor=cursor, endless_pages=True)
    error = failure(lambda client: Deployments(client).list(), client, UnexpectedAnswer)
    assert "with yet another page after 5;" in str(error)
    assert len(emulator.requests()) == 5


def test_row_that_is_sent_twice_counts_once(emulator, client):
    old, new = (dict(id=7, projectId=1, label=label, key="k", deleted=False) for label in ("old", "new"))
    emulator.misbehave(action="body", body=dict(deployments=[old], nextCursor="x"))
    emulator.misbehave(action="body", nth=2, body=dict(deployments=[new, dict(new, id="8")]))
    found = Deployments(client).list()
    assert [(row.id, row.label) for row in found] == [("7", "new"), ("8", "new")]


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


# Error statuses

ADVICE = {
    400: "correct what the answer complains about",
    401: "check that management_api_key is .* not revoked, and that region .* key of the other region .*",
    403: "give the management API key access to this project, or use a key that has it",
    404: "check base_url and region, .*",
    409: "correct what the answer complains about",
    429: "run this again later: .* 100 requests a second and 100,000 a day .* reset at midnight UTC",
    500: "run this again later: .*",
    503: "run this again later: .*",
}
PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@pytest.mark.parametrize("shape", ["json", "json_nested", "text", "html", "empty"])
@pytest.mark.parametrize("status", ADVICE)
def test_error_status(emulator, client, status, shape):
    emulator.switch(error_body=shape)
    emulator.misbehave(action="status", status=status)
    error = failure(CALLS["POST"], client, ApiError)
    gist = {"html": '"[^"]+"', "empty": "with an empty body"}.get(shape, f'"{PHRASES[status]}"')
    problem = rf"{re.escape(emulator.url)} answered {status} {PHRASES[status]} \({gist}\)"
    assert re.fullmatch(rf"Could not create it: {problem}; {ADVICE[status]}\.", str(error))
    assert error.status == status
    assert emulator.deployments()[1:] == []


@pytest.mark.parametrize(
    "body, gist",
    [
        ('{"message": "no"}', '"no"'),
        ('{"code": 1, "error": "no"}', '"no"'),
        ('{"error": {"code": 1, "message": "no"}}', '"no"'),
        ('{"errors": ["no", 1]}', '"["no", 1]"'),
        ('{"code": 1}', '"{"code": 1}"'),
        ('["no"]', '"["no"]"'),
        ("null", '"null"'),
        ('{"error": ', '"{"error":"'),
        ("no\r\n\tway\x00\x1b[31m \u2028 out\n", '"no way [31m out"'),
        ("  \n ", "with an empty body"),
        (b"caf\xe9", '"caf\ufffd"'),
        ("<html><head><title>502 Bad\nGateway</title></head><body>nginx</body></html>", '"502 Bad Gateway nginx"'),
        ("<html><body><h1>No</h1>\n<p>way</p></body></html>", '"No way"'),
        ("<TITLE> </TITLE><p>no", '"no"'),
        ("[" * 30000, '"{0}…"'.format("[" * 199)),
        ("x" * 200, '"{0}"'.format("x" * 200)),
        ("x" * 100000, '"{0}…"'.format("x" * 199)),
        (json.dumps({"error": "x" * 300}), '"{0}…"'.format("x" * 199)),
        (json.dumps({"error": "x" * 100000}), '"{{"error": "{0}…"'.format("x" * 188)),
    ],
)
def test_gist_of_an_error_body(body, gist):
    with RawServer(http("400 Bad Request", body)) as server, impatient(server.url) as client:
        message = str(failure(CALLS["GET"], client, ApiError))
        assert message.partition(" answered 400 Bad Request (")[2].rpartition("); ")[0] == gist


def test_status_without_a_name():
    with RawServer(http("418 I'm a teapot")) as server, impatient(server.url) as client:
        assert " answered 418 " in str(failure(CALLS["GET"], client, ApiError))
    with RawServer(http("499 Whatever")) as server, impatient(server.url) as client:
        assert " answered 499 (with an empty body); " in str(failure(CALLS["GET"], client, ApiError))


@pytest.mark.parametrize("secret", [KEY, CLIENT_KEY, SERVER_KEY], ids=["management", "client", "server"])
@pytest.mark.parametrize(
    "status, body",
    [
        (401, "the key {0} is not valid"),
        (401, '{{"error": "the key {0} is not valid"}}'),
        (401, '{{"error": {{"key": "{0}"}}}}'),
        (401, "<html><title>{0}</title></html>"),
        (401, "<p>Bearer\n{0}</p>"),
        (401, "x" * 190 + " {0}"),
        (200, "the key {0} is not valid"),
    ],
    ids=["text", "json", "json field", "title", "html", "at the cut", "not JSON"],
)
def test_secrets_in_a_body_are_not_passed_on(emulator, client, status, body, secret):
    emulator.misbehave(action="body", status=status, body=body.format(secret))
    message = str(failure(CALLS["GET"], client))
    assert secret not in message and secret[:12] not in message
    assert "****" in message


def test_words_that_are_no_keys_are_passed_on(emulator, client):
    emulator.misbehave(action="body", status=400, body="server-side and client-1234 is wrong")
    assert '("server-side and client-1234 is wrong")' in str(failure(CALLS["GET"], client))


# Answers that are not what the API promises

ROW = dict(id=1, projectId=2, label="web", key="client-1", deleted=False)


def lacking(field):
    return dict(deployments=[ROW, {name: value for name, value in ROW.items() if name != field}])


def having(**fields):
    return dict(deployments=[ROW, dict(ROW, **fields)])


@pytest.mark.parametrize(
    "body, what",
    [
        ("hello", r'that is not JSON \("hello"\)'),
        ("<html><title>Welcome</title></html>", r'that is not JSON \("Welcome"\)'),
        ('{"deployments": [', r"that is not JSON \(.*\)"),
        ("[" * 100000, r"that is not JSON \(.*\)"),
        (" ", r"that is not JSON \(with an empty body\)"),
        ("null", "without a list of deployments"),
        ([ROW], "without a list of deployments"),
        (5, "without a list of deployments"),
        ("true", "without a list of deployments"),
        ({}, "without a list of deployments"),
        ({"flags": []}, "without a list of deployments"),
        ({"deployments": None}, "without a list of deployments"),
        ({"deployments": {"1": ROW}}, "without a list of deployments"),
        ({"deployments": [ROW, "web"]}, "without a list of deployments"),
        ({"deployments": [ROW, None]}, "without a list of deployments"),
        ({"deployments": [ROW], "nextCursor": {"offset": 1}}, "whose nextCursor is neither text nor a number"),
        ({"deployments": [ROW], "nextCursor": True}, "whose nextCursor is neither text nor a number"),
        ({"deployments": [ROW], "nextCursor": 1.5}, "whose nextCursor is neither text nor a number"),
        (lacking("id"), "in which a deployment has no id"),
        (lacking("projectId"), "in which a deployment has no projectId"),
        (lacking("label"), "in which a deployment has no label"),
        (having(id=None), "in which a deployment has an unusable id"),
        (having(id=True), "in which a deployment has an unusable id"),
        (having(id=1.5), "in which a deployment has an unusable id"),
        (having(id=""), "in which a deployment has an unusable id"),
        (having(id="1 2"), "in which a deployment has an unusable id"),
        (having(id="1\n"), "in which a deployment has an unusable id"),
        (having(id=[1]), "in which a deployment has an unusable id"),
        (having(projectId=None), "in which a deployment has an unusable projectId"),
        (having(projectId={}), "in which a deployment has an unusable projectId"),
        (having(label=None), "in which a deployment has an unusable label"),
        (having(label=5), "in which a deployment has an unusable label"),
        (having(key=5), "in which a deployment has an unusable key"),
        (having(deleted="false"), "in which a deployment has an unusable deleted"),
        (having(deleted=0), "in which a deployment has an unusable deleted"),
    ],
)
def test_list_that_is_none(emulator, client, body, what):
    sleeps = sleepless(client)
    emulator.misbehave(action="body", body=body, times=0)
    message = str(failure(lambda client: Deployments(client).list(), client, UnexpectedAnswer))
    start = re.escape(f"Could not list the deployments: {emulator.url} sent an answer ")
    assert re.fullmatch(start + what + "; check that base_url or region leads to .*", message)
    assert len(emulator.requests()) == 1 and sleeps == []


@pytest.mark.parametrize(
    "changes, expected",
    [
        (dict(id="1", projectId="2"), {}),
        (dict(id="abc", projectId="x/y"), dict(id="abc", project_id="x/y")),
        (dict(id=0), dict(id="0")),
        (dict(key=None), dict(key=None, type=None)),
        (dict(key="server-1"), dict(key="server-1", type="server")),
        (dict(key="0123abcd"), dict(key="0123abcd", type=None)),
        (dict(key="clients-1"), dict(key="clients-1", type=None)),
        (dict(label=""), dict(label="")),
        (dict(deleted=True), dict(deleted=True)),
        (dict(revision=7, type="server"), {}),
    ],
)
def test_row(emulator, client, changes, expected):
    emulator.misbehave(action="body", body=dict(deployments=[dict(ROW, **changes)]))
    usual = Deployment(id="1", project_id="2", label="web", key="client-1", type="client", deleted=False)
    assert Deployments(client).list() == [usual._replace(**expected)]


@pytest.mark.parametrize("body", ["OK", "null", {}, [], {"id": None}, {"id": ""}, {"id": True}, {"deployment": {}}])
def test_created_without_an_id(emulator, client, body):
    sleeps = sleepless(client)
    emulator.misbehave(action="body", moment="after", body=body)
    error = failure(lambda client: Deployments(client).create("1", "web", "client"), client, UnexpectedAnswer)
    assert str(error).startswith("Could not create the client deployment 'web' in project 1: ")
    assert error.outcome_unknown
    assert [request["method"] for request in emulator.requests()] == ["POST"] and sleeps == []


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
def test_answer_that_is_too_large(emulator, client, monkeypatch, gzip):
    emulator.reset(seed(50), rate_limit=0, gzip=gzip)
    assert len(CALLS["GET"](client)["deployments"]) == 50
    monkeypatch.setattr(api_client, "LARGEST_ANSWER", 4000)
    assert "sent an answer of more than " in str(failure(CALLS["GET"], client, UnexpectedAnswer))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_answer_that_lies_about_its_encoding(emulator, client, encoding):
    emulator.misbehave(action="body", body={"deployments": []}, headers={"Content-Encoding": encoding})
    assert "an answer whose content encoding is wrong; " in str(failure(CALLS["GET"], client, UnexpectedAnswer))


# Answers that do not arrive


@pytest.mark.parametrize("action, seconds", [("delay", 10), ("trickle", 10), ("trickle", 0.1)])
def test_timeout(emulator, action, seconds):
    emulator.misbehave(action=action, seconds=seconds)
    with impatient(emulator.url, timeout=0.25) as client:
        error = failure(CALLS["GET"], client, AnswerLost)
    assert f"the connection to {emulator.url} brought no whole answer within 0.25 seconds; " in str(error)
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


# Retries

AGAIN, ONCE = 2, 1
FAULTS = {
    "400": dict(action="status", status=400),
    "401": dict(action="status", status=401),
    "403": dict(action="status", status=403),
    "404": dict(action="status", status=404),
    "409": dict(action="status", status=409),
    "429": dict(action="status", status=429),
    "500": dict(action="status", status=500),
    "503": dict(action="status", status=503),
    "503 after the commit": dict(action="status", status=503, moment="after"),
    "redirect": dict(action="redirect", headers={"Location": "/elsewhere"}),
    "cut": dict(action="cut"),
    "cut after the commit": dict(action="cut", moment="after"),
    "truncated after the commit": dict(action="truncate", moment="after"),
    "another answer": dict(action="body", body="<html></html>", moment="after"),
    "wrong encoding": dict(action="body", body="no gzip at all", headers={"Content-Encoding": "gzip"}, moment="after"),
    "timeout": dict(action="delay", seconds=10),
    "timeout after the commit": dict(action="delay", seconds=10, moment="after"),
}
SENT = {  # fault: times that GET, POST and PATCH are sent
    "400": (ONCE, ONCE, ONCE),
    "401": (ONCE, ONCE, ONCE),
    "403": (ONCE, ONCE, ONCE),
    "404": (ONCE, ONCE, ONCE),
    "409": (ONCE, ONCE, ONCE),
    "429": (AGAIN, AGAIN, AGAIN),
    "500": (AGAIN, ONCE, AGAIN),
    "503": (AGAIN, ONCE, AGAIN),
    "503 after the commit": (AGAIN, ONCE, AGAIN),
    "redirect": (ONCE, ONCE, ONCE),
    "cut": (AGAIN, ONCE, AGAIN),
    "cut after the commit": (AGAIN, ONCE, AGAIN),
    "truncated after the commit": (AGAIN, ONCE, AGAIN),
    "another answer": (ONCE, ONCE, ONCE),
    "wrong encoding": (ONCE, ONCE, ONCE),
    "timeout": (AGAIN, ONCE, AGAIN),
    "timeout after the commit": (AGAIN, ONCE, AGAIN),
}


@pytest.mark.parametrize(
    "fault, verb, sent",
    [(fault, verb, sent) for fault, times in SENT.items() for verb, sent in zip(("GET", "POST", "PATCH"), times)],
)
def test_how_often_a_request_is_sent(emulator, fault, verb, sent):
    emulator.reset(seed(), rate_limit=0)
    emulator.misbehave(**FAULTS[fault])
    with Client(emulator.url, KEY, timeout=0.5 if "timeout" in fault else 5) as client:
        sleeps = sleepless(client)
        if sent == AGAIN:
            CALLS[verb](client)
        else:
            failure(CALLS[verb], client)
    assert [request["method"] for request in emulator.requests()] == [verb] * sent
    assert len(sleeps) == sent - 1
    assert len(emulator.deployments()) <= 2, "a POST was carried out twice"


@pytest.mark.parametrize("verb", CALLS)
def test_refused_connection_is_tried_again(verb):
    server = RawServer(usual)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client(server.url, KEY))
        stack.callback(server.__exit__)
        client.patience = Patience(1000, server.listen)
        CALLS[verb](client)
        assert len(server.requests) == 1


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("fault", ["429", "503", "cut", "timeout"])
def test_retry_timeout_0_never_retries(emulator, fault, verb):
    emulator.reset(seed(), rate_limit=0)
    emulator.misbehave(times=0, **dict(FAULTS[fault], headers={"Retry-After": "0"}))
    with Client(emulator.url, KEY, timeout=0.1 if fault == "timeout" else 5, retry_timeout=0) as client:
        failure(CALLS[verb], client)
    assert len(emulator.requests()) == 1


def test_requests_are_sent_until_one_succeeds(emulator, client):
    sleeps = sleepless(client)
    emulator.misbehave(action="status", status=429, times=20)
    CALLS["POST"](client)
    assert (len(emulator.requests()), len(sleeps)) == (21, 20)
    assert len(set(sleeps)) == 20, "a jitter makes every pause another"
    assert 0.5 < max(sleeps) <= 20


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_the_least_pause(emulator, client, form, status):
    sleeps = sleepless(client)
    value = "3" if form == "seconds" else email.utils.formatdate(time.time() + 4, usegmt=True)
    emulator.misbehave(action="status", status=status, headers={"Retry-After": value}, times=2)
    CALLS["GET"](client)
    assert len(sleeps) == 2
    assert all((3 if form == "seconds" else 2) <= pause <= 5 for pause in sleeps)


@pytest.mark.parametrize("value", ["soon", "-5", "1.5", "", "9" * 5000, "Foo, 99 Bar 99999 99:99:99 GMT"])
def test_retry_after_that_says_nothing_is_ignored(emulator, client, value):
    sleeps = sleepless(client)
    emulator.misbehave(action="status", status=429, headers={"Retry-After": value})
    CALLS["GET"](client)
    assert len(sleeps) == 1 and sleeps[0] <= 0.5


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_beyond_the_budget_fails_at_once(emulator, client, form):
    sleeps = sleepless(client, 120)
    reset = time.time() + 3600
    value = "3600" if form == "seconds" else email.utils.formatdate(reset, usegmt=True)
    emulator.misbehave(action="status", status=429, headers={"Retry-After": value}, times=0)
    message = str(failure(CALLS["GET"], client, ApiError))
    named = re.search(r"; the quota is reset at (.*) UTC: run this again then\.\Z", message).group(1)
    moment = datetime.datetime.strptime(named + " +0000", "%Y-%m-%d %H:%M:%S %z").timestamp()
    assert abs(moment - reset) < 5
    assert len(emulator.requests()) == 1 and sleeps == []


def test_time_of_failed_attempts_counts(emulator):
    emulator.misbehave(action="delay", seconds=10, times=0)
    with impatient(emulator.url, timeout=0.1) as client:
        sleeps = sleepless(client, 0.35)
        failure(CALLS["GET"], client, AnswerLost)
        attempts = len(emulator.requests())
        assert attempts == len(sleeps) + 1 <= 4
        assert client.patience.left <= max(0, 0.35 - sum(sleeps) - 0.1 * attempts) + 1e-9


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    verb=st.sampled_from(sorted(CALLS)),
    faults=st.lists(
        st.one_of(
            st.just(dict(action="cut")),
            st.sampled_from([429, 500, 503]).map(lambda status: dict(action="status", status=status)),
            st.integers(0, 9).map(lambda after: dict(action="status", status=429, headers={"Retry-After": str(after)})),
        ),
        max_size=8,
    ),
    budget=st.floats(0, 30),
)
def test_all_pauses_fit_the_budget(emulator, verb, faults, budget):
    emulator.reset(seed(), rate_limit=0)
    for number, fault in enumerate(faults):
        emulator.misbehave(nth=number + 1, **fault)
    with Client(emulator.url, KEY) as client:
        sleeps = sleepless(client, budget)
        with contextlib.suppress(RequestFailed):
            CALLS[verb](client)
    assert sum(sleeps) <= budget + 1e-9
    assert len(emulator.requests()) == len(sleeps) + 1 <= len(faults) + 1


def test_requests_keep_their_pace(emulator, monkeypatch):
    assert REQUESTS_PER_SECOND <= 100, "documented"
    monkeypatch.setattr(api_client, "REQUESTS_PER_SECOND", 50)
    with Client(emulator.url, KEY) as client:
        for dummy in range(6):
            CALLS["GET"](client)
    times = [request["time"] for request in emulator.requests()]
    assert times[-1] - times[0] > 0.09
