# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""How long to wait for what, and the clock and the randomness used for it: one record, which is passed in."""

from __future__ import annotations

import contextlib
import random
import threading
import time
import typing as t


class Waits(t.NamedTuple):
    """Seconds, unless stated otherwise. The defaults fit the real service; tests pass in others.

    ``first_backoff``, ``longest_backoff``: the most that is waited before a request is sent again; doubled each time.
    ``requests_per_second``: the documented limit; no more are sent in any second.
    ``arrival_margin``: how much longer than another a request may be on its way, so that it arrives in a later second. It
    costs as many parts of a second in each second that is at the limit.
    ``rarely_passes``: for how long to retry what rarely passes, such as a host name that does not exist.
    ``first_look``, ``longest_look``: before the list is read again; doubled each time.
    ``list_lag``: after which the list is taken to show every write that was carried out. Not documented, so assumed;
    if it is wrong, a create that was sent again makes a second deployment, which is then settled like any race.
    ``rivals_withdraw``: within which another run that lost a race withdraws, besides twice the lag of the list that was
    seen.
    ``races_settle``: within which two active deployments with one label, if they come from a race, become one.
    ``edit_shows``: that the list may take to show an edit. It was answered with success, so that more would be waiting
    for nothing if somebody else edits the same deployment meanwhile.
    ``now``, ``sleep``, ``chance``: a monotonic clock, what waits, and a number from 0 to 1.
    ``lock``: makes what one thread at a time can hold while it waits.
    """

    first_backoff: float = 0.5
    longest_backoff: float = 20.0
    requests_per_second: float = 100.0
    arrival_margin: float = 0.03
    rarely_passes: float = 5.0
    first_look: float = 0.1
    longest_look: float = 5.0
    list_lag: float = 5.0
    rivals_withdraw: float = 4.0
    races_settle: float = 20.0
    edit_shows: float = 15.0
    now: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep
    chance: t.Callable[[], float] = random.random
    lock: t.Callable[[], contextlib.AbstractContextManager[t.Any]] = threading.Lock


def spell(seconds: float) -> str:
    """A waiting time in words, for a sentence."""
    whole = round(seconds)
    return "less than a second" if whole < 1 else "1 second" if whole == 1 else f"{whole} seconds"


def told(words: str, seconds: float) -> str:
    """What a sentence says about a waiting time: nothing if it was less than half a second.

    :param words: such as " after {time}".
    """
    return words.format(time=spell(seconds)) if seconds >= 0.5 else ""
