# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The records of what deployments serve, before and after: what is decided in serving."""

from __future__ import annotations

import typing as t

from .._api.deployments import KINDS, order_of_id
from .._errors import Refused
from .single import Change
from .wanted import Wanted

if t.TYPE_CHECKING:
    from .._api.flags import Flag


class Step(t.NamedTuple):
    """One deployment that is assigned to a flag or an experiment, or removed from it.

    ``deployment_id`` is None if the deployment is still to be created.
    """

    item: int
    flag: Flag
    deployment_id: str | None
    change: Change


class Served(t.NamedTuple):
    """The keys of the unarchived flags and experiments that a deployment serves, in order."""

    flags: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()

    def as_result(self) -> dict[str, list[str]]:
        """The documented return values ``flags`` and ``experiments``."""
        return dict(flags=list(self.flags), experiments=list(self.experiments))


class ServingPlan(t.NamedTuple):
    """What has to be assigned and removed, in the order of the items; and for each item that is refused, why.

    ``served``: by item, what its deployment serves before and after. ``replaced``: the same of what it replaces.
    """

    assigns: tuple[Step, ...] = ()
    removals: tuple[Step, ...] = ()
    served: t.Mapping[int, tuple[Served, Served]] = {}
    replaced: t.Mapping[int, tuple[Served, Served]] = {}
    problems: tuple[tuple[int, Refused], ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them."""
        return self.assigns + self.removals


def kinds_to_read(wanted: t.Iterable[Wanted]) -> dict[str, set[str]]:
    """By project, the kinds that have to be read before it can be decided what is served."""
    found: dict[str, set[str]] = {}
    for item in wanted:
        kinds = set(KINDS) if item.replaces is not None else {kind for kind in KINDS if item.keys(kind) is not None}
        if kinds:
            found.setdefault(item.project_id, set()).update(kinds)
    return found


def by_item(steps: t.Iterable[Step]) -> dict[int, list[Step]]:
    """These steps by their items."""
    found: dict[int, list[Step]] = {}
    for step in steps:
        found.setdefault(step.item, []).append(step)
    return found


def in_order(steps: t.Iterable[Step], own_label: str | None) -> list[Step]:
    """The steps of one item as they are told: assignments first, then by kind and key, its own before what it replaces."""
    return sorted(
        steps,
        key=lambda step: (step.change.action != "assign", order_of_flag(step.flag), step.change.label != own_label),
    )


def order_of_flag(flag: Flag) -> tuple[t.Any, ...]:
    """Flags before experiments, by key."""
    return KINDS.index(flag.kind), flag.key, order_of_id(flag.id)
