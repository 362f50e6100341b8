# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that nobody should give: each has a defined meaning or is a clear error, in bounded time and memory."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import re
import time
import tracemalloc
import zlib
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import urllib3

from ansible_collections.community.amplitude.plugins.module_utils._api import client as api_client
from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment, Deployments
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AnswerLost,
    ApiError,
    RequestFailed,
    UnexpectedAnswer,
)
from ansible_collections.community.amplitude.tests.support.client import CALLS, KEY, PATH, SENTENCE, failure
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http

ROW = dict(id=1, projectId=1, label="web", key="client-1", deleted=False)
LIST = b'{"deployments": []}'
URL = r"http://127\.0\.0\.1:\d+ "

urllib3_1 = urllib3.__version__.startswith("1.")


def client_of(server, timeout=5):
    return Client(server.url, KEY, timeout=timeout, retry_timeout=0)


def list_of(client):
    return Deployments(client).list()


def create(client):
    return Deployments(client).create("1", "web", "client")


def answer_of(document, status="200 OK"):
    return http(status, json.dumps(document))


def table(names, rows):
    """One test for each entry: its key is the name, its value the arguments."""
    return pytest.mark.parametrize(names, list(rows.values()), ids=list(rows))


# Values of the wrong type, in every field

TEXTS = {
    "empty text": "",
    "blank": " ",
    "control characters": "a\x00\x1b[31m\x7fb",
    "line break": "web\nCould not do it",
    "lone surrogate": "\ud800",
    "beyond ASCII": "caf\u00e9 \u202e \U0001f600",
    "long text": "x" * 100000,
    "text of a number": "007",
    "text of null": "null",
}
NUMBERS = {
    "zero": 0,
    "negative number": -1,
    "huge number": 10**4000,
}
OTHERS = {
    "null": None,
    "true": True,
    "false": False,
    "float": 1.5,
    "whole float": 1.0,
    "huge float": 1e308,
    "infinity": float("inf"),
    "not a number": float("nan"),
    "list": [],
    "list of a number": [1],
    "object": {},
    "object with an id": {"id": 1},
}
VALUES = dict(TEXTS, **NUMBERS, **OTHERS)
IDENTIFIERS = set(NUMBERS) | {"long text", "text of a number", "text of null"}
ACCEPTED = {
    "id": IDENTIFIERS,
    "projectId": IDENTIFIERS,
    "label": set(TEXTS),
    "key": set(TEXTS) | {"null"},
    "deleted": {"true", "false", "null"},
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("field", ACCEPTED)
def test_field_of_a_row(field, value):
    row = dict(ROW, **{field: VALUES[value]})
    with RawServer(answer_of(dict(deployments=[row]))) as server, client_of(server) as client:
        if value in ACCEPTED[field]:
            (deployment,) = list_of(client)
            means = bool(VALUES[value]) if field == "deleted" else VALUES[value]
            found = getattr(deployment, "project_id" if field == "projectId" else field)
            assert found == (str(means) if value in NUMBERS else means)
        else:
            error = failure(list_of, client, UnexpectedAnswer)
            assert f" sent an answer in which a deployment has an unusable {field}; " in str(error)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("field", ACCEPTED)
def test_field_of_a_row_that_modules_see(field, value):
    """The row is another one than what is asked for, so that it has to be borne."""
    rows = [ROW, dict(ROW, id=2, label="other")]
    rows[1][field] = VALUES[value]
    with RawServer(answer_of(dict(deployments=rows))) as server:
        options = dict(management_api_key=KEY, base_url=server.url, retry_timeout=0, project_id="1")
        for name, more in (
            ("amplitude_deployment", dict(label="web", type="client")),
            ("amplitude_deployment_info", dict(include_archived=True)),
        ):
            result = run_module(name, True, **dict(options, **more))
            if value in ACCEPTED[field]:
                assert not result.get("failed") and not result["changed"]
            else:
                assert result["failed"] and SENTENCE.fullmatch(result["msg"])
                assert f" a deployment has an unusable {field}; " in result["msg"]
            assert "Traceback" not in str(result) and KEY not in str(result)


@pytest.mark.parametrize("value", [name for name in VALUES if name != "list"])
@pytest.mark.parametrize("whole", [False, True], ids=["deployments", "answer"])
def test_list_that_is_none(value, whole):
    with RawServer(answer_of(VALUES[value] if whole else dict(deployments=VALUES[value]))) as server:
        with client_of(server) as client:
            error = failure(list_of, client, UnexpectedAnswer)
    assert " sent an answer without a list of deployments; check that base_url or region " in str(error)


@pytest.mark.parametrize("value", [name for name in VALUES if not name.startswith("object")])
def test_row_that_is_none(value):
    with RawServer(answer_of(dict(deployments=[ROW, VALUES[value]]))) as server, client_of(server) as client:
        error = failure(list_of, client, UnexpectedAnswer)
    assert " sent an answer without a list of deployments; check that base_url or region " in str(error)


@pytest.mark.parametrize("value", VALUES)
def test_next_cursor(value):
    answers = iter([answer_of(dict(deployments=[ROW], nextCursor=VALUES[value])), http("200 OK", LIST)])
    with RawServer(lambda dummy: next(answers)) as server, client_of(server) as client:
        if value in ("null", "empty text"):
            assert len(list_of(client)) == 1 and len(server.requests) == 1
        elif value in NUMBERS or value in TEXTS and value not in ("lone surrogate", "long text"):
            assert len(list_of(client)) == 1
            query = parse_qs(urlsplit(server.requests[1].split(b" ")[1].decode()).query)
            assert query == dict(limit=["1000"], cursor=[str(VALUES[value])])
        else:
            error = failure(list_of, client, UnexpectedAnswer)
            assert "nextCursor" in str(error) and len(server.requests) == 1


@pytest.mark.parametrize("value", VALUES)
def test_id_of_a_new_deployment(value):
    with RawServer(answer_of(dict(id=VALUES[value]))) as server, client_of(server) as client:
        if value in IDENTIFIERS:
            assert create(client) == str(VALUES[value])
        else:
            error = failure(create, client, UnexpectedAnswer)
            assert " sent an answer without the id of the new deployment; " in str(error) and error.outcome_unknown


@pytest.mark.parametrize("value", VALUES)
def test_answer_to_a_create(value):
    with RawServer(answer_of(VALUES[value])) as server, client_of(server) as client:
        if value == "object with an id":
            assert create(client) == "1"
        else:
            assert failure(create, client, UnexpectedAnswer).outcome_unknown


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("field", ["message", "error", "errors", "detail"])
def test_field_of_an_error(field, value):
    body = {field: VALUES[value], "code": 400}
    with RawServer(answer_of(body, "400 Bad Request")) as server, client_of(server) as client:
        message = str(failure(CALLS["GET"], client, ApiError))
    assert re.search(" answered 400 Bad Request \\(.+\\); ", message) and len(message) < 500
    assert message.isprintable()


# Ids that want to go elsewhere


@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param("."),
        pytest.param(".."),
        "...",
        "./",
        "../",
        "../..",
        "../../x",
        "..\\..\\x",
        "..;/x",
        "%2e%2e",
        "%2E%2E%2F",
        "%252e%252e",
        "/",
        "//example.com/x",
        "http://example.com/",
        "a/b",
        "7/",
        "?x=1",
        "7?archive=false",
        "#x",
        "7#x",
        "100%",
        "%",
        "%00",
        "%0d%0aX:x",
        "@example.com",
        ":80",
        "~root",
        '"><script>',
        "$(reboot)",
        "{{7*7}}",
        "x" * 10000,
    ],
)
def test_id_stays_where_ids_belong(identifier):
    rows = [dict(ROW, id=identifier)]

    def answer(request):
        return answer_of(dict(deployments=rows)) if request.startswith(b"GET") else http("200 OK", "OK")

    with RawServer(answer) as server:
        options = dict(management_api_key=KEY, base_url=server.url + "/some/prefix", retry_timeout=0, timeout=5)
        result = run_module("amplitude_deployment", project_id="1", label="web", state="absent", force=True, **options)
        patches = [request.split(b" ")[1].decode() for request in server.requests if request.startswith(b"PATCH")]
    assert "Traceback" not in str(result)
    if result.get("failed"):
        assert SENTENCE.fullmatch(result["msg"]) and not (result.get("changed") and not patches)
    for path in patches:
        place, _slash, last = path.rpartition("/")
        assert place == "/some/prefix" + PATH
        assert unquote(last) == identifier and not set("?#") & set(last) and last not in ("", ".", "..")
    assert patches or identifier in (".", "..") and result["failed"]


