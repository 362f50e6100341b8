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

from ._deployments import Deployment, Deployments
from ._errors import Ambiguous, AmplitudeError, ApiError, Refused, RequestFailed
from ._plan import Change, Observed, Plan, Rules, Wanted, changes_between, plan, validate

#: Seconds before the list is read again: doubled each time, up to the longest.
FIRST_LOOK = 0.1
LONGEST_LOOK = 5.0
#: Seconds after which the list is taken to show every write that was carried out. Not documented, thus assumed; if it
#: is wrong, a create that was sent again makes a second deployment, which is then settled like any race.
LIST_LAG = 5.0
#: Seconds within which another run that lost a race withdraws, besides twice the lag of the list that was seen.
RIVALS_WITHDRAW = 4.0
#: Seconds within which two active deployments with one label, if they stem from a race, become one.
RACES_SETTLE = 10.0
#: Seconds that the list may take to show an edit. It was answered with success, so that more would be waiting for
#: nothing if somebody else edits the same deployment meanwhile.
EDIT_SHOWS = 15.0
#: How often at most it is decided again because something else than what was planned has come about.
MOST_ROUNDS = 30


class Outcome(t.NamedTuple):
    """What has been, or in check mode would be, done about one deployment."""

    plan: Plan
    deployment: t.Optional[Deployment]
    changes: t.Sequence[Change]
    warnings: t.Sequence[str] = ()

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

    :raises AmplitudeError: with the return values so far in its ``result`` if something was written before.
    """
    validate(wanted)
    decision = _decide(deployments, wanted, rules)
    if check_mode or not decision.changes:
        return Outcome(decision, decision.after, decision.changes)
    return _Run(deployments, decision).carry_out(rules)


def _decide(deployments: Deployments, wanted: Wanted, rules: Rules) -> Plan:
    for observed in _looks(deployments, RACES_SETTLE):
        try:
            return plan(wanted, observed, rules)
        except Ambiguous as error:
            if not error.passing:
                raise
            ambiguous = error
    raise ambiguous


def _looks(deployments: Deployments, seconds: float) -> t.Iterator[Observed]:
    """Read the list, and again and again until so many seconds are over or the patience of the task is at its end."""
    pause = FIRST_LOOK
    ends = time.monotonic() + seconds
    while True:
        yield Observed(deployments.list())
        # The last look comes at the end of the time, so that all of it was waited for.
        left = ends - time.monotonic()
        if left <= 0 or not deployments.client.patience.wait(min(pause, left)):
            return
        pause = min(LONGEST_LOOK, pause * 2)


class _NotShown(Exception):
    """The list of deployments does not show what was written."""


class _Run:
    """One decision on its way to being true, and what has been written for it so far."""

    def __init__(self, deployments: Deployments, decision: Plan) -> None:
        self.deployments = deployments
        self.decision = decision
        self.written: t.Optional[Plan] = None
        self.current: t.Optional[Deployment] = None
        self.changes: t.List[Change] = []
        self.warnings: t.List[str] = []

    def carry_out(self, rules: Rules) -> Outcome:
        """Write what was decided, and decide again if others write the same at the same time."""
        try:
            for dummy in range(MOST_ROUNDS):
                if not self.decision.changes:
                    return self._outcome(self.decision.after)
                if self.decision.before is None:
                    shown = self._create(self.decision)
                else:
                    shown = self._edit(self.decision, self.decision.before)
                if shown is not None:
                    return self._outcome(shown)
                self.decision = _decide(self.deployments, self.decision.wanted, rules)
        except AmplitudeError as error:
            if self.changes:
                error.result.update(self._outcome(self.current).as_result())
            raise
        raise Refused(
            "make {0} {1}".format(self.decision.wanted, self.decision.wanted.state),
            "something else changes it all the time",
            "find out what does",
        )

    def _outcome(self, deployment: t.Optional[Deployment]) -> Outcome:
        return Outcome(self.written or self.decision, deployment, self.changes, self.warnings)

    def _wrote(self, changes: t.Iterable[Change], current: Deployment) -> None:
        self.written = self.written or self.decision
        self.changes += changes
        self.current = current

    def _create(self, decision: Plan) -> t.Optional[Deployment]:
        """Create a deployment, and return it as the list shows it; None if it has to be decided again."""
        new = t.cast(Deployment, decision.after)
        started = time.monotonic()
        try:
            identifier = self.deployments.create(new.project_id, new.label, t.cast(str, new.type))
        except RequestFailed as failure:
            if failure.outcome_unknown:
                found = self._find_unconfirmed(failure, lambda observed: _first_like(observed, new))
                if found is None:
                    return None
                identifier = t.cast(str, found.id)
            elif isinstance(failure, ApiError) and failure.status in (400, 409):
                self._explain_duplicate(new, failure)
                return None
            else:
                raise
        own = new._replace(id=identifier)
        self._wrote(decision.changes, own)
        withdrawn = "{0}-superseded-{1}".format(own.label, re.sub(r"[^A-Za-z0-9_-]", "-", identifier))
        try:
            return self._settle(own, own._replace(label=withdrawn, deleted=True), started, float("inf"))
        except _NotShown:
            raise AmplitudeError(
                "read the key of {0}".format(decision.wanted),
                "it was created with the id {0}, but the list of deployments does not show it yet".format(identifier),
                "run this again, which finds it as soon as the list shows it, or raise retry_timeout",
            ) from None

    def _find_unconfirmed(
        self, failure: RequestFailed, find: t.Callable[[Observed], t.Optional[Deployment]]
    ) -> t.Optional[Deployment]:
        """After a write whose outcome is unknown, let the list decide.

        :param find: finds in a list what the write was to bring about.
        :return: what the list shows; None if it had all the time that it needs and does not show it, so that it can be
            written again.
        """
        started = time.monotonic()
        for observed in _looks(self.deployments, LIST_LAG):
            found = find(observed)
            if found is not None:
                return found
        if time.monotonic() - started < LIST_LAG:
            failure.problem += ", so that it is not known whether it was carried out"
            raise failure
        return None

    def _edit(self, decision: Plan, before: Deployment) -> t.Optional[Deployment]:
        """Rename, archive or restore, and return the deployment as the list shows it; None to decide again."""
        after = t.cast(Deployment, decision.after)
        started = time.monotonic()
        try:
            if not self._patch(before, after):
                return None
        except ApiError as failure:
            if failure.status not in (400, 409) or after.deleted:
                raise
            self._explain_duplicate(after, failure)
            return None
        self._wrote(decision.changes, after)
        try:
            return self._settle(after, before, started, EDIT_SHOWS)
        except _NotShown:
            self.warnings.append(
                "The change of {0} was accepted, but the list of deployments does not show it yet: a run right after "
                "this one may find the old state.".format(decision.wanted)
            )
        except RequestFailed as failure:
            self.warnings.append("The change was accepted, but not read back. {0}".format(failure))
        return after

    def _patch(self, before: Deployment, after: Deployment) -> bool:
        """Send the one request that leads from one state of a deployment to another; False if that came to nothing."""
        try:
            self.deployments.edit(
                before,
                label=after.label if after.label != before.label else None,
                archive=after.deleted if after.deleted != before.deleted else None,
            )
        except RequestFailed as failure:
            if not failure.outcome_unknown:
                raise

            def find(observed: Observed) -> t.Optional[Deployment]:
                shown = observed.with_id(t.cast(str, after.id))
                return shown if _shows(shown, after) else None

            return self._find_unconfirmed(failure, find) is not None
        return True

    def _settle(self, own: Deployment, withdrawn: Deployment, started: float, seconds: float) -> t.Optional[Deployment]:
        """Wait until the list shows what was written, and no other active deployment with the same label.

        Runs that write the same at the same moment agree by the one rule that the lowest id stays. All others withdraw
        their own, and so does the lowest if another one stays all the same: its run has ended before it could see this
        one, and has returned it.

        :param own: what this run wrote.
        :param withdrawn: what this run makes of it if it has to withdraw.
        :param started: when it was written, on the clock of time.monotonic().
        :param seconds: for how long the list is read, as far as the patience of the task goes.
        :return: what was written, as the list shows it; None if it was withdrawn or somebody else has changed it.
        :raises _NotShown: the list never showed it.
        """
        shown: t.Optional[Deployment] = None
        rivals_until = 0.0
        for observed in _looks(self.deployments, seconds):
            row = observed.with_id(t.cast(str, own.id))
            if row is None or not _shows(row, own):
                if shown is not None:
                    return None
                continue
            now = time.monotonic()
            if shown is None:
                rivals_until = now + RIVALS_WITHDRAW + 2 * (now - started)
            shown = row
            rivals = [] if own.deleted else observed.with_label(own.project_id, own.label, deleted=False)
            if len(rivals) <= 1:
                return shown
            if rivals[0].id != own.id or now > rivals_until:
                self._withdraw(shown, withdrawn, rivals)
                return None
        if shown is None:
            raise _NotShown
        self.warnings.append(
            "There is another active deployment with the label {0!r} in project {1}.".format(own.label, own.project_id)
        )
        return shown

    def _withdraw(self, shown: Deployment, withdrawn: Deployment, rivals: t.Sequence[Deployment]) -> None:
        others = ", ".join(t.cast(str, row.id) for row in rivals if row.id != shown.id)
        if not self._patch(shown, withdrawn):
            return
        self._wrote(changes_between(shown, withdrawn), withdrawn)
        self.warnings.append(
            "Another run has made the label {0!r} in project {1} active at the same moment (id {2}): this run has "
            "withdrawn its own deployment with the id {3}, which now has the label {4!r} and is {5}.".format(
                shown.label,
                shown.project_id,
                others,
                shown.id,
                withdrawn.label,
                "archived" if withdrawn.deleted else "active",
            )
        )

    def _explain_duplicate(self, new: Deployment, failure: ApiError) -> None:
        """Return if another run has just created what was refused; else raise an error that names who has the label.

        Whether labels are unique in a project, among which deployments, and how the API says so is not documented.
        """
        for observed in _looks(self.deployments, LIST_LAG):
            active = observed.with_label(new.project_id, new.label, deleted=False)
            if any(row.id != new.id for row in active):
                return
            holders = [row for row in observed.with_similar_label(new.project_id, new.label) if row.id != new.id]
            if holders:
                raise Refused(
                    failure.doing,
                    "{0}, and the {1} deployment {2!r} with the id {3} has this label".format(
                        failure.problem,
                        "archived" if holders[0].deleted else "active",
                        holders[0].label,
                        holders[0].id,
                    ),
                    "restore that one (restore_archived), or give it another label first (id and label)",
                ) from failure
        raise failure


def _shows(row: t.Optional[Deployment], written: Deployment) -> bool:
    return row is not None and (row.label, row.deleted) == (written.label, written.deleted)


def _first_like(observed: Observed, new: Deployment) -> t.Optional[Deployment]:
    """The active deployment with the lowest id that can be the one that was to be created."""
    active = observed.with_label(new.project_id, new.label, deleted=False)
    return next((row for row in active if row.type in (None, new.type)), None)
