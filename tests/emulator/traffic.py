# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests seen, and how many of them are allowed."""

from __future__ import annotations

import collections
import dataclasses
import threading
import time
import typing as t

from .switches import Switches

_DAY = 86400


@dataclasses.dataclass
class Record:
    """One request and what became of it."""

    n: int
    """Number of the request, from 1 in order of arrival."""
    time: float
    """Seconds since the last reset."""
    method: str
    path: str
    query: dict[str, str]
    body: t.Any
    """Parsed JSON, else text, else None."""
    key: str | None
    """The management key as it was sent."""
    user_agent: str
    headers: dict[str, str]
    status: int | None = None
    """None if the connection was cut, or is still waiting for its answer."""
    committed: bool = False
    """Whether the request changed the state, even if the answer was lost."""
    accepted: bool = False
    """Whether the API carried the request out, even if it changed nothing or the answer was lost."""


class Log:
    """The records since the last reset."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._count = 0
        self._records: list[Record] = []
        self._lock = threading.Lock()

    def add(self, **fields: t.Any) -> Record:
        """Record a request that has just arrived."""
        with self._lock:
            self._count += 1
            record = Record(n=self._count, time=time.monotonic() - self._started, **fields)
            self._records.append(record)
            return record

    def since(self, n: int) -> list[dict[str, t.Any]]:
        """The records after number ``n``."""
        with self._lock:
            return [dict(vars(record)) for record in self._records if record.n > n]

    def forget(self) -> None:
        """Drop the records; numbers go on."""
        with self._lock:
            self._records.clear()


class RateLimit:
    """The documented limits, counted for each management key; a request that is refused counts as well."""

    def __init__(self) -> None:
        self._recent: dict[str, collections.deque[float]] = {}
        self._today: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def count(self, key: str, switches: Switches) -> float | None:
        """Count a request; the answer is None if it is allowed, else seconds until there is room again."""
        now = time.monotonic()
        today, second_of_day = divmod(time.time(), _DAY)
        with self._lock:
            day, requests_today = self._today.get(key, (today, 0))
            requests_today = requests_today + 1 if day == today else 1
            self._today[key] = (int(today), requests_today)
            recent = self._recent.get(key)
            if recent is None or recent.maxlen != switches.rate_limit:
                recent = self._recent[key] = collections.deque(recent or (), switches.rate_limit)
            wait = recent[0] + 1 - now if switches.rate_limit and len(recent) == switches.rate_limit else 0
            recent.append(now)
        if switches.daily_limit and requests_today > switches.daily_limit:
            return _DAY - second_of_day
        return wait if wait > 0 else None
