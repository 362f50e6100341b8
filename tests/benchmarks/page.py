# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the figures: tables, and their place between the prose that is kept by hand."""

from __future__ import annotations

import os
import platform
import typing as t

from .contenders import NOTHING
from .measuring import Figure
from .rows import Comparison, Row, Verdict

BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->"


def table(header: t.Sequence[str], rows: t.Iterable[t.Sequence[t.Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in lines) + "\n"


def verdicts(rows: t.Iterable[tuple[Row, Verdict]]) -> str:
    """The table of what is to be reached."""
    lines = [
        (row.what, row.limit, verdict.limit, verdict.measured, row.to_reach, "yes" if verdict.is_met else "**no**")
        for row, verdict in rows
    ]
    return table(["what", "limit", "the limit, measured", "measured", "to reach", "reached"], lines)


def comparison(compared: Comparison, figures: t.Mapping[str, Figure]) -> str:
    """A table of contenders that do the same work."""
    start = figures[NOTHING.name].seconds

    def seconds(name: str) -> float:
        return (figures[name].seconds - start) / compared.tasks

    names = [each.name for each in compared.contenders if each.name != NOTHING.name]
    lines = [
        (name, f"{seconds(name):.3f}", f"{seconds(name) / seconds(compared.base):.2f}", figures[name].requests)
        for name in names
    ]
    return f"## {compared.title}\n\n" + table(["contender", "seconds", f"times {compared.base}", "requests"], lines)


def machine(ansible_version: str, rounds: int) -> str:
    """What the figures were measured with.

    :param ansible_version: what ``ansible --version`` says.
    """
    ansible = ansible_version.splitlines()[0].replace("[", "").replace("]", "")
    where = f"Python {platform.python_version()} on {os.cpu_count()} cores ({platform.machine()})"
    return f"Measured with {ansible} and {where}; {rounds} rounds, fewer of what takes long.\n"


def replaced(page: str, figures: str) -> str:
    """A page with other figures between its marks.

    :raises ValueError: it has not got the marks.
    """
    begin = page.index(BEGIN) + len(BEGIN)
    end = page.index(END, begin)
    return f"{page[:begin]}\n{figures.strip()}\n\n{page[end:]}"
