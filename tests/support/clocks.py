# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time in tests: what is tested must not depend on how busy the machine is."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api import client, deadline
from ansible_collections.community.amplitude.tests.emulator.control import World

#: Seconds after which something that has to happen is taken to have failed. A test that passes never waits for them.
FOR_EVER = 300.0


class SteppingClock:
    """Shows the seconds that somebody has slept, and none of those in which the machine was busy with something else."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        ends = self._now + seconds
        time.sleep(seconds)
        with self._lock:
            self._now = max(self._now, ends)


class SetClock:
    """Stands in for the module ``time`` in a module of the emulator: it only goes on when it is told to."""

    def __init__(self) -> None:
        self._now = time.time()

    def time(self) -> float:
        return self._now

    monotonic = time

    def pass_by(self, seconds: float) -> None:
        self._now += seconds


def eventually(condition: t.Callable[[], t.Any], otherwise: t.Callable[[], t.Any] = lambda: None) -> t.Any:
    """Wait until a condition is true and return its value.

    :param otherwise: what the failure shows if it never is.
    """
    given_up = time.monotonic() + FOR_EVER
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < given_up, otherwise()
        time.sleep(0.01)


@contextlib.contextmanager
def late_answers() -> t.Iterator[None]:
    """Let requests reach their timeout when the emulator is told to wait for as long, and never for another reason.

    The emulator then waits for the end of its world, so that what it was to do late is not done in the midst of the test.
    """
    under_way: list[deadline.Deadline] = []

    class Deadline(deadline.Deadline):
        def __init__(self, seconds: float, *args: t.Any) -> None:
            super().__init__(FOR_EVER, *args)
            self.allowed = seconds

        def __enter__(self) -> deadline.Deadline:
            under_way.append(self)
            return super().__enter__()

        def __exit__(self, *dummy: t.Any) -> None:
            super().__exit__(*dummy)
            under_way.remove(self)

    wait = World.wait

    def wait_for_clients(self: World, seconds: float) -> None:
        # What is left of an earlier world, which nobody waits for any longer, makes nobody late.
        late = [] if self._ended.is_set() else [each for each in under_way if each.allowed <= seconds]
        for each in late:
            each._expire()
        wait(self, FOR_EVER if late else seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "Deadline", Deadline)
        patch.setattr(deadline.DeadlineAdapter, "send", _sent_patiently(deadline.DeadlineAdapter.send))
        patch.setattr(World, "wait", wait_for_clients)
        yield


@contextlib.contextmanager
def counting_when_told() -> t.Iterator[t.Callable[[], None]]:
    """Let the seconds that a request may take begin when what this yields is called, such as by the server."""
    under_way: list[Deadline] = []

    class Deadline(deadline.Deadline):
        def __enter__(self) -> deadline.Deadline:
            under_way.append(self)
            timer, self._timer = self._timer, threading.Timer(FOR_EVER, self._expire)
            super().__enter__()
            self._timer.cancel()
            self._timer = timer
            self._end = float("inf")
            return self

        def __exit__(self, *dummy: t.Any) -> None:
            super().__exit__(*dummy)
            under_way.remove(self)

    def begin() -> None:
        for each in under_way:
            if each._end == float("inf"):
                each._end = time.monotonic() + each._seconds
                each._timer.start()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "Deadline", Deadline)
        patch.setattr(deadline.DeadlineAdapter, "send", _sent_patiently(deadline.DeadlineAdapter.send))
        yield begin


def _sent_patiently(send: t.Any) -> t.Any:
    """Without the timeouts of requests."""
    return lambda self, request, *args, **kwargs: send(self, request, *args, **dict(kwargs, timeout=FOR_EVER))
