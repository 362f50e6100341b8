# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""One plan for many deployments: which of them need which others, and whose deployment is whose."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment
from .._errors import LabelTaken, Problem, Refused
from .single import Observed, Plan, plan
from .wanted import Purge, Rules, Wanted, problem_of, replacing, takers, with_replaced


class Places:
    """The places of plans: first those of the items, then of what these take over from, then of what is purged.

    :param items: the items, without what they take over from.
    :param is_list: whether problems tell the numbers of items.

    ``replaced``: the place of the plan of what an item takes over from, by the place of the item.
    """

    def __init__(self, items: t.Sequence[Wanted], is_list: bool = True) -> None:
        self.items = items
        self._owners = [*range(len(items)), *replacing(items)]
        self.replaced = {owner: place for place, owner in enumerate(self._owners) if place >= len(items)}
        self._is_list = is_list

    def __len__(self) -> int:
        """The number of places without those of what is purged."""
        return len(self._owners)

    def owner(self, place: int) -> int:
        """The place of the item that a plan is about; of what is purged that of the plan itself."""
        return self._owners[place] if place < len(self) else place

    def problem_of(self, place: int, error: Refused, purged: Plan | None = None) -> Problem:
        """What is refused about a plan: that of an item, or that of what is to be purged.

        :param purged: the plan, which has to be given where it may be one of what is to be purged.
        """
        if place < len(self):
            owner = self.owner(place)
            return problem_of(self.items[owner], error, owner + 1 if self._is_list else None)
        before = t.cast(Deployment, t.cast(Plan, purged).before)
        return Problem(error, None, before.project_id, before.label, before.id)


class Decided(t.NamedTuple):
    """The plans that can be made, by the places of their items and, after those, of what is purged; and what is refused.

    ``listed``: the ids of the deployments that items mean, even if they are refused.
    """

    plans: dict[int, Plan]
    problems: list[Problem]
    listed: frozenset[str | None] = frozenset()


def plan_all(
    places: Places,
    observed: Observed,
    rules: Rules,
    purge: Purge | None = None,
    invalid: t.Collection[int] = (),
) -> Decided:
    """Decide what has to be written to reach the desired state, and find everything that stands in the way of it.

    :param invalid: the places of items that cannot be planned, as :func:`.invalid.find_invalid` tells.
    :return: a plan for each of the items that are not refused and, after them, one for each deployment that they take over
        from, as :func:`.wanted.with_replaced` adds it, and one for each deployment to purge.
    """
    items = with_replaced(places.items)
    out = {place for place in range(len(places)) if places.owner(place) in invalid}
    plans, refusals, claimed = plan_each(items, observed, rules, invalid=out)
    problems = [places.problem_of(place, refusals[place]) for place in sorted(refusals)]
    refused = {places.owner(place) for place in refusals}
    for place in [place for place in plans if places.owner(place) in refused]:
        del plans[place]
    meant = (row.id for place in [*refusals, *out] for row in meant_by(items[place], observed))
    listed = frozenset(claimed).union(meant)
    if purge is not None:
        # Imported here since most tasks do not purge: see _module.
        from .purge import plan_purge

        purged, limits = plan_purge(places.items, observed, purge, listed)
        plans.update(enumerate(purged, len(items)))
        problems += limits
    return Decided(dict(sorted(plans.items())), problems, listed)


