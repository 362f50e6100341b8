# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Plans the projects of a desired state: all with one start of a module, and only those alone of which there is more to say.

A start of a module takes longer than the planning of a thousand deployments, and each lists the whole account.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ._desired_state import Project
from ._plan_file import Approved
from ._told import is_of_one_project

Row = t.Mapping[str, t.Any]
Ask = t.Callable[[Row], Row]


class Whole(Exception):
    """What a module has said if it has failed for a reason that all the projects share.

    :param found: what it returned.
    :param project: the one that was asked about, None if it was all of them.
    """

    def __init__(self, found: Row, project: Project | None = None) -> None:
        self.found = found
        self.project = project
        super().__init__(found.get("msg"))


def arguments_of(project: Project, rules: Row, approved: Approved | None = None) -> dict[str, t.Any]:
    """The options of the module ``amplitude_deployments`` for one project.

    :param rules: the options of the call.
    :param approved: the plan that may be carried out, if there is one. Its options win, and its address: nothing can be
        sent elsewhere.
    """
    given = dict(rules, project_id=project.project_id, deployments=project.deployments, include_keys=False)
    if approved is not None:
        given.update(approved.options, base_url=approved.base_url)
        given["approved_changes"] = approved.changes.get(project.project_id, [])
    return given


def plan_each(
    ask: Ask, projects: t.Sequence[Project], rules: Row, approved: Approved | None = None, diff: bool = False
) -> t.Iterator[tuple[Project, Row]]:
    """What the module says of each project, in check mode: its return values, or ``changed`` and ``changes`` of them.

    :param ask: runs the module ``amplitude_deployments``.
    :param diff: whether there must be a ``diff``, where anything would be changed.
    :raises Whole: it has failed for a reason that all projects share.
    """
    known = _planned_together(ask, projects, rules, approved)
    for project in projects:
        found = known.get(project.project_id)
        if found is None or (found["changed"] and diff):
            found = ask(arguments_of(project, rules, approved))
        if found.get("failed") and not is_of_one_project(found):
            raise Whole(found, project)
        yield project, found


def _planned_together(
    ask: Ask, projects: t.Sequence[Project], rules: Row, approved: Approved | None
) -> dict[str | None, Row]:
    """``changed`` and ``changes`` of the projects that can be planned together, without those in which anything is refused.

    What is refused is told with the number of the item in its project, which only the module that is asked about that knows.
    """
    together = _together(projects, rules if approved is None else approved.options)
    if len(together) < 2:
        return {}
    found = ask(_arguments_of_all(together, rules, approved))
    refused: t.Sequence[Row] = ()
    if found.get("failed"):
        if not is_of_one_project(found):
            raise Whole(found)
        refused = found.get("problems") or [{}]
        if "pending" not in found or any(each.get("project_id") is None for each in refused):
            return {}
    planned: dict[str | None, dict[str, t.Any]] = {
        each.project_id: dict(changed=False, changes=[]) for each in together
    }
    for change in found["pending" if refused else "changes"]:
        own = planned[change["project_id"]]
        own.update(changed=True)
        own["changes"].append(change)
    for each in refused:
        planned.pop(each["project_id"], None)
    return dict(planned)


def _together(projects: t.Sequence[Project], rules: Row) -> list[Project]:
    """The projects that can be asked about in one go: each item names its project there.

    One project without items can be the project of the call. More than that matter only where they are purged.
    """
    fit = [each for each in projects if all(isinstance(item, dict) for item in each.deployments)]
    if not boolean(rules.get("purge") or False, strict=False):
        return fit
    first = next((each.project_id for each in fit if not each.deployments), None)
    return [each for each in fit if each.deployments or each.project_id == first]


def _arguments_of_all(projects: t.Sequence[Project], rules: Row, approved: Approved | None) -> dict[str, t.Any]:
    items = [dict(item, project_id=each.project_id) for each in projects for item in each.deployments]
    first = next((each for each in projects if not each.deployments), projects[0])
    given = dict(arguments_of(first, rules, approved), deployments=items)
    if approved is not None:
        given["approved_changes"] = [
            change for each in projects for change in approved.changes.get(each.project_id, [])
        ]
    return given
