# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/api/1/flags`` and ``/api/1/experiments``, which are alike.

Of what they are, only their deployments can be changed here; the rest is written by tests, by hand.
"""

from __future__ import annotations

import typing as t

from flask import Blueprint, Response, g, request

from . import assignments
from .answers import json_answer, text_answer
from .deployments import sent_row
from .errors import Refused
from .resources import MADE_UP_PROJECT, check_access, extra_fields, json_body, list_answer, padding, sent_id
from .switches import Switches
from .usage import Flag

ASSIGNED = "/<any(flags, experiments):kind>/<id>/deployments"
api = Blueprint("flags", __name__, url_prefix="/api/1")


@api.route("/<any(flags, experiments):kind>", methods=["GET"], provide_automatic_options=False)
def list_flags(kind: str) -> Response:
    """Those of one project, or of all that the management key covers; newest first, whatever ``order`` says."""
    flags = g.world.account.usage[kind]
    key, project_id = request.args.get("key"), request.args.get("projectId")
    archived = request.args.get("includeArchived", "false")
    if archived not in ("true", "false"):
        raise Refused(400, "includeArchived must be true or false")
    if project_id is not None:
        check_access(project_id)
    projects = g.world.account.covered_by(g.key) if project_id is None else frozenset([project_id])

    def sent(flag: Flag, switches: Switches) -> dict[str, t.Any]:
        row = _row(flag, switches)
        if archived == "true" and switches.archived_field != "none":
            row[switches.archived_field] = flag.archived
        return row

    return list_answer(
        kind, flags, lambda watermark: flags.seen(projects, key, archived == "true", watermark), sent, _made_up
    )


@api.route(ASSIGNED, methods=["GET"], provide_automatic_options=False)
def list_assigned(kind: str, id: str) -> Response:
    """The deployments of one, in a bare array; what lists of deployments or flags do not show yet, this does not either."""
    _check(kind, id)
    table = g.world.account.table
    flag = g.world.account.usage[kind].listed(id)
    if flag is None:
        raise Refused(404, f"{id} does not exist")
    visible = {row.id: row for row in table.rows(table.latest(), "all", list)}
    return json_answer([sent_row(visible[each], g.switches) for each in flag.deployments if each in visible])


@api.route(ASSIGNED, methods=["POST"], provide_automatic_options=False)
def assign(kind: str, id: str) -> Response:
    """Assign deployments to one."""
    _check(kind, id)
    wanted = (json_body() or {}).get("deployments")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(each, str) for each in wanted):
        raise Refused(400, "deployments must be an array of strings, and not be empty")
    g.record.committed, refused = assignments.assign(g.world.account, kind, id, wanted, g.switches)
    if refused is not None:
        raise refused
    return text_answer("OK")


@api.route(ASSIGNED + "/<deployment_id>", methods=["DELETE"], provide_automatic_options=False)
def remove(kind: str, id: str, deployment_id: str) -> Response:
    """Remove a deployment from one."""
    _check(kind, id)
    g.record.committed = assignments.remove(g.world.account, kind, id, deployment_id, g.switches)
    return text_answer("OK")


def _check(kind: str, id: str) -> None:
    """Refuse what does not exist, and what the management key does not cover."""
    flag = g.world.account.usage[kind].get(id)
    if flag is None:
        raise Refused(404, f"{id} does not exist")
    check_access(flag.project_id)


def _row(flag: Flag, switches: Switches) -> dict[str, t.Any]:
    return {
        "id": sent_id(flag.id, switches),
        "projectId": sent_id(flag.project_id, switches),
        "key": flag.key,
        "name": flag.name,
        "enabled": flag.enabled,
        "evaluationMode": flag.evaluation_mode,
        "deployments": [sent_id(id, switches, switches.deployment_ids_in_flags) for id in flag.deployments],
        **extra_fields(switches),
        **padding(switches.row_padding),
    }


def _made_up(id: str) -> Flag:
    return Flag(id, MADE_UP_PROJECT, f"made-up-{id}", "made up")
