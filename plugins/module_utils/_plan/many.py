# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""One plan for many deployments, and what must not be archived: pure decisions like those of :mod:`._plan.single`."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment, check_identifier, order_of, order_of_id
from .._api.flags import Usage
from .._errors import InputError, LabelTaken, Refused
from .single import Observed, Plan, Rules, Wanted, changes_between, plan, validate


class Purge(t.NamedTuple):
    """Archive the active deployments of these projects that are not wanted, if there are at most so many of them.

    ``limit`` is None if nobody has said how many: then it is :data:`USUAL_LIMIT`, and none at all in a project in which
    nothing is wanted.
    """

    project_ids: frozenset[str]
    limit: int | None = None


USUAL_LIMIT = 10


def check_concurrency(concurrency: int) -> None:
    """Refuse a value of the option ``concurrency`` that is out of range.

    :raises InputError: saying what the range is.
    """
    if not 1 <= concurrency <= 32:
        raise InputError("use the options", f"concurrency is {concurrency}", "give a number from 1 to 32")


def wanted_from(items: t.Iterable[t.Mapping[str, t.Any]], project_id: str | None) -> list[Wanted]:
    """The wishes in a list of deployments as modules take it.

    :param project_id: of those that have none of their own.
    :raises InputError: one of them is of no project.
    """
    wanted = []
    for number, item in enumerate(items, 1):
        options = {option: item[option] for option in Wanted._fields}
        if options["project_id"] is None:
            options["project_id"] = project_id
        if options["project_id"] is None:
            raise _unusable(f"item {number} has no project_id", "set it there or for the whole task")
        wanted.append(Wanted(**options))
    return wanted


def purge_from(params: t.Mapping[str, t.Any], wanted: t.Iterable[Wanted]) -> Purge | None:
    """What the options ``purge`` and ``purge_limit`` allow to archive.

    :raises InputError: it is not known in which project, or the limit is negative.
    """
    if not params["purge"]:
        return None
    check_identifier("project_id", params["project_id"])
    project_ids = {item.project_id for item in wanted}
    if params["project_id"] is not None:
        project_ids.add(params["project_id"])
    if not project_ids:
        raise InputError("use the options", "purge is true, but no project is named", "set project_id")
    limit = params["purge_limit"]
    if limit is not None and limit < 0:
        raise InputError("use the options", f"purge_limit is {limit}", "give a number from 0")
    return Purge(frozenset(project_ids), limit)


def validate_all(wanted: t.Sequence[Wanted]) -> None:
    """Find what is wrong with the wishes themselves, each alone and all together.

    :raises InputError: naming the items, which are counted from 1.
    """
    labels: dict[tuple[str, str], int] = {}
    ids: dict[str, int] = {}
    for number, item in enumerate(wanted, 1):
        try:
            validate(item)
        except InputError as error:
            raise _unusable(f"item {number}: {error.problem}", error.advice) from None
        if item.label is not None:
            first = labels.setdefault((item.project_id, item.label), number)
            if first != number:
                raise _unusable(
                    f"items {first} and {number} have the same label {item.label!r} in project {item.project_id}",
                    "leave one of them out",
                )
        if item.id is not None:
            first = ids.setdefault(item.id, number)
            if first != number:
                raise _unusable(f"items {first} and {number} have the same id {item.id}", "leave one of them out")
    _validate_renames(wanted, labels)
    _renames_first(wanted)


