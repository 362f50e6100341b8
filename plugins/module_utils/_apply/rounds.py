# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Rounds of planning, writing and settling, until the list shows nothing that is left to do."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment, Deployments
from .._api.waits import spell
from .._errors import Ambiguous, AmplitudeError, Problem, Refused, RequestFailed, UnexpectedAnswer, refusal
from .._plan.many import plan_each
from .._plan.single import Observed, Plan
from .._plan.wanted import Rules, Wanted, problem_of
from .looks import looks_at
from .settle import active_beside
from .task import State, Task
from .writes import Writer, together

#: How often, at most, it is decided again because something other than what was planned has happened.
MOST_ROUNDS = 30


class Rounds:
    """Carries out plans, and decides again for all of them until the list shows that nothing is left to be done.

    :param count: the number of plans of items, and of what they take over from; those of what is purged come after them.
    :param guard: why plans, by their places, must not be carried out.
    :param problem_of: what is refused about the plan at a place.

    ``observed``: how the list last showed the deployments, with what was written and is not shown yet.
    """

    def __init__(
        self,
        deployments: Deployments,
        count: int,
        rules: Rules,
        concurrency: int,
        guard: t.Callable[[t.Mapping[int, Plan]], t.Sequence[Problem]],
        problem_of: t.Callable[[int, Refused], Problem],
    ) -> None:
        self._deployments = deployments
        self._count = count
        self._rules = rules
        self._concurrency = concurrency
        self._guard = guard
        self._problem_of = problem_of
        self._writer = Writer(deployments)
        self.tasks: list[Task] = []
        self.observed = Observed(())
        self._begun = self._writer.now()

    def begin(self, plans: t.Iterable[Plan], observed: Observed) -> AmplitudeError | None:
        """Carry out plans.

        :param observed: what they were made from.
        :return: the first error, after which nothing more is started.
        """
        self.observed = observed
        self.tasks = [Task(self._writer, each) for each in plans]
        return self._rounds(not self._left())

    def go_on(self, observed: Observed | None = None) -> AmplitudeError | None:
        """Decide again for all items, and carry that out.

        :param observed: what was just read, and shows all items as they are returned.
        """
        if observed is not None:
            try:
                self._decide_from(observed)
            except Refused as error:
                return error
        return self._rounds(False, again=observed is None)

    def give_back(self, task: Task) -> AmplitudeError | None:
        """Give what a task has renamed its old label back."""
        given = task.plan
        task.give_back()
        error = self._write([task]) or self._settle()[1]
        if task.state is State.PLANNED:
            # It keeps the label that it was given, which the next run is content with.
            task.plan, task.state = given, State.DONE
        return error

    def _rounds(self, is_true: bool, again: bool = False) -> AmplitudeError | None:
        for number in range(MOST_ROUNDS):
            if is_true:
                return None
            error = self._decide_again() if number or again else None
            if error is not None:
                return error
            error = self._write(self._left())
            observed, failure = self._settle()
            if error or failure:
                return error or failure
            is_true = not self._left() and (observed is None or self.is_confirmed_by(observed))
        [left, *others] = self._left() or self.tasks
        which = f"{left.plan.wanted}{f' and {len(others)} others' if others else ''}"
        return UnexpectedAnswer(
            f"bring {which} to the desired state",
            f"something else keeps changing {which}, even after {MOST_ROUNDS} rounds within "
            f"{spell(self._writer.now() - self._begun)}",
            "find out what it is, and run this again",
            transient=True,
        )

    def _left(self) -> list[Task]:
        return [task for task in self.tasks if task.state is not State.DONE]

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
                    task.failure = error
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
            return [task for task in self.tasks if task.state is State.SETTLING]

        observed: Observed | None = None
        overlaid: Observed | None = None
        failure: RequestFailed | None = None
        if waiting():
            try:
                for observed in looks_at(self._deployments, float("inf")):
                    overlaid = self._overlay(observed)
                    for task in waiting():
                        tell(task, task.look, observed, overlaid)
                    if not waiting():
                        break
            except RequestFailed as error:
                failure = error
        for task in waiting():
            tell(task, task.give_up, overlaid, failure)
        if failure is not None and failure in errors:
            failure.problem += ", so what was written could not be read back"
        return None if failure else observed, errors[0] if errors else None

    def is_confirmed_by(self, observed: Observed) -> bool:
        """Whether what was read last shows every item as it is returned."""
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
            client.patience.wait(max(task.rivals_left() for task in self.tasks))
            problem: Refused | None = None
            for observed in looks_at(self._deployments, client.waits.races_settle):
                try:
                    self._decide_from(observed)
                    return None
                except Refused as error:
                    problem = error
                    if not all(each.is_passing for each in error.problems):
                        break
            return problem
        except AmplitudeError as error:
            return error

    def _decide_from(self, observed: Observed) -> None:
        """Decide again about all items from what was read.

        :raises Refused: what is wanted is no longer possible, or not allowed.
        """
        plans = self._plan_again(observed)
        refused = self._guard(dict(enumerate(plans)))
        if refused:
            raise refusal(refused)
        self._adopt(plans)

    def _plan_again(self, observed: Observed) -> list[Plan]:
        self.observed = overlaid = self._overlay(observed)
        own = {task.current.id: index for index, task in enumerate(self.tasks) if task.current is not None}
        wanted = [task.plan.wanted for task in self.tasks]
        plans, refusals, dummy = plan_each(wanted, overlaid, self._rules, t.cast("dict[str, int]", own))
        refused = {index: refusals[index] for index in refusals if index < self._count}
        if refused:
            raise refusal([self._problem_of(place, refused[place]) for place in refused])
        # What was to be purged and is meant by an item now is not purged.
        again = [plans.get(index) or task.plan._replace(changes=()) for index, task in enumerate(self.tasks)]
        for task, each in zip(self.tasks, again):
            if task.made_active is not None and not each.changes:
                _check_alone(each.wanted, active_beside(task.made_active, overlaid, ()))
        return again

    def _adopt(self, plans: t.Sequence[Plan]) -> None:
        for task, each in zip(self.tasks, plans):
            task.decide_again(each)

    def _overlay(self, observed: Observed) -> Observed:
        """What the list shows, with what was written and is not shown yet, and without what others will withdraw."""
        hidden = [task.write.own for task in self.tasks if task.write and task.write.id in self._writer.unseen]
        yielding = {row.id or "" for task in self.tasks for row in task.yielding}
        if not hidden and not yielding:
            return observed
        overlaid = observed.copy()
        for identifier in yielding:
            overlaid.replace(observed.with_id(identifier), None)
        for own in hidden:
            overlaid.replace(overlaid.with_id(own.id or ""), own)
        return overlaid


def _check_alone(wanted: Wanted, active: t.Sequence[Deployment]) -> None:
    """Make sure that what a run has made active is the only one with its label.

    :raises Refused: it is not.
    """
    if len(active) > 1:
        error = Ambiguous(
            f"ensure that {wanted} is {wanted.state}",
            f"the deployments with the ids {', '.join(str(row.id) for row in active)} are all active with the label "
            f"{active[0].label!r} now",
            "archive or rename all but one of them (amplitude_deployment_info with include_usage shows which of "
            "them is used), and run this again",
            passing=True,
        )
        raise refusal([problem_of(wanted, error)])
