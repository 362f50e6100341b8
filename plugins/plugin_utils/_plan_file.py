# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The file ``plan.json``: what the playbook ``plan`` writes into it, and what ``apply`` takes from it.

Nothing in it depends on the time or on where the desired state is, so that the same plan has the same bytes.
"""

from __future__ import annotations

import json
import os
import typing as t

from ..module_utils._api.deployments import identifier_from
from ..module_utils._errors import InputError
from ..module_utils._plan.approval import approval_from

#: Another number means that the rest can be different.
FORMAT = 1
#: What decides about the changes besides the desired state, and which values it can have.
OPTIONS: dict[str, tuple[type, ...]] = {
    "purge": (bool,),
    "purge_limit": (int, type(None)),
    "restore_archived": (bool,),
    "force": (bool,),
}
#: What is told about a problem. The sentence for people is left out: it has the path of the desired state.
PROBLEM = ("item", "project_id", "label", "id", "problem", "advice")

_AS_WRITTEN = "use the file as community.amplitude.plan has written it, or make a new plan and have it approved"

Row = t.Mapping[str, t.Any]


class Approved(t.NamedTuple):
    """What may be done: the address, the options that count, and the changes of each project."""

    base_url: str
    options: dict[str, t.Any]
    changes: dict[str, list[dict[str, t.Any]]]


class _Wrong(Exception):
    """What is wrong with a plan."""


def planned(base_url: str, options: Row, projects: t.Iterable[tuple[str, Row]]) -> dict[str, t.Any]:
    """What is written into the file.

    :param base_url: the address of the account.
    :param options: all of :data:`OPTIONS`.
    :param projects: the ID of each project, and what the module has returned for it in check mode.
    """
    rows = []
    for project_id, found in projects:
        # What is refused is left out of the changes, and what else would be done is pending.
        changes = found.get("pending") if found.get("failed") else found["changes"]
        told = found.get("problems") or ([dict(problem=found["msg"])] if found.get("failed") else [])
        problems = [{field: each.get(field) for field in PROBLEM} for each in told]
        rows.append(dict(project_id=project_id, changes=list(changes or ()), problems=problems))
    chosen = {option: options[option] for option in OPTIONS}
    return dict(format=FORMAT, base_url=base_url, options=chosen, projects=rows)


def read_plan(path: str, base_url: str) -> Approved:
    """What a plan approves.

    :param base_url: the address of the account that is meant.
    :raises InputError: it is not such a file, has problems, or was made for another account.
    """
    doing = f"use the plan in {path}"
    if not os.path.exists(path):
        raise InputError(doing, "there is no such file", "correct amplitude_plan_file")
    if not os.path.isfile(path):
        what = "a directory" if os.path.isdir(path) else "not a file"
        raise InputError(doing, f"it is {what}", "set amplitude_plan_file to the path of the plan.json")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeError:
        raise InputError(doing, "it is not UTF-8 text", _AS_WRITTEN) from None
    except OSError as error:
        raise InputError(doing, str(error.strerror), "let the user who runs ansible-playbook read it") from None
    try:
        approved, problems = _approved(_parsed(text))
    except _Wrong as error:
        raise InputError(doing, str(error), _AS_WRITTEN) from None
    if approved.base_url != base_url:
        raise InputError(
            doing,
            f"it was made for {approved.base_url}, but this run connects to {base_url}",
            "set the region or the base URL of the account that the plan was made for, or make a plan for this one",
        )
    if problems:
        raise InputError(
            doing,
            f"it has {problems} problem{'s' * (problems > 1)}, so none of it can be carried out",
            "solve them, make a new plan and have it approved",
        )
    return approved


def different(options: Row, given: Row) -> list[str]:
    """A warning for each option of a plan that was given another value.

    :param given: the values of those that are set.
    """
    return [
        f"The plan was made with amplitude_{option} {_shown(options[option])}, which takes precedence over "
        f"{_shown(given[option])}."
        for option in OPTIONS
        if option in given and given[option] != options[option]
    ]


def not_listed(approved: Approved, project_ids: t.Collection[str]) -> list[str]:
    """The warning that a plan has changes of projects which the desired state no longer lists."""
    others = [
        project_id for project_id, changes in approved.changes.items() if changes and project_id not in project_ids
    ]
    if not others:
        return []
    return [
        f"The plan has changes to project {', '.join(others)}, which the desired state does not list; "
        "they are not carried out."
    ]


def _shown(value: t.Any) -> str:
    return "not set" if value is None else json.dumps(value)


def _parsed(text: str) -> t.Any:
    """The value of a text in JSON, in which no field occurs twice."""

    def once(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, dummy in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise _Wrong(f"it has the field {twice!r} twice in one place")
        return found

    if not text.strip():
        raise _Wrong("it is empty")
    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        if not text[error.pos :].strip() or error.msg.startswith("Unterminated string"):
            raise _Wrong(f"it is cut off in line {error.lineno}") from None
        raise _Wrong(f"it is not valid JSON in line {error.lineno}") from None
    except (RecursionError, ValueError):
        # Digits and brackets without end.
        raise _Wrong("it is not the JSON of a plan") from None


def _approved(value: t.Any) -> tuple[Approved, int]:
    """What a plan says, and how many problems are in it.

    :raises _Wrong: it is not as :func:`planned` makes it.
    """
    # The format first: in another one, all else can be different.
    if not isinstance(value, dict) or "format" not in value:
        raise _Wrong("it is not a plan, which begins with its format")
    if value["format"] != FORMAT or isinstance(value["format"], bool):
        raise _Wrong(
            f"its format is {json.dumps(value['format'])[:50]}, and this version of the collection knows {FORMAT}"
        )
    _check_fields(value, ("format", "base_url", "options", "projects"), "it")
    if not isinstance(value["base_url"], str):
        raise _Wrong("its base_url is not text")
    _check_fields(value["options"], tuple(OPTIONS), "its options")
    for option, kinds in OPTIONS.items():
        # A boolean is a number too, to Python alone.
        if type(value["options"][option]) not in kinds:
            raise _Wrong(f"its option {option} is {json.dumps(value['options'][option])[:50]}")
    if not isinstance(value["projects"], list):
        raise _Wrong("its projects are not a list")
    changes: dict[str, list[dict[str, t.Any]]] = {}
    problems = 0
    for number, project in enumerate(value["projects"], 1):
        _check_fields(project, ("project_id", "changes", "problems"), f"its project number {number}")
        project_id = project["project_id"]
        if not isinstance(project_id, str) or identifier_from(project_id) != project_id:
            raise _Wrong(f"its project number {number} has an unusable project_id")
        if project_id in changes:
            raise _Wrong(f"it has the project {project_id} twice")
        changes[project_id] = _changes_of(project)
        problems += len(project["problems"])
    return Approved(value["base_url"], dict(value["options"]), changes), problems


def _changes_of(project: Row) -> list[dict[str, t.Any]]:
    """The changes of a project, all of which are changes of it, and no two the same.

    :raises _Wrong: naming the first for which that is not so.
    """
    project_id = project["project_id"]
    for field in ("changes", "problems"):
        if not isinstance(project[field], list):
            raise _Wrong(f"the {field} of project {project_id} are not a list")
    try:
        approval_from(project["changes"])
    except InputError as error:
        raise _Wrong(f"in the changes of project {project_id}, {error.problem}") from None
    for number, change in enumerate(project["changes"], 1):
        if change["project_id"] != project_id:
            raise _Wrong(
                f"in the changes of project {project_id}, entry {number} belongs to project {change['project_id']}"
            )
    return list(project["changes"])


def _check_fields(value: t.Any, fields: t.Sequence[str], which: str) -> None:
    """Make sure that there are these fields, and no others.

    :raises _Wrong: there are not.
    """
    plural = "have" if which.endswith("options") else "has"
    if not isinstance(value, dict):
        raise _Wrong(f"{which} {'are' if plural == 'have' else 'is'} not a mapping")
    unknown = sorted(set(value) - set(fields))
    if unknown:
        raise _Wrong(f"{which} {plural} the unknown field {unknown[0]!r}")
    missing = [field for field in fields if field not in value]
    if missing:
        raise _Wrong(f"{which} {plural} no {missing[0]}")
