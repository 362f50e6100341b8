# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that nobody should give: each has a defined meaning or is a clear error."""

from __future__ import annotations

import gzip
import itertools
import json
import re

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import ApiError, UnexpectedAnswer
from ansible_collections.community.amplitude.tests.support.client import (
    CALLS,
    KEY,
    SENTENCE,
    failure,
    impatient,
    list_of,
    usual,
)
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http
from ansible_collections.community.amplitude.tests.support.values import CHUNKED, LIST, ROW, chunk, packed, sent

URL = r"http://127\.0\.0\.1:\d+ "
PACKED = gzip.compress(LIST)


# What is no text

NOT_UTF8 = {
    "Latin-1": '{"deployments": [], "error": "caf\u00e9"}'.encode("latin-1"),
    "in the middle": b'{"deployments": [{"id": 1, "projectId": 1, "label": "\xc3\x28"}]}',
    "cut character": b'{"deployments": [], "error": "\xf0\x9f\x98"}',
    "overlong": b'{"deployments": [], "error": "\xc0\xaf"}',
    "encoded surrogate": b'{"deployments": [], "error": "\xed\xa0\x80"}',
    "UTF-16": LIST.decode().encode("utf-16"),
    "UTF-32": LIST.decode().encode("utf-32-le"),
    "all bytes": bytes(range(256)),
    "NUL bytes": bytes(1000),
    "NUL after the JSON": LIST + b"\0",
}


@pytest.mark.parametrize("body", NOT_UTF8.values(), ids=list(NOT_UTF8))
def test_no_text(body):
    for status in ("200 OK", "400 Bad Request"):
        with RawServer(http(status, body)) as server, impatient(server.url) as client:
            error = failure(list_of, client, UnexpectedAnswer if status == "200 OK" else ApiError)
            assert str(error).isprintable()


# Framing that lies

NO_JSON = URL + "sent an answer that is not JSON "
CODING = URL + "sent an answer whose content encoding is wrong; "
LOST = (
    URL + "was (closed before the complete answer had arrived|cut off in the middle of its answer); check the network"
)
FINE = None