# Large bodies

MIB = b"x" * 2**20
LARGE = 10 * 2**20
MOST_MEMORY = 100 * 10**6
HEADS = {
    "success": "HTTP/1.1 200 OK",
    "client error": "HTTP/1.1 400 Bad Request",
    "server error": "HTTP/1.1 500 Internal Server Error",
    "redirect": "HTTP/1.1 302 Found\r\nLocation: http://example.com/",
}


@contextlib.contextmanager
def bounded(seconds=5.0, memory=MOST_MEMORY):
    """A block must not take much time, nor much memory."""
    started = time.monotonic()
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < memory
    assert time.monotonic() - started < seconds


def head(status, *headers):
    """The first lines of an answer; they are all if the last one is empty."""
    return "\r\n".join((HEADS[status],) + headers + ("",)).encode()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def bomb(times):
    """Pieces of a gzip stream which is a thousand times as large once it is read: 16 MiB, so many times."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = compressor.compress(bytes(16 * 2**20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return itertools.chain([b"\x1f\x8b\x08" + bytes(7)], itertools.repeat(piece, times))


def outcome(call, client, status):
    """What a large or wrong answer with a status must lead to; the message stays short."""
    error = failure(call, client, UnexpectedAnswer if status == "success" else ApiError)
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
        with client_of(server) as client, bounded():
            message = outcome(CALLS["GET"], client, status)
    assert status != "success" or " sent an answer of more than 8 MiB; " in message


@pytest.mark.parametrize("content", [name for name in TEN_MB if name != "quotes"])
def test_megabytes_that_are_read(content):
    """Just below what is taken for too large."""
    body = TEN_MB[content] * 7
    with RawServer(http("200 OK", body)) as server, client_of(server) as client, bounded():
        assert " sent an answer that is not JSON (" in outcome(CALLS["GET"], client, "success")


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("status", HEADS)
@pytest.mark.parametrize("framing", ["chunks", "no length"])
def test_body_without_an_end(status, framing, verb):
    headers = ["Transfer-Encoding: chunked"] if framing == "chunks" else []
    pieces = itertools.repeat(chunk(MIB) if framing == "chunks" else MIB)
    with RawServer(lambda dummy: itertools.chain([head(status, *headers, "")], pieces)) as server:
        with client_of(server) as client, bounded():
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
        with client_of(server, 20) as client, bounded(10):
            outcome(CALLS["GET"], client, status)


CHUNKED = "Transfer-Encoding: chunked"
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
    with RawServer(pieces, closes=True) as server, client_of(server) as client, bounded():
        failure(CALLS["GET"], client)


def test_headers_without_an_end():
    pieces = itertools.chain([head("success")], itertools.repeat(b"X-Filler: " + b"x" * 60000 + b"\r\n"))
    with RawServer(lambda dummy: pieces) as server, client_of(server) as client, bounded():
        failure(CALLS["GET"], client, AnswerLost)


# Lists without an end


def test_cursor_of_megabytes_is_not_sent_back():
    with RawServer(answer_of(dict(deployments=[ROW], nextCursor="x" * 7 * 2**20))) as server:
        with client_of(server) as client, bounded():
            assert "nextCursor" in str(failure(list_of, client, UnexpectedAnswer))
        assert len(server.requests) == 1


@pytest.mark.parametrize("module", ["amplitude_deployment", "amplitude_deployment_info"])
def test_module_that_is_sent_pages_without_an_end(emulator, connection, monkeypatch, module):
    monkeypatch.setattr(api_client, "MOST_PAGES", 20)
    emulator.reset(dict(keys={KEY: [1]}, deployments=[dict(ROW, key=None, type="client")]), endless_pages=True)
    options = dict(connection, project_id="1", **(dict(label="new", type="client") if module[-1] == "t" else {}))
    result = run_module(module, **options)
    assert result["failed"] and SENTENCE.fullmatch(result["msg"])
    assert " with yet another page after 20; " in result["msg"]
    assert [request["method"] for request in emulator.requests()] == ["GET"] * 20


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
        with RawServer(http("200 OK", body)) as server, client_of(server) as client:
            failure(list_of, client, UnexpectedAnswer)
            failure(create, client, UnexpectedAnswer)
    for body in (deep, '{"error": ' + deep + "}", '{"message": {"errors": ' + deep + "}}"):
        with RawServer(http("400 Bad Request", body)) as server, client_of(server) as client:
            assert len(str(failure(CALLS["POST"], client, ApiError))) < 500


@pytest.mark.parametrize("levels", [100, 900, 100000])
def test_deep_nesting_in_a_field_that_is_not_documented(levels):
    body = json.dumps(dict(deployments=[dict(ROW, more="@")])).replace('"@"', "[" * levels + "]" * levels)
    with RawServer(http("200 OK", body)) as server, client_of(server) as client:
        if levels == 100:
            assert len(list_of(client)) == 1
        else:
            with contextlib.suppress(UnexpectedAnswer):
                assert len(list_of(client)) == 1


# What is no text

NOT_UTF8 = {
    "Latin-1": '{"deployments": [], "error": "caf\u00e9"}'.encode("latin-1"),
    "in the middle": b'{"deployments": [{"id": 1, "projectId": 1, "label": "\xc3\x28"}]}',
    "cut character": b'{"deployments": [], "error": "\xf0\x9f\x98"}',
    "overlong": b'{"deployments": [], "error": "\xc0\xaf"}',
    "encoded surrogate": b'{"deployments": [], "error": "\xed\xa0\x80"}',
    "UTF-16": LIST.decode().encode("utf-16"),
    "UTF-32": LIST.decode().encode("utf-32-le"),
    "byte order mark": b"\xef\xbb\xbf" + LIST,
    "all bytes": bytes(range(256)),
    "NUL bytes": bytes(1000),
    "NUL after the JSON": LIST + b"\0",
}


@pytest.mark.parametrize("body", NOT_UTF8.values(), ids=list(NOT_UTF8))
def test_no_text(body):
    for status in ("200 OK", "400 Bad Request"):
        with RawServer(http(status, body)) as server, client_of(server) as client:
            error = failure(list_of, client, UnexpectedAnswer if status == "200 OK" else ApiError)
            assert str(error).isprintable()


# Framing that lies

NO_JSON = URL + "sent an answer that is not JSON "
CODING = URL + "sent an answer whose content encoding is wrong; "
LOST = URL + "was (closed before the whole answer was there|cut off in the middle of its answer); check the network"
FINE = None
PACKED = gzip.compress(LIST)


def sent(*headers, body=LIST, length=None):
    lines = ("HTTP/1.1 200 OK",) + headers + (() if length is None else (f"Content-Length: {length}",))
    return "\r\n".join(lines + ("", "")).encode("latin-1") + body


def packed(data, coding="gzip"):
    return sent("Content-Encoding: " + coding, body=data, length=len(data))


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


@table("answer, error", WRONG)
def test_wrong_answer(answer, error):
    with RawServer(answer, closes=True) as server, client_of(server) as client:
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
        options = dict(management_api_key=KEY, base_url=server.url, timeout=5, retry_timeout=0, project_id="1")
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
    102: "answered 102 Processing|answered 102 ",
    103: "answered 103 ",
    199: "answered 199 ",
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
            with client_of(server) as client:
                message = str(failure(call, client))
            assert re.search(STATUSES[status], message)
            assert message.isprintable() and len(message) < 500


@pytest.mark.parametrize("status", [102, 103])
def test_after_an_interim_answer_nobody_knows_what_became_of_a_create(status):
    answer = f"HTTP/1.1 {status} Wait\r\n\r\n".encode() + http("200 OK", '{"id": 7}')
    with RawServer(answer) as server, client_of(server) as client:
        with contextlib.suppress(RequestFailed):
            assert create(client) == "7"
            return
        assert failure(create, client).outcome_unknown


def test_what_comes_after_an_answer_is_not_taken_for_the_next_one():
    late = http("200 OK", '{"deployments": ["late"]}')
    answers = itertools.chain([http("200 OK", LIST) + late], itertools.repeat(http("200 OK", LIST)))
    with RawServer(lambda dummy: next(answers)) as server, client_of(server) as client:
        for dummy in range(3):
            assert CALLS["GET"](client) == json.loads(LIST.decode())


# Secrets in what is quoted

KEYS = {
    "client key": "client-" + "aB3" * 10 + "zZ",
    "server key": "server-" + "0f9" * 10 + "Qq",
    "key of a default deployment": "0123456789abcdef" * 2,
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("broken", ["gzip cut off", "text after the list", "invalid UTF-8"])
def test_broken_list_is_not_quoted_with_its_keys(kind, broken):
    rows = [dict(id=number, projectId=1, label="l", key=KEYS[kind], deleted=False) for number in range(50)]
    body = json.dumps(dict(deployments=rows)).encode()
    answer = {
        "gzip cut off": packed(gzip.compress(body)[:-12]),
        "text after the list": http("200 OK", body + b"\n<!-- 12 ms -->"),
        "invalid UTF-8": http("200 OK", body + b"\xff"),
    }[broken]
    with RawServer(answer) as server, client_of(server) as client:
        message = str(failure(list_of, client, UnexpectedAnswer))
    assert KEYS[kind] not in message and KEYS[kind][:20] not in message


@pytest.mark.parametrize("keep", range(60, 120, 7))
def test_list_cut_off_in_a_key(keep):
    """Such a body is whole for HTTP; the rest of the key must not be quoted either."""
    row = dict(id=1, projectId=1, label="l", key=KEYS["server key"], deleted=False)
    body = json.dumps(dict(deployments=[row])).encode()[:keep]
    with RawServer(http("200 OK", body)) as server, client_of(server) as client:
        message = str(failure(list_of, client, UnexpectedAnswer))
    assert KEYS["server key"][: len("server-") + 16] not in message


def test_edit_of_a_deployment_that_was_made_up():
    row = Deployment("7", "1", "a\nb\x1b[31m", None, None, False)
    with RawServer(http("403 Forbidden")) as server, client_of(server) as client:
        message = str(failure(lambda client: Deployments(client).edit(row, archive=True), client, ApiError))
    assert message.isprintable()
