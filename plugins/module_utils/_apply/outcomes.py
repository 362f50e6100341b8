# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What a run returns: what has been, or in check mode would be, done about each deployment."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment
from .._plan.single import Change, Plan


class Outcome(t.NamedTuple):
    """What has been, or in check mode would be, done about one deployment."""

    plan: Plan
    deployment: Deployment | None
    changes: t.Sequence[Change]
    warnings: t.Sequence[str] = ()
    pending: t.Sequence[Change] = ()

    def as_result(self) -> dict[str, t.Any]:
        """The documented return values of the module ``amplitude_deployment``, without the warnings."""
        return dict(
            changed=bool(self.changes),
            deployment=self.deployment.as_result() if self.deployment else None,
            changes=[change.as_result() for change in self.changes],
            diff=self.plan.diff(),
        )


class Outcomes(t.NamedTuple):
    """What has been, or in check mode would be, done about many deployments: first those wanted, then those purged."""

    outcomes: t.Sequence[Outcome]
    wanted: int
    general_warnings: t.Sequence[str] = ()

    def as_result(self) -> dict[str, t.Any]:
        """The documented return values of the module ``amplitude_deployments``, without warnings and ``pending``."""
        changes = [change.as_result() for outcome in self.outcomes for change in outcome.changes]
        diffs = [outcome.plan.diff() for outcome in self.outcomes]
        return dict(
            changed=bool(changes),
            deployments=[each.deployment and each.deployment.as_result() for each in self.outcomes[: self.wanted]],
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
