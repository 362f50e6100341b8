# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real service as a run sees it."""

from __future__ import annotations

import itertools
import time
import typing as t

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Flag, list_flags
from ansible_collections.community.amplitude.plugins.module_utils._api.quotes import DEPLOYMENT_KEY, SECRET
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._errors import ApiError
from ansible_collections.community.amplitude.tests.live.ours import Ours, Probe, Stopped

#: Seconds that a list may take to show a create before this is given up.
LONGEST_LAG = 60.0
#: Seconds that one probe may spend retrying.
RETRYING = 30.0


class Service:
    """What a run knows of the service: what it has made there, what it has observed, and how late lists are.

    :param options: of the client.
    :param project_id: where deployments are made.
    """

    def __init__(self, options: t.Mapping[str, t.Any], project_id: str) -> None:
        self.ours = Ours(project_id)
        self.facts: dict[str, str] = {}
        #: The longest that a list has taken to show something, and a good deal more.
        self.longest_lag = Waits().list_lag
        #: What must not be written down.
        self.secrets = {options["management_api_key"]}
        self._options = options
        self._keys: dict[str, str | None] = {}
        self.connect(RETRYING)

    def connect(self, retry_timeout: float) -> None:
        """Begin with a client that may spend so many seconds retrying."""
        self.probe = Probe(self.ours, retry_timeout=retry_timeout, **self._options)

    def redact(self, text: str) -> str:
        """A text without the management API key and anything that looks like the key of a deployment."""
        return DEPLOYMENT_KEY.sub(SECRET, text.replace(self._options["management_api_key"], SECRET))

    def list(self) -> list[Deployment]:
        """All deployments."""
        rows = self.probe.list()
        self.secrets.update(row.key for row in rows if row.key)
        return rows

    def list_and_check(self) -> list[Deployment]:
        """All deployments.

        :raises Stopped: one that this run has made has another key than before.
        """
        rows = self.list()
        if any(self._keys.setdefault(row.id, row.key) != row.key for row in self.ours.found(rows)):
            raise Stopped("A deployment of this run has another key than before.")
        return rows

    def flag(self, which: Flag) -> Flag:
        """A flag or an experiment that is there for this test, as the list shows it.

        :raises Stopped: the list does not show it, or it has deployments that this run has not made.
        """
        for row in list_flags(self.probe, which.kind, self.ours.project_id):
            if row.id == which.id:
                self.ours.check_alone(row)
                return row
        raise Stopped(f"The {which.described} is no longer in the list: was it archived?")

    def lag(self, shown: t.Callable[[dict[str, Deployment]], t.Any]) -> tuple[str, t.Any]:
        """:meth:`wait` for something in the list of deployments by their ids."""
        return self.wait(lambda: shown({t.cast(str, row.id): row for row in self.list_and_check()}))

    def wait(self, look: t.Callable[[], t.Any], longest: float = LONGEST_LAG) -> tuple[str, t.Any]:
        """Read a list until it shows something; how long that took in words, and what was shown (None: nothing).

        :param look: reads the list, and returns what it shows.
        :param longest: seconds after which this is given up.
        """
        answered = time.monotonic()
        not_yet = ""
        for number, pause in zip(itertools.count(1), itertools.chain([0.1, 0.2, 0.5], itertools.repeat(1.0))):
            begun = time.monotonic() - answered
            found = look()
            self.longest_lag = max(self.longest_lag, 2 * begun)
            if found:
                told = f"list number {number} shows it, begun {begun:.1f} seconds after the answer"
                return told + not_yet, found
            if begun > longest:
                return f"no list begun up to {begun:.0f} seconds after the answer shows it", None
            not_yet = f"; one begun after {begun:.1f} seconds does not"
            time.sleep(pause)
        raise AssertionError("the numbers have come to an end")


def end_unless_refused(error: ApiError) -> None:
    """Raise an error that says nothing about what was sent."""
    if not 400 <= error.status < 500 or error.status in (401, 403, 429):
        raise error
