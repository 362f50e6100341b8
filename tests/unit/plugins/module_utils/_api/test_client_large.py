# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers without an end: each is a clear error, in bounded time and memory."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import zlib

import pytest
import urllib3

from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AnswerLost,
    AnswerTooLarge,
    ApiError,
    UnexpectedAnswer,
)
from ansible_collections.community.amplitude.tests.support.client import CALLS, create, failure, impatient, list_of
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http
from ansible_collections.community.amplitude.tests.support.values import CHUNKED, MIB, ROW, bounded, chunk

urllib3_1 = urllib3.__version__.startswith("1.")

HEADS = {
    "success": "HTTP/1.1 200 OK",
    "client error": "HTTP/1.1 400 Bad Request",
    "server error": "HTTP/1.1 500 Internal Server Error",
    "redirect": "HTTP/1.1 302 Found\r\nLocation: http://example.com/",
}


def head(status, *headers):
    """The first lines of an answer; they are all if the last one is empty."""
    return "\r\n".join((HEADS[status],) + headers + ("",)).encode()


def bomb(times):
    """Pieces of a gzip stream which is a thousand times as large once it is read: 16 MiB, so many times."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = compressor.compress(bytes(16 * 2**20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return itertools.chain([b"\x1f\x8b\x08" + bytes(7)], itertools.repeat(piece, times))


def outcome(call, client, status):
    """What a large or wrong answer with a status must lead to; the message stays short."""
    error = failure(call, client, AnswerTooLarge if status == "success" else ApiError)
    assert len(str(error)) < 600
    return str(error)


TEN_MB = {
    "spaces": b" " * 2**20,
    "one letter": MIB,
    "angle brackets": b"<" * 2**20,
    "titles": b"<title" * (2**20 // 6),
    "scripts": b"<script>" * (2**20 // 8),
    "brackets": b"[" * 2**20,
    "braces": b'{"a":' * (2**20 // 5),
    "quotes": b'"' * 2**20,
    "backslashes": b"\\" * 2**20,
    "bytes beyond ASCII": b"\xff" * 2**20,
    "keys": b"server-" * (2**20 // 7),
}


@pytest.mark.parametrize("content", TEN_MB)
@pytest.mark.parametrize("status", HEADS)
def test_ten_megabytes(status, content):
    body = TEN_MB[content] * 10
    with RawServer(head(status, f"Content-Length: {len(body)}", "") + body) as server:
        with impatient(server.url) as client, bounded():
            message = outcome(CALLS["GET"], client, status)
    assert status != "success" or " sent an answer of more than 8 MiB; " in message


@pytest.mark.parametrize("content", [name for name in TEN_MB if name != "quotes"])
def test_megabytes_that_are_read(content):
    """Just below what is taken for too large."""
    body = TEN_MB[content] * 7
    with RawServer(http("200 OK", body)) as server, impatient(server.url) as client, bounded():
        assert " sent an answer that is not JSON (" in str(failure(CALLS["GET"], client, UnexpectedAnswer))


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("status", HEADS)
@pytest.mark.parametrize("framing", ["chunks", "no length"])
def test_body_without_an_end(status, framing, verb):
    headers = ["Transfer-Encoding: chunked"] if framing == "chunks" else []
    pieces = itertools.repeat(chunk(MIB) if framing == "chunks" else MIB)
    with RawServer(lambda dummy: itertools.chain([head(status, *headers, "")], pieces)) as server:
        with impatient(server.url) as client, bounded():
            outcome(CALLS[verb], client, status)


MANY_CODINGS = pytest.mark.xfail(urllib3_1, reason="urllib3 1.26 unpacks a packed bomb in one go")


@pytest.mark.parametrize("status", HEADS)
@pytest.mark.parametrize("coding", ["gzip", pytest.param("gzip, gzip", marks=MANY_CODINGS), "deflate"])
def test_bomb(status, coding):
    """Ten megabytes, or much less if packed twice, that are ten gigabytes when they are read."""
    pieces = bomb(600)
    if coding == "gzip, gzip":
        pieces = [gzip.compress(b"".join(itertools.islice(pieces, 13)))]
    elif coding == "deflate":
        pieces = itertools.chain([b"\x78\xda"], itertools.islice(pieces, 1, None))
    headers = ["Content-Encoding: " + coding, "Connection: close", ""]
    with RawServer(lambda dummy: itertools.chain([head(status, *headers)], pieces), closes=True) as server:
        with impatient(server.url, 20) as client, bounded(10):
            outcome(CALLS["GET"], client, status)


URLLIB3_1 = pytest.mark.xfail(urllib3_1, reason="urllib3 1.26 reads that line whole")
IN_THE_LIBRARY = pytest.mark.xfail(reason="http.client and urllib3 read that whole", strict=False)


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"HTTP/1.1 200 ", id="status line"),
        pytest.param(head("success") + b"X-Filler: ", id="header"),
        pytest.param(head("success", CHUNKED, "") + b"1;", id="size of a chunk", marks=URLLIB3_1),
        pytest.param(head("success", CHUNKED, "") + b"0\r\nX-Filler: ", id="trailer", marks=URLLIB3_1),
        pytest.param(head("success", CHUNKED, "") + b"-1\r\n", id="chunk of a negative size", marks=IN_THE_LIBRARY),
    ],
)
def test_line_without_an_end(start):
    pieces = [start] + [MIB] * 64
    with RawServer(pieces, closes=True) as server, impatient(server.url) as client, bounded():
        failure(CALLS["GET"], client)


def test_headers_without_an_end():
    pieces = itertools.chain([head("success")], itertools.repeat(b"X-Filler: " + b"x" * 60000 + b"\r\n"))
    with RawServer(lambda dummy: pieces) as server, impatient(server.url) as client, bounded():
        failure(CALLS["GET"], client, AnswerLost)


# Deep nesting

DEEP = {
    "lists": ("[", "1", "]"),
    "objects": ('{"a":', "1", "}"),
    "messages": ('{"error":', '"no"', "}"),
    "mixture": ('[{"error":', "1", "}]"),
    "open lists": ("[", "", ""),
    "open objects": ('{"a":', "", ""),
}


@pytest.mark.parametrize("levels", [900, 100000])
@pytest.mark.parametrize("nest", DEEP)
def test_deep_nesting(nest, levels):
    opening, middle, closing = DEEP[nest]
    deep = opening * levels + middle + closing * levels
    bodies = {
        "instead of a list": deep,
        "as the list": '{"deployments": ' + deep + "}",
        "as a row": '{"deployments": [' + deep + "]}",
        "as a field": json.dumps(dict(deployments=[dict(ROW, label="@")])).replace('"@"', deep),
        "as the id": '{"id": ' + deep + "}",
    }
    for body in bodies.values():
        with RawServer(http("200 OK", body)) as server, impatient(server.url) as client:
            failure(list_of, client, UnexpectedAnswer)
            failure(create, client, UnexpectedAnswer)
    for body in (deep, '{"error": ' + deep + "}", '{"message": {"errors": ' + deep + "}}"):
        with RawServer(http("400 Bad Request", body)) as server, impatient(server.url) as client:
            assert len(str(failure(CALLS["POST"], client, ApiError))) < 500


@pytest.mark.parametrize("levels", [100, 900, 100000])
def test_deep_nesting_in_a_field_that_is_not_documented(levels):
    body = json.dumps(dict(deployments=[dict(ROW, more="@")])).replace('"@"', "[" * levels + "]" * levels)
    with RawServer(http("200 OK", body)) as server, impatient(server.url) as client:
        if levels == 100:
            assert len(list_of(client)) == 1
        else:
            with contextlib.suppress(UnexpectedAnswer):
                assert len(list_of(client)) == 1
