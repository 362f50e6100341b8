# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""One plan for many deployments: which of them need which others, whose deployment is whose, and purge."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment, order_of, order_of_id
from .._errors import LabelTaken, Refused
from .single import Observed, Plan, plan
from .wanted import USUAL_LIMIT, Purge, Rules, Wanted, takers


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
    wanted: t.Sequence[Wanted],
    observed: Observed,
    rules: Rules,
    own: t.Mapping[str, int] | None = None,
) -> tuple[dict[int, Plan], dict[int, Refused], dict[str | None, Plan]]:
    """Decide about each of the items, as far as it can be decided.

    :param wanted: what :func:`.wanted.validate_all` has let pass.
    :param own: if it is decided again, the items that deployments were found or written for, by id: no other item takes
        such a one over by its ``previous_label``.
    :return: by index, the plans of the items that can be planned and why the others are refused; and by id of the
        deployments, the plans that are about them.
    """
    state = observed.copy()
    plans: dict[int, Plan] = {}
    refusals: dict[int, Refused] = {}
    claimed: dict[str | None, Plan] = {}
    turns = list(_in_turn(wanted, observed))
    while turns:
        put_off: list[tuple[int, list[int]]] = []
        for index, before in turns:
            item = wanted[index]
            try:
                decision = plan(item, state, rules, lambda row: (own or {}).get(row.id or "", index) == index)
                _refuse_if_claimed(decision, claimed)
            except Refused as error:
                refusals[index] = error
                put_off += [(index, before)] * isinstance(error, LabelTaken)
                continue
            refusals.pop(index, None)
            decision = _with_needs(decision, {each: plans[each] for each in before if each in plans})
            plans[index] = decision
            if _claims(decision):
                claimed[t.cast(Deployment, decision.before).id] = decision
            if decision.changes:
                state.replace(decision.before, decision.after)
        # Where an archived one has a label that is handed on in a circle, another order may do.
        turns = put_off if len(put_off) < len(turns) else []
    for index in _made_active(wanted, plans, state):
        del plans[index]
        item = wanted[index]
        active = state.with_label(item.project_id, item.label or "", deleted=False)
        refusals[index] = _refuse_claimed(item, claimed[active[0].id])
    return plans, refusals, claimed


def _claims(decision: Plan) -> bool:
    """Whether nothing else may mean the same deployment. An archived one that is to be absent is free for others."""
    if decision.before is None:
        return False
    return bool(decision.changes) or decision.wanted.state == "present" or decision.wanted.id is not None


def _refuse_if_claimed(decision: Plan, claimed: t.Mapping[str | None, Plan]) -> None:
    if decision.before is not None and decision.before.id in claimed:
        raise _refuse_claimed(decision.wanted, claimed[decision.before.id])


def _made_active(wanted: t.Sequence[Wanted], plans: t.Collection[int], state: Observed) -> list[int]:
    """The items that are to be absent by their label, although another item means it by its id and makes it active."""
    return [
        index
        for index, item in enumerate(wanted)
        if index in plans
        and item.state == "absent"
        and item.id is None
        and state.with_label(item.project_id, item.label or "", deleted=False)
    ]


def _in_turn(wanted: t.Sequence[Wanted], observed: Observed) -> t.Iterator[tuple[int, list[int]]]:
    """The places of the items, each after those of the items that give up, or take over, the label that it makes active;
    and which these are."""
    rows = [None if item.id is None else observed.with_id(item.id) for item in wanted]
    givers = _givers(wanted, rows)

    def before(index: int) -> list[int]:
        label = wanted[index].label or getattr(rows[index], "label", None)
        if wanted[index].state == "absent" or label is None:
            return []
        return [each for each in givers.get((wanted[index].project_id, label), ()) if each != index]

    # Those with an id first, since nothing else says what they mean.
    for index in _in_order(sorted(range(len(wanted)), key=lambda index: wanted[index].id is None), before):
        yield index, before(index)


def _with_needs(decision: Plan, before: t.Mapping[int, Plan]) -> Plan:
    """A plan with what it needs.

    :param before: those of the plans that give up, or take over, the label that it may make active, by their places.
    """
    if not decision.changes or decision.after is None or decision.after.deleted:
        return decision
    needs = tuple(place for place, each in before.items() if each.changes)
    return decision._replace(needs=needs, wave=max([before[place].wave + 1 for place in needs], default=0))


def _givers(wanted: t.Sequence[Wanted], rows: t.Sequence[Deployment | None]) -> dict[tuple[str, str | None], list[int]]:
    """The items that give up, or take over, a label, by project and label.

    An archived deployment gives up its label too: whether that is free to be used is not documented.

    :param rows: those that the items mean by their ids.
    """
    givers: dict[tuple[str, str | None], list[int]] = {}
    for place, index in takers(wanted).items():
        givers.setdefault(place, []).append(index)
    for index, (item, row) in enumerate(zip(wanted, rows)):
        if item.id is None and item.state == "absent":
            givers.setdefault((item.project_id, item.label), []).append(index)
        elif row is not None and row.project_id == item.project_id:
            if item.state == "absent" or item.label not in (None, row.label):
                givers.setdefault((row.project_id, row.label), []).append(index)
    return givers


def _in_order(places: t.Iterable[int], before: t.Callable[[int], list[int]]) -> list[int]:
    """These places, each after those that come before it. In a circle there is no such order: there, any will do."""
    ordered: list[int] = []
    begun: set[int] = set()
    for start in places:
        # Not by recursion, since a chain of labels may be longer than Python's stack.
        waiting = [] if start in begun else [(start, iter(before(start)))]
        begun.add(start)
        while waiting:
            place, others = waiting[-1]
            following = next((each for each in others if each not in begun), None)
            if following is None:
                ordered.append(place)
                waiting.pop()
            else:
                begun.add(following)
                waiting.append((following, iter(before(following))))
    return ordered


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


def _refuse_claimed(item: Wanted, other: Plan) -> Refused:
    before = t.cast(Deployment, other.before)
    return Refused(
        "plan all deployments together",
        f"{other.wanted} and {item} both mean the deployment {before.label!r} with the id {before.id}",
        "leave one of them out",
    )


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
            f"none of the deployments is to be present in project {_projects({row.project_id for row in lost})}, so that "
            f"all there would be archived: {_names(lost)}",
            f"set purge_limit to at least {len(rows)} if that is meant",
        )
    limit = USUAL_LIMIT if purge.limit is None else purge.limit
    if len(rows) > limit:
        raise Refused(
            doing,
            f"{len(rows)} deployments would be archived, but purge_limit is {limit}: {_names(rows)}",
            "list those that are wanted, or raise purge_limit",
        )
    # Their labels are free for nobody: what asks for one of them has found this deployment.
    return [plan(Wanted(row.project_id, row.label, state="absent", id=row.id), observed, Rules()) for row in rows]


def _names(rows: t.Iterable[Deployment]) -> str:
    return ", ".join(f"{row.label!r} (id {row.id})" for row in rows)


def _projects(project_ids: t.Iterable[str]) -> str:
    return ", ".join(sorted(project_ids, key=order_of_id))
