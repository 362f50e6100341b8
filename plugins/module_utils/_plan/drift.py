# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""How an account differs from what is wanted: a pure reading of the whole plan, for people.

What is called drift is what the planner would change or refuses, and, as a purge would, what is active without being
listed. No key is part of it.
"""

from __future__ import annotations

import typing as t

from .._api.deployments import KINDS as KINDS_OF_FLAGS
from .._api.deployments import Deployment, order_of_id
from .._api.flags import Usage
from .._errors import Ambiguous, AmplitudeError, Guarded, NotFound, TypeContradiction
from .many import meant_by
from .purge import unlisted
from .served import Step, in_order
from .single import Observed, Plan, name, retired
from .wanted import Rules, Wanted
from .whole import Decision, Read, decide

#: The kinds of drift, in the order in which they are told. A deployment has the first that applies.
KINDS = (
    "missing",
    "archived",
    "renamed",
    "type",
    "duplicate",
    "conflict",
    "active",
    "replaced",
    "unassigned",
    "assigned",
    "unlisted",
)
#: The kind of the first change of a deployment itself.
_OF_CHANGE = {"create": "missing", "restore": "archived", "rename": "renamed", "archive": "active"}
#: So many keys are named. All of them are in the changes.
_MOST_NAMED = 20


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
    read: Read,
    usage: Usage | None = None,
) -> list[Row]:
    """Compare what is wanted with what there is.

    :param project_ids: the projects whose active deployments have to be listed, and are told about.
    :param read: tells flags and experiments; it is asked where an item says what is served, or archives something.
    :param usage: of these projects.
    :return: a row for each wish and for each active deployment beside them, by project and label.
    :raises RequestFailed: what is served could not be read.
    """
    decision = decide(wanted, observed, rules, read)
    rows = _of_items(wanted, decision, observed, usage)
    told = {row.id for row in rows}
    rows += [_row(each, usage) for each in _not_told(wanted, decision, observed, told)]
    rows += [_unlisted(row, observed, usage) for row in unlisted(observed, project_ids, decision.listed)]
    rows += [
        _row(row, usage)._replace(listed=False)
        for row in observed.all_active()
        if row.project_id in project_ids and row.is_default and row.id not in decision.listed
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


def _of_items(wanted: t.Sequence[Wanted], decision: Decision, observed: Observed, usage: Usage | None) -> list[Row]:
    """The rows of what is wanted, in its order: as it is planned, or why it is refused."""
    errors: dict[t.Any, list[AmplitudeError]] = {}
    for problem in decision.problems:
        about = problem.project_id if problem.item is None else problem.item - 1
        errors.setdefault(about, []).append(problem.error)
    rows = []
    for place, item in enumerate(wanted):
        if place in decision.plans:
            rows.append(_planned(decision, place, usage))
        else:
            # A problem of the whole project is told where it is unknown what is used there.
            rows.append(_refused(item, observed, errors.get(place) or errors[item.project_id], usage))
    return rows


def _planned(decision: Decision, place: int, usage: Usage | None) -> Row:
    plan = decision.plans[place]
    before, after = plan.before, plan.after
    row = _nothing(plan.wanted) if before is None else _row(before, usage)
    if after is not None:
        row = row._replace(label=after.label)
    changes = [change.as_result() for change in decision.changes_of(place)]
    if not changes:
        return row
    found = [*_of_itself(plan), *_of_what_it_serves(decision, place)]
    details = [detail for _kind, detail in found]
    return row._replace(drift=_first(kind for kind, _detail in found), detail=" and ".join(details), changes=changes)


def _of_itself(plan: Plan) -> t.Iterator[tuple[str, str]]:
    """What is wrong with a deployment: the kind, and words for it."""
    if not plan.changes:
        return
    kind, before, after = _OF_CHANGE[plan.changes[0].action], plan.before, t.cast(Deployment, plan.after)
    if before is None:
        yield kind, "it does not exist"
        return
    if before.deleted != after.deleted:
        yield kind, "it is archived instead of active" if before.deleted else "it is active instead of absent"
    if before.label != after.label:
        yield "renamed", f"it has the label {before.label!r}"


def _of_what_it_serves(decision: Decision, place: int) -> t.Iterator[tuple[str, str]]:
    """What is wrong with what a deployment takes over and serves: the kind, and words for it."""
    steps = in_order(decision.steps.get(place, ()), None)
    old = decision.plans.get(decision.places.replaced.get(place, -1))
    if old is not None:
        moved = [step for step in steps if _is_moved(step, t.cast(Deployment, old.before))]
        yield from (("replaced", detail) for detail in _of_what_it_replaces(old, moved))
        steps = [step for step in steps if step not in moved]
    assigns, removals = _apart(steps)
    if assigns:
        yield "unassigned", f"it does not serve {_keys(assigns)}"
    if removals:
        yield "assigned", f"it serves {_keys(removals)} in addition to what is listed"


def _is_moved(step: Step, replaced: Deployment) -> bool:
    """Whether a step takes over what the replaced deployment serves, or removes that one from it."""
    if step.change.action == "assign":
        return replaced.id in step.flag.deployments
    return step.deployment_id == replaced.id


def _apart(steps: t.Sequence[Step]) -> tuple[list[Step], list[Step]]:
    """The assignments among some steps, and the removals."""
    assigns = [step for step in steps if step.change.action == "assign"]
    return assigns, [step for step in steps if step.change.action == "unassign"]


def _of_what_it_replaces(old: Plan, moved: t.Sequence[Step]) -> t.Iterator[str]:
    """What is not finished of a takeover, in words.

    :param old: the plan of what is taken over from.
    :param moved: what is still to be taken over, and what the old one is still to be removed from.
    """
    taken, left = _apart(moved)
    which = name(t.cast(Deployment, old.before))
    if old.changes:
        yield f"{which}, which it replaces, still has its label"
    if taken:
        yield f"it has not taken over {_keys(taken)} from {which}"
    if len(retired(old).changes) > len(old.changes):
        serves = f" and serves {_keys(left)}" if left else ""
        yield f"{which}, which it replaces, is not archived{serves}"


def _refused(item: Wanted, observed: Observed, errors: t.Sequence[AmplitudeError], usage: Usage | None) -> Row:
    found = [row for row in meant_by(item, observed) if row.id != item.replaces]
    row = _row(found[0], usage) if len(found) == 1 else _nothing(item)
    return row._replace(
        label=item.label or row.label,
        drift=_first(_kind_of(error, item, found) for error in errors),
        detail=". ".join(f"{error.problem}; {error.advice}" for error in errors),
    )


def _kind_of(error: AmplitudeError, item: Wanted, found: t.Sequence[Deployment]) -> str:
    """The kind of drift of what is refused."""
    if isinstance(error, NotFound) and not found:
        return "missing"
    if isinstance(error, TypeContradiction):
        return "type"
    if isinstance(error, Ambiguous):
        return "duplicate"
    return "active" if isinstance(error, Guarded) and item.state == "absent" else "conflict"


def _not_told(
    wanted: t.Sequence[Wanted], decision: Decision, observed: Observed, told: t.Container[str | None]
) -> list[Deployment]:
    """What items take over from, as it is to be called, as long as it is active and no item itself."""
    found = []
    for place, item in enumerate(wanted):
        row = observed.with_id(item.replaces or "")
        if row is not None and not row.deleted and row.project_id == item.project_id and row.id not in told:
            old = decision.plans.get(decision.places.replaced[place])
            found.append(row if old is None else row._replace(label=t.cast(Deployment, old.after).label))
    return found


def _first(kinds: t.Iterable[str]) -> str:
    return min(kinds, key=KINDS.index)


def _keys(steps: t.Sequence[Step]) -> str:
    """The flags and experiments of some steps: the kinds and the keys."""
    flags = [step.flag for step in steps]
    told = [_keys_of(kind, [flag.key for flag in flags[:_MOST_NAMED] if flag.kind == kind]) for kind in KINDS_OF_FLAGS]
    more = [f"{len(flags) - _MOST_NAMED} more"] * (len(flags) > _MOST_NAMED)
    return " and ".join([*filter(None, told), *more])


def _keys_of(kind: str, keys: t.Sequence[str]) -> str:
    which = kind if len(keys) == 1 else kind + "s"
    return f"the {which} {', '.join(map(repr, keys))}" if keys else ""


def _unlisted(row: Deployment, observed: Observed, usage: Usage | None) -> Row:
    same = [each.id for each in observed.with_label(row.project_id, row.label, deleted=False) if each.id != row.id]
    if same:
        kind, detail = "duplicate", f"it is not listed, and has the same label as {', '.join(map(str, same))}"
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
