# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the resources of the API have in common."""

from __future__ import annotations

import functools
import json
import re
import typing as t

from flask import Response, g, request

from . import paging
from .answers import json_answer
from .errors import Refused
from .switches import Switches
from .table import Table

MADE_UP_PROJECT = "999999999"
_MADE_UP_IDS = 900000000
_is_number = re.compile("0|[1-9][0-9]*").fullmatch

Row = t.TypeVar("Row")


def list_answer(
    name: str,
    table: Table[Row],
    rows: t.Callable[[int], list[Row]],
    sent: t.Callable[[Row, Switches], dict[str, t.Any]],
    made_up: t.Callable[[str], Row],
) -> Response:
    """The page that the query asks for.

    :param name: the field that holds the rows.
    :param rows: all rows as of a watermark of the table.
    :param sent: a row as it is sent.
    :param made_up: the row of an endless page, from its id.
    """
    switches = g.switches
    size = paging.page_size(request.args.get("limit"), switches)
    cursor = request.args.get("cursor")
    if cursor is None:
        offset, watermark = 0, table.begin_listing(g.key)
    else:
        position = paging.read_cursor(cursor, switches)
        offset = position.offset
        if switches.pages == "live":
            watermark = table.latest()
        else:
            watermark = table.latest_listing(g.key) if position.watermark is None else position.watermark
    page, next_offset = paging.cut(rows(watermark), offset, size, switches)
    if switches.endless_pages and not page:
        page = [made_up(str(_MADE_UP_IDS + offset))]
    body = {name: [sent(row, switches) for row in page]}
    return json_answer({**body, **paging.next_cursor(next_offset, watermark, switches), **extra_fields(switches)})


def json_body() -> dict[str, t.Any] | None:
    """The JSON object that a request carries, or None if it has no body."""
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


def sent_fields(where: str) -> dict[str, t.Any] | None:
    """The fields that a POST or PATCH carries, or None if it carries nothing.

    :param where: as the switches ``fields_of_post`` and ``fields_of_patch`` have it. In a query, ``true`` and ``false`` are
        the booleans.
    """
    if where == "query":
        words = {"true": True, "false": False}
        return {name: words.get(value, value) for name, value in request.args.items()} or None
    if where == "body_alone" and request.args:
        raise Refused(400, "no query is expected")
    return json_body()


def check_access(project_id: str) -> None:
    """Refuse a project that the management key does not cover."""
    if project_id not in g.world.account.covered_by(g.key):
        raise Refused(403, f"no access to project {project_id}")


def sent_id(id: str, switches: Switches, type: str = "same") -> t.Any:
    """An id as it is sent: in the JSON type that switch ``ids`` says, unless it is to be another."""
    wanted = switches.ids if type == "same" else type
    return int(id) if wanted == "number" and not switches.opaque_ids and _is_number(id) else id


def extra_fields(switches: Switches) -> dict[str, t.Any]:
    """Fields that are not documented, if there are to be any."""
    return {"_links": {"self": None, "tags": [{"deleted": True}]}, "revision": 7} if switches.extra_fields else {}


@functools.lru_cache(maxsize=8)
def padding(size: int) -> dict[str, t.Any]:
    """Fields that make a row so many bytes larger or a few more, of the kind that a flag's configuration has."""
    if not size:
        return {}
    users = [f"user-{number:06}@example.com" for number in range(size // len('"user-000000@example.com", ') + 1)]
    return {
        "variants": [{"key": "on", "payload": {"id": 1, "deployments": ["none"], "nextCursor": None}}],
        "segments": [{"name": "targeted", "userIds": users}],
    }
