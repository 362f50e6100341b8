# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API makes of assignments, tried on a flag or an experiment that is there for it and has no deployments."""

from __future__ import annotations

import typing as t

from ansible_collections.community.amplitude.plugins.module_utils._api import flags as api_flags
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import KINDS, Flag
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._errors import ApiError
from ansible_collections.community.amplitude.tests.live.ours import Stopped
from ansible_collections.community.amplitude.tests.live.service import Service, end_unless_refused

#: The environment variables that have the keys of what may be assigned to.
VARIABLES = {kind: f"AMPLITUDE_TEST_{kind.upper()}" for kind in KINDS}

ASSIGNED = "Time until a list shows an assignment to {0}"
ANOTHER = "Assignment to {0} that has another deployment"
AGAIN = "Assignment of a deployment that {0} has already"
ABSENT = "Removal of a deployment that {0} does not have"
ARCHIVED = "Assignment of an archived deployment to {0}"
REMOVED = "Time until a list shows a removal from {0}"
LAST = "Removal of the last deployment of {0}"
FACTS = (ASSIGNED, ANOTHER, AGAIN, ABSENT, ARCHIVED, REMOVED, LAST)
OK = "accepted"


def find(service: Service, kind: str, key: str) -> Flag:
    """What is there for this test.

    :param kind: one of ``KINDS``.
    :raises AmplitudeError: the list cannot be read.
    :raises Stopped: it is not there, is archived, shares its key, or has deployments.
    """
    begin = f"{VARIABLES[kind]} is {key!r}, but "
    rows = [
        row
        for row in api_flags.list_flags(service.probe, kind, service.ours.project_id, archived=True)
        if row.key == key
    ]
    active = [row for row in rows if not row.archived]
    if not active:
        what = f"the {kind} with this key is archived" if rows else f"no {kind} has this key"
        raise Stopped(
            f"{begin}in project {service.ours.project_id} {what}. Create one in Amplitude for this test only."
        )
    if len(active) > 1:
        ids = ", ".join(row.id for row in active)
        raise Stopped(f"{begin}several {kind}s in project {service.ours.project_id} have this key (ids {ids}).")
    if active[0].deployments:
        raise Stopped(
            f"{begin}the {active[0].described} has deployments ({', '.join(active[0].deployments)}). It must exist for this "
            "test only: use one without deployments, or remove what an earlier run may have left there."
        )
    return active[0]


def told_of(kind: str) -> dict[str, str]:
    """The facts of a kind by what is found out of it."""
    return {fact: fact.format("an experiment" if kind == "experiment" else "a flag") for fact in FACTS}


def not_observed(service: Service, kind: str) -> None:
    """Put down that nothing is known of a kind."""
    for fact in told_of(kind).values():
        service.facts[fact] = f"not observed: {VARIABLES[kind]} is not set"


class Assigning:
    """Probes of the calls for one flag or experiment. In the end it has no deployment, unless the API refuses that.

    :param service: where, and what was observed.
    :param flag: which has no deployments.
    :param deployments: the ids of three that this run has made.
    :param archived: the id of one that is archived.
    """

    def __init__(self, service: Service, flag: Flag, deployments: t.Sequence[str], archived: str) -> None:
        self.service = service
        self._flag = flag
        self._deployments = deployments
        self._archived = archived
        self._names = told_of(flag.kind)

    def run(self) -> None:
        """Try all of it, and put down facts.

        :raises AmplitudeError: a request has failed for another reason than what it asks for.
        :raises Stopped: something is not as it should be, or the first assignment is refused or never shown.
        """
        one, two, three = self._deployments
        self._assign_first(one)
        answer = self._assign(two)
        if answer == OK:
            shown = self._wait(lambda ids: two in ids and ids)[1]
            answer = "no list shows it" if not shown else "adds it" if one in shown else "replaces what was there"
        self._tell(ANOTHER, answer)
        there = self._now()
        self._tell(AGAIN, self._assign(one if one in there else two))
        self._tell(ABSENT, self._remove(three))
        answer = self._assign(self._archived)
        if answer == OK:
            shown = self._wait(lambda ids: self._archived in ids, Waits().edit_shows)[1]
            answer += ", and the list shows it" if shown else ", but no list shows it"
        self._tell(ARCHIVED, answer)
        self._empty()

    def _assign_first(self, deployment: str) -> None:
        answer = self._assign(deployment)
        if answer == OK:
            answer, shown = self._wait(lambda ids: deployment in ids)
        else:
            shown = False
        self._tell(ASSIGNED, answer)
        if not shown:
            raise Stopped(f"A deployment could not be assigned to the {self._flag.described}, as the table tells.")

    def _empty(self) -> None:
        """Remove one after the other."""
        there = self._now()
        if not there:
            raise Stopped(f"The {self._flag.described} has lost its deployments.")
        for deployment in there[:-1]:
            answer = self._remove(deployment)
            if answer != OK:
                raise Stopped(f"A deployment could not be removed from the {self._flag.described}: {answer}.")
            self._tell(REMOVED, self._wait_until_gone(deployment))
        answer = self._remove(there[-1])
        if answer == OK:
            lag = self._wait_until_gone(there[-1])
            self._tell(REMOVED, lag)
        enabled = {True: "it is enabled", False: "it is not enabled"}.get(self._flag.enabled, "it may be enabled")
        self._tell(LAST, f"{answer}; {enabled}")

    def _assign(self, deployment: str) -> str:
        return self._answer(lambda: api_flags.assign(self.service.probe, self._flag, [deployment]))

    def _remove(self, deployment: str) -> str:
        return self._answer(lambda: api_flags.remove(self.service.probe, self._flag, deployment))

    def _answer(self, call: t.Callable[[], None]) -> str:
        """What a call is answered with, in words."""
        try:
            call()
        except ApiError as error:
            end_unless_refused(error)
            return f"refused: {self.service.probe.refusal}"
        return OK

    def _now(self) -> tuple[str, ...]:
        return self.service.flag(self._flag).deployments

    def _wait(self, shown: t.Callable[[tuple[str, ...]], t.Any], *longest: float) -> tuple[str, t.Any]:
        return self.service.wait(lambda: shown(self._now()), *longest)

    def _wait_until_gone(self, deployment: str) -> str:
        return self._wait(lambda ids: deployment not in ids)[0]

    def _tell(self, fact: str, what: str) -> None:
        self.service.facts[self._names[fact]] = what


def probe(service: Service, archived: str) -> None:
    """Try assignments on all that is there for it.

    :param archived: the id of a deployment of this run that is archived.
    :raises AmplitudeError: as :meth:`Assigning.run`, like :class:`Stopped`.
    """
    given = {flag.kind: flag for flag in service.ours.flags}
    made: list[str] = []
    for kind in KINDS:
        if kind not in given:
            not_observed(service, kind)
            continue
        for name in "abc" if not made else "":
            label = f"{service.ours.prefix}{name}-assigned"
            made.append(Deployments(service.probe).create(service.ours.project_id, label, "client"))
            service.lag(lambda rows: rows.get(made[-1]))
        Assigning(service, given[kind], made, archived).run()
