# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Assigns deployments to flags and experiments and removes them, and finds out what became of it.

The API answers both with "OK". Whether an assignment adds to the deployments that are there or replaces them is not
documented, nor how it answers an assignment of what is there already, or the removal of what is gone: the lists decide.
"""

from __future__ import annotations

import typing as t

from .._api.client import Client
from .._api.flags import Flag, assign, remove
from .._errors import AmplitudeError, ApiError, RequestFailed, UnexpectedAnswer
from .._plan.served import Step, by_item
from .looks import looks
from .writes import together

#: Flags and experiments by what distinguishes them from each other.
Flags = t.Dict[t.Tuple[str, str], Flag]


def is_shown(step: Step, flags: Flags) -> bool:
    """Whether the lists show a step. A flag that is archived or gone needs nothing more."""
    flag = flags.get(step.flag.place)
    return flag is None or (step.deployment_id in flag.deployments) is (step.change.action == "assign")


class _Request:
    """One request for one flag or experiment: all the deployments that it gets, or one that it loses."""

    def __init__(self, steps: t.Sequence[Step]) -> None:
        self.steps = steps
        self.flag = steps[0].flag
        self.ids = [t.cast(str, step.deployment_id) for step in steps]
        self.is_removal = steps[0].change.action == "unassign"
        #: When it was sent last; None before that.
        self.sent: float | None = None
        self.is_accepted = False
        self.failure: RequestFailed | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether its outcome is unknown."""
        return self.failure is not None and self.failure.outcome_unknown

    @property
    def is_open(self) -> bool:
        """Whether the list has to tell what became of it: accepted, with an unknown outcome, or perhaps so already."""
        if self.failure is None or self.is_unknown:
            return True
        # Not documented: the answers to an assignment of what is there, to the removal of what is gone, and to either where
        # the flag is archived.
        return isinstance(self.failure, ApiError) and self.failure.status in (400, 404, 409)

    def missing(self, flags: Flags) -> list[Step]:
        """The steps that the lists do not show."""
        return [step for step in self.steps if not is_shown(step, flags)]

    def is_shown(self, flags: Flags) -> bool:
        """Whether the lists show all of it."""
        return not self.missing(flags)

    def is_carried_out(self, flags: Flags) -> bool:
        """Whether the lists show that it was carried out, although that was not the answer.

        An API that refuses one of several deployments may assign the others anyway. It is then unclear which of
        them somebody else has assigned; what is told as done must not leave out what was written.
        """
        is_told = self.flag.place in flags and self.is_shown(flags)
        return is_told and (self.is_unknown or (self.is_open and len(self.steps) > 1))

    def comes_to_nothing(self, flags: Flags) -> bool:
        """Whether it can be sent again, provided that the lists had the time to show it: its outcome was unknown.

        What is refused because a part of it is there already is sent again without that part.
        """
        if self.is_removal or self.is_accepted or self.failure is None or self.is_shown(flags):
            return False
        missing = self.missing(flags)
        if len(missing) < len(self.steps) and self.is_open:
            self.steps, self.ids = missing, [t.cast(str, step.deployment_id) for step in missing]
            return True
        return self.is_unknown

    def send(self, client: Client) -> None:
        """Send it; its failure is remembered."""
        self.sent, self.failure, self.is_accepted = client.waits.now(), None, False
        try:
            if self.is_removal:
                remove(client, self.flag, self.ids[0])
            else:
                assign(client, self.flag, self.ids)
            self.is_accepted = True
        except RequestFailed as failure:
            self.failure = failure


