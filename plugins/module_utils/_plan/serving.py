# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What deployments serve: which flags and experiments they are assigned to, and removed from; and taking over.

Pure, as all of the plan. It is decided for all items together, since what one of them assigns can be what another one
may leave.
"""

from __future__ import annotations

import typing as t

from .._api.deployments import KINDS, Deployment
from .._api.flags import Flag
from .._errors import Refused
from .many import Places
from .served import Served, ServingPlan, Step, by_item, order_of_flag
from .single import Change, name
from .wanted import Rules, Wanted


class Subject(t.NamedTuple):
    """One item whose deployment serves something, or takes over from another one.

    ``deployment``: as it is when it is assigned; its ``id`` is None if it is still to be created. ``created``: whether
    this task creates it, so that its ``id`` is told of no change. ``replaced``: the one that it takes over from, as it is
    then. ``retires``: whether that one is to be archived by this task.
    """

    item: int
    wanted: Wanted
    deployment: Deployment
    created: bool = False
    replaced: Deployment | None = None

    @property
    def retires(self) -> bool:
        """Whether the replaced deployment is active, and is to be retired."""
        return self.wanted.retire and self.replaced is not None and not self.replaced.deleted


def subjects_of(
    places: Places,
    serving: t.Iterable[int],
    current: t.Callable[[int], Deployment | None],
    created: t.Container[int] = (),
) -> list[Subject]:
    """The items whose deployments serve something, or take over from another one.

    :param serving: their places.
    :param current: by place, the deployment as it is when it is assigned or removed.
    :param created: the places of those that the task has created.
    """
    return [
        Subject(
            place,
            places.items[place],
            t.cast(Deployment, current(place)),
            place in created,
            current(places.replaced[place]) if place in places.replaced else None,
        )
        for place in serving
    ]


def plan_serving(
    subjects: t.Sequence[Subject], flags: t.Iterable[Flag], active: t.Container[str], rules: Rules
) -> ServingPlan:
    """Decide what has to be assigned and removed so that each deployment serves what is wanted.

    :param flags: those of the projects of the subjects, of the kinds that have to be read; archived ones are only used to
        say why a key is refused.
    :param active: the ids of the deployments that are active at the end of the whole plan, without those that are still to
        be created.
    """
    return _Planner(subjects, flags, active, rules).plan()


#: What stands for a deployment in a flag: its id or, as long as it has none, the place of its item.
_Mark = t.Union[str, int]


class _Planner:
    def __init__(
        self, subjects: t.Sequence[Subject], flags: t.Iterable[Flag], active: t.Container[str], rules: Rules
    ) -> None:
        self._subjects = subjects
        self._active = active
        self._rules = rules
        self._by_key: dict[tuple[str, str, str], list[Flag]] = {}
        self._users: dict[str, list[Flag]] = {}
        for flag in flags:
            self._by_key.setdefault((flag.project_id, flag.kind, flag.key), []).append(flag)
            if not flag.archived:
                for deployment_id in flag.deployments:
                    self._users.setdefault(deployment_id, []).append(flag)
        #: What each flag that changes has at the end.
        self._after: dict[tuple[str, str], set[_Mark]] = {}
        self._assigns: list[Step] = []
        self._removals: list[Step] = []
        self._problems: list[tuple[int, Refused]] = []

    def plan(self) -> ServingPlan:
        wanted = [self._wanted(subject) for subject in self._subjects]
        for subject, flags in zip(self._subjects, wanted):
            self._assign(subject, flags)
        for subject, flags in zip(self._subjects, wanted):
            self._remove(subject, flags)
        self._guard()
        served, replaced = {}, {}
        assigned = by_item(self._assigns)
        for subject in self._subjects:
            steps = assigned.get(subject.item, [])
            served[subject.item] = (self._served(subject.deployment.id), self._served_after(_mark(subject), steps))
            if subject.replaced is not None:
                old = t.cast(str, subject.replaced.id)
                replaced[subject.item] = (self._served(old), self._served_after(old, steps))
        return ServingPlan(tuple(self._assigns), tuple(self._removals), served, replaced, tuple(self._problems))

    def _assign(self, subject: Subject, wanted: t.Iterable[Flag]) -> None:
        mark = _mark(subject)
        for flag in wanted:
            if mark not in self._state(flag):
                self._state(flag).add(mark)
                change = _change("assign", subject.deployment, flag, subject.created)
                self._assigns.append(Step(subject.item, flag, subject.deployment.id, change))

    def _remove(self, subject: Subject, wanted: t.Iterable[Flag]) -> None:
        steps = []
        listed = {flag.place for flag in wanted}
        for flag in self._users.get(subject.deployment.id or "", ()):
            if subject.wanted.exclusive and subject.wanted.keys(flag.kind) is not None and flag.place not in listed:
                steps.append((flag, subject.deployment, subject.created))
        if subject.retires:
            replaced = t.cast(Deployment, subject.replaced)
            steps += [(flag, replaced, False) for flag in self._users.get(replaced.id or "", ())]
        for flag, deployment, created in sorted(steps, key=lambda step: order_of_flag(step[0])):
            self._state(flag).discard(t.cast(str, deployment.id))
            change = _change("unassign", deployment, flag, created)
            self._removals.append(Step(subject.item, flag, deployment.id, change))

    def _wanted(self, subject: Subject) -> list[Flag]:
        """The flags and experiments that the deployment of an item has to serve, in order."""
        found: dict[tuple[str, str], Flag] = {}
        for kind in KINDS:
            for key in subject.wanted.keys(kind) or ():
                flag = self._with_key(subject, kind, key)
                if flag is not None:
                    found[flag.place] = flag
        if subject.replaced is not None:
            for flag in self._users.get(subject.replaced.id or "", ()):
                if not subject.wanted.exclusive or subject.wanted.keys(flag.kind) is None:
                    found[flag.place] = flag
        return sorted(found.values(), key=order_of_flag)

    def _with_key(self, subject: Subject, kind: str, key: str) -> Flag | None:
        """The one that has a key; None, and a problem more, if there is not just one."""
        flags = self._by_key.get((subject.wanted.project_id, kind, key), [])
        unarchived = [flag for flag in flags if not flag.archived]
        if len(unarchived) == 1:
            return unarchived[0]
        self._problems.append((subject.item, _refuse_key(subject.wanted, kind, key, flags, unarchived)))
        return None

    def _guard(self) -> None:
        """Refuse to leave an enabled flag or experiment without an active deployment."""
        if self._rules.force:
            return
        subjects = {subject.item: subject for subject in self._subjects}
        left: dict[int, dict[tuple[str, str], Flag]] = {}
        for step in self._removals:
            if step.flag.enabled is not False and not any(map(self._is_active, self._state(step.flag))):
                left.setdefault(step.item, {})[step.flag.place] = step.flag
        for item, flags in left.items():
            self._problems.append((item, _refuse_to_leave(subjects[item], flags.values())))

    def _is_active(self, mark: _Mark) -> bool:
        return isinstance(mark, int) or mark in self._active

    def _state(self, flag: Flag) -> set[_Mark]:
        return self._after.setdefault(flag.place, set(flag.deployments))

    def _served(self, deployment_id: str | None) -> Served:
        return _keys(self._users.get(deployment_id or "", ()))

    def _served_after(self, mark: _Mark, assigned: t.Iterable[Step]) -> Served:
        flags = {flag.place: flag for flag in self._users.get(str(mark), ())}
        flags.update({step.flag.place: step.flag for step in assigned})
        return _keys(flag for flag in flags.values() if mark in self._state(flag))


def served_by(flags: t.Iterable[Flag], deployment_id: str | None) -> Served:
    """What of these unarchived flags and experiments a deployment serves."""
    return _keys(flag for flag in flags if not flag.archived and deployment_id in flag.deployments)


def _mark(subject: Subject) -> _Mark:
    return subject.item if subject.deployment.id is None else subject.deployment.id


def _keys(flags: t.Iterable[Flag]) -> Served:
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for flag in flags:
        found[flag.kind].append(flag.key)
    return Served(*(tuple(sorted(found[kind])) for kind in KINDS))


def _change(action: str, deployment: Deployment, flag: Flag, created: bool) -> Change:
    about = {flag.kind: flag.key}
    return Change(action, flag.project_id, None if created else deployment.id, deployment.label, **about)


def _refuse_key(wanted: Wanted, kind: str, key: str, flags: t.Sequence[Flag], unarchived: t.Sequence[Flag]) -> Refused:
    doing = f"assign {wanted} to {kind} {key!r}"
    if unarchived:
        return Refused(
            doing,
            f"the key {key!r} belongs to {len(unarchived)} {kind}s, with the ids {_ids(unarchived)}",
            "archive or rename all but one of them in Amplitude",
        )
    if flags:
        return Refused(
            doing,
            f"the {kind} {key!r} is archived (id {_ids(flags)})",
            f"leave the key out, or restore the {kind} in Amplitude",
        )
    return Refused(
        doing,
        f"there is no {kind} with the key {key!r} in the project",
        f"correct the key, or create the {kind} in Amplitude first",
    )


def _refuse_to_leave(subject: Subject, flags: t.Iterable[Flag]) -> Refused:
    of = name(subject.replaced) if subject.retires and subject.replaced is not None else name(subject.deployment)
    return Refused(
        f"remove {of} from what it serves",
        f"without it no active deployment would serve {_several(flags)}",
        "assign another deployment first, disable it in Amplitude, or set force to true if it is fine that its users no "
        "longer get variants",
    )


def _several(flags: t.Iterable[Flag]) -> str:
    return ", ".join(f"the enabled {flag} (id {flag.id})" for flag in flags)


def _ids(flags: t.Iterable[Flag]) -> str:
    return ", ".join(flag.id for flag in flags)
