# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/api/1/flags`` and ``/api/1/experiments``, which are alike; only tests write them, by hand."""

from __future__ import annotations

import typing as t

from flask import Blueprint, Response, g, request

from .errors import Refused
from .resources import MADE_UP_PROJECT, check_access, extra_fields, list_answer, padding, sent_id
from .switches import Switches
from .usage import Flag

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


def _row(flag: Flag, switches: Switches) -> dict[str, t.Any]:
    return {
        "id": sent_id(flag.id, switches),
        "projectId": sent_id(flag.project_id, switches),
        "key": flag.key,
        "name": flag.name,
        "enabled": flag.enabled,
        "deployments": [sent_id(id, switches, switches.deployment_ids_in_flags) for id in flag.deployments],
        **extra_fields(switches),
        **padding(switches.row_padding),
    }


def _made_up(id: str) -> Flag:
    return Flag(id, MADE_UP_PROJECT, f"made-up-{id}", "made up")
