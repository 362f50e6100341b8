# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches that are about the form of every answer, and those that are not understood."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
import typing as t

import pytest

from ansible_collections.community.amplitude.tests.emulator import Emulator, Invalid
from ansible_collections.community.amplitude.tests.unit.emulator.api import KEY, PATH, SEED, Api


@pytest.mark.parametrize(
    "shape, content_type, pattern",
    [
        ("json", "application/json", r'\{"code": 400, "error": ".*limit.*"\}'),
        ("json_nested", "application/json", r'\{"error": \{"code": 400, "message": ".*limit.*"\}\}'),
        ("text", "text/plain; charset=utf-8", ".*limit.*"),
        ("html", "text/html; charset=utf-8", "(?s)<html>.*limit.*</html>\n"),
        ("empty", "text/plain; charset=utf-8", ""),
    ],
)
def test_error_body(api: Api, emulator: Emulator, shape: str, content_type: str, pattern: str) -> None:
    emulator.reset(error_body=shape)
    answer = api.call("GET", params={"limit": 0})
    assert answer.status_code == 400 and answer.headers["Content-Type"] == content_type
    assert re.fullmatch(pattern, answer.text)


def test_extra_fields_and_omit_deleted(api: Api, emulator: Emulator) -> None:
    emulator.reset(SEED, extra_fields=True, omit_deleted=True)
    (page,) = api.pages()
    assert len(page) > 1 and isinstance(page["_links"], dict)
    assert all("_links" in row for row in page["deployments"])
    assert [row.get("deleted") for row in page["deployments"]] == [None, None, None, True]
    assert len(api.create().json()) > 1


def test_latency(api: Api, emulator: Emulator) -> None:
    emulator.reset(latency=0.1)
    began = time.monotonic()
    api.rows()
    assert time.monotonic() - began >= 0.1


def test_gzip(api: Api, emulator: Emulator) -> None:
    emulator.reset(SEED, gzip=True)
    answer = api.call("GET", headers={"Accept-Encoding": "gzip"}, stream=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(answer.raw.read()))["deployments"]) == 4
    assert "Content-Encoding" not in api.call("GET", headers={"Accept-Encoding": "identity"}).headers
    assert "Content-Encoding" not in api.edit(7).headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"idz": "number"}, {"ids": "float"}, {"rate_limit": -1}, {"rate_limit": 1.5}, {"rate_limit": True},
        {"max_page_size": 0}, {"latency": "nan"}, {"latency": []}, {"gzip": "maybe"}, {"duplicate_status": 422},
        {"order": None},
    ],
)  # fmt: skip
def test_switch_that_is_not_understood(emulator: Emulator, wrong: dict[str, t.Any]) -> None:
    before = emulator.switches()
    for change in (emulator.switch, emulator.reset):
        with pytest.raises(Invalid):
            change(**wrong)
    assert emulator.switches() == before


@pytest.mark.parametrize(
    "kind, switch", [("flags", "row_padding"), ("experiments", "row_padding"), ("deployments", "deployment_padding")]
)
def test_padding(api: Api, emulator: Emulator, kind: str, switch: str) -> None:
    rows = [{"projectId": "1", "label" if kind == "deployments" else "key": f"r{n}"} for n in range(1000)]
    emulator.reset({kind: rows}, **{switch: 10_000})
    answer = api.call("GET", f"/api/1/{kind}", params={"limit": 1000})
    assert 10_000_000 < len(answer.content) < 11_000_000
    assert len(answer.json()[kind]) == 1000 and "segments" in answer.json()[kind][0]
    emulator.switch(**{switch: 0})
    assert "segments" not in api.call("GET", f"/api/1/{kind}").text


@pytest.mark.parametrize("compressed", [False, True])
def test_byte_order_mark(api: Api, emulator: Emulator, compressed: bool) -> None:
    emulator.reset(SEED, byte_order_mark=True, gzip=compressed)
    for answer in (api.call("GET"), api.create("new"), api.call("GET", key="wrong")):
        assert answer.content.startswith(b"\xef\xbb\xbf{") and json.loads(answer.content.decode("utf-8-sig"))
        assert ("Content-Encoding" in answer.headers) is compressed
    assert api.edit(7).content == b"OK"


def test_early_hints(emulator: Emulator) -> None:
    emulator.reset(early_hints=True)
    head = f"GET {PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    for key, expected in [(KEY, ["103 Early Hints", "200 OK"]), ("wrong", ["401 UNAUTHORIZED"])]:
        with socket.create_connection(("127.0.0.1", emulator.port)) as connection:
            connection.sendall(f"{head}Authorization: Bearer {key}\r\n\r\n".encode())
            received = connection.makefile("rb").read()
        assert re.findall(r"(?m)^HTTP/1.1 (.*)\r$", received.decode()) == expected
