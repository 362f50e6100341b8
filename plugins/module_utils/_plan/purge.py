# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What is not wanted: the deployments that no item is about, and which of them are archived."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment, order_of, order_of_id
from .._errors import Problem, Refused
from .single import Observed, Plan, plan
from .wanted import Purge, Rules, Wanted

#: How many are archived at most unless the task says how many.
USUAL_LIMIT = 10


def unlisted(observed: Observed, project_ids: t.Container[str], claimed: t.Container[str | None]) -> list[Deployment]:
    """The active deployments of some projects that no wish is about, without the default ones, in order."""
    return sorted(
        (
            row
            for row in observed.all_active()
            if row.project_id in project_ids and row.id not in claimed and not row.is_default
        ),
        key=order_of,
    )


def plan_purge(
    wanted: t.Sequence[Wanted], observed: Observed, purge: Purge, claimed: t.Container[str | None]
) -> tuple[list[Plan], list[Problem]]:
    """What is archived in each project, or why nothing is."""
    kept = {item.project_id for item in wanted if item.state == "present"}
    purged: list[Plan] = []
    problems = []
    for project_id in sorted(purge.project_ids, key=order_of_id):
        rows = unlisted(observed, [project_id], claimed)
        error = _refuse_purge(project_id, rows, purge.limit, project_id in kept)
        if error is not None:
            problems.append(Problem(error, None, project_id))
            continue
        # Their labels are free for nobody: what asks for one of them has found this deployment.
        purged += [plan(Wanted(project_id, row.label, state="absent", id=row.id), observed, Rules()) for row in rows]
    return purged, problems


def _refuse_purge(project_id: str, rows: t.Sequence[Deployment], limit: int | None, is_kept: bool) -> Refused | None:
    """Why these deployments of a project are not archived, if they are not."""
    if rows and limit is None and not is_kept:
        return Refused(
            f"purge project {project_id}",
            f"no listed deployment is to be present in project {project_id}, so all deployments there would be "
            f"archived: {_names(rows)}",
            f"set purge_limit to at least {len(rows)} if that is intended",
        )
    limit = USUAL_LIMIT if limit is None else limit
    if len(rows) > limit:
        return Refused(
            f"purge project {project_id}",
            f"{len(rows)} deployment{'s' * (len(rows) > 1)} would be archived, but purge_limit is {limit}: {_names(rows)}",
            "list those that you want to keep, or raise purge_limit if all of these are to be archived",
        )
    return None


def _names(rows: t.Iterable[Deployment]) -> str:
    return ", ".join(f"{row.label!r} (id {row.id})" for row in rows)
