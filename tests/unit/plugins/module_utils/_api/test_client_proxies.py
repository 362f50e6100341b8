# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client and proxies: which way it goes."""

from __future__ import annotations

import re
import socket
import time

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import AnswerLost, ConnectionFailed
from ansible_collections.community.amplitude.tests.support.client import CALLS, KEY, failure, sleepless
from ansible_collections.community.amplitude.tests.support.servers import RawServer, Relay, http
from ansible_collections.community.amplitude.tests.support.transport import (
    NOT_TRUSTED,
    SEED,
    SLACK,
    both_ways,
    check,
    client_to,
    table,
)

pytestmark = pytest.mark.core

ATTEMPTS = r"(, in the last of \d+ attempts within [\w ]+)?"
VARIABLES = ATTEMPTS + r"; check the proxy environment variables \(HTTPS_PROXY, NO_PROXY\)\.\Z"


@both_ways
@pytest.mark.parametrize(
    "environment, connections",
    table(
        ("HTTPS_PROXY", dict(HTTPS_PROXY="http://{0}"), 1),
        ("https_proxy", dict(https_proxy="http://{0}"), 1),
        ("ALL_PROXY", dict(ALL_PROXY="http://{0}"), 1),
        ("address without a scheme", dict(HTTPS_PROXY="{0}"), 1),
        ("NO_PROXY names another host", dict(HTTPS_PROXY="http://{0}", NO_PROXY="example.com"), 1),
        ("NO_PROXY names the host", dict(HTTPS_PROXY="http://{0}", NO_PROXY="example.com,127.0.0.1"), 0),
        ("NO_PROXY names the network", dict(HTTPS_PROXY="http://{0}", NO_PROXY="127.0.0.0/8"), 0),
        ("NO_PROXY names everything", dict(HTTPS_PROXY="http://{0}", NO_PROXY="*"), 0),
        ("no_proxy", dict(ALL_PROXY="http://{0}", no_proxy="127.0.0.1"), 0),
        ("HTTP_PROXY is for plain http", dict(HTTP_PROXY="http://{0}"), 0),
        ("empty HTTPS_PROXY", dict(HTTPS_PROXY=""), 0),
    ),
)
def test_way(secure, trusting, open_proxy, monkeypatch, ask, environment, connections):
    with Relay(open_proxy) as relay:
        for name, value in environment.items():
            monkeypatch.setenv(name, value.format(f"127.0.0.1:{relay.port}"))
        assert ask(secure.url, **trusting) is None
        assert relay.connections == connections
        assert relay.sent.startswith(f"CONNECT 127.0.0.1:{secure.port} ".encode() if connections else b"")
        assert KEY.encode() not in relay.sent
    assert [request["key"] for request in secure.requests()] == [KEY]


@both_ways
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_no_proxy_sees_plain_http_to_a_loopback_address(emulator, open_proxy, monkeypatch, ask, variable):
    emulator.reset(SEED)
    with Relay(open_proxy) as relay:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{relay.port}")
        assert ask(emulator.url) is None
        assert (relay.connections, relay.sent) == (0, b"")


def test_one_connection_through_a_proxy_serves_many_requests(secure, trusting, open_proxy, monkeypatch):
    with Relay(open_proxy) as relay, client_to(secure.url, **trusting) as client:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{relay.port}")
        for call in list(CALLS.values()) * 2:
            call(client)
        assert (relay.connections, len(secure.requests())) == (1, 6)


@both_ways
def test_certificate_is_verified_through_a_proxy(secure, open_proxy, monkeypatch, ask):
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{open_proxy}")
    check(ask(secure.url), NOT_TRUSTED)
    assert secure.requests() == []


@both_ways
@pytest.mark.parametrize(
    "user, error",
    table(
        ("right password", "user:s3cr3t%40proxy@", None),
        ("wrong password", "user:s3cr3t%40another@", r" \(407 Proxy Authentication Required\)" + VARIABLES),
        ("no password", "", r" \(407 Proxy Authentication Required\)" + VARIABLES),
    ),
)
def test_password_of_a_proxy(secure, trusting, guarded_proxy, monkeypatch, ask, user, error):
    monkeypatch.setenv("HTTPS_PROXY", f"http://{user}127.0.0.1:{guarded_proxy}")
    message = ask(secure.url, **trusting)
    check(message, error and "the proxy did not connect to " + re.escape(secure.url) + error)
    assert "s3cr3t" not in str(message) and str(guarded_proxy) not in str(message)
    assert len(secure.requests()) == (1 if error is None else 0)


