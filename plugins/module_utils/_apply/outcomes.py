# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What a run returns: what has been, or in check mode would be, done about each deployment."""

from __future__ import annotations

import typing as t

from .._api.deployments import KINDS, Deployment
from .._plan.served import Served
from .._plan.single import Change, Plan


class Outcome(t.NamedTuple):
    """What has been, or in check mode would be, done about one deployment.

    ``served``: what it serves, before and after; None where that is not managed. ``replaced``: the same of what it takes
    over from, with its plan.
    """

    plan: Plan
    deployment: Deployment | None
    changes: t.Sequence[Change]
    warnings: t.Sequence[str] = ()
    pending: t.Sequence[Change] = ()
    served: tuple[Served, Served] | None = None
    replaced: tuple[Plan, tuple[Served, Served]] | None = None

    def told(self) -> dict[str, t.Any] | None:
        """The documented return value ``deployment``."""
        if self.deployment is None:
            return None
        return dict(self.deployment.as_result(), **dict(dict.fromkeys(["flags", "experiments"]), **self._serves(1)))

    def diff(self) -> dict[str, t.Any]:
        """The documented return value ``diff``."""
        diff = self.plan.diff()
        for number, side in enumerate(["before", "after"]):
            if diff[side]:
                diff[side].update(self._serves(number))
            if self.replaced is not None:
                plan, served = self.replaced
                row = (plan.before, plan.after)[number]
                is_there = row is not None and not row.deleted
                told = dict(label=t.cast(Deployment, row).label, **served[number].as_result()) if is_there else {}
                diff[side].update(replaced=told)
        return diff

    def as_result(self) -> dict[str, t.Any]:
        """The documented return values of the module ``amplitude_deployment``, without the warnings."""
        return dict(
            changed=bool(self.changes),
            deployment=self.told(),
            changes=[change.as_result() for change in self.changes],
            diff=self.diff(),
        )

    def _serves(self, number: int) -> dict[str, list[str]]:
        """What it serves of the kinds that are managed, before (0) or after (1)."""
        if self.served is None:
            return {}
        wanted = self.plan.wanted
        is_managed = {kind + "s": wanted.replaces is not None or wanted.keys(kind) is not None for kind in KINDS}
        return {field: keys for field, keys in self.served[number].as_result().items() if is_managed[field]}


class Outcomes(t.NamedTuple):
    """What has been, or in check mode would be, done about many deployments: first those wanted, then those purged."""

    outcomes: t.Sequence[Outcome]
    wanted: int
    general_warnings: t.Sequence[str] = ()

    def as_result(self) -> dict[str, t.Any]:
        """The documented return values of the module ``amplitude_deployments``, without warnings and ``pending``."""
        changes = [change.as_result() for outcome in self.outcomes for change in outcome.changes]
        diffs = [outcome.diff() for outcome in self.outcomes]
        return dict(
            changed=bool(changes),
            deployments=[each.told() for each in self.outcomes[: self.wanted]],
            changes=changes,
            diff={side: dict(deployments=[diff[side] for diff in diffs if diff[side]]) for side in ("before", "after")},
        )

    def pending(self) -> list[dict[str, t.Any]]:
        """The documented return value ``pending``: the changes that have not been carried out."""
        return [change.as_result() for outcome in self.outcomes for change in outcome.pending]

    @property
    def warnings(self) -> list[str]:
        """The warnings about all of them."""
        return [*self.general_warnings, *(warning for outcome in self.outcomes for warning in outcome.warnings)]