WRONG = {
    "Content-Length too long": (sent(length=25), LOST),
    "Content-Length much too long": (sent(length=10**18), LOST),
    "Content-Length beyond all numbers": (sent(length="9" * 5000), LOST),
    "Content-Length too short": (sent(length=5), NO_JSON),
    "Content-Length 0": (sent(length=0), NO_JSON),
    "negative Content-Length": (sent(length=-1), FINE),
    "Content-Length that is a word": (sent(length="many"), FINE),
    "Content-Length with a sign": (sent(length="+19"), FINE),
    "hexadecimal Content-Length": (sent(length="0x13"), FINE),
    "Content-Length with a digit beyond ASCII": (sent(length="\xb2"), FINE),
    "empty Content-Length": (sent(length=""), FINE),
    "no Content-Length": (sent(), FINE),
    "two Content-Lengths": (sent("Content-Length: 5", length=19), LOST),
    "the same Content-Length twice": (sent("Content-Length: 19", length=19), FINE),
    "chunks and a Content-Length": (sent(CHUNKED, length=500, body=chunk(LIST) + chunk(b"")), LOST),
    "chunks and a short Content-Length": (sent(CHUNKED, length=3, body=chunk(LIST) + chunk(b"")), LOST),
    "chunks announced, none sent": (sent(CHUNKED), LOST),
    "chunks announced, none sent, and a length": (sent(CHUNKED, length=19), LOST),
    "chunks twice": (sent("Transfer-Encoding: chunked, chunked", body=chunk(LIST) + chunk(b"")), FINE),
    "unknown transfer encoding": (sent("Transfer-Encoding: x-nope", length=19), FINE),
    "chunk of a negative size": (sent(CHUNKED, body=b"-5\r\n" + LIST), LOST),
    "chunk of the size -1": (sent(CHUNKED, body=b"-1\r\n" + LIST), LOST),
    "chunk of a huge size": (sent(CHUNKED, body=b"f" * 16 + b"\r\n" + LIST), LOST),
    "chunk of no size": (sent(CHUNKED, body=b"\r\n" + LIST), LOST),
    "chunk of a size that is a word": (sent(CHUNKED, body=b"many\r\n" + LIST), LOST),
    "no last chunk": (sent(CHUNKED, body=chunk(LIST)), LOST),
    "chunk with an extension": (sent(CHUNKED, body=b"13;a=b\r\n" + LIST + b"\r\n" + chunk(b"")), FINE),
    "no gzip": (packed(LIST), CODING),
    "no deflate": (packed(LIST, "deflate"), CODING),
    "gzip cut off": (packed(PACKED[:20]), NO_JSON),
    "gzip cut off in its header": (packed(PACKED[:5]), NO_JSON),
    "gzip without its end": (packed(PACKED[:-8]), FINE),
    "gzip with a wrong checksum": (packed(PACKED[:-8] + bytes(8)), CODING),
    "gzip with something after it": (packed(PACKED + b"garbage"), FINE),
    "empty gzip": (packed(b""), NO_JSON),
    "gzip announced twice": (packed(PACKED, "gzip, gzip"), CODING),
    "gzip announced nine times": (packed(PACKED, ", ".join(["gzip"] * 9)), CODING),
    "br": (packed(b"\x8b\x02\x80" + b"\xff" * 16, "br"), NO_JSON + "|" + CODING),
    "zstd": (packed(b"\x28\xb5\x2f\xfd" + b"\xff" * 16, "zstd"), NO_JSON + "|" + CODING),
    "unknown content encoding": (packed(PACKED, "x-nope"), NO_JSON),
    "identity": (packed(LIST, "identity"), FINE),
    "empty content encoding": (packed(LIST, ""), FINE),
    "TLS": (b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03", LOST),
    "TLS alert": (b"\x15\x03\x01\x00\x02\x02\x46", LOST),
    "SMTP": (b"220 mail.example.com ESMTP\r\n", LOST),
    "HTTP/2": (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), LOST),
    "NUL bytes": (bytes(1000), LOST),
    "line breaks": (b"\r\n" * 1000, LOST),
    "status that is a word": (b"HTTP/1.1 OK 200\r\n\r\n", LOST),
    "status 0": (b"HTTP/1.1 0 Zero\r\n\r\n", LOST),
    "negative status": (b"HTTP/1.1 -200 OK\r\n\r\n", LOST),
    "status of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", LOST),
    "no status": (b"HTTP/1.1\r\n\r\n", LOST),
    "status without a phrase": (b"HTTP/1.1 200\r\n\r\n" + LIST, FINE),
    "another version": (b"HTTP/9.9 200 OK\r\n\r\n" + LIST, LOST),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\n" + LIST, FINE),
    "long status line": (b"HTTP/1.1 200 " + b"x" * 70000 + b"\r\n\r\n" + LIST, LOST),
    "long header": (sent("X: " + "x" * 70000, length=19), LOST),
    "quite long header": (sent("X: " + "x" * 60000, length=19), FINE),
    "very many headers": (sent(*["X: x"] * 200, length=19), LOST),
    "many headers": (sent(*["X: x"] * 90, length=19), FINE),
    "NUL byte in a header": (sent("X: a\0b", length=19), FINE),
    "bytes beyond ASCII in a header": (sent("X\xff: \xff", length=19), FINE),
    "header without a colon": (sent("nonsense", length=19), FINE),
    "header without a name": (sent(": x", length=19), FINE),
    "folded header": (sent("X: a\r\n b", length=19), FINE),
    "cut off in a header": (b"HTTP/1.1 200 OK\r\nContent-Le", LOST + "|" + NO_JSON),
    "cookies": (sent(*["Set-Cookie: c{0}={1}".format(number, "x" * 5000) for number in range(50)], length=19), FINE),
    "body after 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + sent(length=19), FINE),
}


