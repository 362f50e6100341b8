# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers as they should be, as they should not be, and a bound on what reading them may cost."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc

from ansible_collections.community.amplitude.tests.support.servers import http

ROW = dict(id=1, projectId=1, label="web", key="client-1", deleted=False)
LIST = b'{"deployments": []}'


def answer_of(document, status="200 OK"):
    return http(status, json.dumps(document))


MIB = b"x" * 2**20
MOST_MEMORY = 100 * 10**6
CHUNKED = "Transfer-Encoding: chunked"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def sent(*headers, body=LIST, length=None):
    lines = ("HTTP/1.1 200 OK",) + headers + (() if length is None else (f"Content-Length: {length}",))
    return "\r\n".join(lines + ("", "")).encode("latin-1") + body


def packed(data, coding="gzip"):
    return sent("Content-Encoding: " + coding, body=data, length=len(data))


@contextlib.contextmanager
def bounded(seconds=5.0, memory=MOST_MEMORY):
    """A block must not take much memory, nor much time of the processor, however busy the machine is."""
    started = time.process_time()
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < memory
    assert time.process_time() - started < seconds


#: Values of every kind, for any field.
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