class Assigner:
    """What assigns and removes for one run.

    :param read: reads the lists of flags and experiments that the run is about, without archived ones.
    :param active: tells the ids of the active deployments.

    ``done``: what has been carried out. ``unseen``: what was accepted and the lists do not show yet.
    """

    def __init__(
        self,
        client: Client,
        read: t.Callable[[], list[Flag]],
        active: t.Callable[[], t.Container[str]],
        concurrency: int,
    ) -> None:
        self._client = client
        self._read = read
        self._active = active
        self._concurrency = concurrency
        self._adding: set[str] = set()
        self.done: list[Step] = []
        self.unseen: list[Step] = []

    def overlaid(self, flags: t.Iterable[Flag]) -> list[Flag]:
        """These flags and experiments with what was accepted and is not shown yet."""
        found = {flag.place: flag for flag in flags}
        for step in self.unseen:
            place, identifier = step.flag.place, t.cast(str, step.deployment_id)
            if place in found and step.change.action == "assign":
                found[place] = found[place].with_more([identifier])
            elif place in found:
                rest = tuple(each for each in found[place].deployments if each != identifier)
                found[place] = found[place]._replace(deployments=rest)
        return list(found.values())

    def assign(self, steps: t.Iterable[Step]) -> None:
        """Assign deployments, all of one flag or experiment in one request.

        The first one of a kind that has other deployments goes alone, and is read back.

        :raises AmplitudeError: some of it was refused, or is not known to be carried out, or what was there was replaced.
        """
        by_place: dict[tuple[str, str], list[Step]] = {}
        for step in steps:
            by_place.setdefault(step.flag.place, []).append(step)
        requests = [_Request(group) for group in by_place.values()]
        for request in requests:
            if request.flag.kind not in self._adding and request.flag.deployments:
                flags = self._carry_out([request])
                self._check_added(request, flags)
                if _is_general(request.failure):
                    break
        else:
            rest = [request for request in requests if request.sent is None]
            flags = self._carry_out(rest) if rest else flags
        _raise_failure(requests, flags)

    def remove(self, steps: t.Sequence[Step]) -> None:
        """Remove deployments, as :meth:`assign` assigns them."""
        requests = [_Request([step]) for step in steps]
        _raise_failure(requests, self._carry_out(requests))

    def _carry_out(self, requests: t.Sequence[_Request]) -> Flags:
        """Send requests and look until it is known what became of them; what has come to nothing is sent again."""
        flags: Flags = {}
        left = list(requests)
        while left:
            self._send(left)
            flags, had_time = self._settle([request for request in left if request.sent is not None])
            # An assignment is repeated like an edit, once the list had all the time to show it.
            left = [request for request in left if had_time and request.comes_to_nothing(flags)]
        return flags

    def _send(self, requests: t.Sequence[_Request]) -> None:
        stopped: list[_Request] = []

        def send(request: _Request) -> None:
            if not stopped:
                request.send(self._client)
                # What one flag refuses does not stop the others. What fails for all does.
                if _is_general(request.failure):
                    stopped.append(request)

        together([lambda request=request: send(request) for request in requests], self._concurrency)  # type: ignore[misc]

    def _settle(self, requests: t.Sequence[_Request]) -> tuple[Flags, bool]:
        """Look until the lists show what became of requests, or had the time to; what is known to be done is noted.

        :return: what the lists showed last, and whether the patience of the task lasted until they had the time to.
        """
        for request in (request for request in requests if request.is_accepted):
            self.done += request.steps
            self.unseen += request.steps
        found: Flags = {}
        had_time = False
        try:
            for begun, found in looks(self._client, self._look, float("inf")):
                self.unseen = [step for step in self.unseen if not is_shown(step, found)]
                had_time = not any(self._may_show(request, found, begun) for request in requests)
                if had_time:
                    break
        except RequestFailed as failure:
            failure.problem += ", so what was written could not be read back"
            raise
        for request in requests:
            if not request.is_accepted and request.is_carried_out(found):
                request.is_accepted = True
                self.done += request.steps
        return found, had_time

    def _look(self) -> tuple[float, Flags]:
        """When the lists began to be read, and what they show: how it was then."""
        begun = self._client.waits.now()
        return begun, {flag.place: flag for flag in self._read()}

    def _may_show(self, request: _Request, flags: Flags, begun: float) -> bool:
        """Whether the lists may still come to show what became of a request."""
        waits = self._client.waits
        if request.sent is None or not request.is_open or request.is_shown(flags):
            return False
        return begun <= request.sent + (waits.edit_shows if request.is_accepted else waits.list_lag)

    def _check_added(self, request: _Request, flags: Flags) -> None:
        """Make sure that an assignment has added, and not replaced what was there.

        :raises AmplitudeError: it has, and what was there was put back as far as possible; or the list does not show it.
        """
        flag = flags.get(request.flag.place)
        if flag is None or not request.is_accepted:
            return
        if not request.is_shown(flags):
            raise not_shown(request.steps)
        others = [each for each in request.flag.deployments if each not in request.ids]
        if others and not set(others) & set(flag.deployments):
            raise self._put_back(request, others)
        self._adding.add(request.flag.kind)

    def _put_back(self, request: _Request, others: t.Sequence[str]) -> AmplitudeError:
        """Put back what an assignment has replaced, and say so."""
        doing = f"assign {', '.join(request.ids)} to {request.flag.described}"
        problem = f"the API has replaced the deployments {', '.join(others)} instead of adding to them"
        active = [each for each in others if each in self._active()]
        back, failure = others, self._assign_again(request, others)
        if isinstance(failure, ApiError) and failure.status in (400, 404, 409) and active not in ([], others):
            # Whether what is archived can be assigned is not documented; what is active must not wait for that.
            back, failure = active, self._assign_again(request, active)
        if failure is not None:
            return UnexpectedAnswer(
                doing,
                f"{problem}, and they could not be assigned again: {failure.problem}",
                "assign them again in Amplitude, and do not use the options flags, experiments and replaces",
            )
        what = "they were" if back is others else f"those that are active ({', '.join(active)}) were"
        return UnexpectedAnswer(
            doing,
            f"{problem}; {what} assigned again, and nothing more was written",
            "check it in Amplitude, and do not use the options flags, experiments and replaces",
        )

    def _assign_again(self, request: _Request, others: t.Sequence[str]) -> RequestFailed | None:
        """Assign what was lost together with what was assigned, and return why that has failed."""
        try:
            assign(self._client, request.flag, [*others, *request.ids])
        except RequestFailed as failure:
            return failure
        return None