def _validate_renames(wanted: t.Sequence[Wanted], labels: t.Mapping[tuple[str, str], int]) -> None:
    """Find what is wrong with the previous labels; that of what is to be absent has no meaning.

    :param labels: by project and label, the numbers of the items.
    :raises InputError: naming the items.
    """
    previous: dict[tuple[str, str], int] = {}
    for number, item in enumerate(wanted, 1):
        if item.state == "absent" or item.previous_label is None:
            continue
        label = (item.project_id, item.previous_label)
        other = labels.get(label)
        if other is not None and wanted[other - 1].state == "absent":
            raise _unusable(
                f"item {number} is to be renamed from {item.previous_label!r}, which item {other} says is absent",
                f"leave out item {other} or the previous_label",
            )
        first = previous.setdefault(label, number)
        if first != number:
            raise _unusable(
                f"items {first} and {number} are both to be renamed from {item.previous_label!r} in project {item.project_id}",
                "leave out previous_label in one of them",
            )


def plan_all(wanted: t.Sequence[Wanted], observed: Observed, rules: Rules, purge: Purge | None = None) -> list[Plan]:
    """Decide what has to be written so that all that is wanted becomes true.

    :return: a plan for each of the wishes, in their order, and after them one for each deployment to purge.
    :raises Refused: one of the wishes cannot be planned, two of them mean the same deployment, or too many would be
        purged.
    """
    plans, refusals, claimed = plan_each(wanted, observed, rules)
    raise_first(refusals)
    purged = [] if purge is None else _plan_purge(wanted, observed, purge, claimed)
    return [plans[index] for index in range(len(wanted))] + purged


def raise_first(refusals: t.Mapping[int, Refused]) -> None:
    """Raise the first of some refusals by index, if there are any.

    A label that is taken comes last: it may only be so because of what was refused for another reason.
    """
    if refusals:
        raise min(refusals.items(), key=lambda item: (isinstance(item[1], LabelTaken), item[0]))[1]


def plan_each(
    wanted: t.Sequence[Wanted], observed: Observed, rules: Rules
) -> tuple[dict[int, Plan], dict[int, Refused], dict[str | None, Plan]]:
    """Decide about each of the wishes, as far as it can be decided.

    :param wanted: what :func:`validate_all` has let pass.
    :return: by index, the plans of the wishes that can be planned and why the others are refused; and by id of the
        deployments, the plans that are about them.
    """
    state = observed.copy()
    plans: dict[int, Plan] = {}
    refusals: dict[int, Refused] = {}
    claimed: dict[str | None, Plan] = {}
    waiting = _renames_first(wanted)
    while waiting:
        put_off: list[int] = []
        for index in waiting:
            try:
                decision = plan(wanted[index], state, rules)
                if decision.before is not None and decision.before.id in claimed:
                    raise _refuse_claimed(wanted[index], claimed[decision.before.id])
            except LabelTaken as error:
                refusals[index] = error
                put_off.append(index)
                continue
            except Refused as error:
                refusals[index] = error
                continue
            refusals.pop(index, None)
            decision = decision._replace(wave=_wave(decision, observed, claimed))
            plans[index] = decision
            if decision.before is not None:
                claimed[decision.before.id] = decision
            if decision.changes:
                state.replace(decision.before, decision.after)
        if len(put_off) == len(waiting):
            break
        waiting = put_off
    # What is to be absent by its label may be meant by its ID too, which makes it active.
    for index, item in enumerate(wanted):
        if index in plans and item.state == "absent" and item.id is None:
            active = state.with_label(item.project_id, item.label or "", deleted=False)
            if active:
                del plans[index]
                refusals[index] = _refuse_claimed(item, claimed[active[0].id])
    return plans, refusals, claimed


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


def check_usage(plans: t.Iterable[Plan], usage: Usage) -> None:
    """Refuse to archive what flags or experiments still use. Those that are archived themselves do not count.

    :raises Refused: naming the deployments and what uses them.
    """
    used = []
    for decision in plans:
        if decision.archives:
            before = t.cast(Deployment, decision.before)
            users = usage.of(t.cast(str, before.id))
            if users:
                text = "{0!r} (id {1}) is used by {2}".format(before.label, before.id, ", ".join(map(str, users)))
                archived = usage.of(t.cast(str, before.id), archived=True)
                if archived:
                    text += " (and by {0}, archived)".format(", ".join(map(str, archived)))
                used.append(text)
    if used:
        raise Refused(
            "archive what is not wanted",
            "the deployment {0}".format(", the deployment ".join(used)),
            "remove it there in Amplitude, or set force to true to archive it all the same",
        )


