# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time that only passes when everybody waits, and chance that can be repeated.

A history with seconds of waiting takes no time, nothing in it depends on how busy the machine is, and who of several
runs goes first is decided by a seed: the same history always ends the same way.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import typing as t


class Clock:
    """The time of one history. Also stands in for the module ``time`` where only its clocks are used."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._now = 0.0
        self._numbers = itertools.count()
        self._queue: list[tuple[float, float, int, t.Callable[[], None]]] = []
        self._main = threading.Semaphore(0)

    def monotonic(self) -> float:
        """Seconds since the history began."""
        return self._now

    time = monotonic

    def pass_by(self, seconds: float) -> None:
        """Let time go by while nobody runs."""
        self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Let the others go on for so many seconds; only what :meth:`run` runs may call this."""
        turn = threading.Semaphore(0)
        self._at(seconds, turn.release)
        self._main.release()
        turn.acquire()

    def later(self, seconds: float, action: t.Callable[[], None]) -> None:
        """Do something that takes no time, when so many seconds are over."""

        def act() -> None:
            action()
            self._main.release()

        self._at(seconds, act)

    def run(self, *functions: t.Callable[[], None]) -> None:
        """Run all functions, until they and all that was put off have ended.

        Only one of them runs at any time, until it sleeps. Of those that could go on at the same time one is picked at
        random. They must not raise.
        """
        for function in functions:
            self._at(0, threading.Thread(target=self._go, args=(function,), daemon=True).start)
        while self._queue:
            self._now, _chance, _number, go_on = heapq.heappop(self._queue)
            go_on()
            self._main.acquire()

    def _go(self, function: t.Callable[[], None]) -> None:
        try:
            function()
        finally:
            self._main.release()

    def _at(self, seconds: float, go_on: t.Callable[[], None]) -> None:
        entry = (self._now + max(0.0, seconds), self.chance.random(), next(self._numbers), go_on)
        heapq.heappush(self._queue, entry)
