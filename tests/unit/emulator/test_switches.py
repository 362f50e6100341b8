# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches that are about the form of every answer, and those that are not understood."""

from __future__ import annotations

import gzip
import json
import re
import time
import typing as t

import pytest

from ansible_collections.community.amplitude.tests.emulator import Emulator, Invalid
from ansible_collections.community.amplitude.tests.unit.emulator.api import SEED, Api


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
    assert 0.1 <= time.monotonic() - began < 1


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
