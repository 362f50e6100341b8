# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""One run of a module: what is decided, what is carried out, and what came of it."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment, Deployments
from .._api.flags import Flag, list_flags, reader
from .._api.waits import spell
from .._errors import AmplitudeError, Problem, RequestFailed, refusal
from .._plan.approval import Approval, not_approved, unused_warning
from .._plan.many import Places
from .._plan.serving import Served, ServingPlan, Step, by_item, kinds_to_read, plan_serving, served_by
from .._plan.single import Change, Observed, Plan, name, retired
from .._plan.wanted import RETIRED, Invalid, Purge, Rules, Wanted
from .._plan.whole import Decision, active_ids, decide, guarded, joined, read_all
from .assign import Assigner, not_shown, unseen_warnings
from .looks import looks_at
from .outcomes import Outcome
from .rounds import MOST_ROUNDS, Rounds
from .task import State, Task

#: How often at most is assigned what somebody adds while a run takes over.
MOST_TAKEN_OVER = 3


class Run:
    """One run of a module.

    :param wanted: the items.
    :param invalid: what is wrong with the items themselves.
    :param is_list: whether problems tell the numbers of items.
    :param approval: the only changes that may be carried out; None if all may be.
    """

    def __init__(
        self,
        deployments: Deployments,
        wanted: t.Sequence[Wanted],
        rules: Rules,
        purge: Purge | None,
        concurrency: int,
        invalid: Invalid,
        is_list: bool = True,
        approval: Approval | None = None,
    ) -> None:
        self._deployments = deployments
        self._client = deployments.client
        self._items = wanted
        self._places = Places(wanted, is_list)
        self._replaced = self._places.replaced
        self._rules = rules
        self._purge = purge
        self._project_ids = {item.project_id for item in wanted if item.project_id}.union(
            purge.project_ids if purge else ()
        )
        self._invalid = invalid
        self._is_list = is_list
        self._approval = approval
        self._rounds = Rounds(
            deployments, len(self._places), rules, concurrency, self._refused_again, self._places.problem_of
        )
        self._assigner = Assigner(
            self._client,
            self._read_flags,
            lambda: {row.id or "" for row in self._rounds.observed.all_active()},
            concurrency,
        )
        self._plans: list[Plan] = []
        self._observed = Observed(())
        #: What was decided first, which check mode predicts; and what was decided last.
        self._first = self._serving = ServingPlan()
        self._flags: list[Flag] = []

    def decide(self, check_mode: bool) -> list[str]:
        """Decide what has to be done, checked by the guards.

        What is wrong with items themselves does not keep the others from being planned, but is not waited beside.

        :return: warnings, which an error has too.
        :raises AmplitudeError: all that is wrong with what is wanted, cannot be, or must not be without ``force``.
        """
        invalid = self._invalid.problems
        if invalid:
            self._client.patience.end()
            if len(self._invalid.places) == len(self._items):
                raise refusal(invalid)
        looked, begun = 0, self._client.waits.now()
        try:
            for observed in looks_at(self._deployments, 0 if check_mode else self._client.waits.races_settle):
                looked += 1
                decided = self._decide(observed)
                changes = [] if self._approval is None else decided.changes_by_place()
                problems = [*invalid, *decided.problems, *self._not_approved(changes, decided.plans)]
                self._plans, self._observed = list(decided.plans.values()), observed
                keyless = [] if check_mode or problems else _keyless(self._plans)
                if not keyless and not (problems and all(each.is_passing for each in problems)):
                    break
        except RequestFailed:
            if invalid:
                raise refusal(invalid) from None
            raise
        warnings = observed.warnings_about(self._project_ids)
        if problems:
            raise self._refusal(problems, decided, warnings + _waited(looked, self._client.waits.now() - begun))
        warnings += [warning for each in self._plans for warning in each.warnings]
        if check_mode and self._approval is not None:
            warnings += unused_warning(self._approval.unused(change for _place, change in changes))
        return warnings + [f"The API lists no key of {name(each)}." for each in keyless]

    def _refusal(self, problems: t.Sequence[Problem], decided: Decision, warnings: t.Sequence[str]) -> AmplitudeError:
        """The error that tells what is refused and, of a list, what would be done without that."""
        error = refusal(problems)
        error.warnings = warnings
        if self._is_list:
            error.result.update(pending=[change.as_result() for _place, change in decided.changes_by_place()])
        return error

    def predicted(self) -> list[Outcome]:
        """What would be done about each item, and after them about what would be purged."""
        plans = [retired(each) for each in self._plans]
        parts = [Outcome(each, each.after, each.changes) for each in plans]
        steps = self._first.steps
        return self._joined(
            parts,
            steps,
            [],
            {place: after for place, (_before, after) in self._first.served.items()},
            {place: after for place, (_before, after) in self._first.replaced.items()},
        )

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
        old = {place: served_by(flags, _id(parts[self._replaced[place]].deployment)) for place in self._first.replaced}
        return self._joined(parts, self._assigner.done, undone, served, old)

    def _joined(
        self,
        parts: t.Sequence[Outcome],
        done: t.Sequence[Step],
        pending: t.Sequence[Step],
        served: t.Mapping[int, Served],
        replaced: t.Mapping[int, Served],
    ) -> list[Outcome]:
        """The outcomes of items with those of what they take over from and what they serve; and those of the purge."""
        outcomes = list(parts[: len(self._items)])
        steps, left = by_item(done), by_item(pending)
        for place in served:
            own = outcomes[place]
            old = parts[self._replaced[place]] if place in self._replaced else None
            label = own.plan.wanted.label if own.deployment is None else own.deployment.label
            outcomes[place] = own._replace(
                changes=joined(own.changes, old.changes if old else (), steps.get(place, ()), label),
                pending=joined(own.pending, old.pending if old else (), left.get(place, ()), label),
                warnings=[*own.warnings, *(old.warnings if old else ())],
                served=(self._first.served[place][0], served[place]),
                replaced=old and (old.plan, (self._first.replaced[place][0], replaced[place])),
            )
        return outcomes + list(parts[len(self._places) :])

    def carry_out(self) -> AmplitudeError | None:
        """Carry out what was decided; and decide again until the lists show that nothing is left to be done.

        :return: the first error, after which nothing more is begun.
        """
        error = self._rounds.begin(self._plans, self._observed)
        if error is not None:
            self._give_back()
            return error
        try:
            return self._serve() if self._first.served else None
        except AmplitudeError as failure:
            return failure

    def unused(self) -> list[str]:
        """The warning that something was approved that was not needed."""
        return [] if self._approval is None else unused_warning(self._approval.unused(self._kept()))

    def _kept(self) -> list[Change]:
        """What was carried out, and not taken back."""
        return [
            *(change for task in self._rounds.tasks for change in task.kept),
            *(step.change for step in self._assigner.done),
        ]

    def _refused_again(self, plans: t.Mapping[int, Plan]) -> list[Problem]:
        """Why plans that were made again must not be carried out."""
        changes = [(place, change) for place, each in plans.items() for change in each.changes]
        refused = guarded(plans, self._rules, reader(self._client), self._places)[1]
        return [*refused, *self._not_approved(changes, plans)]

    def _not_approved(self, changes: t.Sequence[tuple[int, Change]], plans: t.Mapping[int, Plan]) -> list[Problem]:
        """Why changes, each with the place of its plan, must not be carried out: nobody has approved them."""
        if self._approval is None:
            return []
        left = self._approval.unapproved((change for _place, change in changes), self._kept())
        problems = []
        for place, change in changes:
            if change in left:
                left.remove(change)
                problems.append(self._places.problem_of(place, not_approved(change), plans[place]))
        return problems

    def _give_back(self) -> None:
        """Give what was renamed its old label back if what was to get that could not be created."""
        for place, old in ((place, self._rounds.tasks[old]) for place, old in self._replaced.items()):
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
                observed = Observed(self._deployments.list())
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
        """Assign and remove, then archive what is retired, until the lists show that nothing of that is left to do.

        :raises AmplitudeError: at the first error, after which nothing more is begun.
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
            if self._assigner.unseen:
                raise self._unfinished(self._assigner.unseen)
            observed = Observed(self._deployments.list())
            if not self._rounds.is_confirmed_by(observed):
                error = self._rounds.go_on()
                if error is not None:
                    return error
                self._read_flags()
                continue
            # Another deployment may have the label now, or what would be left on a flag may be archived.
            plan = self._plan_serving()
            if plan.removals and not plan.assigns:
                self._assigner.remove(plan.removals)
            elif not plan.assigns:
                for task in self._retiring():
                    task.plan = task.plan._replace(wanted=task.plan.wanted._replace(state=RETIRED))
                error = self._rounds.go_on(observed)
                if error is not None:
                    return error
        if not plan.steps:
            return self._rounds.go_on()
        raise self._unfinished(plan.steps)

    def _unfinished(self, steps: t.Sequence[Step]) -> AmplitudeError:
        """The error that something is not assigned, or removed, that more depends on."""
        item = self._items[steps[0].item]
        if not item.retire:
            return not_shown(steps)
        row = t.cast(Deployment, self._rounds.tasks[self._replaced[steps[0].item]].current)
        return not_shown(steps, f"retire {row.label!r} (id {row.id}) in project {row.project_id}")

    def _retiring(self) -> list[Task]:
        """What is to be archived once nothing serves it any more."""
        tasks = [self._rounds.tasks[place] for place in self._replaced.values()]
        return [task for task in tasks if retired(task.plan._replace(after=task.current, changes=())).changes]

    def _decide(self, observed: Observed) -> Decision:
        decided = decide(
            self._items,
            observed,
            self._rules,
            reader(self._client),
            self._purge,
            self._invalid.places,
            self._is_list,
        )
        self._flags = decided.flags
        self._first = self._serving = decided.serving
        return decided

    def _plan_serving(self) -> ServingPlan:
        """Decide again what has to be assigned and removed, from the lists that were read last.

        :raises AmplitudeError: that must not be.
        """
        tasks = self._rounds.tasks
        created = {place for place in self._first.served if tasks[place].told.before is None}
        subjects = self._places.subjects(self._first.served, lambda place: tasks[place].current, created)
        active = active_ids(self._rounds.observed)
        self._serving = plan_serving(subjects, self._assigner.overlaid(self._flags), active, self._rules)
        plans = {place: task.plan for place, task in enumerate(tasks)}
        problems = [self._places.problem_of(place, error) for place, error in self._serving.problems]
        problems += self._not_approved([(step.item, step.change) for step in self._serving.steps], plans)
        if problems:
            raise refusal(problems)
        return self._serving

    def _read_flags(self) -> list[Flag]:
        """The flags and experiments that the run is about, without archived ones."""
        kinds = kinds_to_read(self._items[place] for place in self._first.served)
        self._flags = read_all(kinds, lambda project_id, kind: list_flags(self._client, kind, project_id))
        return self._flags


def _waited(looked: int, seconds: float) -> list[str]:
    """The warning that a refusal was not told at once, if it was not."""
    if looked <= 1:
        return []
    return [
        f"The list was read for {spell(seconds)} before failing, since two runs that create one label at the same moment "
        "become one in that time, and the key of a new deployment may be listed a little later."
    ]


def _id(deployment: Deployment | None) -> str | None:
    return None if deployment is None else deployment.id


def _name_of(step: Step) -> tuple[t.Any, ...]:
    """What tells a step from all others, also where the id of the deployment is not known yet."""
    return step.item, step.change.action, step.flag.kind, step.flag.id, step.change.label


def _keyless(plans: t.Iterable[Plan]) -> list[Deployment]:
    """What is there, is to be active, and is listed without a key."""
    rows = [each.after for each in plans if each.before is not None]
    return [row for row in rows if row is not None and row.key is None and not row.deleted]
