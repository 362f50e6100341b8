# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What was decided, carried out, until the lists show that nothing is left to do; and the outcome.

Imported only where there is something to write.
"""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment
from .._api.flags import Flag, list_flags, reader
from .._errors import AmplitudeError, Problem, refusal
from .._plan.served import ServingPlan, Step, kinds_to_read
from .._plan.serving import plan_serving, served_by, subjects_of
from .._plan.single import Change, Observed, Plan, name, retired
from .._plan.wanted import RETIRED
from .._plan.whole import active_ids, guarded, read_all
from .assign import Assigner, not_shown, unseen_warnings
from .outcomes import Outcome
from .rounds import MOST_ROUNDS, Rounds
from .run import Run
from .task import State, Task

#: How often, at most, a run assigns what somebody adds while it takes over.
MOST_TAKEN_OVER = 3


class Execution:
    """What was decided, being carried out.

    :param run: which has decided it.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._client = run.client
        self._places = run.places
        self._rounds = Rounds(
            run.deployments, len(run.places), run.rules, run.concurrency, self._refused_again, run.places.problem_of
        )
        self._assigner = Assigner(
            run.client,
            self._read_flags,
            lambda: {row.id or "" for row in self._rounds.observed.all_active()},
            run.concurrency,
        )
        #: What was decided first, which check mode predicts; and what was decided last.
        self._first = self._serving = run.serving
        self._flags = run.flags

    def carry_out(self) -> AmplitudeError | None:
        """Carry out what was decided; and decide again until the lists show that nothing is left to be done.

        :return: the first error, after which nothing more is started.
        """
        error = self._rounds.begin(self._run.plans, self._run.observed)
        if error is not None:
            self._give_back()
            return error
        try:
            return self._serve() if self._first.served else None
        except AmplitudeError as failure:
            return failure

    def outcomes(self) -> list[Outcome]:
        """What was done about each item, and after them about what was purged."""
        parts = []
        for task in self._rounds.tasks:
            pending = [*task.pending]
            if task.plan.wanted.is_replaced and task.current is not None:
                pending += retired(task.plan._replace(after=task.current, changes=())).changes
            parts.append(Outcome(task.told, task.current, task.changes, task.warnings, pending))
        for place, warning in unseen_warnings(self._assigner.unseen).items():
            parts[place] = parts[place]._replace(warnings=[*parts[place].warnings, warning])
        flags = self._assigner.overlaid(self._flags)
        done = {_name_of(step) for step in self._assigner.done}
        left = {_name_of(step): step for plan in (self._first, self._serving) for step in plan.steps}
        undone = [step for name, step in left.items() if name not in done]
        served = {place: served_by(flags, _id(parts[place].deployment)) for place in self._first.served}
        replaced = self._places.replaced
        old = {place: served_by(flags, _id(parts[replaced[place]].deployment)) for place in self._first.replaced}
        return self._run.joined(parts, self._assigner.done, undone, served, old)

    def unused(self) -> list[str]:
        """The warning that something was approved that was not needed."""
        return [] if self._run.approval is None else self._run.approval.unused_warning(self._kept())

    def _kept(self) -> list[Change]:
        """What was carried out, and not taken back."""
        return [
            *(change for task in self._rounds.tasks for change in task.kept),
            *(step.change for step in self._assigner.done),
        ]

    def _refused_again(self, plans: t.Mapping[int, Plan]) -> list[Problem]:
        """Why plans that were made again must not be carried out."""
        changes = [(place, change) for place, each in plans.items() for change in each.changes]
        refused = guarded(plans, self._run.rules, reader(self._client), self._places)[1]
        return [*refused, *self._run.not_approved(changes, plans, self._kept())]

    def _give_back(self) -> None:
        """Give what was renamed its old label back if what was to get that could not be created."""
        for place, old in ((place, self._rounds.tasks[old]) for place, old in self._places.replaced.items()):
            own = self._rounds.tasks[place]
            is_refused = own.failure is not None and not own.failure.outcome_unknown
            was = old.told.before
            if (
                own.state is not State.PLANNED
                or not is_refused
                or not old.changes
                or was is None
                or old.current is None
            ):
                continue
            try:
                observed = Observed(self._run.deployments.list())
                if observed.with_label(was.project_id, was.label, deleted=False) or old.current.label == was.label:
                    continue
            except AmplitudeError:
                continue
            renamed = name(old.current)
            error = self._rounds.give_back(old)
            old.warnings.append(
                f"{renamed} has its label {was.label!r} back, since no other one could be created with it."
                if error is None
                else f"{renamed} could not be given its label {was.label!r} back: {error}"
            )

    def _serve(self) -> AmplitudeError | None:
        """Assign and remove, then archive what is retired, until the lists show that nothing of it is left to do.

        :raises AmplitudeError: at the first error, after which nothing more is started.
        """
        self._read_flags()
        taken_over = -1
        for dummy in range(MOST_ROUNDS):
            plan = self._plan_serving()
            if plan.assigns:
                taken_over += 1
                if taken_over > MOST_TAKEN_OVER:
                    raise self._unfinished(plan.assigns)
                self._assigner.assign(plan.assigns)
                continue
            if not plan.removals and not self._retiring():
                return None
            error = self._remove_or_retire()
            if error is not None:
                return error
        if not self._serving.steps:
            return self._rounds.go_on()
        raise self._unfinished(self._serving.steps)

    def _remove_or_retire(self) -> AmplitudeError | None:
        """Remove deployments from what they must not serve or, if nothing is left of that, archive what is retired.

        Neither is done before the lists show all that was assigned, and that the deployments are still as they were decided
        about; else that is put right, and it is for the caller to decide again.

        :return: the first error, after which nothing more is started.
        :raises AmplitudeError: it is not shown, or must not be.
        """
        if self._assigner.unseen:
            raise self._unfinished(self._assigner.unseen)
        observed = Observed(self._run.deployments.list())
        if not self._rounds.is_confirmed_by(observed):
            error = self._rounds.go_on()
            if error is None:
                self._read_flags()
            return error
        # Another deployment may have the label now, or what would be left on a flag may be archived.
        plan = self._plan_serving()
        if plan.assigns:
            return None
        if plan.removals:
            self._assigner.remove(plan.removals)
            return None
        for task in self._retiring():
            task.plan = task.plan._replace(wanted=task.plan.wanted._replace(state=RETIRED))
        return self._rounds.go_on(observed)

    def _unfinished(self, steps: t.Sequence[Step]) -> AmplitudeError:
        """The error that something on which more depends is not assigned, or not removed."""
        item = self._run.items[steps[0].item]
        if not item.retire:
            return not_shown(steps)
        row = t.cast(Deployment, self._rounds.tasks[self._places.replaced[steps[0].item]].current)
        return not_shown(steps, f"retire {row.label!r} (id {row.id}) in project {row.project_id}")

    def _retiring(self) -> list[Task]:
        """What is to be archived once it no longer serves anything."""
        tasks = [self._rounds.tasks[place] for place in self._places.replaced.values()]
        return [task for task in tasks if retired(task.plan._replace(after=task.current, changes=())).changes]

    def _plan_serving(self) -> ServingPlan:
        """Decide again what has to be assigned and removed, from the lists that were read last.

        :raises AmplitudeError: that must not be.
        """
        tasks = self._rounds.tasks
        created = {place for place in self._first.served if tasks[place].told.before is None}
        subjects = subjects_of(self._places, self._first.served, lambda place: tasks[place].current, created)
        active = active_ids(self._rounds.observed)
        self._serving = plan_serving(subjects, self._assigner.overlaid(self._flags), active, self._run.rules)
        plans = {place: task.plan for place, task in enumerate(tasks)}
        problems = [self._places.problem_of(place, error) for place, error in self._serving.problems]
        changes = [(step.item, step.change) for step in self._serving.steps]
        problems += self._run.not_approved(changes, plans, self._kept())
        if problems:
            raise refusal(problems)
        return self._serving

    def _read_flags(self) -> list[Flag]:
        """The flags and experiments that the run is about, without archived ones."""
        kinds = kinds_to_read(self._run.items[place] for place in self._first.served)
        self._flags = read_all(kinds, lambda project_id, kind: list_flags(self._client, kind, project_id))
        return self._flags


def _id(deployment: Deployment | None) -> str | None:
    return None if deployment is None else deployment.id


def _name_of(step: Step) -> tuple[t.Any, ...]:
    """What distinguishes a step from all others, even where the id of the deployment is not known yet."""
    return step.item, step.change.action, step.flag.kind, step.flag.id, step.change.label
