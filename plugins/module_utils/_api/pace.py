# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""How many requests are sent in a second: a pure decision, and the gate at which the threads of a client wait for it.

Documented: 100 requests a second. Whether a second is counted from any moment or by the clock is not: what fits into every
second that begins at any moment fits into those of the clock, too. Nor is it documented who shares the limit; runs on other
hosts are only noticed by the status 429.
"""

from __future__ import annotations

import collections
import threading

from .waits import Waits

#: To what part of what has passed in the last second a 429 lowers the allowance.
LOWERED_TO = 0.95
#: Parts of the whole allowance: the least that is left of it, so that a run among many others goes on ...
LEAST = 0.05
#: ... and what it grows by in the first second after it is again what was too much; eight times that in two seconds.
GROWTH = 0.02
#: Seconds for which requests are still refused because of those that were sent before it was lowered.
STILL_REFUSED = 1.0


class Turn:
    """The right to send one request.

    ``taken``: when it was given. ``carried``: when there was a connection to carry the request, which may be after a
    TLS handshake; None before that.
    """

    __slots__ = ("carried", "taken")

    def __init__(self, taken: float) -> None:
        self.taken = taken
        self.carried: float | None = None


class Pace:
    """Allows for no more than so many requests in any second, and for fewer for a while once one was refused with a 429.

    What is allowed may be sent at once, so that a small job does not wait. While less is allowed than usual, requests are
    spread evenly: of a burst, a service that is at its limit would refuse all.

    After a 429 the allowance is a little less than what has passed in the second before, which is this run's share if others
    take part in the limit. It then grows along a cubic curve (as in CUBIC, RFC 9438): slowly while it is near the value that
    was too much, then ever faster, since whoever has shared the limit may be done.

    :param per_second: how many requests may arrive in any second.
    :param margin: seconds by which one request may be longer on its way than another.
    """

    def __init__(self, per_second: float, margin: float = 0.0) -> None:
        self._whole = max(1.0, per_second)
        self._window = 1.0 + margin
        self._turns: list[Turn] = []
        self._passed: collections.deque[float] = collections.deque()
        self._last = self._lowered = float("-inf")
        self._too_much = self._whole

    def allowance(self, now: float) -> float:
        """How many requests may be sent in a second."""
        growth = GROWTH * self._whole
        plateau: float = (self._too_much * (1.0 - LOWERED_TO) / growth) ** (1.0 / 3.0)
        grown: float = self._too_much + growth * (now - self._lowered - plateau) ** 3
        return min(self._whole, max(LEAST * self._whole, grown))

    def left(self, now: float) -> float:
        """The seconds until a request may be sent, if nothing else happens meanwhile; 0 if it may be sent now."""
        allowance = self.allowance(now)
        count = max(1, int(allowance))
        if len(self._turns) >= count:
            self._turns = [turn for turn in self._turns if turn.carried is None or turn.carried + self._window > now]
        if len(self._turns) >= count:
            # What is not carried yet is carried now or later.
            times = sorted(now if turn.carried is None else turn.carried for turn in self._turns)
            return times[-count] + self._window - now
        spread = self._window / allowance if allowance < self._whole else 0.0
        return max(0.0, self._last + spread - now)

    def take(self, now: float) -> Turn:
        """The turn of a request that may be sent now."""
        self._last = now
        turn = Turn(now)
        self._turns.append(turn)
        return turn

    def passed(self, now: float) -> None:
        """Take note of an answer that is no 429."""
        self._passed.append(now)
        self._forget(now)

    def refused(self, turn: Turn, now: float) -> None:
        """Take note of a 429: less is allowed for a while, unless that is due to what was sent before."""
        if turn.taken < self._lowered + STILL_REFUSED:
            return
        self._forget(now)
        self._too_much = max(LEAST * self._whole, min(self.allowance(now), float(len(self._passed))))
        self._lowered = now

    def _forget(self, now: float) -> None:
        while self._passed and self._passed[0] + self._window <= now:
            self._passed.popleft()


class Gate:
    """Lets the threads of a client send their requests at a pace, one after the other."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._pace = Pace(waits.requests_per_second, waits.arrival_margin)
        self._lock = threading.Lock()
        self._first_in_line = waits.lock()

    def wait(self) -> Turn:
        """Sleep until a request may be sent, and return its turn."""
        with self._first_in_line:
            while True:
                with self._lock:
                    now = self._waits.now()
                    left = self._pace.left(now)
                    if left <= 0:
                        return self._pace.take(now)
                self._waits.sleep(left)

    def carried(self, turn: Turn) -> None:
        """There is a connection, and the request is sent now."""
        turn.carried = self._waits.now()

    def ended(self, turn: Turn, status: int | None) -> None:
        """The request has ended with an answer or, if the status is None, without one."""
        with self._lock:
            now = self._waits.now()
            if turn.carried is None:
                turn.carried = now
            if status == 429:
                self._pace.refused(turn, now)
            elif status is not None:
                self._pace.passed(now)
