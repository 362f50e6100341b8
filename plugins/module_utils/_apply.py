# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Carries a plan out: the writes, and reading back what they did."""

from __future__ import annotations

import typing as t

from ._deployments import Deployment, Deployments
from ._errors import AmplitudeError
from ._plan import Change, Observed, Plan, Rules, Wanted, plan, validate

#: Seconds before the list is read again in which a write did not show: doubled each time, up to the longest.
FIRST_LOOK = 0.1
LONGEST_LOOK = 5.0
#: Seconds that the list may take to show a PATCH. It was answered with success, so that more would be waiting for
#: nothing if somebody else changes the same deployment meanwhile.
EDIT_SHOWS_WITHIN = 15.0


class Outcome(t.NamedTuple):
    """What has been, or in check mode would be, done about one deployment."""

    plan: Plan
    deployment: t.Optional[Deployment]
    changes: t.Tuple[Change, ...]
    warnings: t.Tuple[str, ...] = ()

    def as_result(self) -> t.Dict[str, t.Any]:
        """The documented return values of the module ``amplitude_deployment``, without the warnings."""
        return dict(
            changed=bool(self.changes),
            deployment=self.deployment.as_result() if self.deployment else None,
            changes=[dict(change._asdict()) for change in self.changes],
            diff=self.plan.diff(),
        )


def ensure(deployments: Deployments, wanted: Wanted, rules: Rules, check_mode: bool) -> Outcome:
    """Make what is wanted true of one deployment, or in check mode say what that would change.

    :raises AmplitudeError: with ``changed`` and ``changes`` in its ``result`` if something was written before.
    """
    validate(wanted)
    decision = plan(wanted, Observed(deployments.list()), rules)
    if check_mode or not decision.changes:
        return Outcome(decision, decision.after, decision.changes)
    return _carry_out(deployments, decision)


def _carry_out(deployments: Deployments, decision: Plan) -> Outcome:
    after = t.cast(Deployment, decision.after)
    if decision.before is None:
        identifier = deployments.create(after.project_id, after.label, t.cast(str, after.type))
        return _read_back_created(deployments, decision, identifier)
    deployments.edit(
        decision.before,
        label=after.label if after.label != decision.before.label else None,
        archive=after.deleted if after.deleted != decision.before.deleted else None,
    )
    return _read_back_edited(deployments, decision)


def _read_back_created(deployments: Deployments, decision: Plan, identifier: str) -> Outcome:
    """Wait until the list shows a new deployment, because only the list has its key."""
    written = dict(
        changed=True,
        changes=[dict(change._asdict()) for change in decision.changes],
        deployment=t.cast(Deployment, decision.after)._replace(id=identifier).as_result(),
        diff=decision.diff(),
    )
    try:
        shown = _wait_for_list(deployments, identifier, lambda row: row is not None)
    except AmplitudeError as error:
        error.result.update(written)
        raise
    if shown is None:
        raise AmplitudeError(
            "read the key of {0}".format(decision.wanted),
            "it was created with the id {0}, but the list of deployments does not show it yet".format(identifier),
            "run this again, which finds it as soon as the list shows it, or raise retry_timeout",
            **written,
        )
    return Outcome(decision, shown, decision.changes)


def _read_back_edited(deployments: Deployments, decision: Plan) -> Outcome:
    """Wait until the list shows an edit, so that a run right after this one does not find the old state."""
    after = t.cast(Deployment, decision.after)
    budget = min(EDIT_SHOWS_WITHIN, deployments.client.patience.left)
    try:
        shown = _wait_for_list(
            deployments,
            t.cast(str, after.id),
            lambda row: row is not None and (row.label, row.deleted) == (after.label, after.deleted),
            budget,
        )
    except AmplitudeError as error:
        warning = "The change was accepted, but not read back. {0}".format(error)
        return Outcome(decision, after, decision.changes, (warning,))
    if shown is None:
        warning = (
            "The change of {0} was accepted, but the list of deployments does not show it yet: "
            "a run right after this one may find the old state.".format(decision.wanted)
        )
        return Outcome(decision, after, decision.changes, (warning,))
    return Outcome(decision, shown, decision.changes)


def _wait_for_list(
    deployments: Deployments,
    identifier: str,
    shows: t.Callable[[t.Optional[Deployment]], bool],
    budget: float = float("inf"),
) -> t.Optional[Deployment]:
    """Read the list until it shows what was written; None if it does not within the budget of seconds.

    Whether a list right after a write shows it is not documented.
    """
    pause = FIRST_LOOK
    while True:
        row = Observed(deployments.list()).with_id(identifier)
        if shows(row):
            return row
        if pause > budget or not deployments.client.patience.wait(pause):
            return None
        budget -= pause
        pause = min(LONGEST_LOOK, pause * 2)
