# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Carries a plan out: the writes, what became of them, and settling with other runs that write the same.

The API answers a create with an id and an edit with "OK"; everything else that this module knows of the outcome comes
from the list of deployments, which may show a write only after a while.
"""

from __future__ import annotations

import re
import time
import typing as t

from .._api.deployments import LABEL_CHARACTERS, Deployment, Deployments, order_of_id
from .._api.flags import read_usage
from .._errors import Ambiguous, AmplitudeError, ApiError, Refused, RequestFailed
from .._plan.many import Purge, check_usage, plan_all, plan_each, raise_first, validate_all
from .._plan.single import Change, Observed, Plan, Rules, Wanted, changes_between, plan, validate

#: Seconds before the list is read again: doubled each time, up to the longest.
FIRST_LOOK = 0.1
LONGEST_LOOK = 5.0
#: Seconds after which the list is taken to show every write that was carried out. Not documented, thus assumed; if it
#: is wrong, a create that was sent again makes a second deployment, which is then settled like any race.
LIST_LAG = 5.0
#: Seconds within which another run that lost a race withdraws, besides twice the lag of the list that was seen.
RIVALS_WITHDRAW = 4.0
#: Seconds within which two active deployments with one label, if they stem from a race, become one.
RACES_SETTLE = 20.0
#: Seconds that the list may take to show an edit. It was answered with success, so that more would be waiting for
#: nothing if somebody else edits the same deployment meanwhile.
EDIT_SHOWS = 15.0
#: How often at most it is decided again because something else than what was planned has come about.
MOST_ROUNDS = 30


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
            changes=[dict(change._asdict()) for change in self.changes],
            diff=self.plan.diff(),
        )


class Outcomes(t.NamedTuple):
    """What has been, or in check mode would be, done about many deployments: first those wanted, then those purged."""

    outcomes: t.Sequence[Outcome]
    wanted: int
    general_warnings: t.Sequence[str] = ()

    def as_result(self) -> dict[str, t.Any]:
        """The documented return values of the module ``amplitude_deployments``, without warnings and ``pending``."""
        changes = [dict(change._asdict()) for outcome in self.outcomes for change in outcome.changes]
        diffs = [outcome.plan.diff() for outcome in self.outcomes]
        return dict(
            changed=bool(changes),
            deployments=[each.deployment and each.deployment.as_result() for each in self.outcomes[: self.wanted]],
            changes=changes,
            diff={side: dict(deployments=[diff[side] for diff in diffs if diff[side]]) for side in ("before", "after")},
        )

    def pending(self) -> list[dict[str, t.Any]]:
        """The documented return value ``pending``: the changes that have not been carried out."""
        return [dict(change._asdict()) for outcome in self.outcomes for change in outcome.pending]

    @property
    def warnings(self) -> list[str]:
        """The warnings about all of them."""
        return [*self.general_warnings, *(warning for outcome in self.outcomes for warning in outcome.warnings)]


def ensure(deployments: Deployments, wanted: Wanted, rules: Rules, check_mode: bool) -> Outcome:
    """Make what is wanted true of one deployment, or in check mode say what that would change.

    :raises AmplitudeError: with the return values so far in its ``result`` if something was written before, and the
        warnings so far.
    """
    validate(wanted)
    [decision], warnings = _decide(
        deployments, rules, lambda observed: [plan(wanted, observed, rules)], {wanted.project_id}
    )
    if check_mode:
        return Outcome(decision, decision.after, decision.changes, warnings)
    [outcome], error = _carry_out(deployments, [decision], rules)
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
) -> Outcomes:
    """Make what is wanted true of many deployments, or in check mode say what that would change.

    :param concurrency: how many requests may be under way at once.
    :raises AmplitudeError: with ``pending`` and the other return values so far in its ``result`` if something was
        written before, and the warnings so far.
    """
    validate_all(wanted)
    project_ids = {item.project_id for item in wanted} | (purge.project_ids if purge else set())
    decisions, warnings = _decide(
        deployments, rules, lambda observed: plan_all(wanted, observed, rules, purge), project_ids
    )
    if check_mode:
        return Outcomes([Outcome(each, each.after, each.changes) for each in decisions], len(wanted), warnings)
    outcomes, error = _carry_out(deployments, decisions, rules, concurrency)
    result = Outcomes(outcomes, len(wanted), warnings)
    if error is not None:
        if any(outcome.changes for outcome in outcomes):
            error.result.update(result.as_result())
        error.result.update(pending=result.pending())
        error.warnings = result.warnings
        raise error
    return result


def _decide(
    deployments: Deployments,
    rules: Rules,
    make_plans: t.Callable[[Observed], list[Plan]],
    project_ids: t.Collection[str] = (),
) -> tuple[list[Plan], t.Sequence[str]]:
    """Plans made from the list of deployments, and checked against what uses what they archive.

    :param project_ids: the projects to warn of if nothing of them is listed.
    :return: the plans, and the warnings, which an error has too.
    """
    for observed in _looks(deployments, RACES_SETTLE):
        warnings = observed.warnings_about(project_ids)
        try:
            plans = make_plans(observed)
            _guard(deployments, plans, rules)
            return plans, warnings
        except Refused as error:
            error.warnings = warnings
            if not (isinstance(error, Ambiguous) and error.passing):
                raise
            ambiguous = error
    raise ambiguous


def _guard(deployments: Deployments, plans: t.Sequence[Plan], rules: Rules) -> None:
    projects = {t.cast(Deployment, each.before).project_id for each in plans if each.archives}
    if rules.force or not projects:
        return
    try:
        usage = read_usage(deployments.client, projects)
    except RequestFailed as failure:
        raise Refused(
            "find out whether flags or experiments still use what is to be archived",
            f"{failure.doing}: {failure.problem}",
            "see to it that the management API key can list them, or set force to true to archive without asking",
        ) from failure
    check_usage(plans, usage)


def _carry_out(
    deployments: Deployments, plans: t.Sequence[Plan], rules: Rules, concurrency: int = 1
) -> tuple[list[Outcome], AmplitudeError | None]:
    """Carry out plans, and decide again about those for which others write the same at the same time.

    :return: what came of each plan, and the first error, after which nothing more is begun.
    """
    not_shown: set[str] = set()
    tasks = [_Task(deployments, each, not_shown) for each in plans]
    error: AmplitudeError | None = None
    for dummy in range(MOST_ROUNDS):
        waiting = [task for task in tasks if not task.is_done]
        if not waiting or error is not None:
            break
        errors = [_write(waiting, concurrency), _settle(deployments, waiting)]
        error = errors[0] or errors[1]
        if error is None:
            error = _decide_again(deployments, tasks, rules)
    else:
        error = Refused("make it as it should be", "something else changes it all the time", "find out what does")
    return [task.outcome() for task in tasks], error


def _write(tasks: t.Sequence[_Task], concurrency: int) -> AmplitudeError | None:
    """Send the writes of all tasks, wave by wave; return the first error, after which none is begun.

    A wave relies on the labels that those before give up, so that it is not begun if one of their writes has come to
    nothing.
    """
    errors: list[AmplitudeError] = []

    def write(task: _Task) -> None:
        if not errors:
            try:
                task.write()
            except AmplitudeError as error:
                errors.append(error)

    for wave in sorted({task.wave for task in tasks}):
        batch = [task for task in tasks if task.wave == wave]
        if concurrency == 1 or len(batch) == 1:
            for task in batch:
                write(task)
        else:
            # Imported here because it takes a while, and most tasks write nothing or one thing.
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(concurrency) as threads:
                list(threads.map(write, batch))
        if not all(task.is_settling for task in batch):
            break
    return errors[0] if errors else None


def _settle(deployments: Deployments, tasks: t.Iterable[_Task]) -> AmplitudeError | None:
    """Read the list until every task knows what became of its write; return the first error."""
    errors: list[AmplitudeError] = []

    def tell(task: _Task, what: t.Callable[..., None], *args: t.Any) -> None:
        try:
            what(*args)
        except AmplitudeError as error:
            task.is_settling = False
            errors.append(error)

    waiting = [task for task in tasks if task.is_settling]
    failure: RequestFailed | None = None
    if waiting:
        try:
            for observed in _looks(deployments, float("inf")):
                for task in waiting:
                    tell(task, task.look, observed)
                waiting = [task for task in waiting if task.is_settling]
                if not waiting:
                    break
        except RequestFailed as error:
            failure = error
    for task in waiting:
        tell(task, task.give_up, failure)
    if failure is not None and failure in errors:
        failure.problem += ", so that what was written could not be read back"
    return errors[0] if errors else None


def _decide_again(deployments: Deployments, tasks: t.Sequence[_Task], rules: Rules) -> AmplitudeError | None:
    """Decide again about the tasks that are not done, and see to it that they take nothing from the others."""
    numbers = [number for number, task in enumerate(tasks) if not task.is_done]
    if not numbers:
        return None

    def plan_again(observed: Observed) -> list[Plan]:
        plans, refusals, dummy = plan_each([task.wanted for task in tasks], observed, rules)
        raise_first({number: refusals[number] for number in numbers if number in refusals})
        return [plans[number] for number in numbers]

    try:
        deployments.client.patience.wait(max(tasks[number].rivals_left() for number in numbers))
        decisions, dummy = _decide(deployments, rules, plan_again)
        for number, decision in zip(numbers, decisions):
            tasks[number].decide_again(decision)
    except AmplitudeError as error:
        return error
    return None


def _looks(deployments: Deployments, seconds: float) -> t.Generator[Observed, None, bool]:
    """Read the list, and again and again until so many seconds are over or the patience of the task is at its end.

    The last look begins at the end of the time: a list shows what was so when it was begun, however long it takes.

    :return: whether there was the patience for all of it.
    """
    pause = FIRST_LOOK
    ends = time.monotonic() + seconds
    while True:
        begun = time.monotonic()
        yield Observed(deployments.list())
        if begun >= ends:
            return True
        left = max(0.0, ends - time.monotonic())
        if not deployments.client.patience.wait(min(pause, left)):
            return False
        pause = min(LONGEST_LOOK, pause * 2)


class _Task:
    """One decision on its way to being true, and what has been written for it so far.

    It goes from :meth:`write` to :meth:`look`, which sees it through to ``is_done``. If neither is the case after that,
    something else has come about than what was decided, and :meth:`decide_again` has to follow.

    :param not_shown: the ids of what the tasks of this run have written without having seen it in the list; all of
        them share it.
    """

    def __init__(self, deployments: Deployments, decision: Plan, not_shown: set[str]) -> None:
        self.is_settling = False
        self.is_done = not decision.changes
        self.changes: list[Change] = []
        self.warnings: list[str] = []
        self._deployments = deployments
        self._not_shown = not_shown
        self._decision = decision
        self._is_carried_out = False
        self._written: Plan | None = None
        self._current = decision.before
        # Of the last write: what it has made, as it is and as it would be taken back, and as the list shows it.
        self._own: Deployment | None = None
        self._withdrawn: Deployment | None = None
        self._shown: Deployment | None = None
        self._rivals: t.Sequence[Deployment] = ()
        self._started = self._shows_until = self._rivals_until = 0.0

    @property
    def wanted(self) -> Wanted:
        """What the decision is about."""
        return self._decision.wanted

    @property
    def wave(self) -> int:
        """See :class:`._plan.single.Plan`."""
        return self._decision.wave

    def outcome(self) -> Outcome:
        """What has been done so far, and what is left to be done."""
        told = self._written or self._decision
        if self.is_done:
            return Outcome(told, self._current, self.changes, self.warnings)
        pending = () if self._is_carried_out else self._decision.changes
        return Outcome(told._replace(after=self._current), self._current, self.changes, self.warnings, pending)

    def rivals_left(self) -> float:
        """Seconds in which the deployment that has won over that of this task may still lose to a later one."""
        own = self._own
        if self._decision.before is None and self._rivals_until and own is not None and not _counts_up(own):
            return max(0.0, self._rivals_until - time.monotonic())
        return 0.0

    def decide_again(self, decision: Plan) -> None:
        """Go on with another decision about the same deployment."""
        self._decision = decision
        self._is_carried_out = False
        if not decision.changes:
            self.is_done = True
            self._current = decision.after

    def write(self) -> None:
        """Send the one request that carries out the decision.

        :raises AmplitudeError: it was refused, or nobody knows what became of it.
        """
        before, after = self._decision.before, t.cast(Deployment, self._decision.after)
        self._started = time.monotonic()
        self._shows_until = 0.0
        self._own = self._shown = None
        try:
            if before is None:
                identifier = self._create(after)
                if identifier is None:
                    return
                self._own = after._replace(id=identifier)
                suffix = re.sub(f"[^{LABEL_CHARACTERS}]", "-", identifier)
                label = f"{after.label}-superseded-{suffix}"
                self._withdrawn = self._own._replace(label=label, deleted=True)
            else:
                if not self._edit(before, after):
                    return
                self._own, self._withdrawn = after, before
        except ApiError as refusal:
            if refusal.status not in (400, 409) or after.deleted:
                raise
            self._explain_duplicate(after, refusal)
            return
        self._not_shown.add(t.cast(str, self._own.id))
        self._wrote(self._decision.changes, self._own)
        self.is_settling = self._is_carried_out = True

    def look(self, observed: Observed) -> None:
        """See what became of the write, and of other runs that write the same.

        Runs that make the same label active at the same moment agree by the one rule that the lowest id stays. All
        others withdraw their own, and so does the lowest if another one stays all the same: its run has ended before it
        could see this one, and has returned it.
        """
        own, now = t.cast(Deployment, self._own), time.monotonic()
        row = observed.with_id(t.cast(str, own.id))
        if row is not None and _shows(row, own):
            if self._shown is None:
                self._not_shown.discard(t.cast(str, own.id))
                self._rivals_until = now + RIVALS_WITHDRAW + 2 * (now - self._started)
            self._shown = row
            rivals = [] if own.deleted else self._active(own, observed)
            self._rivals = rivals
            if len(rivals) <= 1:
                self._done(row)
            elif rivals[0].id != own.id or now > self._rivals_until:
                self._withdraw(rivals)
        elif self._shown is not None:
            # Somebody else has changed it since.
            self.is_settling = False
        elif self._decision.before is not None:
            self._shows_until = self._shows_until or now + EDIT_SHOWS
            if now > self._shows_until:
                self.give_up(None)

    def give_up(self, failure: RequestFailed | None) -> None:
        """There will be no more looks: because the patience of the task is at its end, or because one has failed.

        :raises AmplitudeError: that leaves open what the task has to know: the key of what it has created, or which of
            several active deployments stays.
        """
        own = t.cast(Deployment, self._own)
        if self._decision.before is not None and self._shown is None and (failure is None or own.deleted):
            if failure is not None:
                warning = f"The change was accepted, but not read back. {failure}"
            else:
                warning = (
                    f"The change of {self._decision.wanted} was accepted, but the list of deployments does not show it yet: a run right "
                    "after this one may find the old state."
                )
            self.warnings.append(warning)
            self._done(own)
        elif failure is not None:
            raise failure
        elif self._shown is None:
            raise AmplitudeError(
                f"read the key of {self._decision.wanted}",
                f"it was created with the id {own.id}, but the list of deployments does not show it yet",
                "run this again, which finds it as soon as the list shows it, or raise retry_timeout",
            )
        elif self._decision.before is None and _counts_up(own):
            # The others were created later and have seen this one.
            self.warnings.append(
                f"{_rivalry(self._shown, self._rivals)} It should be withdrawn, but retry_timeout leaves no time to see that."
            )
            self._done(self._shown)
        else:
            # Another run may have ended before it could see that this one has made the label active.
            self._withdraw(self._rivals)

    def _active(self, own: Deployment, observed: Observed) -> list[Deployment]:
        """What is active with the label of a deployment, lowest id first.

        Without what another task of this run has changed, if the list does not show that yet: it shows one write of a
        run before another, in whatever order.
        """
        rows = observed.with_label(own.project_id, own.label, deleted=False)
        return [row for row in rows if row.id not in self._not_shown]

    def _done(self, deployment: Deployment) -> None:
        self.is_settling, self.is_done = False, True
        self._current = deployment

    def _wrote(self, changes: t.Iterable[Change], current: Deployment) -> None:
        self._written = self._written or self._decision
        self.changes += changes
        self._current = current

    def _create(self, new: Deployment) -> str | None:
        """Create a deployment and return its id; None if it has come to nothing.

        If the outcome is unknown, the list decides. It is given all the time that it may need: if others create the same
        label at the same moment, the newest of them is the one that nobody else takes for theirs.
        """
        try:
            return self._deployments.create(new.project_id, new.label, t.cast(str, new.type))
        except RequestFailed as failure:
            if not failure.outcome_unknown:
                raise
            newest: Deployment | None = None
            try:
                for observed in self._looks_after(failure):
                    for row in self._active(new, observed):
                        if row.type in (None, new.type):
                            newest = row
            except RequestFailed:
                if newest is None:
                    raise
            return newest and newest.id

    def _edit(self, before: Deployment, after: Deployment) -> bool:
        """Send the PATCH that leads from one state of a deployment to another; False if it has come to nothing."""
        try:
            self._deployments.edit(
                before,
                label=after.label if after.label != before.label else None,
                archive=after.deleted if after.deleted != before.deleted else None,
            )
            return True
        except RequestFailed as failure:
            if not failure.outcome_unknown:
                raise
            for observed in self._looks_after(failure):
                if _shows(observed.with_id(t.cast(str, after.id)), after):
                    return True
            return False

    def _looks_after(self, failure: RequestFailed) -> t.Iterator[Observed]:
        """Look for what a write has come to whose outcome is unknown, for as long as the list may take to show it.

        What a list does not show is only known not to be there if the list had all that time.

        :raises RequestFailed: the failure, if a look fails or the patience of the task ends before.
        """
        try:
            if (yield from _looks(self._deployments, LIST_LAG)):
                return
        except RequestFailed:
            pass
        failure.problem += ", so that it is not known whether it was carried out"
        raise failure

    def _withdraw(self, rivals: t.Sequence[Deployment]) -> None:
        self.is_settling = False
        shown, withdrawn = t.cast(Deployment, self._shown), t.cast(Deployment, self._withdrawn)
        if not self._edit(shown, withdrawn):
            return
        self._is_carried_out = False
        self._wrote(changes_between(shown, withdrawn), withdrawn)
        self.warnings.append(
            "{0} This run has withdrawn its own deployment with the id {1}, which is now {2!r} and {3}.".format(
                _rivalry(shown, rivals), shown.id, withdrawn.label, "archived" if withdrawn.deleted else "active"
            )
        )

    def _explain_duplicate(self, wanted: Deployment, refusal: ApiError) -> None:
        """Return if another run has just made the refused label active; else raise an error that names who has it.

        Whether labels are unique in a project, among which deployments, and how the API says so is not documented.
        """
        holder: Deployment | None = None
        try:
            for observed in _looks(self._deployments, LIST_LAG):
                if any(row.id != wanted.id for row in self._active(wanted, observed)):
                    return
                similar = observed.with_similar_label(wanted.project_id, wanted.label)
                holder = next((row for row in similar if row.id != wanted.id), None)
                # An archived one may not be the reason: the list may still be about to show an active one.
                if holder is not None and not holder.deleted and holder.label != wanted.label:
                    break
        except RequestFailed:
            pass
        if holder is None:
            raise refusal
        raise Refused(
            refusal.doing,
            "{0}, and the {1} deployment {2!r} with the id {3} has this label".format(
                refusal.problem, "archived" if holder.deleted else "active", holder.label, holder.id
            ),
            "use another label, restore that one, or first rename it with its id, which restores it too"
            if holder.deleted
            else "use another label",
        ) from refusal


def _shows(row: Deployment | None, written: Deployment) -> bool:
    return row is not None and (row.label, row.deleted) == (written.label, written.deleted)


def _counts_up(own: Deployment) -> bool:
    """Whether the id tells that what has a higher one was created later. Not documented; assumed of numbers."""
    return order_of_id(str(own.id))[0] == 0


def _rivalry(own: Deployment, rivals: t.Sequence[Deployment]) -> str:
    return "Another run has made the label {0!r} in project {1} active at the same moment (id {2}).".format(
        own.label, own.project_id, ", ".join(t.cast(str, row.id) for row in rivals if row.id != own.id)
    )