def plan_each(
    wanted: t.Sequence[Wanted],
    observed: Observed,
    rules: Rules,
    own: t.Mapping[str, int] | None = None,
    invalid: t.Collection[int] = (),
) -> tuple[dict[int, Plan], dict[int, Refused], dict[str | None, Plan]]:
    """Decide about each of the items, as far as it can be decided.

    :param wanted: what :func:`.invalid.find_invalid` has let pass, but for the places in ``invalid``; and what that takes
        over from, as :func:`.wanted.with_replaced` adds it.
    :param own: if it is decided again, the items that deployments were found or written for, by id: no other item takes
        such a one over by its ``previous_label``.
    :return: by index, the plans of the items that can be planned and why the others are refused; and by id of the
        deployments, the plans that are about them.
    """
    state = observed.copy()
    plans: dict[int, Plan] = {}
    refusals: dict[int, Refused] = {}
    claimed: dict[str | None, Plan] = {}
    turns = [turn for turn in _in_turn(wanted, observed) if turn[0] not in invalid]
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
    for index, other in [*_made_active(wanted, plans, claimed, state), *_renamed_from_replaced(wanted, plans)]:
        del plans[index]
        refusals[index] = _refuse_claimed(wanted[index], other)
    return plans, refusals, claimed


def _claims(decision: Plan) -> bool:
    """Whether nothing else may mean the same deployment. An archived one that is to be absent is free for others."""
    if decision.before is None:
        return False
    return bool(decision.changes) or decision.wanted.state == "present" or decision.wanted.id is not None


def _refuse_if_claimed(decision: Plan, claimed: t.Mapping[str | None, Plan]) -> None:
    if decision.before is not None and decision.before.id in claimed:
        raise _refuse_claimed(decision.wanted, claimed[decision.before.id])


def _made_active(
    wanted: t.Sequence[Wanted], plans: t.Collection[int], claimed: t.Mapping[str | None, Plan], state: Observed
) -> list[tuple[int, Plan]]:
    """The items that are to be absent by their label, and the plans of those that mean it by its id and make it active."""
    found = []
    for index, item in enumerate(wanted):
        if index in plans and item.state == "absent" and item.id is None:
            active = state.with_label(item.project_id, item.label or "", deleted=False)
            found += [(index, claimed[row.id]) for row in active[:1]]
    return found


def _renamed_from_replaced(wanted: t.Sequence[Wanted], plans: t.Mapping[int, Plan]) -> list[tuple[int, Plan]]:
    """The items whose ``previous_label`` is that of what another item takes over from, and the plans of that."""
    replaced = {
        (each.wanted.project_id, t.cast(Deployment, each.before).label): each
        for each in plans.values()
        if each.wanted.is_replaced and not t.cast(Deployment, each.before).deleted
    }
    return [
        (index, replaced[item.project_id, item.previous_label or ""])
        for index, item in enumerate(wanted)
        if index in plans and item.state == "present" and (item.project_id, item.previous_label or "") in replaced
    ]


def _in_turn(wanted: t.Sequence[Wanted], observed: Observed) -> t.Iterator[tuple[int, list[int]]]:
    """The places of the items, each after those of the items that give up, or take over, the label that it makes active;
    and which these are."""
    rows = [None if item.id is None else observed.with_id(item.id) for item in wanted]
    givers = _givers(wanted, rows)

    def before(index: int) -> list[int]:
        label = wanted[index].label or getattr(rows[index], "label", None)
        if wanted[index].state != "present" or label is None:
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
            # What is replaced gives up the label that it must not have; all others have to have theirs.
            keeps = item.label is None or (item.label == row.label) != item.is_replaced
            if item.state == "absent" or not keeps:
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


def _refuse_claimed(item: Wanted, other: Plan) -> Refused:
    before = t.cast(Deployment, other.before)
    return Refused(
        "plan all deployments together",
        f"{other.wanted} and {item} both mean the deployment {before.label!r} with the id {before.id}",
        "leave one of them out",
    )


def meant_by(item: Wanted, observed: Observed) -> list[Deployment]:
    """The deployments that an item which cannot be planned is about, so that they do not count as unlisted too."""
    if item.id is not None:
        found = observed.with_id(item.id)
        return [found] if found is not None and found.project_id == item.project_id else []
    for label, deleted in ((item.label, False), (item.previous_label, False), (item.label, True)):
        rows = observed.with_label(item.project_id, label or "", deleted)
        if rows:
            return rows
    return []
