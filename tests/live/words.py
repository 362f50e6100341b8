# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How what was seen at the real service is put into words, without keys, ids and labels."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import textwrap
import typing as t


def say(what: str) -> None:
    """Print a line. That nobody reads it any more must not keep anything from being archived."""
    with contextlib.suppress(OSError):
        print(what, flush=True)


def kinds(values: t.Iterable[t.Any]) -> str:
    """What kinds of JSON values these are."""
    kinds = set()
    for value in values:
        if isinstance(value, str):
            kinds.add("text of digits" if value.isdigit() else "text")
        else:
            kinds.add("numbers" if isinstance(value, int) else "something else")
    return " and ".join(sorted(kinds)) or "not observed"


def fields(documents: t.Iterable[t.Mapping[str, t.Any]], known: t.Collection[str]) -> str:
    """The names of all fields that are not known."""
    names = {name for document in documents for name in document if name not in known}
    return ", ".join(map(literal, sorted(names))) or "none"


def literal(name: str) -> str:
    """The name of a field as it can be shown: it is not known what else a service takes for one."""
    return "``{0}``".format(name if re.fullmatch("[A-Za-z_$][A-Za-z0-9_$]{0,30}", name) else "?")


def ending(pages: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """How the last page of a list tells that it is the last."""
    last = pages[-1]
    if len(pages) > 1 and not last["deployments"]:
        return "there is one on a page without rows" if last.get("nextCursor") else "there is a page without rows"
    if "nextCursor" not in last:
        return "left out"
    return "null" if last["nextCursor"] is None else "an empty text"


def shape(answer: bytes) -> str:
    """What the body of an answer is, without what it says."""
    text = answer.decode("utf-8", "replace").strip()
    if not text:
        return "an empty body"
    try:
        document = json.loads(text)
    except ValueError:
        return "HTML" if re.match(r"(?i)<(!doctype|html|head|body)", text) else "text"
    if not isinstance(document, dict):
        return "JSON that is no object"
    names = []
    for name, value in document.items():
        inner = f" (an object with {fields([value], ())})" if isinstance(value, dict) else ""
        names.append(literal(name) + inner)
    return "JSON with {0}".format(", ".join(sorted(names)) or "no fields")


def sent_as(kind: str) -> str:
    return f" sent as ``{kind}``" if re.fullmatch(r"[a-z0-9.+/-]{1,50}", kind) else ""


def form_of_retry_after(header: str | None) -> str:
    if header is None:
        return "not sent"
    return "seconds" if header.strip().isdigit() else "something else, probably a date"


def table(facts: t.Mapping[str, str]) -> str:
    """What was observed, as a table for docs/docsite/rst/api.rst."""
    lines = [".. list-table::", "  :header-rows: 1", "  :widths: 42 43 15", ""]
    today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    for row in [("Fact", "Observed", "Date")] + [(*fact, today) for fact in facts.items()]:
        for number, cell in enumerate(row):
            text = cell[0].upper() + cell[1:] + ("." if number < 2 and row[0] != "Fact" else "")
            first = "    - " if number else "  * - "
            lines += textwrap.wrap(text, 120, initial_indent=first, subsequent_indent=" " * 6, break_on_hyphens=False)
    return "\n".join(lines) + "\n"
