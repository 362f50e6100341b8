# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a request takes at most, whatever the server does."""

from __future__ import annotations

import contextlib
import gc
import itertools
import threading
import time

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import AnswerLost, ApiError, ConnectionFailed
from ansible_collections.community.amplitude.tests.support.client import CALLS, failure, usual
from ansible_collections.community.amplitude.tests.support.clocks import counting_when_told, eventually, late_answers
from ansible_collections.community.amplitude.tests.support.servers import RawServer
from ansible_collections.community.amplitude.tests.support.transport import (
    SEED,
    SLACK,
    both_ways,
    check,
    client_to,
    tls,
)

pytestmark = pytest.mark.core

# How long at most it waits

TIMEOUT = 0.3
LONG_BODY = b'{"deployments": [' + b" " * 1000 + b"]}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(LONG_BODY)).encode() + b"\r\n"


def trickling(data):
    return [data[index : index + 1] for index in range(len(data))]


SLOW = [
    pytest.param(b"", id="nothing"),
    pytest.param(trickling(b"HTTP/1.1 200 OK" + b" " * 1000), id="status line"),
    pytest.param([HEAD] + trickling(b"X-Filler: " + b"x" * 1000), id="header"),
    pytest.param([HEAD] + [b"X-Filler: x\r\n"] * 90, id="headers"),
    pytest.param(itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), id="100 Continue"),
    pytest.param([HEAD + b"\r\n"] + trickling(LONG_BODY), id="body"),
    pytest.param([b"HTTP/1.1 200 OK\r\n\r\n"] + trickling(LONG_BODY), id="body without a length"),
    pytest.param([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"1\r\n \r\n"] * 1000, id="chunks"),
    pytest.param(
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"] + [b"X-Filler: x\r\n"] * 90,
        id="trailers",
    ),
]


@pytest.fixture(params=[pytest.param(SLACK, id="busy"), pytest.param(1.0, marks=pytest.mark.timing, id="quiet")])
def within(request):
    """A block has to end after so many seconds, not sooner, and on a quiet machine not much later."""

    @contextlib.contextmanager
    def within(seconds):
        started = time.monotonic()
        yield
        assert seconds * 0.8 < time.monotonic() - started < seconds + request.param

    return within


@pytest.fixture
def begin():
    """Lets the seconds of a request begin."""
    with counting_when_told() as begin:
        yield begin


def after(begin, pieces):
    """The pieces, once the seconds have begun."""
    begin()
    yield from pieces


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("answer", SLOW)
def test_slow_answer(authority, trusting, within, begin, scheme, answer):
    answers = itertools.chain([after(begin, answer or [answer])], itertools.repeat(usual(b"GET")))
    context = tls(authority, "127.0.0.1") if scheme == "https" else None
    with RawServer(lambda dummy: next(answers), pause=0.02, ssl_context=context) as server:
        with client_to(server.url, timeout=TIMEOUT, **trusting) as client:
            with within(TIMEOUT):
                error = failure(CALLS["POST"], client, AnswerLost)
            assert f"the connection to {server.url} sent no complete answer within 0.3 seconds" in str(error)
            assert (error.transient, error.outcome_unknown) == (True, True)
            CALLS["GET"](client)
            assert (server.connections, len(server.requests)) == (2, 2), "the connection is not used again"


@pytest.mark.parametrize("verb", CALLS)
def test_handshake_that_never_comes(trusting, within, verb):
    with RawServer() as server, client_to("https:" + server.url[5:], timeout=TIMEOUT, **trusting) as client:
        with within(TIMEOUT):
            error = failure(CALLS[verb], client)
        assert "within 0.3 seconds; " in str(error) and error.transient


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_slow_answer_on_a_connection_that_was_kept(authority, trusting, within, begin, scheme):
    answers = itertools.chain([usual(b"GET"), after(begin, [b""])], itertools.repeat(usual(b"GET")))
    context = tls(authority, "127.0.0.1") if scheme == "https" else None
    with RawServer(lambda dummy: next(answers), pause=0.02, ssl_context=context) as server:
        with client_to(server.url, timeout=TIMEOUT, **trusting) as client:
            CALLS["GET"](client)
            with within(TIMEOUT):
                failure(CALLS["POST"], client, AnswerLost)
            assert (server.connections, len(server.requests)) == (1, 2)


