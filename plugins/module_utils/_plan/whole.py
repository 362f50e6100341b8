# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The whole plan of a task: of its deployments, checked by the guards, and of what they serve.

Pure but for what tells the flags and experiments, of which is asked only what is needed. Whoever has to know what a task
would do asks :func:`decide`: check mode, a real run, and the audit.
"""

from __future__ import annotations

import typing as t

from .._api.deployments import KINDS, Deployment
from .._errors import Problem, RequestFailed
from .guards import refuse_used, to_check, usage_unknown
from .many import Places, plan_all
from .served import ServingPlan, Step, by_item, in_order, kinds_to_read
from .single import Change, Observed, Plan, retired
from .wanted import Purge, Rules, Wanted

if t.TYPE_CHECKING:
    from .._api.flags import Flag

#: Tells the flags or the experiments of a project, archived ones too. It may raise :class:`.._errors.RequestFailed`.
Read = t.Callable[[str, str], "t.List[Flag]"]


class Decision(t.NamedTuple):
    """What a task does, and what is refused.

    ``plans``: those that can be made, by their places. ``steps``: those of ``serving``, by the places of the items.
    ``flags``: what was read to decide about them. ``listed``: the ids of the deployments that items mean, even if
    they are refused.
    """

    places: Places
    plans: dict[int, Plan]
    problems: list[Problem]
    serving: ServingPlan
    steps: t.Mapping[int, t.Sequence[Step]]
    flags: list[Flag]
    listed: frozenset[str | None]

    def changes_of(self, place: int) -> list[Change]:
        """The changes of the item whose plan has this place, or of what is purged, in the order in which they are told."""
        own = self.plans[place]
        old = retired(self.plans[self.places.replaced[place]]) if place in self.places.replaced else None
        label = own.wanted.label if own.after is None else own.after.label
        return joined(own.changes, old.changes if old else (), self.steps.get(place, ()), label)

    def changes_by_place(self) -> list[tuple[int, Change]]:
        """All changes, in the order in which they are told, each with the place of the item or of what is purged."""
        taken = set(self.places.replaced.values())
        return [(place, change) for place in self.plans if place not in taken for change in self.changes_of(place)]


def decide(
    items: t.Sequence[Wanted],
    observed: Observed,
    rules: Rules,
    read: Read,
    purge: Purge | None = None,
    invalid: t.Collection[int] = (),
    is_list: bool = True,
) -> Decision:
    """Decide what has to be written to reach the desired state, and find everything that stands in the way of it.

    :param items: and the others as :func:`.many.plan_all` takes them.
    :raises RequestFailed: what has to be known of flags or experiments to tell what deployments serve could not be read.
    """
    places = Places(items, is_list)
    decided = plan_all(places, observed, rules, purge, invalid)
    plans, problems = guarded(decided.plans, rules, read, places)
    problems = [*decided.problems, *problems]
    serving = [place for place in plans if place < len(items) and kinds_to_read([items[place]])]
    if not serving:
        return Decision(places, plans, problems, ServingPlan(), {}, [], decided.listed)
    # Imported here since most tasks leave alone what deployments serve: see _module.
    from .serving import plan_serving, subjects_of

    flags = read_all(kinds_to_read(items[place] for place in serving), read)
    state = observed.copy()
    for each in plans.values():
        if each.changes:
            state.replace(each.before, each.after)
    subjects = subjects_of(places, serving, lambda place: plans[place].after)
    plan = plan_serving(subjects, flags, active_ids(state), rules)
    problems += [places.problem_of(place, error) for place, error in plan.problems]
    refused = {place for place, error in plan.problems}
    plans = {place: each for place, each in plans.items() if places.owner(place) not in refused}
    return Decision(places, plans, problems, plan, by_item(plan.steps), flags, decided.listed)


def guarded(
    plans: t.Mapping[int, Plan], rules: Rules, read: Read, places: Places
) -> tuple[dict[int, Plan], list[Problem]]:
    """The same plans without what a guard refuses, and why it does."""
    kept, problems = dict(plans), []
    checked = to_check(plans, rules)
    if not checked:
        return kept, []
    # Imported here since most tasks archive nothing: see _module.
    from .._api.flags import Usage

    for project_id, archiving in sorted(checked.items()):
        archived = {t.cast(Deployment, each.before).id or "" for each in archiving.values()}
        try:
            usage = Usage((flag for kind in KINDS for flag in read(project_id, kind)), archived)
            refusals = refuse_used(archiving, usage)
            problems += [places.problem_of(place, error, archiving[place]) for place, error in refusals.items()]
            refused = set(refusals)
        except RequestFailed as failure:
            problems.append(Problem(usage_unknown(failure), None, project_id))
            refused = set(archiving)
        for place in refused:
            del kept[place]
    return kept, problems


def read_all(kinds: t.Mapping[str, t.Collection[str]], read: Read) -> list[Flag]:
    """The flags and experiments of these kinds, which are by project.

    :raises RequestFailed: they could not be read.
    """
    return [
        flag for project_id in sorted(kinds) for kind in sorted(kinds[project_id]) for flag in read(project_id, kind)
    ]


def active_ids(observed: Observed) -> set[str]:
    """The ids of all that is active. What is to be retired may be one of them, as it is removed from all that it serves."""
    return {row.id for row in observed.all_active() if row.id is not None}


def joined(
    own: t.Sequence[Change], old: t.Sequence[Change], steps: t.Iterable[Step], label: str | None
) -> list[Change]:
    """The changes of one item as they are told: what it takes over from is renamed first, and archived last.

    :param old: those of what it takes over from.
    :param steps: what is assigned and removed for it.
    :param label: its own.
    """
    last = [change for change in old if change.action == "archive"]
    served = [step.change for step in in_order(steps, label)]
    return [*(change for change in old if change not in last), *own, *served, *last]
