# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The texts of the files that the playbooks ``audit`` and ``plan`` leave. No key is part of them."""

from __future__ import annotations

import json
import typing as t

from ._pages import About, audit_page, plan_page
from ._reports import render
from ._screen import differing
from ._told import counted, verdict, what

Row = t.Mapping[str, t.Any]


def audit_files(found: Row, about: About) -> dict[str, str]:
    """The reports of an audit, by the names of their files.

    :param found: what the module ``amplitude_drift_info`` returned.
    """
    audit = {field: found[field] for field in ("summary", "deployments", "other_projects")}
    audit = dict(audited=about.time, **audit)
    return {
        "audit.json": _by_line(audit),
        "audit.md": render("audit.md.j2", dict(audit=audit, verdict=verdict(found["summary"]))),
        "audit.html": audit_page(found, about),
    }


def plan_files(plan: Row, counts: t.Sequence[Row], about: About) -> dict[str, str]:
    """The files of a plan, by their names.

    :param plan: as :func:`._plan_file.planned` makes it. Its file has neither the time nor the counts, so that the same plan
        has the same bytes.
    :param counts: for each of its projects what :func:`._told.counts_of` counts.
    """
    every = {
        field: [each for project in plan["projects"] for each in project[field]] for field in ("changes", "problems")
    }
    values = dict(every, plan=plan, differ=differing(plan, counts), planned=about.time, counted=counted, what=what)
    return {
        "plan.json": json.dumps(plan, indent=4, separators=(",", ": ")) + "\n",
        "plan.md": render("plan.md.j2", values),
        "plan.html": plan_page(plan, counts, about),
    }


def _by_line(value: Row) -> str:
    """A value as JSON, in which each field, and each row of a list, has its line: for programs, and for a look into it."""
    fields = []
    for name, each in value.items():
        text = json.dumps(each)
        if isinstance(each, list) and each:
            text = "[\n    " + ",\n    ".join(map(json.dumps, each)) + "\n  ]"
        fields.append(f"  {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(fields) + "\n}\n"
