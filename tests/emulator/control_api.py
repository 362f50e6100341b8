# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/_emulator/``: the control operations over HTTP; requests here are neither recorded nor limited."""

from __future__ import annotations

import json
import typing as t

from flask import Blueprint, Response, current_app, request

from .account import EDITABLE_FIELDS, ROW_FIELDS
from .answers import json_answer
from .control import ORDER_FIELDS, Control
from .errors import Invalid, check_fields, field_names
from .faults import Fault
from .switches import Switches
from .usage import EDITABLE_FLAG_FIELDS, FLAG_FIELDS

PREFIX = "/_emulator"
api = Blueprint("control", __name__, url_prefix=PREFIX)

Body = t.Mapping[str, t.Any]


def _reset(control: Control, body: Body) -> None:
    check_fields("reset", body, ("seed", "switches"))
    control.reset(body.get("seed"), **check_fields("switches", body.get("switches") or {}, field_names(Switches)))


def _requests(control: Control, body: Body) -> dict[str, t.Any]:
    since = check_fields("the query", request.args, ("since",)).get("since", "0")
    if not since.isdigit():
        raise Invalid(f"since must be a number, not {since!r}")
    return {"requests": control.requests(int(since))}


def _switch(control: Control, body: Body) -> dict[str, t.Any]:
    control.switch(**check_fields("switches", body, field_names(Switches)))
    return control.switches()


def _order(control: Control, body: Body) -> None:
    control.order_action(**check_fields("an action", body, ORDER_FIELDS))


def _create(create: t.Callable[..., t.Any], what: str, fields: t.Sequence[str]) -> t.Callable[..., t.Any]:
    return lambda control, body: create(control, **check_fields(what, body, fields))


def _edit(edit: t.Callable[..., t.Any], fields: t.Sequence[str]) -> t.Callable[..., t.Any]:
    return lambda control, body, id: edit(control, id, **check_fields("a change by hand", body, fields))


def _assign(assign: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    def operation(control: Control, body: Body, id: str) -> t.Any:
        return assign(control, id, check_fields("an assignment by hand", body, ["deployments"]).get("deployments"))

    return operation


def _remove(remove: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    return lambda control, body, id, deployment_id: remove(control, id, [deployment_id])


_OPERATIONS: dict[tuple[str, str], t.Callable[..., t.Any]] = {
    ("POST", "/reset"): _reset,
    ("GET", "/requests"): _requests,
    ("DELETE", "/requests"): lambda control, body: control.forget_requests(),
    ("GET", "/deployments"): lambda control, body: {"deployments": control.deployments()},
    ("POST", "/deployments"): _create(Control.create_deployment, "a deployment", ROW_FIELDS),
    ("PATCH", "/deployments/<id>"): _edit(Control.edit_deployment, EDITABLE_FIELDS),
    ("GET", "/flags"): lambda control, body: {"flags": control.flags()},
    ("POST", "/flags"): _create(Control.create_flag, "a flag", FLAG_FIELDS),
    ("PATCH", "/flags/<id>"): _edit(Control.edit_flag, EDITABLE_FLAG_FIELDS),
    ("POST", "/flags/<id>/deployments"): _assign(Control.assign_to_flag),
    ("DELETE", "/flags/<id>/deployments/<deployment_id>"): _remove(Control.remove_from_flag),
    ("GET", "/experiments"): lambda control, body: {"experiments": control.experiments()},
    ("POST", "/experiments"): _create(Control.create_experiment, "an experiment", FLAG_FIELDS),
    ("PATCH", "/experiments/<id>"): _edit(Control.edit_experiment, EDITABLE_FLAG_FIELDS),
    ("POST", "/experiments/<id>/deployments"): _assign(Control.assign_to_experiment),
    ("DELETE", "/experiments/<id>/deployments/<deployment_id>"): _remove(Control.remove_from_experiment),
    ("POST", "/faults"): lambda control, body: control.misbehave(**check_fields("a fault", body, field_names(Fault))),
    ("DELETE", "/faults"): lambda control, body: control.behave(),
    ("POST", "/actions"): _order,
    ("DELETE", "/actions"): lambda control, body: control.forget_actions(),
    ("GET", "/switches"): lambda control, body: control.switches(),
    ("PATCH", "/switches"): _switch,
}


def _body() -> Body:
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise Invalid(f"the body must be JSON: {error}") from error
    if not isinstance(body, dict):
        raise Invalid("the body must be a JSON object")
    return body


def _view(operation: t.Callable[..., t.Any]) -> t.Callable[..., Response]:
    def view(**arguments: str) -> Response:
        result = operation(current_app.extensions["emulator"], _body(), **arguments)
        return json_answer({} if result is None else result)

    return view


for (_method, _path), _function in _OPERATIONS.items():
    api.add_url_rule(_path, (_method + _path).replace("/", "_"), _view(_function), methods=[_method])
