# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Reads a list until it shows what is looked for, or the time for that is over."""

from __future__ import annotations

import typing as t

from .._api.client import Client
from .._api.deployments import Deployments
from .._plan.single import Observed

T = t.TypeVar("T")


def looks(client: Client, read: t.Callable[[], T], seconds: float) -> t.Generator[T, None, bool]:
    """Read a list, and again and again until so many seconds are over or the patience of the task is at its end.

    The last look begins at the end of the time: a list shows what was so when it was begun, however long it takes.

    :return: whether there was the patience for all of it.
    """
    waits, patience = client.waits, client.patience
    pause = waits.first_look
    ends = waits.now() + seconds
    while True:
        begun = waits.now()
        yield read()
        if begun >= ends:
            return True
        if not patience.wait(min(pause, max(0.0, ends - waits.now()))):
            return False
        pause = min(waits.longest_look, pause * 2)


def looks_at(deployments: Deployments, seconds: float) -> t.Generator[Observed, None, bool]:
    """:func:`looks` at the list of deployments."""
    return looks(deployments.client, lambda: Observed(deployments.list()), seconds)
