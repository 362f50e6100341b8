# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/api/1/deployments``; another resource of the API is another module like this one."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Optional

from flask import Blueprint, Response, g, request

from . import paging
from .account import TYPES, Deployment
from .answers import json_answer, text_answer
from .errors import Refused
from .switches import Switches

api = Blueprint("deployments", __name__, url_prefix="/api/1/deployments")

_MADE_UP_PROJECT = "999999999"
_MADE_UP_IDS = 900000000


@api.route("", methods=["GET"], provide_automatic_options=False)
def list_deployments() -> Response:
    """The deployments of all projects that the management key covers, archived ones too."""
    account, switches = g.world.account, g.switches
    size = paging.page_size(request.args.get("limit"), switches)
    cursor = request.args.get("cursor")
    if cursor is None:
        offset, watermark = 0, account.begin_listing(g.key)
    else:
        offset, watermark = paging.read_cursor(cursor, switches)
        watermark = account.latest_listing(g.key) if watermark is None else watermark
    rows = account.rows(g.key, watermark, switches.order)
    page, next_offset = paging.cut(rows, offset, size, switches)
    if switches.endless_pages and not page:
        page = [_made_up(offset)]
    body = {"deployments": [_row(deployment, switches) for deployment in page]}
    return json_answer({**body, **paging.next_cursor(next_offset, watermark, switches), **_extra(switches)})


@api.route("", methods=["POST"], provide_automatic_options=False)
def create_deployment() -> Response:
    """Create a deployment; only its id is answered."""
    body = _body()
    if body is None:
        raise Refused(400, "a JSON body is required")
    project_id, label, type = body.get("projectId"), _label(body.get("label")), body.get("type")
    if not isinstance(project_id, str):
        raise Refused(400, "projectId must be a string")
    if not isinstance(type, str) or type not in TYPES:
        raise Refused(400, "type must be client or server")
    _check_access(project_id)
    id = g.world.account.create(project_id, label, type, g.switches)
    g.record.committed = True
    return json_answer({"id": _id(id, g.switches), **_extra(g.switches)})


@api.route("/<id>", methods=["PATCH"], provide_automatic_options=False)
def edit_deployment(id: str) -> Response:
    """Rename, archive or restore a deployment."""
    deployment = g.world.account.deployment(id)
    if deployment is None:
        raise Refused(404, "deployment %s does not exist" % id)
    _check_access(deployment.project_id)
    body = _body() or {}
    label = _label(body["label"]) if "label" in body else None
    archive = body.get("archive")
    if "archive" in body and not isinstance(archive, bool):
        raise Refused(400, "archive must be a boolean")
    g.record.committed = g.world.account.edit(id, label, archive, g.switches)
    return text_answer("OK")


def _body() -> Optional[Dict[str, Any]]:
    data = request.get_data()
    if not data:
        return None
    if request.mimetype != "application/json":
        raise Refused(400, "Content-Type must be application/json")
    try:
        body = json.loads(data.decode("utf-8"))
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "the body must be a JSON object")
    return body


def _label(given: Any) -> str:
    if not isinstance(given, str) or not re.fullmatch("[A-Za-z0-9_-]+", given):
        raise Refused(400, "label must consist of letters, digits, _ and -")
    return given


def _check_access(project_id: str) -> None:
    if project_id not in g.world.account.covered_by(g.key):
        raise Refused(403, "no access to project %s" % project_id)


def _id(id: str, switches: Switches) -> Any:
    is_number = switches.ids == "number" and not switches.opaque_ids and re.fullmatch("0|[1-9][0-9]*", id)
    return int(id) if is_number else id


def _row(deployment: Deployment, switches: Switches) -> Dict[str, Any]:
    row = {
        "id": _id(deployment.id, switches),
        "projectId": _id(deployment.project_id, switches),
        "label": deployment.label,
        "key": deployment.key,
        "deleted": deployment.deleted,
        **_extra(switches),
    }
    if switches.omit_deleted and not deployment.deleted:
        del row["deleted"]
    return row


def _made_up(offset: int) -> Deployment:
    id = str(_MADE_UP_IDS + offset)
    return Deployment(id, _MADE_UP_PROJECT, "made-up-%s" % id, "client-" + id.zfill(32))


def _extra(switches: Switches) -> Dict[str, Any]:
    return {"_links": {"self": None, "tags": [{"deleted": True}]}, "revision": 7} if switches.extra_fields else {}