def test_wrong_password_of_a_proxy_is_not_tried_again(secure, trusting, guarded_proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:wrong@127.0.0.1:{guarded_proxy}")
    with client_to(secure.url, **trusting) as client:
        sleeps = sleepless(client)
        failure(CALLS["GET"], client, ConnectionFailed)
    assert sleeps == []


@both_ways
def test_proxy_is_down(secure, trusting, monkeypatch, ask):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cr3t%40proxy@127.0.0.1:{port}")
        started = time.monotonic()
        message = ask(secure.url, retry_timeout=0.3, **trusting)
    check(message, "the proxy did not connect to " + re.escape(secure.url) + r" \(Connection refused\)" + VARIABLES)
    assert "s3cr3t" not in message and str(port) not in message
    assert time.monotonic() - started < 0.3 + SLACK
    assert secure.requests() == []


@both_ways
@pytest.mark.parametrize(
    "answer, error",
    table(
        ("refuses", http("403 Forbidden", "not there"), r"did not connect to \S+ \(403 Forbidden\)" + VARIABLES),
        ("finds nobody", http("502 Bad Gateway"), r"did not connect to \S+ \(502 Bad Gateway\)" + VARIABLES),
        ("echoes the password", http("400 user:s3cr3t@proxy"), "did not connect to "),
        ("is none", b"SSH-2.0-OpenSSH_9.9\r\n", ": "),
        ("hangs up", b"", ": "),
    ),
)
def test_proxy_that(secure, trusting, monkeypatch, ask, answer, error):
    with RawServer(answer, closes=True) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cr3t%40proxy@127.0.0.1:{server.port}")
        message = ask(secure.url, **trusting)
    check(message, error)
    assert "s3cr3t" not in message and str(server.port) not in message
    assert secure.requests() == []


@both_ways
@pytest.mark.parametrize(
    "address",
    ["http://", "http://[", "http://user:s3cr3t@:99999", "socks5://user:s3cr3t@127.0.0.1:1", "user:s3cr3t@host:port"],
)
def test_address_of_a_proxy_that_is_none(secure, trusting, monkeypatch, ask, address):
    monkeypatch.setenv("HTTPS_PROXY", address)
    message = ask(secure.url, **trusting)
    check(message, "proxy")
    assert "s3cr3t" not in message
    assert secure.requests() == []


@both_ways
def test_proxy_that_is_spoken_to_over_tls(secure, trusting, tls_proxy, monkeypatch, ask):
    # By a name: urllib3 1.26.5 cannot verify such a proxy that is given by its IP address.
    monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{tls_proxy}")
    assert ask(secure.url, **trusting) is None
    check(ask(secure.url), ": ")
    assert len(secure.requests()) == 1


def test_socks_proxy_is_down(secure, trusting, monkeypatch):
    """Where PySocks is installed, the way goes through it too."""
    with socket.socket() as bound, client_to(secure.url, **trusting) as client:
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTPS_PROXY", f"socks5://user:s3cr3t@127.0.0.1:{bound.getsockname()[1]}")
        error = failure(CALLS["GET"], client, ConnectionFailed)
    assert f"no connection to {secure.url} could be established" in str(error) and "s3cr3t" not in str(error)
    assert secure.requests() == []


@pytest.mark.parametrize("kind", ["http", "https"])
@pytest.mark.parametrize("kept_alive", [False, True], ids=["new connection", "connection kept alive"])
@pytest.mark.parametrize("fault", ["cut", "truncate"])
def test_connection_that_breaks_off_behind_a_proxy(
    secure, trusting, open_proxy, tls_proxy, monkeypatch, kind, kept_alive, fault
):
    """What was sent through a proxy may have been carried out: urllib3 calls that an error of the proxy too."""
    monkeypatch.setenv("HTTPS_PROXY", "{0}://localhost:{1}".format(kind, open_proxy if kind == "http" else tls_proxy))
    with client_to(secure.url, retry_timeout=20, **trusting) as client:
        if kept_alive:
            CALLS["GET"](client)
        secure.forget_requests()
        secure.misbehave(action=fault, method="POST", moment="after", times=0)
        error = failure(CALLS["POST"], client, AnswerLost)
        assert error.outcome_unknown and "proxy" not in str(error)
        assert [request["committed"] for request in secure.requests()] == [True]
        for verb in ("GET", "PATCH"):
            secure.behave()
            secure.misbehave(action=fault, method=verb, moment="after")
            secure.forget_requests()
            CALLS[verb](client)
            assert [request["method"] for request in secure.requests()] == [verb, verb]
