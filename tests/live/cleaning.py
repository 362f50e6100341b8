# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a run, however it ends."""

from __future__ import annotations

import itertools
import time

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment, Deployments
from ansible_collections.community.amplitude.plugins.module_utils._errors import AmplitudeError
from ansible_collections.community.amplitude.tests.live import words
from ansible_collections.community.amplitude.tests.live.service import Service

#: Seconds in which the deployments of the run have to be archived.
CLEANING = 180.0


def close(service: Service, orderly: bool) -> list[str]:
    """Archive everything that this run has made.

    :param service: where.
    :param orderly: whether it is known what that is; else the list is given the time to show it.
    :return: what is wrong, in sentences.
    """
    words.say("=== Archiving the deployments of this run")
    service.connect(CLEANING / 2)
    begun = time.monotonic()
    rows: list[Deployment] = []
    own: list[Deployment] = []
    problem = "The list still shows some of them as active."
    for pause in itertools.chain([0.1, 0.2, 0.4], itertools.repeat(1.0)):
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
        except AmplitudeError as error:
            problem = str(error)
        if time.monotonic() - begun > CLEANING:
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
