# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""One plan being carried out: what has been written for it so far, and what the list has shown of that."""

from __future__ import annotations

import enum
import typing as t

from .._api.deployments import Deployment
from .._api.waits import told
from .._errors import AmplitudeError, AnswerLost, ApiError, RequestFailed
from .._plan.single import Change, Observed, Plan, changes_between
from .settle import Sight, Verdict, Write, is_half_of, last_verdict, rivalry, rivals_left, shows, verdict, ways_back
from .writes import Writer


class State(enum.Enum):
    """Where a task is."""

    PLANNED = "nothing was sent for the plan yet, or what was sent has come to nothing"
    SETTLING = "it was written, and the list has to show what became of it"
    DONE = "the plan is true"
    WITHDRAWN = "what was written was taken back"
    LOST = "somebody else has changed what was written"


class Task:
    """One plan being carried out.

    After :meth:`send` it is settling, and :meth:`look` sees it through. Unless it is done then, it has to be decided
    again, which :meth:`decide_again` tells it.
    """

    def __init__(self, writer: Writer, plan: Plan) -> None:
        self.plan = plan
        self.state = State.PLANNED if plan.changes else State.DONE
        self.changes: list[Change] = []
        #: Those of the changes that were not taken back.
        self.kept: list[Change] = []
        self.warnings: list[str] = []
        self.current = plan.before
        self.write: Write | None = None
        #: Why the last request that was sent for it has failed.
        self.failure: AmplitudeError | None = None
        #: What others will withdraw, without being waited for.
        self.yielding: list[Deployment] = []
        self._first: Plan | None = None
        self._writer = writer
        self._sight = Sight()
        #: What was sent, and seems to have come to nothing: the list may show it later than it is assumed to.
        self._doubtful: Plan | None = None
        #: When the creates were sent whose answers were lost.
        self._lost: list[float] = []
        #: The last write that was taken back, and what the list had shown of it.
        self._taken_back: tuple[Write, Sight] | None = None
        #: How it was before an edit that was carried out in part, and where its changes begin.
        self._halved: tuple[Deployment, int] | None = None

    @property
    def told(self) -> Plan:
        """The plan, from what was there before the first write to what is there now."""
        return (self._first or self.plan)._replace(after=self.current)

    @property
    def pending(self) -> t.Sequence[Change]:
        """The changes that are not written, or not known to be."""
        return self.plan.changes if self.state is State.PLANNED else ()

    @property
    def made_active(self) -> Deployment | None:
        """What it has created, renamed or restored."""
        return None if self._first is None or self.current is None or self.current.deleted else self.current

    def rivals_left(self) -> float:
        """Seconds in which the deployment that has won over that of this task may still lose to a later one."""
        if self.state is not State.WITHDRAWN or self._taken_back is None:
            return 0.0
        return rivals_left(*self._taken_back, self._writer.now())

    def decide_again(self, plan: Plan) -> None:
        """Continue with another plan for the same item."""
        doubtful, self._doubtful = self._doubtful, None
        if doubtful is not None and not plan.changes and _is_due_to(doubtful, plan):
            if len(self._lost) > 1:
                # Another one may still appear.
                self.plan = doubtful
                found = t.cast(Deployment, plan.before)
                self._accepted(Write(None, found, self._lost[0], self._lost[-1]), doubtful.changes)
                return
            self._first = self._first or doubtful
            self.changes += doubtful.changes
            self.kept += doubtful.changes
        self.plan = plan
        self.state = State.PLANNED if plan.changes else State.DONE
        # Nothing is found of what it has archived where there are several archived ones with its label.
        if not plan.changes and not (plan.after is None and self._first is not None):
            self.current = plan.after

    def give_back(self) -> None:
        """Plan to give what was renamed its old label back."""
        row, first = t.cast(Deployment, self.current), t.cast(Deployment, t.cast(Plan, self._first).before)
        after = row._replace(label=first.label)
        self.plan = Plan(self.plan.wanted, row, after, changes_between(row, after))
        self.state = State.PLANNED
        self.kept = []

    def send(self) -> None:
        """Send the one request that carries out the plan.

        :raises AmplitudeError: it was refused, or its outcome is unknown.
        """
        before, after = self.plan.before, t.cast(Deployment, self.plan.after)
        sent = self._writer.now()
        unaccounted: list[float] = []
        try:
            if before is None:
                identifier, is_lost = self._writer.create(after)
                if is_lost:
                    self._lost.append(sent)
                    sent = self._lost[0]
                if identifier is None:
                    self._doubtful = self.plan
                    return
                # One of those that were lost is the one that was found.
                unaccounted = self._lost[is_lost:]
                own = after._replace(id=identifier)
            else:
                if not self._writer.edit(before, after):
                    self._doubtful = self.plan
                    return
                own = after
        except ApiError as refusal:
            if refusal.status not in (400, 409) or after.deleted:
                raise
            self._writer.explain_duplicate(before, after, refusal)
            return
        lost = unaccounted[-1] if unaccounted else None
        self._accepted(Write(before, own, sent, lost), self.plan.changes)

    def look(self, observed: Observed, overlaid: Observed) -> None:
        """See what became of the write, and of other runs that write the same.

        :param overlaid: what was read, with what this run has written and the list does not show yet.

        :raises AmplitudeError: what has lost a race cannot be taken back.
        """
        write = t.cast(Write, self.write)
        now, waits = self._writer.now(), self._writer.deployments.client.waits
        judged, self._sight = verdict(write, self._sight, observed, self._writer.outdated(observed), now, waits)
        if self._sight.row is not None or judged is Verdict.OVERTAKEN:
            self._writer.unseen.pop(write.id, None)
        if judged is Verdict.OVERTAKEN:
            self._overtaken(write, t.cast(Deployment, observed.with_id(write.id)))
        elif judged is Verdict.WITHDRAW:
            self._withdraw(overlaid)
        elif judged is not Verdict.WAIT:
            self._end(judged)

    def give_up(self, overlaid: Observed | None, failure: RequestFailed | None) -> None:
        """There will be no more looks: because the patience of the task is at its end, or because one has failed.

        :param overlaid: as for :meth:`look`; None if nothing could be read.
        :raises AmplitudeError: that leaves open what the task has to know: the key of what it has created, or which of
            several active deployments stays.
        """
        write = t.cast(Write, self.write)
        judged = last_verdict(write, self._sight, failure is not None)
        if judged is Verdict.UNREAD and not (write.before is not None and write.own.deleted):
            raise t.cast(RequestFailed, failure)
        if judged is Verdict.UNREAD:
            self.warnings.append(f"The change was accepted, but could not be read back. {failure}")
        if judged in (Verdict.HIDDEN, Verdict.KEYLESS):
            after = told(" after {time}", self._writer.now() - write.sent)
            seen = f"it was created with the id {write.id}, but the list of deployments shows it without its key{after}"
            unseen = f"it was created with the id {write.id}, but the list of deployments does not show it yet{after}"
            raise AnswerLost(
                f"read the key of {self.plan.wanted}",
                unseen if judged is Verdict.HIDDEN else seen,
                "run this again, which finds it as soon as the list shows it, or raise retry_timeout",
                transient=True,
            )
        if judged is Verdict.WITHDRAW:
            self._withdraw(t.cast(Observed, overlaid))
            self.state = State.WITHDRAWN
        else:
            self._end(judged)

    def _accepted(self, write: Write, changes: t.Iterable[Change]) -> None:
        self.write, self._sight = write, Sight()
        self._first = self._first or self.plan
        changes = list(changes)
        self.changes += changes
        self.kept = [] if write.withdraws else self.kept + changes
        if self._halved is not None:
            before, start = self._halved
            whole = changes_between(before, write.own)
            if {each.action for each in whole} == {each.action for each in self.changes[start:]}:
                self.changes[start:] = whole
            self._halved = None
        self.current = write.own
        self.state = State.SETTLING
        self._writer.unseen[write.id] = write.before

    def _end(self, judged: Verdict) -> None:
        write = t.cast(Write, self.write)
        self.state = State.WITHDRAWN if write.withdraws else State.DONE
        self.current = self._sight.row or write.own
        if judged is Verdict.STAYS_UNSEEN:
            self.warnings.append(
                f"The change of {self.plan.wanted} was accepted, but the list of deployments does not show it yet: a run "
                "right after this one may find the old state."
            )
        elif judged is Verdict.STAYS_DOUBTED:
            self.warnings.append(
                f"The create of {self.plan.wanted} was sent again since its answer was lost, and retry_timeout leaves no "
                "time to see whether there are two now: run this again, which fails if there are."
            )
        elif judged is Verdict.STAYS_UNSETTLED:
            self.yielding = [row for row in self._sight.rivals if row.id != write.id]
            self.warnings.append(
                f"{rivalry(self.current, self._sight.rivals)} It should be withdrawn, but retry_timeout leaves no time to "
                "confirm that."
            )

    def _overtaken(self, write: Write, row: Deployment) -> None:
        """Somebody else has changed it since, or the API has carried out only a part of the write."""
        before = write.before
        if before is not None and is_half_of(before, row, write.own):
            count = len(changes_between(before, write.own))
            start = len(self.changes) - count
            self.changes[start:] = changes_between(before, row)
            if self.kept:
                self.kept[len(self.kept) - count :] = changes_between(before, row)
            self._halved = (before, start)
            if write.withdraws and self._writer.edit(row, write.own):
                self._accepted(write._replace(before=row, sent=self._writer.now()), changes_between(row, write.own))
                return
        elif write.own.deleted and row.deleted and not write.withdraws:
            self.warnings.append(
                f"Somebody else renamed the deployment with the id {write.id} from {write.own.label!r} to {row.label!r} "
                "while this run archived it."
            )
        self.current = row
        self.state = State.LOST

    def _withdraw(self, observed: Observed) -> None:
        """Take back what has lost a race, and look for that in the list as well.

        :raises AmplitudeError: the API does not accept any way back; the sentence says what is active now.
        """
        write, sight = t.cast(Write, self.write), self._sight
        shown = t.cast(Deployment, sight.row)
        self.current = shown
        first = self.plan.before if write.withdraws else write.before
        refusal: RequestFailed | None = None
        for after in ways_back(first, shown, observed, again=write.withdraws):
            try:
                if not self._writer.edit(shown, after):
                    self.state = State.LOST
                    tried = (
                        f"{rivalry(shown, sight.rivals)} This run tried to withdraw its own deployment with the id "
                        f"{shown.id}, but the API did not carry that out."
                    )
                    self.warnings += [tried] if tried not in self.warnings else []
                    return
            except ApiError as error:
                refusal = error
                if error.status in (400, 409):
                    continue
                break
            except RequestFailed as error:
                refusal = error
                break
            self.warnings.append(
                f"{rivalry(shown, sight.rivals)} This run has withdrawn its own deployment with the id {shown.id}, which is "
                f"now {after.label!r} and {'archived' if after.deleted else 'active'}."
            )
            self._taken_back = (write, sight)
            self._accepted(Write(shown, after, self._writer.now(), withdraws=True), changes_between(shown, after))
            return
        raise AmplitudeError(
            f"withdraw deployment {shown.label!r} (id {shown.id}) in project {shown.project_id}",
            f"{rivalry(shown, sight.rivals)[:-1]}, {t.cast(RequestFailed, refusal).problem}, and as far as is known the "
            f"deployments with the ids {', '.join(str(row.id) for row in sight.rivals)} are all active now",
            "archive or rename all but one of them (amplitude_deployment_info with include_usage shows which of them is "
            "used), and run this again",
        ) from refusal


def _is_due_to(doubtful: Plan, found: Plan) -> bool:
    """Whether what is found now is what a write would have brought about that seemed to have come to nothing."""
    row, after = found.before, t.cast(Deployment, doubtful.after)
    return row is not None and shows(row, after) and after.id in (None, row.id)
