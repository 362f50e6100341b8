# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What the playbooks show on screen: the first rows of what the reports have, in lines that fit a terminal."""

from __future__ import annotations

import textwrap
import typing as t

from ._reports import line
from ._told import counted, what

#: Characters of a line.
WIDTH = 100
#: Rows of a table.
MOST = 30
#: Rows of what is only told beside it.
MOST_BESIDE = 10
#: Problems, and projects of a plan.
MOST_OF_PLAN = 20
#: Characters that the last column has at least if another one can be shorter.
LAST = 40
#: Lines of a row.
LINES = 3

Row = t.Mapping[str, t.Any]
#: The columns of what a plan would do in a project, after its ID.
COUNTS = ("created", "renamed", "restored", "archived", "assigned", "removed", "unchanged", "problems")


def audited(found: Row, path: str) -> list[str]:
    """What an audit has found.

    :param found: what the module ``amplitude_drift_info`` returned.
    :param path: that of the report which has all of it.
    """
    summary = found["summary"]
    order = {kind: number for number, kind in enumerate(summary["kinds"])}
    told = sorted((row for row in found["deployments"] if row["drift"]), key=lambda row: order[row["drift"]])
    fields = ("project_id", "label", "id", "type", "drift", "detail")
    lines = table(["project", "label", "id", "type", "drift", "what is wrong"], _rows(told[:MOST], fields), 1)
    lines += _more(len(told) - MOST, "deployment", f", see {path}")
    lines += [""] * bool(lines)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in summary["kinds"].items() if count)
    lines += _wrapped(
        f"{counted(summary['total'], 'deployment')}, {summary['drift']:,} with drift" + (f": {kinds}" if kinds else "")
    )
    unused = [row for row in found["deployments"] if row["unused"]]
    if unused:
        lines += ["", f"Used by no flag and no experiment: {counted(len(unused), 'deployment')}"]
        lines += table(["project", "id", "label"], _rows(unused[:MOST_BESIDE], ("project_id", "id", "label")))
        lines += _more(len(unused) - MOST_BESIDE, "deployment", f", see {path}")
    others = found["other_projects"]
    if others:
        lines += ["", f"Not listed in the desired state: {counted(len(others), 'project')}"]
        rows = _rows(others[:MOST_BESIDE], ("project_id", "active", "archived"))
        lines += table(["project", "active", "archived"], rows)
        lines += _more(len(others) - MOST_BESIDE, "project", f", see {path}")
    return lines


def planned(plan: Row, counts: t.Sequence[Row], problems: t.Sequence[Row], path: str) -> list[str]:
    """What a plan would do.

    :param plan: what is written into ``plan.json``.
    :param counts: for each of its projects what :func:`._told.counts_of` counts.
    :param problems: all of its problems with ``told``, the sentence.
    :param path: that of the file which has all of it.
    """
    differ = differing(plan, counts)
    if not differ:
        return ["Nothing has to be changed."]
    changes = [dict(change, what=what(change)) for project in differ for change in project["changes"]]
    where = f", see {path}"
    rows = _rows(changes[:MOST], ("project_id", "action", "id", "label", "what"))
    lines = table(["project", "action", "id", "label", ""], rows, 3)
    lines += _more(len(changes) - MOST, "change", where)
    lines += [""] * bool(lines)
    heads = ("project_id", *COUNTS)
    lines += table(["project", *COUNTS], _rows(differ[:MOST_OF_PLAN], heads))
    lines += _more(len(differ) - MOST_OF_PLAN, "project", where)
    lines += [""] * bool(problems)
    lines += [line(each["told"]) for each in problems[:MOST_OF_PLAN]]
    return lines + _more(len(problems) - MOST_OF_PLAN, "problem", where)


def differing(plan: Row, counts: t.Sequence[Row]) -> list[dict[str, t.Any]]:
    """The projects of a plan that are not as they should be, each with its changes, :data:`COUNTS` and ``project_id``."""
    return [
        dict(count, project_id=each["project_id"], changes=each["changes"], problems=len(each["problems"]))
        for each, count in zip(plan["projects"], counts)
        if each["changes"] or each["problems"]
    ]


def table(heads: t.Sequence[str], rows: t.Sequence[t.Sequence[t.Any]], cut: int | None = None) -> list[str]:
    """The lines of a table, none if there are no rows. What does not fit into the last column continues below.

    :param cut: the column that is cut to leave room for the last one.
    """
    if not rows:
        return []
    columns = [_texts(head, column) for head, column in zip(heads, zip(*rows))]
    *widths, last = _widths(columns, cut)
    indent = " " * (sum(widths) + 2 * len(widths))
    lines = []
    for *first, text in zip(*columns):
        parts = _wrapped(text, last, LINES) if len(text) > last else [text]
        lines.append("  ".join([*map(_padded, first, widths), parts[0]]).rstrip())
        lines += [indent + part for part in parts[1:]]
    return lines


def _texts(head: str, column: t.Sequence[t.Any]) -> list[str]:
    """The texts of a column. Numbers end in one line."""
    if not all(isinstance(cell, int) for cell in column):
        return [head, *("-" if cell is None else line(cell) for cell in column)]
    width = max(len(str(each)) for each in (head, *column))
    return [str(each).rjust(width) for each in (head, *column)]


def _widths(columns: t.Sequence[t.Sequence[str]], cut: int | None) -> list[int]:
    """The most characters that each column can have, with two between them."""
    *widths, last = [max(map(len, column)) for column in columns]
    widths = [width if place == cut else min(width, WIDTH // 5) for place, width in enumerate(widths)]
    left = WIDTH - 2 * len(widths) - sum(widths)
    if cut is not None:
        missing = max(min(last, LAST) - left, 0)
        widths[cut] = max(widths[cut] - missing, len(columns[cut][0]))
        left = WIDTH - 2 * len(widths) - sum(widths)
    return [*widths, max(left, LAST // 2)]


def _rows(rows: t.Iterable[Row], fields: t.Sequence[str]) -> list[list[t.Any]]:
    return [[row[field] for field in fields] for row in rows]


def _padded(text: str, width: int) -> str:
    return (text if len(text) <= width else text[: width - 1] + "…").ljust(width)


def _more(count: int, word: str, where: str) -> list[str]:
    return [f"… and {counted(count, f'more {word}')}{where}"] if count > 0 else []


def _wrapped(text: str, width: int = WIDTH, most: int | None = None) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False, max_lines=most, placeholder=" …")
