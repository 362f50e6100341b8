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
        self.start(*functions)
        while self._queue:
            self._now, _chance, _number, go_on = heapq.heappop(self._queue)
            go_on()
            self._main.acquire()

    def start(self, *functions: t.Callable[[], None]) -> None:
        """Let functions begin that :meth:`run` runs too."""
        for function in functions:
            self._at(0, threading.Thread(target=self._go, args=(function,), daemon=True).start)

    def _go(self, function: t.Callable[[], None]) -> None:
        try:
            function()
        finally:
            self._main.release()

    def _at(self, seconds: float, go_on: t.Callable[[], None]) -> None:
        entry = (self._now + max(0.0, seconds), self.chance.random(), next(self._numbers), go_on)
        heapq.heappush(self._queue, entry)


class Lock:
    """Stands in for threading.Lock where its holder may sleep: who waits for it sleeps as well, so that time can pass."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_held = False

    def __enter__(self) -> None:
        while self._is_held:
            self._clock.sleep(0.001)
        self._is_held = True

    def __exit__(self, *exc_info: t.Any) -> None:
        self._is_held = False


class Pool:
    """Stands in for concurrent.futures.ThreadPoolExecutor in what a clock runs.

    :param clock: the clock.
    :param most: how many calls may be under way at once.
    :param begin: is called with the thread that has made the pool, in each thread of the pool.
    """

    def __init__(self, clock: Clock, begin: t.Callable[[int], None], most: int) -> None:
        self._clock = clock
        self._begin = begin
        self._most = most
        self._owner = threading.get_ident()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exc_info: t.Any) -> None:
        pass

    def map(self, function: t.Callable[[t.Any], t.Any], values: t.Iterable[t.Any]) -> list[t.Any]:
        """The results in the order of the values; the first exception is raised when all have ended."""
        left = list(enumerate(values))
        results: dict[int, t.Any] = {}
        raised: list[BaseException] = []
        owner, working = self._owner, [True] * min(self._most, len(left))

        def work() -> None:
            self._begin(owner)
            try:
                while left and not raised:
                    number, value = left.pop(0)
                    results[number] = function(value)
            except BaseException as error:
                raised.append(error)
            working.pop()

        self._clock.start(*[work] * len(working))
        while working:
            self._clock.sleep(0.001)
        if raised:
            raise raised[0]
        return [result for _number, result in sorted(results.items())]
