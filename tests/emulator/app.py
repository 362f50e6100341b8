# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Flask application: what every request goes through, whatever it asks for."""

from __future__ import annotations

import email.utils
import json
import math
import time
import typing as t

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from . import control_api, deployments, flags
from .answers import EARLY_HINTS, compressed, error_answer, json_answer, misbehaved, with_byte_order_mark
from .control import Control
from .errors import Invalid, Refused


def create_app(control: Control) -> Flask:
    """An application that speaks the API and the control interface."""
    app = Flask(__name__, static_folder=None)
    app.extensions["emulator"] = control
    app.register_blueprint(deployments.api)
    app.register_blueprint(flags.api)
    app.register_blueprint(control_api.api)
    app.before_request(_receive)
    app.after_request(_send)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Invalid, _invalid)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _receive() -> Response | None:
    """Record the request, misbehave if told to, and find out who sends it."""
    g.world = None
    data = request.get_data()  # always read, for the next request on this connection
    if request.path.startswith(control_api.PREFIX + "/"):
        return None
    g.world = world = current_app.extensions["emulator"].world
    g.switches = world.switches
    g.intercepted = False
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    g.key = key if scheme == "Bearer" else None
    g.record = world.log.add(
        method=request.method,
        path=request.path,
        query=request.args.to_dict(),
        body=_parsed(data),
        key=g.key,
        user_agent=request.headers.get("User-Agent", ""),
        headers=dict(request.headers),
    )
    known = g.key is not None and world.account.covered_by(g.key) is not None
    seconds_to_wait = world.rate_limit.count(g.key, g.switches) if known else None
    g.fault = world.faults.pick(request.method, request.path)
    if g.fault is not None and not g.fault.carries_out:
        answer = misbehaved(g.fault, None, world)
        g.intercepted = answer is not None
        if answer is not None:
            return answer
    if request.routing_exception is not None:
        raise request.routing_exception
    if not known:
        raise Refused(401, "the management API key is missing or not valid")
    if seconds_to_wait is not None:
        raise Refused(429, "too many requests", seconds_to_wait)
    return None


def _send(answer: Response) -> Response:
    """Finish the answer and its record."""
    if g.world is None:
        return answer
    if not g.intercepted:
        g.record.accepted = answer.status_code < 400
        if g.switches.byte_order_mark:
            answer = with_byte_order_mark(answer)
        if g.switches.gzip:
            answer = compressed(answer, request.accept_encodings)
    answer = _acted_upon(answer)
    if not g.intercepted:
        if g.fault is not None and g.fault.carries_out:
            answer = misbehaved(g.fault, answer, g.world) or answer
    if g.switches.early_hints and answer.status_code == 200:
        request.environ[EARLY_HINTS] = True
    g.world.wait(g.switches.latency)
    is_cut = g.fault is not None and g.fault.action == "cut"
    g.record.status = None if is_cut else answer.status_code
    return answer


def _acted_upon(answer: Response) -> Response:
    """The answer, after what was ordered for this moment."""
    try:
        g.world.actions.answered(request.method, request.path)
    except Exception as error:  # pylint: disable=broad-exception-caught
        current_app.logger.exception("What was ordered for after an answer failed")
        return error_answer(500, f"what was ordered for after this answer failed: {error}", g.switches)
    return answer


def _refused(error: Refused) -> Response:
    answer = error_answer(error.status, error.message, g.switches)
    if error.retry_after is not None and g.switches.retry_after != "none":
        seconds = max(1, math.ceil(error.retry_after))
        date = email.utils.formatdate(math.ceil(time.time() + error.retry_after), usegmt=True)
        answer.headers["Retry-After"] = str(seconds) if g.switches.retry_after == "seconds" else date
    return answer


def _invalid(error: Invalid) -> Response:
    return json_answer({"error": str(error)}, 400)


def _http_error(error: HTTPException) -> t.Any:
    status = error.code or 500
    if g.world is None:
        return json_answer({"error": error.description}, status)
    return error_answer(status, error.name, g.switches)


def _parsed(data: bytes) -> t.Any:
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")
