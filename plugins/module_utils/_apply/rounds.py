# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Rounds of planning, writing and settling, until the list shows nothing that is left to do."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment, Deployments
from .._api.flags import read_usage
from .._errors import Ambiguous, AmplitudeError, Problem, Refused, RequestFailed, UnexpectedAnswer, refusal
from .._plan.guards import refuse_used, to_check, usage_unknown
from .._plan.many import Decided, plan_each
from .._plan.single import Observed, Plan, name
from .._plan.wanted import Invalid, Purge, Rules, Wanted, problem_of
from .outcomes import Outcome
from .settle import active_beside
from .task import State, Task
from .writes import Writer, looks, together

#: How often at most it is decided again because something else than what was planned has come about.
MOST_ROUNDS = 30


class Run:
    """One run of a module on its way.

    :param plan_first: makes the plans of the first round.
    :param invalid: what is wrong with the items of a list themselves; None if there is no list.
    """

    def __init__(
        self,
        deployments: Deployments,
        wanted: t.Sequence[Wanted],
        rules: Rules,
        purge: Purge | None,
        concurrency: int,
        plan_first: t.Callable[[Observed], Decided],
        invalid: Invalid | None = None,
    ) -> None:
        self._deployments = deployments
        self._wanted = wanted
        self._rules = rules
        self._project_ids = {item.project_id for item in wanted if item.project_id}.union(purge.project_ids if purge else ())
        self._concurrency = concurrency
        self._plan_first = plan_first
        self._is_list = invalid is not None
        self._invalid = invalid or Invalid([], set())
        self._writer = Writer(deployments)
        self._tasks: list[Task] = []

    def decide(self, check_mode: bool) -> tuple[list[Plan], list[str]]:
        """The plans of the first round, checked by the guards; and the warnings, which an error has too.

        What is wrong with items themselves does not keep the others from being planned, but is not waited beside.

        :raises AmplitudeError: all that is wrong with what is wanted, cannot be, or must not be without ``force``.
        """
        invalid = self._invalid.problems
        if invalid:
            self._deployments.client.patience.end()
            if len(self._invalid.places) == len(self._wanted):
                raise refusal(invalid)
        try:
            for observed in looks(self._deployments, 0 if check_mode else self._deployments.client.waits.races_settle):
                warnings = observed.warnings_about(self._project_ids)
                decided = self._guarded(self._plan_first(observed))
                problems = [*invalid, *decided.problems]
                plans = list(decided.plans.values())
                keyless = [] if check_mode or problems else _keyless(plans)
                if not keyless and not (problems and all(each.is_passing for each in problems)):
                    break
        except RequestFailed:
            if invalid:
                raise refusal(invalid) from None
            raise
        if problems:
            error = refusal(problems)
            error.warnings = warnings
            if self._is_list:
                error.result.update(pending=[change.as_result() for each in plans for change in each.changes])
            raise error
        warnings += [warning for each in plans for warning in each.warnings]
        return plans, warnings + [f"The API lists no key of {name(each)}." for each in keyless]

    def carry_out(self, plans: t.Sequence[Plan]) -> tuple[list[Outcome], AmplitudeError | None]:
        """Carry out plans, and decide again for all items until the list shows that nothing is left to be done.

        :return: what came of each plan, and the first error, after which nothing more is begun.
        """
        self._tasks = [Task(self._writer, each) for each in plans]
        error = self._rounds()
        return [self._outcome(task) for task in self._tasks], error

    def _rounds(self) -> AmplitudeError | None:
        is_true = not self._left()
        for number in range(MOST_ROUNDS):
            if is_true:
                return None
            error = self._decide_again() if number else None
            if error is not None:
                return error
            error = self._write(self._left())
            observed, failure = self._settle()
            if error or failure:
                return error or failure
            is_true = not self._left() and self._is_confirmed_by(observed)
        [left, *others] = self._left() or self._tasks
        which = f"{left.plan.wanted}{f' and {len(others)} others' if others else ''}"
        return UnexpectedAnswer(
            f"make {which} as wanted",
            f"something else keeps changing {which}",
            "find out what does, and run this again",
            transient=True,
        )

    def _left(self) -> list[Task]:
        return [task for task in self._tasks if task.state is not State.DONE]

    @staticmethod
    def _outcome(task: Task) -> Outcome:
        return Outcome(task.told, task.current, task.changes, task.warnings, task.pending)

    def _write(self, tasks: t.Sequence[Task]) -> AmplitudeError | None:
        """Send the writes of all tasks, wave by wave; return the first error, after which none is begun.

        A wave relies on the labels that those before give up or take over, so that it is not begun if one of their writes
        has come to nothing.
        """
        errors: list[AmplitudeError] = []

        def send(task: Task) -> None:
            if not errors:
                try:
                    task.send()
                except AmplitudeError as error:
                    errors.append(error)

        tasks = [task for task in tasks if task.state is not State.SETTLING]
        for wave in sorted({task.plan.wave for task in tasks}):
            batch = [task for task in tasks if task.plan.wave == wave]
            together([lambda task=task: send(task) for task in batch], self._concurrency)  # type: ignore[misc]
            if not all(task.state is State.SETTLING for task in batch):
                break
        return errors[0] if errors else None

    def _settle(self) -> tuple[Observed | None, AmplitudeError | None]:
        """Read the list until every task knows what became of its write.

        :return: what was read last, and the first error.
        """
        errors: list[AmplitudeError] = []

        def tell(task: Task, what: t.Callable[..., None], *args: t.Any) -> None:
            try:
                what(*args)
            except AmplitudeError as error:
                task.state = State.LOST
                errors.append(error)

        def waiting() -> list[Task]:
            return [task for task in self._tasks if task.state is State.SETTLING]

        observed: Observed | None = None
        failure: RequestFailed | None = None
        if waiting():
            try:
                for observed in looks(self._deployments, float("inf")):
                    overlaid = self._overlay(observed)
                    for task in waiting():
                        tell(task, task.look, observed, overlaid)
                    if not waiting():
                        break
            except RequestFailed as error:
                failure = error
        for task in waiting():
            tell(task, task.give_up, observed, failure)
        if failure is not None and failure in errors:
            failure.problem += ", so that what was written could not be read back"
        return None if failure else observed, errors[0] if errors else None

    def _is_confirmed_by(self, observed: Observed | None) -> bool:
        """Whether what was read last shows every item as it is returned.

        :param observed: None if it could not be read, which the tasks have told of.
        """
        if observed is None:
            return True
        try:
            plans = self._plan_again(observed)
        except Refused:
            return False
        if any(each.changes for each in plans):
            return False
        self._adopt(plans)
        return True

    def _decide_again(self) -> AmplitudeError | None:
        """Decide again about all items."""
        client = self._deployments.client
        try:
            client.patience.wait(max(task.rivals_left() for task in self._tasks))
            problem: Refused | None = None
            for observed in looks(self._deployments, client.waits.races_settle):
                try:
                    plans = self._plan_again(observed)
                    refused = self._guarded(Decided(dict(enumerate(plans)), [])).problems
                    if refused:
                        return refusal(refused)
                    self._adopt(plans)
                    return None
                except Refused as error:
                    problem = error
                    if not all(each.is_passing for each in error.problems):
                        break
            return problem
        except AmplitudeError as error:
            return error

    def _plan_again(self, observed: Observed) -> list[Plan]:
        overlaid = self._overlay(observed)
        own = {task.current.id: index for index, task in enumerate(self._tasks) if task.current is not None}
        wanted = [task.plan.wanted for task in self._tasks]
        plans, refusals, dummy = plan_each(wanted, overlaid, self._rules, t.cast("dict[str, int]", own))
        refused = {index: refusals[index] for index in refusals if index < len(self._wanted)}
        if refused:
            raise refusal([self._problem_of(place, self._tasks[place].plan, refused[place]) for place in refused])
        # What was to be purged and is meant by an item now is not purged.
        again = [plans.get(index) or task.plan._replace(changes=()) for index, task in enumerate(self._tasks)]
        for task, each in zip(self._tasks, again):
            made = task.made_active
            rivals = [] if made is None or each.changes else active_beside(made, overlaid, ())
            if len(rivals) > 1:
                error = Ambiguous(
                    f"make {each.wanted} {each.wanted.state}",
                    f"the deployments with the ids {', '.join(str(row.id) for row in rivals)} are all active with the label "
                    f"{rivals[0].label!r} now",
                    "archive or rename all but one of them, and run this again",
                    passing=True,
                )
                raise refusal([problem_of(each.wanted, error)])
        return again

    def _adopt(self, plans: t.Sequence[Plan]) -> None:
        for task, each in zip(self._tasks, plans):
            task.decide_again(each)

    def _overlay(self, observed: Observed) -> Observed:
        """What the list shows, with what was written and is not shown yet, and without what others will withdraw."""
        hidden = [task.write.own for task in self._tasks if task.write and task.write.id in self._writer.unseen]
        yielding = [observed.with_id(row.id or "") for task in self._tasks for row in task.yielding]
        if not hidden and not yielding:
            return observed
        overlaid = observed.copy()
        for row in yielding:
            overlaid.replace(row, None)
        for own in hidden:
            overlaid.replace(observed.with_id(own.id or ""), own)
        return overlaid

    def _guarded(self, decided: Decided) -> Decided:
        """The same, without what a guard refuses."""
        plans, problems = dict(decided.plans), list(decided.problems)
        for project_id, archiving in sorted(to_check(plans, self._rules).items()):
            archived = {t.cast(Deployment, each.before).id or "" for each in archiving.values()}
            try:
                refusals = refuse_used(archiving, read_usage(self._deployments.client, [project_id], archived))
                problems += [self._problem_of(place, archiving[place], error) for place, error in refusals.items()]
                refused = set(refusals)
            except RequestFailed as failure:
                problems.append(Problem(usage_unknown(failure), None, project_id))
                refused = set(archiving)
            for place in refused:
                del plans[place]
        return Decided(plans, problems)

    def _problem_of(self, place: int, decision: Plan, error: Refused) -> Problem:
        """What is refused about a plan: that of an item, or that of what is to be purged."""
        if place < len(self._wanted):
            return problem_of(decision.wanted, error, place + 1 if self._is_list else None)
        before = t.cast(Deployment, decision.before)
        return Problem(error, None, before.project_id, before.label, before.id)


def _keyless(plans: t.Iterable[Plan]) -> list[Deployment]:
    """What is there, is to be active, and is listed without a key."""
    rows = [each.after for each in plans if each.before is not None]
    return [row for row in rows if row is not None and row.key is None and not row.deleted]
