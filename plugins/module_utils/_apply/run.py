# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""One run of a module: what is decided, and what that would do."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment, Deployments
from .._api.waits import spell
from .._errors import AmplitudeError, Problem, RequestFailed, refusal
from .._plan.many import Places
from .._plan.served import Served, ServingPlan, Step, by_item
from .._plan.single import Change, Observed, Plan, name, retired
from .._plan.wanted import Invalid, Purge, Rules, Wanted
from .._plan.whole import Decision, Read, decide, joined
from .looks import looks_at
from .outcomes import Outcome

if t.TYPE_CHECKING:
    from .._api.client import Client
    from .._api.flags import Flag
    from .._plan.approval import Approval


class _Look(t.NamedTuple):
    """What was decided from one look at the list of deployments.

    ``changes``: those that need an approval. ``problems``: all that is refused. ``keyless``: what has no key yet, as far as
    that keeps the run waiting.
    """

    decided: Decision
    changes: list[tuple[int, Change]]
    problems: list[Problem]
    keyless: list[Deployment]

    @property
    def is_passing(self) -> bool:
        """Whether what stands in the way may be gone in another look."""
        return bool(self.keyless) or (bool(self.problems) and all(each.is_passing for each in self.problems))


class Run:
    """One run of a module.

    :param wanted: the items.
    :param invalid: what is wrong with the items themselves.
    :param is_list: whether problems tell the numbers of items.
    :param approval: the only changes that may be carried out; None if all may be.

    What :meth:`decide` has decided is in ``plans``, by their ``places``, and ``serving``; and what it has decided that from
    is in ``observed`` and ``flags``.
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
        self.deployments = deployments
        self.client = deployments.client
        self.items = wanted
        self.places = Places(wanted, is_list)
        self.rules = rules
        self.concurrency = concurrency
        self.approval = approval
        self._purge = purge
        self._project_ids = {item.project_id for item in wanted if item.project_id}.union(
            purge.project_ids if purge else ()
        )
        self._invalid = invalid
        self._is_list = is_list
        self.plans: list[Plan] = []
        self.observed = Observed(())
        self.serving = ServingPlan()
        self.flags: list[Flag] = []

    def decide(self, check_mode: bool) -> list[str]:
        """Decide what has to be done, checked by the guards.

        What is wrong with items themselves does not keep the others from being planned, but is not waited beside.

        :return: warnings, which an error has too; where nothing has to be done, those about the approval are among them.
        :raises AmplitudeError: all that is wrong with what is wanted, cannot be, or must not be without ``force``.
        """
        invalid = self._invalid.problems
        if invalid:
            self.client.patience.end()
            if len(self._invalid.places) == len(self.items):
                raise refusal(invalid)
        begun = self.client.waits.now()
        try:
            seconds = 0 if check_mode else self.client.waits.races_settle
            for looked, observed in enumerate(looks_at(self.deployments, seconds), 1):
                look = self._look(observed, check_mode)
                if not look.is_passing:
                    break
        except RequestFailed:
            if invalid:
                raise refusal(invalid) from None
            raise
        warnings = observed.warnings_about(self._project_ids)
        if look.problems:
            raise self._refusal(look, warnings + _waited(looked, self.client.waits.now() - begun))
        return warnings + self._warnings_about(look, check_mode)

    def _look(self, observed: Observed, check_mode: bool) -> _Look:
        """Decide from one look at the list."""
        decided = self._decide(observed)
        self.plans, self.observed = list(decided.plans.values()), observed
        changes = [] if self.approval is None else decided.changes_by_place()
        problems = [*self._invalid.problems, *decided.problems, *self.not_approved(changes, decided.plans)]
        keyless = [] if check_mode or problems else _keyless(self.plans)
        return _Look(decided, changes, problems, keyless)

    def _warnings_about(self, look: _Look, check_mode: bool) -> list[str]:
        """What should be known of what was decided, although nothing is refused."""
        warnings = [warning for each in self.plans for warning in each.warnings]
        if self.approval is not None and (check_mode or not look.changes):
            warnings += self.approval.unused_warning(change for _place, change in look.changes)
        return warnings + [f"The API lists no key for {name(each)}." for each in look.keyless]

    def _refusal(self, look: _Look, warnings: t.Sequence[str]) -> AmplitudeError:
        """The error that tells what is refused and, of a list, what would be done without that."""
        error = refusal(look.problems)
        error.warnings = warnings
        if self._is_list:
            error.result.update(pending=[change.as_result() for _place, change in look.decided.changes_by_place()])
        return error

    def predicted(self) -> list[Outcome]:
        """What would be done about each item, and after them about what would be purged."""
        plans = [retired(each) for each in self.plans]
        parts = [Outcome(each, each.after, each.changes) for each in plans]
        steps = self.serving.steps
        return self.joined(
            parts,
            steps,
            [],
            {place: after for place, (_before, after) in self.serving.served.items()},
            {place: after for place, (_before, after) in self.serving.replaced.items()},
        )

    def joined(
        self,
        parts: t.Sequence[Outcome],
        done: t.Sequence[Step],
        pending: t.Sequence[Step],
        served: t.Mapping[int, Served],
        replaced: t.Mapping[int, Served],
    ) -> list[Outcome]:
        """The outcomes of items with those of what they take over from and what they serve; and those of the purge."""
        outcomes = list(parts[: len(self.items)])
        steps, left = by_item(done), by_item(pending)
        for place in served:
            own = outcomes[place]
            old = parts[self.places.replaced[place]] if place in self.places.replaced else None
            label = own.plan.wanted.label if own.deployment is None else own.deployment.label
            outcomes[place] = own._replace(
                changes=joined(own.changes, old.changes if old else (), steps.get(place, ()), label),
                pending=joined(own.pending, old.pending if old else (), left.get(place, ()), label),
                warnings=[*own.warnings, *(old.warnings if old else ())],
                served=(self.serving.served[place][0], served[place]),
                replaced=old and (old.plan, (self.serving.replaced[place][0], replaced[place])),
            )
        return outcomes + list(parts[len(self.places) :])

    def not_approved(
        self, changes: t.Sequence[tuple[int, Change]], plans: t.Mapping[int, Plan], kept: t.Iterable[Change] = ()
    ) -> list[Problem]:
        """Why changes, each with the place of its plan, must not be carried out: they are not approved.

        :param kept: what was carried out before; each of the approved changes is approved once.
        """
        if self.approval is None:
            return []
        left = self.approval.unapproved((change for _place, change in changes), kept)
        problems = []
        for place, change in changes:
            if change in left:
                left.remove(change)
                problems.append(self.places.problem_of(place, self.approval.refusal(change), plans[place]))
        return problems

    def _decide(self, observed: Observed) -> Decision:
        decided = decide(
            self.items,
            observed,
            self.rules,
            _reader(self.client),
            self._purge,
            self._invalid.places,
            self._is_list,
        )
        self.flags = decided.flags
        self.serving = decided.serving
        return decided


def _waited(looked: int, seconds: float) -> list[str]:
    """The warning that a refusal was not told at once, if it was not."""
    if looked <= 1:
        return []
    return [
        f"The list was read for {spell(seconds)} before failing, since duplicates of two runs that create one label at "
        "the same moment are resolved in that time, and the key of a new deployment may be listed a little later."
    ]


def _keyless(plans: t.Iterable[Plan]) -> list[Deployment]:
    """What is there, is to be active, and is listed without a key."""
    rows = [each.after for each in plans if each.before is not None]
    return [row for row in rows if row is not None and row.key is None and not row.deleted]


def _reader(client: Client) -> Read:
    """:func:`.._api.flags.reader`."""
    read: Read | None = None

    def first_read(project_id: str, kind: str) -> list[Flag]:
        nonlocal read
        if read is None:
            # Imported here since most tasks have nothing to do with flags: see _module.
            from .._api.flags import reader

            read = reader(client)
        return read(project_id, kind)

    return first_read