def _raise_failure(requests: t.Iterable[_Request], flags: Flags) -> None:
    """Raise the first failure of what was not carried out, and say how much that is.

    :param flags: the lists that were read last.
    """
    failed = [
        request
        for request in requests
        if request.sent is None or not (request.is_accepted or (request.is_open and request.is_shown(flags)))
    ]
    failures = [request.failure for request in failed if request.failure is not None]
    if failures:
        if failures[0].outcome_unknown:
            failures[0].problem += ", so it is not known whether it was carried out"
        if len(failed) > 1:
            verb = "removed" if failed[0].is_removal else "assigned"
            failures[0].problem += f" ({len(failed) - 1} more could not be {verb}, see pending)"
        raise failures[0]


def _is_general(failure: RequestFailed | None) -> bool:
    """Whether a failure is not about one flag: there is no connection, or the key is no longer valid."""
    if failure is None or failure.outcome_unknown:
        return False
    return not isinstance(failure, ApiError) or failure.status not in (400, 403, 404, 409)


def not_shown(steps: t.Sequence[Step], doing: str | None = None) -> AmplitudeError:
    """The error that the lists do not show in time what has to be seen before more can be done."""
    step = steps[0]
    problem = f"{step.flag} does not list deployment {step.deployment_id} yet"
    if step.change.action == "unassign":
        problem = f"{step.flag} still lists deployment {step.deployment_id}"
    more = f" (and {len(steps) - 1} more)" if len(steps) > 1 else ""
    return UnexpectedAnswer(
        doing or f"assign deployment {step.deployment_id} to {step.flag.described}",
        problem + more,
        "run this again: it continues from what it finds",
        transient=True,
    )


def unseen_warnings(steps: t.Iterable[Step]) -> dict[int, str]:
    """By item, the warning that the lists do not show yet what was accepted."""
    return {item: _unseen_warning(group) for item, group in by_item(steps).items()}


def _unseen_warning(steps: t.Sequence[Step]) -> str:
    of = f"deployment {steps[0].deployment_id}"
    what = f"assignment of {of} to" if steps[0].change.action == "assign" else f"removal of {of} from"
    more = f" (and {len(steps) - 1} more)" if len(steps) > 1 else ""
    return (
        f"The {what} {steps[0].flag.described}{more} was accepted, but the list does not show it yet: a run right after "
        "this one may find the old state."
    )
