# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a failure: one sentence, with advice and without secrets."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import typing as t

import pytest
import requests
import urllib3

from ansible_collections.community.amplitude.plugins.module_utils._api import failures
from ansible_collections.community.amplitude.plugins.module_utils._api.limits import CutOff
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AnswerLost,
    ApiError,
    ConnectionFailed,
    ProxyLibraryMissing,
    UnexpectedAnswer,
)
from ansible_collections.community.amplitude.tests.support.client import (
    CALLS,
    KEY,
    SENTENCE,
    failure,
    impatient,
    list_of,
)
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http
from ansible_collections.community.amplitude.tests.support.values import VALUES, answer_of, packed

pytestmark = pytest.mark.core

CLIENT_KEY = "client-" + "aB3" * 10 + "zZ"
SERVER_KEY = "server-" + "0f9" * 10 + "Qq"


# Error statuses

ADVICE = {
    400: "correct what the answer complains about",
    401: "check that management_api_key is .* not been revoked, and that region .* key from the other region .*",
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


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("field", ["message", "error", "errors", "detail"])
def test_field_of_an_error(field, value):
    body = {field: VALUES[value], "code": 400}
    with RawServer(answer_of(body, "400 Bad Request")) as server, impatient(server.url) as client:
        message = str(failure(CALLS["GET"], client, ApiError))
    assert re.search(" answered 400 Bad Request \\(.+\\); ", message) and len(message) < 500
    assert message.isprintable()


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
    with RawServer(answer) as server, impatient(server.url) as client:
        message = str(failure(list_of, client, UnexpectedAnswer))
    assert KEYS[kind] not in message and KEYS[kind][:20] not in message


@pytest.mark.parametrize("keep", range(60, 120, 7))
def test_list_cut_off_in_a_key(keep):
    """Such a body is whole for HTTP; the rest of the key must not be quoted either."""
    row = dict(id=1, projectId=1, label="l", key=KEYS["server key"], deleted=False)
    body = json.dumps(dict(deployments=[row])).encode()[:keep]
    with RawServer(http("200 OK", body)) as server, impatient(server.url) as client:
        message = str(failure(list_of, client, UnexpectedAnswer))
    assert KEYS["server key"][: len("server-") + 16] not in message


# The tables, without HTTP

URL_OF_API = "https://api.example.com"


def wrapped(cause, kind=requests.exceptions.ConnectionError):
    return kind(urllib3.exceptions.MaxRetryError(t.cast("t.Any", None), "/", cause))


def unresolved(number):
    error = urllib3.exceptions.NewConnectionError(t.cast("t.Any", None), "x")
    error.__cause__ = socket.gaierror(number, "nowhere")
    return error


def not_trusted(message):
    error = ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED")
    error.verify_message = message
    return error


LOST, NEVER_SENT, WRONG = AnswerLost, ConnectionFailed, UnexpectedAnswer
MEANINGS = {  # what is known, and the kind, whether it is transient, and words of the problem
    "time is over": (dict(expired=True, connected=True), LOST, True, "sent no complete answer within 30 seconds"),
    "time is over before a connection": (
        dict(expired=True),
        NEVER_SENT,
        True,
        "no connection to {0} could be established within 30",
    ),
    "cut off": (dict(error=CutOff()), LOST, True, "was cut off in the middle of its answer"),
    "cut off and late": (dict(error=CutOff(), connected=True, expired=True), LOST, True, "within 30 seconds"),
    "no certificates": (
        dict(error=OSError("Could not find a suitable TLS CA certificate bundle, invalid path")),
        NEVER_SENT,
        False,
        "the file or directory",
    ),
    "not trusted": (
        dict(error=wrapped(not_trusted("self-signed"), requests.exceptions.SSLError)),
        NEVER_SENT,
        False,
        "of {0} is not trusted (self-signed)",
    ),
    "not trusted, no reason": (
        dict(error=wrapped(not_trusted(""), requests.exceptions.SSLError)),
        NEVER_SENT,
        False,
        "(verification failed)",
    ),
    "not trusted by a proxy": (
        dict(error=requests.exceptions.ProxyError(not_trusted("expired"))),
        NEVER_SENT,
        False,
        "(expired)",
    ),
    "TLS that does not come about": (
        dict(error=wrapped(ssl.SSLError("WRONG_VERSION_NUMBER"), requests.exceptions.SSLError)),
        NEVER_SENT,
        False,
        "broke off with a TLS error before anything was sent",
    ),
    "TLS that ends before it comes about": (
        dict(error=wrapped(ssl.SSLEOFError(), requests.exceptions.SSLError)),
        NEVER_SENT,
        True,
        "was closed before TLS was established",
    ),
    "TLS": (
        dict(error=wrapped(ssl.SSLError("BAD_RECORD_MAC"), requests.exceptions.SSLError), connected=True),
        LOST,
        False,
        "broke off with a TLS error",
    ),
    "TLS that ends": (
        dict(error=wrapped(ssl.SSLEOFError(), requests.exceptions.SSLError), connected=True),
        LOST,
        True,
        "was closed before the complete answer had arrived",
    ),
    "SOCKS": (
        dict(error=requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")),
        ProxyLibraryMissing,
        False,
        "for which the library PySocks is not installed",
    ),
    "unknown host": (
        dict(error=wrapped(unresolved(socket.EAI_NONAME))),
        NEVER_SENT,
        True,
        "could be established (nowhere)",
    ),
    "nobody to ask for a host": (
        dict(error=wrapped(unresolved(socket.EAI_AGAIN))),
        NEVER_SENT,
        True,
        "could be established (nowhere)",
    ),
    "refused by this machine": (
        dict(error=wrapped(ConnectionRefusedError(111, "Connection refused")), url="https://127.0.0.1:1"),
        NEVER_SENT,
        True,
        "could be established (Connection refused)",
    ),
    "proxy": (
        dict(error=wrapped(OSError("Tunnel connection failed: 502 Bad Gateway"), requests.exceptions.ProxyError)),
        NEVER_SENT,
        True,
        "the proxy did not connect to {0} (502 Bad Gateway)",
    ),
    "proxy that wants a password": (
        dict(error=wrapped(OSError("Tunnel connection failed: 407 Nope"), requests.exceptions.ProxyError)),
        NEVER_SENT,
        False,
        "(407 Nope)",
    ),
    "behind a proxy": (
        dict(error=wrapped(OSError(), requests.exceptions.ProxyError), connected=True),
        LOST,
        True,
        "was closed before",
    ),
    "refused": (
        dict(error=wrapped(urllib3.exceptions.NewConnectionError(t.cast("t.Any", None), "x"))),
        NEVER_SENT,
        True,
        "no connection to {0} could be established",
    ),
    "too late": (
        dict(error=requests.exceptions.ConnectTimeout()),
        NEVER_SENT,
        True,
        "no connection to {0} could be established",
    ),
    "refused with a reason": (
        dict(error=requests.exceptions.ConnectTimeout(OSError(111, "Connection refused"))),
        NEVER_SENT,
        True,
        "could be established (Connection refused)",
    ),
    "encoding": (
        dict(error=urllib3.exceptions.DecodeError()),
        WRONG,
        False,
        "{0} sent an answer whose content encoding is wrong",
    ),
    "read timeout": (
        dict(error=requests.exceptions.ReadTimeout(), connected=True),
        LOST,
        True,
        "sent no complete answer",
    ),
    "address": (
        dict(error=requests.exceptions.InvalidURL("x")),
        NEVER_SENT,
        False,
        "no request to {0} could be made (InvalidURL)",
    ),
    "type": (dict(error=TypeError("x")), NEVER_SENT, False, "could be made (TypeError)"),
    "address of the old requests": (
        dict(error=ValueError("Invalid IPv6 URL")),
        NEVER_SENT,
        False,
        "could be made (ValueError)",
    ),
    "value": (dict(error=ValueError("x")), LOST, False, "was closed before the complete answer had arrived"),
    "reset": (
        dict(error=ConnectionResetError("x"), connected=True),
        LOST,
        True,
        "was closed before the complete answer had arrived",
    ),
}


@pytest.mark.parametrize("known, kind, transient, words", MEANINGS.values(), ids=list(MEANINGS))
def test_meaning_of_an_exception(known, kind, transient, words):
    error = failures.of_exception("do it", failures.Broken(**dict(dict(url=URL_OF_API, seconds=30.0), **known)))
    assert (error.__class__, error.transient) == (kind, transient)
    assert SENTENCE.fullmatch(str(error)) and words.format(URL_OF_API) in error.problem
    assert error.outcome_unknown == (not issubclass(kind, ConnectionFailed))


@pytest.mark.parametrize("seconds, words", [(1.0, "1 second"), (0.5, "0.5 seconds"), (30.0, "30 seconds")])
def test_time_that_was_over(seconds, words):
    for connected in (False, True):
        error = failures.of_exception("do it", failures.Broken(URL_OF_API, seconds, None, connected, expired=True))
        assert error.problem.endswith(f" within {words}")


RARELY = [
    "TLS that ends before it comes about",
    "unknown host",
    "refused by this machine",
]


@pytest.mark.parametrize("name", MEANINGS)
def test_what_rarely_passes(name):
    known = dict(dict(url=URL_OF_API, seconds=30.0), **MEANINGS[name][0])
    assert failures.of_exception("do it", failures.Broken(**known)).rarely_passes is (name in RARELY)


def test_every_row_of_the_table_is_reached():
    reached = [
        next(
            row
            for row in failures.EXCEPTIONS
            if row.applies(failures.Broken(**dict(dict(url=URL_OF_API, seconds=30.0), **known)))
        )
        for known, *dummy in MEANINGS.values()
    ]
    assert {id(row) for row in reached} == {id(row) for row in failures.EXCEPTIONS}


@pytest.mark.parametrize(
    "status, retry_after, patience, words",
    [
        (408, None, 0, "run this again later: it continues from what it finds"),
        (425, None, 0, "run this again later: it continues from what it finds"),
        (429, None, 100, "run this again later: the API allows 100 requests a second"),
        (429, 99.0, 100, "run this again later: the API allows 100 requests a second"),
        (429, 99.5, 100, "the quota is reset at 20"),
        (429, 1e18, 100, "the quota is reset at 20"),
        (503, 99.5, 0, "run this again later: it continues from what it finds"),
        (304, None, 0, "set base_url to the address of the API itself"),
        (399, None, 0, "redirects are not followed"),
        (400, None, 0, "correct what the answer complains about"),
        (103, None, 0, "correct what the answer complains about"),
    ],
)
def test_advice_after_a_status(status, retry_after, patience, words):
    error = failures.of_status("do it", URL_OF_API, failures.Answered(status, retry_after, patience), '"no"')
    assert words in error.advice
    assert error.problem.startswith(f"{URL_OF_API} answered {status} ") and error.problem.endswith(' ("no")')
    assert (error.status, error.retry_after) == (status, retry_after)
