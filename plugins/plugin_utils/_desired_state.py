# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The desired state of an account, and what is wrong with its frame.

The frame is the list of projects. The modules tell what is wrong with a deployment in it.
"""

from __future__ import annotations

import os
import re
import typing as t

from ..module_utils._api.deployments import identifier_from
from ..module_utils._errors import InputError
from ..module_utils._given import is_blank

#: The variable that is the desired state, in a file or elsewhere.
VARIABLE = "amplitude_projects"

_LIST_PROJECTS = "list the projects, each with its project_id and its deployments"


class Project(t.NamedTuple):
    """A project of the desired state.

    ``number`` counts the projects from 1. ``deployments`` are as they are written.
    """

    number: int
    project_id: str
    deployments: list[t.Any]


class State(t.NamedTuple):
    """The desired state, and what to call the place where it is written."""

    source: str
    projects: list[Project]


class Unusable(Exception):
    """The desired state cannot be used.

    :param errors: everything that is wrong with it.
    """

    def __init__(self, errors: t.Sequence[InputError]) -> None:
        self.errors = errors
        super().__init__("\n".join(map(str, errors)))


def absolute(path: t.Any) -> str:
    """A path that was given; a relative one begins where ``ansible-playbook`` was started."""
    return os.path.realpath(os.path.expanduser(str(path)))


def identifiers(value: t.Any, least: int = 0) -> list[str]:
    """IDs that were given as a list, as the text of one, or as text separated by commas, spaces or newlines.

    :param least: how many there must be, unless it is not set at all.
    :raises ValueError: there is something else in it, or there are too few.
    """
    if is_blank(value):
        return []
    parts = value if isinstance(value, (list, tuple)) else [value]
    if isinstance(value, str):
        inner = re.sub(r"\A\s*\[(.*)\]\s*\Z", r"\1", value, flags=re.DOTALL)
        parts = [part.strip("'\"") for part in re.split(r"[\s,]+", inner) if part]
    found = [identifier_from(part) for part in parts]
    if None in found or len(found) < least:
        raise ValueError("set it to the IDs of projects, as a list or separated by commas, spaces or newlines")
    return list(dict.fromkeys(t.cast("list[str]", found)))


def projects_from(value: t.Any, source: str) -> list[Project]:
    """The projects of a desired state whose templates are resolved.

    :param value: that of the variable :data:`VARIABLE`.
    :param source: what to call the place where it is written.
    :raises Unusable: naming everything that is wrong with the frame.
    """
    doing = f"use the desired state in {source}"
    if is_blank(value) or value == []:
        raise Unusable(
            [
                InputError(
                    doing,
                    f"{VARIABLE} is missing or empty, and an audit of nothing finds nothing",
                    _LIST_PROJECTS,
                )
            ]
        )
    if not isinstance(value, (list, tuple)):
        kind = "a mapping" if isinstance(value, dict) else "a single value"
        raise Unusable([InputError(doing, f"{VARIABLE} is {kind} instead of a list", _LIST_PROJECTS)])
    errors: list[InputError] = []
    projects: list[Project] = []
    first: dict[str, int] = {}
    for number, item in enumerate(value, 1):
        project_id = identifier_from(item.get("project_id")) if isinstance(item, dict) else None
        which = f"item {number} of {VARIABLE}" + (f" (project {project_id})" if project_id else "")
        problems = list(_wrong_with(item, project_id))
        if project_id is not None and first.setdefault(project_id, number) != number:
            problems.append(
                (f"is listed already, as item {first[project_id]}", "list all its deployments in one place")
            )
        errors += [InputError(doing, f"{which} {problem}", advice) for problem, advice in problems]
        if not problems:
            projects.append(Project(number, str(project_id), list(item["deployments"])))
    if errors:
        raise Unusable(errors)
    return projects


def _wrong_with(item: t.Any, project_id: str | None) -> t.Iterator[tuple[str, str]]:
    """What is wrong with an item of the list of projects, and what to do about it."""
    if not isinstance(item, dict):
        yield "is not a project", "give each its project_id and deployments"
        return
    if project_id is None:
        given = item.get("project_id")
        yield (
            ("has no project_id" if is_blank(given) else f"has the project_id {given!r}"),
            "give the ID as Amplitude shows it",
        )
    unknown = sorted(str(field) for field in item if field not in ("project_id", "deployments"))
    if unknown:
        yield f"has unknown fields: {', '.join(unknown)}", "give it project_id and deployments, and nothing else"
    deployments = item.get("deployments")
    if "deployments" not in item or is_blank(deployments):
        problem = "has no deployments" if "deployments" not in item else "has deployments that are blank"
        yield problem, "list them, or write [] if none is wanted there"
    elif not isinstance(deployments, (list, tuple)):
        yield "has deployments that are not a list", "begin each deployment with a dash"
    else:
        yield from _of_others(deployments, project_id)


def _of_others(deployments: t.Sequence[t.Any], project_id: str | None) -> t.Iterator[tuple[str, str]]:
    """The deployments that belong to another project, of which a purge of that one would not know."""
    for number, item in enumerate(deployments, 1):
        other = item.get("project_id") if isinstance(item, dict) else None
        if not is_blank(other) and project_id is not None and str(other) != project_id:
            yield f"lists, as deployment {number}, one of project {other}", "list it there"
