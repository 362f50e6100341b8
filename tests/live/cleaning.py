# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a run, however it ends."""

from __future__ import annotations

import contextlib
import itertools
import time
import typing as t

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment, Deployments
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Flag, list_flags, remove
from ansible_collections.community.amplitude.plugins.module_utils._errors import AmplitudeError, ApiError
from ansible_collections.community.amplitude.tests.live import words
from ansible_collections.community.amplitude.tests.live.service import Service

#: Seconds in which the deployments of the run have to be archived.
CLEANING = 180.0
#: Seconds in which they have to be removed from what they were assigned to, before that.
FREEING = 60.0
#: What a removal may be refused with that says nothing about it, or that it was carried out before.
PASSING = (401, 404, 408, 425, 429)


def close(service: Service, orderly: bool) -> list[str]:
    """Remove everything that this run has made from the flags that are there for it, and archive it.

    :param service: where.
    :param orderly: whether it is known what that is; else the list is given the time to show it.
    :return: what is wrong, in sentences.
    """
    begun = time.monotonic()
    if service.ours.flags:
        words.say("=== Removing the deployments of this run from what they were assigned to")
        service.connect(FREEING / 2)
        _free(service, begun, orderly)
    words.say("=== Archiving the deployments of this run")
    service.connect(CLEANING / 2)
    problems = _archive(service, begun, orderly)
    return problems + [problem for flag in service.ours.flags for problem in _left_on(service, flag)]


def _pauses() -> t.Iterator[float]:
    return itertools.chain([0.1, 0.2, 0.4], itertools.repeat(1.0))


def _free(service: Service, begun: float, orderly: bool) -> None:
    """Remove what this run has made from flags and experiments, as far as that can be done."""
    refused: set[tuple[str, str, str]] = set()
    ends = time.monotonic() + FREEING
    for pause in _pauses():
        settled = orderly or time.monotonic() - begun >= service.longest_lag
        with contextlib.suppress(AmplitudeError):
            # What the playbook has made is known from the list alone.
            service.ours.found(service.list())
            assigned = [
                (flag, each)
                for mine in service.ours.flags
                for flag in _listed(service, mine)
                for each in flag.deployments
                if each in service.ours.made and (*flag.place, each) not in refused
            ]
            if settled and not assigned:
                return
            for flag, each in assigned:
                try:
                    remove(service.probe, flag, each)
                except ApiError as error:
                    if 400 <= error.status < 500 and error.status not in PASSING:
                        refused.add((*flag.place, each))
        if time.monotonic() > ends:
            return
        time.sleep(pause)


def _listed(service: Service, mine: Flag) -> list[Flag]:
    """A flag or an experiment that is there for this test, as the list shows it; archived ones too."""
    rows = list_flags(service.probe, mine.kind, service.ours.project_id, archived=True)
    return [row for row in rows if row.id == mine.id]


def _left_on(service: Service, mine: Flag) -> list[str]:
    """What is wrong with a flag or an experiment in the end, in sentences."""
    try:
        rows = _listed(service, mine)
    except AmplitudeError as error:
        return [f"It is not known whether the {mine.described} is without deployments. {service.redact(str(error))}"]
    there = {each for row in rows for each in row.deployments}
    own, others = there & set(service.ours.made), there - set(service.ours.made)
    problems = []
    if own:
        problems.append(
            f"NOT EVERYTHING WAS REMOVED. The {mine.described} still has deployments of this run "
            f"({', '.join(sorted(own))}): remove them in Amplitude."
        )
    if others:
        problems.append(
            f"The {mine.described} has deployments that this run has not assigned ({', '.join(sorted(others))}): see who "
            "it was."
        )
    if not problems:
        words.say(f"The {mine} has no deployments, as before.")
    return problems


def _archive(service: Service, begun: float, orderly: bool) -> list[str]:
    """Archive everything that this run has made; what is wrong, in sentences."""
    rows: list[Deployment] = []
    own: list[Deployment] = []
    problem = "The list still shows some of them as active."
    ends = time.monotonic() + CLEANING
    for pause in _pauses():
        look = time.monotonic()
        try:
            rows = service.list()
            own = service.ours.found(rows)
            active = [row for row in own if not row.deleted]
            settled = look - begun >= service.longest_lag or (orderly and len(own) == len(service.ours.made))
            if settled and not active:
                break
            for row in active:
                try:
                    Deployments(service.probe).edit(row, archive=True)
                except AmplitudeError as error:
                    problem = str(error)
            # What has no effect in one place may have it in the other.
            service.probe.also_in_query = not service.probe.also_in_query
        except AmplitudeError as error:
            problem = str(error)
        if time.monotonic() > ends:
            return [
                f"NOT EVERYTHING WAS ARCHIVED. Look in Amplitude for deployments whose label begins with "
                f"{service.ours.prefix} and archive them. {service.redact(problem)}"
            ]
        time.sleep(pause)
    words.say(f"{len(own)} deployments of this run are in the list, and all of them are archived.")
    problems = []
    missing = set(service.ours.made) - {row.id for row in own}
    if missing or not orderly:
        problems.append(
            "{0} Look later whether an active deployment has a label that begins with {1}, and archive it.".format(
                "The list does not show all deployments of this run."
                if missing
                else "A request may have been under way at the end, and can be carried out after this.",
                service.ours.prefix,
            )
        )
    now = {row.id: row for row in rows}
    if any(now.get(identifier) != row for identifier, row in service.ours.before.items()):
        problems.append(
            "Deployments that were there before have changed meanwhile. This run has not written to them, so it was "
            "probably somebody else: see who it was."
        )
    return problems
