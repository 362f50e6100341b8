# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/api/1/deployments``; another resource of the API is another module like this one."""

from __future__ import annotations

import re
import typing as t

from flask import Blueprint, Response, g

from .account import TYPES, Deployment
from .answers import json_answer, text_answer
from .errors import Refused
from .resources import MADE_UP_PROJECT, check_access, extra_fields, list_answer, padding, sent_fields, sent_id
from .switches import Switches

api = Blueprint("deployments", __name__, url_prefix="/api/1/deployments")


@api.route("", methods=["GET"], provide_automatic_options=False)
def list_deployments() -> Response:
    """The deployments of all projects that the management key covers, archived ones too."""
    account, key, order = g.world.account, g.key, g.switches.order
    return list_answer(
        "deployments", account.table, lambda watermark: account.rows(key, watermark, order), sent_row, _made_up
    )


@api.route("", methods=["POST"], provide_automatic_options=False)
def create_deployment() -> Response:
    """Create a deployment; only its id is answered."""
    where = g.switches.fields_of_post
    fields = sent_fields(where)
    if fields is None:
        raise Refused(400, "a query is required" if where == "query" else "a JSON body is required")
    project_id, label, type = fields.get("projectId"), _label(fields.get("label")), fields.get("type")
    if not isinstance(project_id, str):
        raise Refused(400, "projectId must be a string")
    if not isinstance(type, str) or type not in TYPES:
        raise Refused(400, "type must be client or server")
    check_access(project_id)
    id = g.world.account.create(project_id, label, type, g.switches)
    g.record.committed = True
    return json_answer({"id": sent_id(id, g.switches), **extra_fields(g.switches)})


@api.route("/<id>", methods=["PATCH"], provide_automatic_options=False)
def edit_deployment(id: str) -> Response:
    """Rename, archive or restore a deployment."""
    deployment = g.world.account.deployment(id)
    if deployment is None:
        raise Refused(404, f"deployment {id} does not exist")
    check_access(deployment.project_id)
    fields = sent_fields(g.switches.fields_of_patch) or {}
    label = _label(fields["label"]) if "label" in fields else None
    archive = fields.get("archive")
    if "archive" in fields and not isinstance(archive, bool):
        raise Refused(400, "archive must be a boolean")
    g.record.committed = g.world.account.edit(id, label, archive, g.switches)
    return text_answer("OK")


def _label(given: t.Any) -> str:
    if not isinstance(given, str) or not re.fullmatch("[A-Za-z0-9_-]+", given):
        raise Refused(400, "label must consist of letters, digits, _ and -")
    if g.switches.longest_label and len(given) > g.switches.longest_label:
        raise Refused(400, f"label must have no more than {g.switches.longest_label} characters")
    return given


def sent_row(deployment: Deployment, switches: Switches) -> dict[str, t.Any]:
    """A deployment as every list sends it."""
    row = {
        "id": sent_id(deployment.id, switches),
        "projectId": sent_id(deployment.project_id, switches),
        "label": deployment.label,
        "key": None if g.world.account.key_is_late(deployment.id) else deployment.key,
        "deleted": deployment.deleted,
        **extra_fields(switches),
        **padding(switches.deployment_padding),
    }
    if switches.omit_deleted and not deployment.deleted:
        del row["deleted"]
    return row


def _made_up(id: str) -> Deployment:
    return Deployment(id, MADE_UP_PROJECT, f"made-up-{id}", "client-" + id.zfill(32))
