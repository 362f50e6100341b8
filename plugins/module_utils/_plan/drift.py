# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""How an account differs from what is wanted: a pure reading of the plans, for people.

What is called drift is what the planner would change or refuses, and, as a purge would, what is active without being
listed. No key is part of it.
"""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment, order_of_id
from .._api.flags import Usage
from .._errors import Ambiguous, DefaultDeployment, NotFound, Refused, TypeContradiction
from .many import meant_by, plan_each, unlisted
from .single import Observed, Plan
from .wanted import Rules, Wanted

#: The kinds of drift, in the order in which they are told.
KINDS = ("missing", "archived", "renamed", "type", "duplicate", "conflict", "active", "unlisted")
#: The kind of the first change in a plan.
_OF_CHANGE = {"create": "missing", "restore": "archived", "rename": "renamed", "archive": "active"}
_OF_REFUSAL = {
    NotFound: "missing",
    TypeContradiction: "type",
    Ambiguous: "duplicate",
    DefaultDeployment: "active",
}


class Row(t.NamedTuple):
    """One deployment that is wanted or there, and its kind of drift, None if it has none.

    ``unused`` says whether no active flag or experiment uses it; None if that was not asked, or it is not active.
    """

    project_id: str
    label: str | None
    id: str | None
    type: str | None
    deleted: bool | None
    listed: bool
    default: bool
    drift: str | None
    detail: str | None
    changes: t.Sequence[t.Mapping[str, t.Any]]
    unused: bool | None


def find_drift(
    wanted: t.Sequence[Wanted],
    project_ids: t.Container[str],
    observed: Observed,
    rules: Rules,
    usage: Usage | None = None,
) -> list[Row]:
    """Compare what is wanted with what there is.

    :param project_ids: the projects whose active deployments have to be listed, and are told about.
    :param usage: of these projects.
    :return: a row for each wish and for each active deployment beside them, by project and label.
    """
    plans, refusals, claimed = plan_each(wanted, observed, rules)
    rows = [_planned(decision, usage) for decision in plans.values()]
    meant: set[str | None] = set(claimed)
    for index, refusal in refusals.items():
        found = meant_by(wanted[index], observed)
        meant.update(row.id for row in found)
        rows.append(_refused(wanted[index], found, refusal, usage))
    rows += [_unlisted(row, observed, usage) for row in unlisted(observed, project_ids, meant)]
    rows += [
        _row(row, usage)._replace(listed=False)
        for row in observed.all_active()
        if row.project_id in project_ids and row.is_default and row.id not in meant
    ]
    return sorted(rows, key=lambda row: (order_of_id(row.project_id), row.label or "", order_of_id(row.id or "")))


def summary_of(rows: t.Iterable[Row], project_ids: t.Iterable[str]) -> dict[str, t.Any]:
    """The documented return value ``summary``: counts of the rows, in all and for each project."""
    rows = list(rows)
    projects = [
        dict(project_id=project_id, **_counts([row for row in rows if row.project_id == project_id]))
        for project_id in sorted(project_ids, key=order_of_id)
    ]
    return dict(_counts(rows), projects=projects)


def other_projects(observed: Observed, project_ids: t.Container[str]) -> list[dict[str, t.Any]]:
    """The documented return value ``other_projects``: what there is outside of these projects, by project."""
    active: dict[str, int] = {}
    archived: dict[str, int] = {}
    for row in observed.all():
        if row.project_id not in project_ids:
            counts = archived if row.deleted else active
            counts[row.project_id] = counts.get(row.project_id, 0) + 1
    return [
        dict(project_id=project_id, active=active.get(project_id, 0), archived=archived.get(project_id, 0))
        for project_id in sorted({*active, *archived}, key=order_of_id)
    ]


def _counts(rows: t.Sequence[Row]) -> dict[str, t.Any]:
    kinds = {kind: sum(row.drift == kind for row in rows) for kind in KINDS}
    return dict(
        total=len(rows),
        drift=sum(kinds.values()),
        kinds=kinds,
        unused=sum(bool(row.unused) for row in rows),
    )


def _planned(decision: Plan, usage: Usage | None) -> Row:
    if decision.before is None and decision.after is None:
        return _nothing(decision.wanted)
    if not decision.changes:
        return _row(t.cast(Deployment, decision.before), usage)
    changes = [change.as_result() for change in decision.changes]
    kind = _OF_CHANGE[decision.changes[0].action]
    if decision.before is None:
        return _nothing(decision.wanted)._replace(drift=kind, detail="it does not exist", changes=changes)
    before, after = decision.before, t.cast(Deployment, decision.after)
    details = []
    if before.deleted != after.deleted:
        details.append("it is archived instead of active" if before.deleted else "it is active instead of absent")
    if before.label != after.label:
        details.append(f"it has the label {before.label!r}")
    return _row(before, usage)._replace(label=after.label, drift=kind, detail=" and ".join(details), changes=changes)


def _refused(item: Wanted, found: t.Sequence[Deployment], refusal: Refused, usage: Usage | None) -> Row:
    row = _row(found[0], usage) if len(found) == 1 else _nothing(item)
    return row._replace(
        label=item.label or row.label,
        drift=_OF_REFUSAL.get(type(refusal), "conflict"),
        detail=f"{refusal.problem}; {refusal.advice}",
    )


def _unlisted(row: Deployment, observed: Observed, usage: Usage | None) -> Row:
    same = [each.id for each in observed.with_label(row.project_id, row.label, deleted=False) if each.id != row.id]
    if same:
        kind, detail = "duplicate", f"it is not listed, and has the label of {', '.join(map(str, same))}"
    else:
        kind, detail = "unlisted", "it is active, but not listed"
    return _row(row, usage)._replace(listed=False, drift=kind, detail=detail)


def _row(row: Deployment, usage: Usage | None) -> Row:
    """A row for a deployment that is listed, and as it should be."""
    unused = None
    if usage is not None and not row.deleted and not row.is_default:
        unused = not usage.of(t.cast(str, row.id))
    return Row(row.project_id, row.label, row.id, row.type, row.deleted, True, row.is_default, None, None, (), unused)


def _nothing(item: Wanted) -> Row:
    """A row for a wish where nothing is there."""
    return Row(item.project_id, item.label, item.id, item.type, None, True, False, None, None, (), None)
