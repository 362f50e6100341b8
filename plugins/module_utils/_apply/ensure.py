# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Makes true what is wanted of one deployment, or of many."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployments
from .._errors import InputError, Problem, Refused, refusal
from .._plan.many import Decided, plan_all
from .._plan.single import Observed, plan
from .._plan.wanted import Purge, Rules, Wanted, find_invalid, problem_of, validate
from .outcomes import Outcome, Outcomes
from .rounds import Run


def ensure(deployments: Deployments, wanted: Wanted, rules: Rules, check_mode: bool) -> Outcome:
    """Make what is wanted true of one deployment, or in check mode say what that would change.

    :raises AmplitudeError: with the return values so far in its ``result`` if something was written before, and the
        warnings so far.
    """
    try:
        validate(wanted)
    except InputError as unusable:
        raise refusal([problem_of(wanted, unusable)]) from None

    def plan_first(observed: Observed) -> Decided:
        try:
            return Decided({0: plan(wanted, observed, rules)}, [])
        except Refused as error:
            return Decided({}, [problem_of(wanted, error)])

    run = Run(deployments, [wanted], rules, None, 1, plan_first)
    [decision], warnings = run.decide(check_mode)
    if check_mode:
        return Outcome(decision, decision.after, decision.changes, warnings)
    [outcome], error = run.carry_out([decision])
    outcome = outcome._replace(warnings=[*warnings, *outcome.warnings])
    if error is not None:
        if outcome.changes:
            error.result.update(outcome.as_result())
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
    problems: t.Sequence[Problem] = (),
) -> Outcomes:
    """Make what is wanted true of many deployments, or in check mode say what that would change.

    :param concurrency: how many requests may be under way at once.
    :param problems: what is known to be wrong already.
    :raises AmplitudeError: with ``pending`` and the other return values so far in its ``result`` if something was
        written before, and the warnings so far; or with ``pending`` and all ``problems`` if it is refused.
    """
    invalid = find_invalid(wanted, known=problems)
    run = Run(
        deployments,
        wanted,
        rules,
        purge,
        concurrency,
        lambda observed: plan_all(wanted, observed, rules, purge, invalid.places),
        invalid,
    )
    decisions, warnings = run.decide(check_mode)
    if check_mode:
        return Outcomes([Outcome(each, each.after, each.changes) for each in decisions], len(wanted), warnings)
    outcomes, error = run.carry_out(decisions)
    result = Outcomes(outcomes, len(wanted), warnings)
    if error is not None:
        if any(outcome.changes for outcome in outcomes):
            error.result.update(result.as_result())
        error.result.update(pending=result.pending())
        error.warnings = result.warnings
        raise error
    return result
