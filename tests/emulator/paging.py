# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How lists are cut into pages, and what cursors look like; the same for every kind of row."""

from __future__ import annotations

import base64
import re
import typing as t

from .errors import Refused
from .switches import Switches

Row = t.TypeVar("Row")


class Position(t.NamedTuple):
    """Where a page begins, and the watermark of its listing (None: not in the cursor)."""

    offset: int
    watermark: int | None


def page_size(limit: str | None, switches: Switches) -> int:
    """The number of rows that a query's ``limit`` asks for."""
    if limit is None:
        return min(switches.default_page_size, switches.max_page_size)
    if not re.fullmatch("[0-9]{1,18}", limit) or int(limit) < 1:
        raise Refused(400, "limit must be a positive number")
    return min(int(limit), switches.max_page_size)


def cut(rows: list[Row], offset: int, size: int, switches: Switches) -> tuple[list[Row], int | None]:
    """The rows of one page, and the offset of the page that its cursor leads to (None: no cursor)."""
    page = rows[offset : offset + size]
    end = offset + len(page)
    if end < len(rows):
        return page, end
    if switches.cursor_repeats:
        return page, offset
    if switches.endless_pages:
        return page, end if page else offset + 1
    if switches.last_page == "empty_page_with_cursor":
        return page, end if page else offset + size
    if switches.last_page == "empty_page" and page:
        return page, end
    return page, None


def next_cursor(offset: int | None, watermark: int, switches: Switches) -> dict[str, t.Any]:
    """The part of a list answer that says how to go on."""
    if offset is None:
        endings: dict[str, t.Any] = {"null": None, "empty_string": "", "zero": 0, "false": False}
        return {"nextCursor": endings[switches.last_page]} if switches.last_page in endings else {}
    if switches.cursor == "offset":
        return {"nextCursor": offset}
    return {"nextCursor": base64.b64encode(b"%d:%d" % (offset, watermark)).decode()}


def read_cursor(cursor: str, switches: Switches) -> Position:
    """The position that a query's ``cursor`` stands for."""
    if switches.cursor == "offset":
        if re.fullmatch("[0-9]{1,18}", cursor):
            return Position(int(cursor), None)
    else:
        try:
            position = re.fullmatch("([0-9]{1,18}):([0-9]{1,18})", base64.b64decode(cursor, validate=True).decode())
        except ValueError:
            position = None
        if position:
            return Position(int(position[1]), int(position[2]))
    raise Refused(400, "cursor is not one that a list has handed out")