@pytest.mark.parametrize("answer, error", WRONG.values(), ids=list(WRONG))
def test_wrong_answer(answer, error):
    with RawServer(answer, closes=True) as server, impatient(server.url) as client:
        if error is FINE:
            assert CALLS["POST"](client) == json.loads(LIST.decode())
        else:
            problem = failure(CALLS["POST"], client)
            assert re.search(error, str(problem))
            assert problem.outcome_unknown, "it may have been carried out"
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "name",
    [
        "Content-Length too long",
        "Content-Length too short",
        "Content-Length beyond all numbers",
        "two Content-Lengths",
        "chunk of a negative size",
        "no gzip",
        "gzip cut off",
        "TLS alert",
        "NUL bytes",
        "very many headers",
        "cut off in a header",
    ],
)
@pytest.mark.parametrize(
    "verb, label, state", [("GET", "web", "present"), ("POST", "new", "present"), ("PATCH", "web", "absent")]
)
def test_wrong_answer_to_a_module(name, verb, label, state):
    """Once wrong, always wrong."""
    answer, error = WRONG[name]

    def api(request):
        # A connection that is closed without a word about it could be used for the next request.
        right = http("200 OK", json.dumps(dict(deployments=[ROW])), "Connection: close")
        return answer if request.startswith(verb.encode()) else right

    with RawServer(api, closes=True) as server:
        options = dict(management_api_key=KEY, base_url=server.url, timeout=60, retry_timeout=0, project_id="1")
        wish = dict(label=label, state=state, **(dict(force=True) if state == "absent" else dict(type="client")))
        result = run_module("amplitude_deployment", **dict(options, **wish))
        methods = [request.split(b" ")[0].decode() for request in server.requests]
    assert result["failed"] and not result.get("changed")
    assert SENTENCE.fullmatch(result["msg"])
    assert "Traceback" not in str(result) and KEY not in str(result) and "client-1" not in result["msg"]
    assert verb in methods and (verb != "GET" or set(methods) == {"GET"})
    assert "POST POST" not in " ".join(methods), "nobody knows whether it was carried out: the list decides"


STATUSES = {
    101: "answered 101 Switching Protocols",
    102: LOST,
    103: LOST,
    199: LOST,
    204: "sent an answer that is not |" + LOST,
    300: "answered 300 .* redirects are not followed",
    304: "answered 304 .* redirects are not followed",
    399: "answered 399 .* redirects are not followed",
    418: "answered 418 ",
    499: "answered 499 ",
    599: "answered 599 .* run this again later",
    600: "answered 600 .* run this again later",
    999: "answered 999 .* run this again later",
}


@pytest.mark.parametrize("phrase", ["", " OK", " " + KEY, " \xff\x00\x1b[31m", " " + "x" * 1000])
@pytest.mark.parametrize("status", STATUSES)
def test_status(status, phrase):
    lines = [f"HTTP/1.1 {status}{phrase}", "Content-Length: 19", "", ""]
    answer = "\r\n".join(lines).encode("latin-1") + LIST
    with RawServer(answer, closes=True) as server:
        for call in CALLS.values():
            with impatient(server.url) as client:
                message = str(failure(call, client))
            assert re.search(STATUSES[status], message)
            assert message.isprintable() and len(message) < 500


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_interim_answers_are_passed_over(status, times):
    interim = f"HTTP/1.1 {status} Wait\r\nLink: </x>\r\n\r\n".encode() * times
    with RawServer(lambda request: interim + usual(request)) as server, impatient(server.url) as client:
        for call in list(CALLS.values()) * 2:
            call(client)
        assert (server.connections, len(server.requests)) == (1, 6)


def test_byte_order_mark_is_passed_over():
    with RawServer(http("200 OK", b"\xef\xbb\xbf" + LIST)) as server, impatient(server.url) as client:
        assert list_of(client) == []


def test_what_comes_after_an_answer_is_not_taken_for_the_next_one():
    late = http("200 OK", '{"deployments": ["late"]}')
    answers = itertools.chain([http("200 OK", LIST) + late], itertools.repeat(http("200 OK", LIST)))
    with RawServer(lambda dummy: next(answers)) as server, impatient(server.url) as client:
        for dummy in range(3):
            assert CALLS["GET"](client) == json.loads(LIST.decode())
