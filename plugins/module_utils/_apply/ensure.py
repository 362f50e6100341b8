# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Brings one deployment, or many, to the desired state."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployments
from .._errors import InputError, refusal
from .._plan.wanted import USUAL_CONCURRENCY, Invalid, Purge, Rules, Wanted, problem_of, validate
from .outcomes import Outcome, Outcomes
from .run import Run

if t.TYPE_CHECKING:
    from .._plan.approval import Approval
    from .execution import Execution


def ensure(
    deployments: Deployments, wanted: Wanted, rules: Rules, check_mode: bool, approval: Approval | None = None
) -> Outcome:
    """Bring one deployment to the desired state, or in check mode say what that would change.

    :param approval: the only changes that may be carried out; None if all may be.
    :raises AmplitudeError: with ``pending`` and the other return values so far in its ``result`` if something was written
        before, and the warnings so far.
    """
    try:
        validate(wanted)
    except InputError as unusable:
        raise refusal([problem_of(wanted, unusable)]) from None
    run = Run(deployments, [wanted], rules, None, USUAL_CONCURRENCY, Invalid([], set()), False, approval)
    warnings = run.decide(check_mode)
    [outcome] = run.predicted()
    if check_mode or not outcome.changes:
        return outcome._replace(warnings=warnings)
    execution = _execution(run)
    error = execution.carry_out()
    [outcome] = execution.outcomes()
    outcome = outcome._replace(warnings=[*warnings, *outcome.warnings, *([] if error else execution.unused())])
    if error is not None:
        if outcome.changes:
            error.result.update(outcome.as_result(), pending=[change.as_result() for change in outcome.pending])
        error.warnings = outcome.warnings
        raise error
    return outcome


def ensure_all(
    deployments: Deployments,
    wanted: t.Sequence[Wanted],
    rules: Rules,
    purge: Purge | None,
    check_mode: bool,
    concurrency: int,
    invalid: Invalid,
    approval: Approval | None = None,
) -> Outcomes:
    """Bring many deployments to the desired state, or in check mode say what that would change.

    :param concurrency: how many requests may be under way at once.
    :param invalid: what is wrong with the items themselves.
    :param approval: the only changes that may be carried out; None if all may be.
    :raises AmplitudeError: with ``pending`` and the other return values so far in its ``result`` if something was
        written before, and the warnings so far; or with ``pending`` and all ``problems`` if it is refused.
    """
    run = Run(deployments, wanted, rules, purge, concurrency, invalid, approval=approval)
    warnings = run.decide(check_mode)
    predicted = run.predicted()
    if check_mode or not any(outcome.changes for outcome in predicted):
        return Outcomes(predicted, len(wanted), warnings)
    execution = _execution(run)
    error = execution.carry_out()
    result = Outcomes(execution.outcomes(), len(wanted), [*warnings, *([] if error else execution.unused())])
    if error is not None:
        if any(outcome.changes for outcome in result.outcomes):
            error.result.update(result.as_result())
        error.result.update(pending=result.pending())
        error.warnings = result.warnings
        raise error
    return result


def _execution(run: Run) -> Execution:
    """What carries out what a run has decided."""
    # Imported here since most tasks find what they want, and write nothing: see _module.
    from .execution import Execution

    return Execution(run)
