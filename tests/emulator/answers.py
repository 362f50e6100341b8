# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers, as the switches and faults want them."""

from __future__ import annotations

import codecs
import gzip
import html
import json
import typing as t

from flask import Response, request
from werkzeug.datastructures import Accept
from werkzeug.http import HTTP_STATUS_CODES

from .control import World
from .faults import Fault
from .switches import Switches

#: In the environ of a request: whether 103 Early Hints is to be sent before the answer.
EARLY_HINTS = "emulator.early_hints"


def json_answer(body: t.Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(json.dumps(body), status, content_type="application/json")


def text_answer(body: str, status: int = 200) -> Response:
    """A plain text answer."""
    return Response(body, status, content_type="text/plain; charset=utf-8")


def error_answer(status: int, message: str, switches: Switches) -> Response:
    """An error in the shape of the moment."""
    shape = switches.error_body
    if shape == "json":
        return json_answer({"code": status, "error": message}, status)
    if shape == "json_nested":
        return json_answer({"error": {"code": status, "message": message}}, status)
    if shape == "html":
        page = "<html><head><title>%d</title></head><body><h1>%d</h1><p>%s</p></body></html>\n"
        return Response(page % (status, status, html.escape(message)), status, content_type="text/html; charset=utf-8")
    return text_answer(message if shape == "text" else "", status)


def with_byte_order_mark(answer: Response) -> Response:
    """The answer with a byte order mark before its JSON."""
    if answer.mimetype == "application/json":
        answer.set_data(codecs.BOM_UTF8 + answer.get_data())
    return answer


def compressed(answer: Response, accepted: Accept) -> Response:
    """The answer with JSON compressed, if the client accepts that."""
    if answer.mimetype == "application/json" and accepted["gzip"] > 0:
        answer.set_data(gzip.compress(answer.get_data(), 1))
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Vary"] = "Accept-Encoding"
    return answer


def misbehaved(fault: Fault, real: Response | None, world: World) -> Response | None:
    """What a fault makes of the real answer (None: the request has not been carried out).

    The answer is None if the request is to go on as usual.
    """
    if fault.action == "early_hints":
        request.environ[EARLY_HINTS] = True
        return real
    if fault.action == "delay":
        world.wait(fault.seconds)
        return real
    if fault.action == "trickle":
        return real and _streamed(real, real.get_data(), _dribble(real.get_data(), fault.seconds, world))
    if fault.action == "truncate":
        whole = real or _made_up(fault, world)
        data = whole.get_data() or b" "
        return _streamed(whole, data, _broken_off(data[: len(data) // 2]))
    if fault.action == "cut":
        return Response(_broken_off(b""), 200, headers={"Content-Length": "0"})
    return _made_up(fault, world)


def _made_up(fault: Fault, world: World) -> Response:
    assert fault.status is not None
    if fault.body is not None:
        answer = text_answer(fault.body) if isinstance(fault.body, str) else json_answer(fault.body)
    elif fault.action == "truncate":
        answer = json_answer({"deployments": []})
    else:
        answer = error_answer(fault.status, HTTP_STATUS_CODES.get(fault.status, "Unknown"), world.switches)
    answer.status_code = fault.status
    answer.headers.update({name: str(value) for name, value in fault.headers.items()})
    return answer


def _streamed(answer: Response, whole: bytes, chunks: t.Iterator[bytes]) -> Response:
    answer.response = chunks
    answer.headers["Content-Length"] = str(len(whole))
    return answer


def _dribble(data: bytes, seconds: float, world: World) -> t.Iterator[bytes]:
    for index in range(len(data)):
        yield data[index : index + 1]
        world.wait(seconds)


def _broken_off(data: bytes) -> t.Iterator[bytes]:
    if data:
        yield data
    raise ConnectionAbortedError("the emulator was told to")