def _renames_first(wanted: t.Sequence[Wanted]) -> list[int]:
    """The wishes in an order in which a label is given up before another wish asks for it.

    :raises InputError: labels are to be renamed in a circle.
    """
    gives_up: dict[tuple[str, str | None], int] = {
        (item.project_id, item.previous_label): index
        for index, item in enumerate(wanted)
        if item.previous_label and item.state == "present"
    }
    ordered: list[int] = []
    placed: set[int] = set()
    # An item with an id gives up the label that its deployment has now, whatever that is.
    for start in sorted(range(len(wanted)), key=lambda index: wanted[index].id is None):
        chain: list[int] = []
        index: int | None = start
        while index is not None and index not in placed:
            if index in chain:
                raise _unusable(
                    "items {0} rename labels in a circle".format(", ".join(str(each + 1) for each in sorted(chain))),
                    "whether that has been done already cannot be told from the labels: use id instead of previous_label, "
                    "and in a first run give one of them a label that is free",
                )
            chain.append(index)
            index = gives_up.get((wanted[index].project_id, wanted[index].label))
        ordered += reversed(chain)
        placed.update(chain)
    return ordered


def _refuse_claimed(item: Wanted, other: Plan) -> Refused:
    before = t.cast(Deployment, other.before)
    return Refused(
        "plan all deployments together",
        f"{other.wanted} and {item} both mean the deployment {before.label!r} with the id {before.id}",
        "leave one of them out",
    )


def _wave(decision: Plan, observed: Observed, claimed: t.Mapping[str | None, Plan]) -> int:
    """One more than the wave in which another plan gives up the label that this one makes active.

    An archived deployment counts too: whether its label is free to be used is not documented.
    """
    after = decision.after
    if not decision.changes or after is None or after.deleted:
        return 0
    holders = [row for deleted in (False, True) for row in observed.with_label(after.project_id, after.label, deleted)]
    return max([claimed[row.id].wave + 1 for row in holders if row.id in claimed] or [0])


def _plan_purge(
    wanted: t.Sequence[Wanted], observed: Observed, purge: Purge, claimed: t.Container[str | None]
) -> list[Plan]:
    rows = unlisted(observed, purge.project_ids, claimed)
    doing = f"purge project {_projects(purge.project_ids)}"
    kept = {item.project_id for item in wanted if item.state == "present"}
    lost = [row for row in rows if row.project_id not in kept]
    if lost and purge.limit is None:
        raise Refused(
            doing,
            f"none of the deployments is to be present in project {_projects({row.project_id for row in lost})}, so that all there would be archived: {_names(lost)}",
            f"set purge_limit to at least {len(rows)} if that is meant",
        )
    limit = USUAL_LIMIT if purge.limit is None else purge.limit
    if len(rows) > limit:
        raise Refused(
            doing,
            f"{len(rows)} deployments would be archived, but purge_limit is {limit}: {_names(rows)}",
            "list those that are wanted, or raise purge_limit",
        )
    plans_of_purge = []
    for row in rows:
        after = row._replace(deleted=True)
        item = Wanted(row.project_id, row.label, state="absent", id=row.id)
        plans_of_purge.append(Plan(item, row, after, changes_between(row, after)))
    return plans_of_purge


def _names(rows: t.Iterable[Deployment]) -> str:
    return ", ".join(f"{row.label!r} (id {row.id})" for row in rows)


def _projects(project_ids: t.Iterable[str]) -> str:
    return ", ".join(sorted(project_ids, key=order_of_id))


def _unusable(problem: str, advice: str) -> InputError:
    return InputError("use the option deployments", problem, advice)
