# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Sends one write, and finds out what became of it where the answer does not tell."""

from __future__ import annotations

import collections
import contextlib
import typing as t

from .._api.deployments import Deployment, Deployments
from .._api.waits import told
from .._errors import ApiError, Refused, RequestFailed
from .._plan.single import Observed
from .looks import looks_at
from .settle import active_beside, shows


def together(functions: t.Sequence[t.Callable[[], None]], concurrency: int) -> None:
    """Call functions, so many at a time, or fewer where no thread can be started. They must not raise.

    If one does all the same, which is a fault of this program, no other one is begun, and that exception is raised.
    """
    waiting = collections.deque(functions)
    raised: list[BaseException] = []

    def work(*dummy: int) -> None:
        while not raised:
            try:
                function = waiting.popleft()
            except IndexError:
                return
            try:
                function()
            except BaseException as error:
                raised.append(error)

    if concurrency > 1 and len(functions) > 1:
        # Imported here because it takes a while, and most tasks write nothing or one thing.
        from concurrent.futures import ThreadPoolExecutor

        with contextlib.suppress(RuntimeError), ThreadPoolExecutor(min(concurrency, len(functions))) as threads:
            list(threads.map(work, range(min(concurrency, len(functions)))))
    work()
    if raised:
        raise raised[0]


class Outdated:
    """The ids of what a list still shows as it was before a run has written it. Each is only looked at if it is asked for.

    :param unseen: as in :class:`Writer`.
    """

    def __init__(self, unseen: t.Mapping[str, Deployment | None], observed: Observed) -> None:
        self._unseen = unseen
        self._observed = observed

    def __contains__(self, identifier: object) -> bool:
        before = self._unseen.get(t.cast(str, identifier))
        return before is not None and shows(self._observed.with_id(t.cast(str, identifier)), before)


class Writer:
    """What sends the writes of one run.

    ``unseen``: what the run has written without having seen it in the list, by id as it was before.
    """

    def __init__(self, deployments: Deployments) -> None:
        self.deployments = deployments
        self.unseen: dict[str, Deployment | None] = {}

    def now(self) -> float:
        """A moment, in seconds."""
        return self.deployments.client.waits.now()

    def outdated(self, observed: Observed) -> Outdated:
        """The ids of what the list still shows as it was before this run has written it."""
        return Outdated(self.unseen, observed)

    def create(self, new: Deployment) -> tuple[str | None, bool]:
        """Create a deployment.

        If the outcome is unknown, the list decides. It is given all the time that it may need: if others create the same
        label at the same moment, the newest of them is the one that nobody else takes for theirs.

        :return: the id, None if it has come to nothing; and whether the answer was lost.
        :raises RequestFailed: it was refused, or its outcome is unknown.
        """
        try:
            return self.deployments.create(new.project_id, new.label, t.cast(str, new.type)), False
        except RequestFailed as failure:
            if not failure.outcome_unknown:
                raise
            newest: Deployment | None = None
            try:
                for observed in self._looks_after(failure):
                    for row in active_beside(new, observed, self.outdated(observed)):
                        if row.type in (None, new.type):
                            newest = row
            except RequestFailed:
                if newest is None:
                    raise
            return newest and newest.id, True

    def edit(self, before: Deployment, after: Deployment) -> bool:
        """Send the PATCH that leads from one state of a deployment to another; False if it has come to nothing.

        :raises RequestFailed: it was refused, or its outcome is unknown.
        """
        try:
            self.deployments.edit(
                before,
                label=after.label if after.label != before.label else None,
                archive=after.deleted if after.deleted != before.deleted else None,
            )
            return True
        except RequestFailed as failure:
            if not failure.outcome_unknown:
                raise
            for observed in self._looks_after(failure):
                if shows(observed.with_id(t.cast(str, after.id)), after):
                    return True
            return False

    def explain_duplicate(self, before: Deployment | None, wanted: Deployment, refusal: ApiError) -> None:
        """Return if somebody else has just made the refused label active, or changed what was to be edited.

        Whether labels are unique in a project, among which deployments, and how the API says so is not documented.

        :raises Refused: otherwise, naming what has the label.
        :raises ApiError: the refusal, if nothing has it.
        """
        holder: Deployment | None = None
        begun = self.now()
        with contextlib.suppress(RequestFailed):
            for observed in looks_at(self.deployments, self.deployments.client.waits.list_lag):
                if self._is_overtaken(before, wanted, observed):
                    return
                similar = observed.with_similar_label(wanted.project_id, wanted.label)
                # What this run has written, and the list shows as it was before, no longer has the label.
                own = self.outdated(observed)
                holder = next((row for row in similar if row.id != wanted.id and row.id not in own), None)
                # An archived one may not be the reason: the list may still be about to show an active one.
                if holder is not None and not holder.deleted and holder.label != wanted.label:
                    break
        if holder is None:
            raise refusal
        state = "archived" if holder.deleted else "active"
        raise Refused(
            refusal.doing,
            f"{refusal.problem}, and the {state} deployment {holder.label!r} with the id {holder.id} has this label"
            + told(" (the list was read for {time})", self.now() - begun),
            "use another label: an archived deployment keeps its label, and restoring it would bring back its key"
            if holder.deleted
            else "use another label",
        ) from refusal

    def _is_overtaken(self, before: Deployment | None, wanted: Deployment, observed: Observed) -> bool:
        """Whether somebody else has made a label active, or changed what was to be edited."""
        rivals = active_beside(wanted, observed, self.outdated(observed))
        changed = before is not None and not shows(observed.with_id(before.id or ""), before)
        return changed or any(row.id != wanted.id for row in rivals)

    def _looks_after(self, failure: RequestFailed) -> t.Iterator[Observed]:
        """Look for what a write has come to whose outcome is unknown, for as long as the list may take to show it.

        What a list does not show is only known not to be there if the list had all that time.

        :raises RequestFailed: the failure, if a look fails or the patience of the task ends before.
        """
        begun = self.now()
        try:
            if (yield from looks_at(self.deployments, self.deployments.client.waits.list_lag)):
                return
        except RequestFailed:
            pass
        read = told(" (the list was read for {time})", self.now() - begun)
        failure.problem += f", so it is not known whether it was carried out{read}"
        raise failure
