# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account that answers as it is told to, without a server, on a clock on which nothing takes time."""

from __future__ import annotations

import types

from ansible_collections.community.amplitude.plugins.module_utils._api.retry import Patience
from ansible_collections.community.amplitude.tests.support.client import Clock


class Account:
    """Stands in for what sends the requests about deployments.

    :param lists: one after the other, the last of them for ever; an error is raised.
    :param answers: to the writes, one after the other, the last of them for ever; an error is raised.
    :param takes: seconds that a list takes.
    """

    def __init__(self, *lists, answers=(None,), patience=60.0, takes=0.0):
        clock = Clock()
        waits = clock.waits._replace(first_look=1.0, longest_look=4.0, list_lag=5.0)
        self.client = types.SimpleNamespace(waits=waits, patience=Patience(patience, waits))
        self.begun = []
        self.sent = []
        self._lists, self._answers, self._takes, self._clock = [*lists] or [[]], [*answers], takes, clock

    def list(self):
        self.begun.append(self._clock())
        self._clock.sleeps.append(self._takes)
        return self._next(self._lists)

    def create(self, *row):
        self.sent.append(row)
        return self._next(self._answers)

    def edit(self, before, label, archive):
        self.sent.append((before.id, label, archive))
        self._next(self._answers)

    @staticmethod
    def _next(things):
        thing = things.pop(0) if len(things) > 1 else things[0]
        if isinstance(thing, Exception):
            raise thing  # pylint: disable=raising-bad-type
        return thing