def test_slow_body_of_an_error(trusting, within, begin):
    head = HEAD.replace(b"200 OK", b"400 Bad Request") + b"\r\n"
    answer = itertools.chain([head], after(begin, trickling(LONG_BODY)))
    with RawServer(answer, pause=0.02) as server, client_to(server.url, timeout=TIMEOUT) as client:
        with within(TIMEOUT):
            error = failure(CALLS["POST"], client, ApiError)
        assert error.status == 400


@both_ways
@pytest.mark.parametrize("times", [1, 0], ids=["once", "always"])
def test_slow_answer_is_asked_for_again_as_long_as_patience_lasts(secure, trusting, ask, times):
    secure.misbehave(action="trickle", seconds=10, times=times)
    with late_answers():
        error = ask(secure.url, timeout=10, retry_timeout=60 if times else 0.4, **trusting)
    check(error, None if times else "sent no complete answer within 10 seconds")
    assert len(secure.requests()) >= 2 or not times


@pytest.mark.timing
@pytest.mark.parametrize("within", [1.0], ids=["quiet"], indirect=True)
@pytest.mark.parametrize(
    "kind",
    [
        "http",
        pytest.param(
            "https",
            marks=pytest.mark.xfail(
                reason="cannot hang up a connection within another one's TLS",
                raises=(AssertionError, pytest.fail.Exception),
            ),
        ),
    ],
)
def test_slow_answer_through_a_proxy(secure, trusting, open_proxy, tls_proxy, monkeypatch, within, kind):
    monkeypatch.setenv("HTTPS_PROXY", "{0}://127.0.0.1:{1}".format(kind, open_proxy if kind == "http" else tls_proxy))
    secure.misbehave(action="trickle", seconds=0.02)
    with client_to(secure.url, timeout=0.6, **trusting) as client, within(0.6):
        failure(CALLS["GET"], client, AnswerLost)


@pytest.mark.timing
@pytest.mark.parametrize("within", [1.0], ids=["quiet"], indirect=True)
@pytest.mark.xfail(reason="the time until a proxy has connected is not bounded", raises=AssertionError)
def test_slow_proxy(secure, trusting, monkeypatch, within):
    answer = trickling(b"HTTP/1.1 200 Connection established\r\nX-Filler: " + b"x" * 50)
    with RawServer(answer, pause=0.015) as server, client_to(secure.url, timeout=TIMEOUT, **trusting) as client:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        with within(TIMEOUT):
            failure(CALLS["GET"], client)


def test_no_thread_is_left(secure, trusting):
    before = threading.active_count()
    secure.misbehave(action="delay", seconds=10)
    with late_answers(), client_to(secure.url, timeout=10, **trusting) as client:
        failure(CALLS["GET"], client, AnswerLost)
    with client_to(secure.url, **trusting) as client:
        for dummy in range(20):
            CALLS["GET"](client)
    assert len(secure.requests()) == 21
    secure.reset(SEED)
    gc.collect()  # an error refers to its pool of connections, which are closed when nothing refers to it any longer
    eventually(lambda: threading.active_count() <= before, threading.enumerate)


# Where no thread can be started


@pytest.fixture
def no_threads(monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", start)


def test_requests_need_no_thread(no_threads, emulator):
    emulator.reset(SEED)
    with client_to(emulator.url) as client:
        for call in CALLS.values():
            call(client)
    assert [request["method"] for request in emulator.requests()] == ["GET", "POST", "PATCH"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", id="part of a body"),
        pytest.param([HEAD + b"\r\n"] + trickling(LONG_BODY), id="body"),
    ],
)
def test_timeouts_remain_without_a_thread(no_threads, answer):
    with RawServer(answer, pause=0.005) as server, client_to(server.url, timeout=TIMEOUT) as client:
        error = failure(CALLS["POST"], client, AnswerLost)
    assert "sent no complete answer within 0.3 seconds" in str(error)


@pytest.mark.parametrize("verb", CALLS)
def test_request_that_was_never_sent_in_time_is_sent_again(trusting, verb):
    """The handshake never comes, so that the request cannot have been carried out."""
    with RawServer() as server, client_to("https:" + server.url[5:], timeout=TIMEOUT, **trusting) as client:
        error = failure(CALLS[verb], client, ConnectionFailed)
    assert f"no connection to https:{server.url[5:]} could be established within 0.3 seconds; " in str(error)
    assert (error.transient, error.outcome_unknown) == (True, False)
