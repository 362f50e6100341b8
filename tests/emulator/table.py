# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of one kind, as they are and as lists show them."""

from __future__ import annotations

import collections
import dataclasses
import random
import threading
import typing as t

from .errors import Invalid, check_fields
from .switches import Switches

FIRST_ID = 10001
_CACHED = 8

Row = t.TypeVar("Row")


@dataclasses.dataclass(frozen=True)
class _Commit:
    """A write, and when it shows: from listing number ``first_list`` on, and at the monotonic time ``shown_at``."""

    id: str
    before: t.Any
    """The row until then, None if the write created it."""
    first_list: int
    shown_at: float


class Table(t.Generic[Row]):
    """The rows of one kind by id, which are strings here whatever the API sends, in the order of creation.

    A *watermark* is a number of commits: a list with watermark 3 shows the first three writes and no other.
    All methods may be called from any thread.

    :param what: a row in words, such as ``a deployment``.
    :param lock: guards the account; whoever does several things at once holds it.
    :param chance: where opaque ids come from.
    :param monotonic: the monotonic time.
    """

    def __init__(
        self, what: str, lock: threading.RLock, chance: random.Random, monotonic: t.Callable[[], float]
    ) -> None:
        self.what = what
        self.lock = lock
        self._chance = chance
        self._monotonic = monotonic
        self._now: dict[str, Row] = {}
        self._commits: list[_Commit] = []
        self._shown = 0
        self._listings = 0
        self._watermarks: dict[str, int] = {}
        self._cache: collections.OrderedDict[t.Any, list[Row]] = collections.OrderedDict()
        self._next_id = FIRST_ID

    def all(self) -> list[Row]:
        """Every row as it is now."""
        with self.lock:
            return list(self._now.values())

    def get(self, id: str) -> Row | None:
        """One row as it is now."""
        return self._now.get(id)

    def expect(self, id: str) -> Row:
        """One row as it is now; raise :class:`Invalid` if there is none."""
        row = self.get(id)
        if row is None:
            raise Invalid("there is no {} {}".format(self.what.partition(" ")[2], id))
        return row

    def claim_ids(self, rows: list[t.Any], known: t.Collection[str]) -> None:
        """Let no new id be one of those that these rows of a seed, with no other than the ``known`` fields, have."""
        for row in rows:
            self._claim(str(check_fields(self.what, row, known).get("id") or ""))

    def id_of(self, row: t.Mapping[str, t.Any], switches: Switches) -> str:
        """The id that a row of a seed asks for, else a new one; raise :class:`Invalid` if it is taken."""
        given = row.get("id")
        if not given:
            return self.new_id(switches)
        if str(given) in self._now:
            raise Invalid(f"{self.what} {given} is there already")
        self._claim(str(given))
        return str(given)

    def new_id(self, switches: Switches) -> str:
        """An id that no row has."""
        if switches.opaque_ids:
            return f"{self._chance.getrandbits(96):024x}"
        self._next_id += 1
        return str(self._next_id - 1)

    def seed(self, id: str, row: Row) -> None:
        """Store a row as if it had always been there."""
        self._now[id] = row

    def commit(self, id: str, row: Row, switches: Switches) -> None:
        """Write a row."""
        with self.lock:
            first_list = self._listings + switches.stale_lists + 1 if switches.stale_lists else 0
            shown_at = self._monotonic() + switches.stale_seconds
            self._commits.append(_Commit(id, self.get(id), first_list, shown_at))
            self._now[id] = row

    def begin_listing(self, key: str | None = None) -> int:
        """Begin a listing and return its watermark, to which the later pages for a management key go back."""
        with self.lock:
            self._listings += 1
            watermark = self.latest()
            if key is not None:
                self._watermarks[key] = watermark
            return watermark

    @property
    def listings(self) -> int:
        """The number of listings that were begun."""
        return self._listings

    def latest(self) -> int:
        """The watermark of what is visible now, also to a listing that is under way."""
        with self.lock:
            now = self._monotonic()
            while self._shown < len(self._commits):
                commit = self._commits[self._shown]
                if commit.first_list > self._listings or commit.shown_at > now:
                    break
                self._shown += 1
            return self._shown

    def latest_listing(self, key: str) -> int:
        """The watermark of the listing that a management key began last."""
        with self.lock:
            return self._watermarks.get(key, self._shown)

    def rows(self, watermark: int, query: t.Hashable, select: t.Callable[[t.Collection[Row]], list[Row]]) -> list[Row]:
        """What ``select`` makes of the rows as of a watermark; the answers to the latest queries are kept."""
        with self.lock:
            wanted = (watermark, query)
            if wanted not in self._cache:
                self._cache[wanted] = select(self._as_of(watermark))
                if len(self._cache) > _CACHED:
                    self._cache.popitem(last=False)
            self._cache.move_to_end(wanted)
            return self._cache[wanted]

    def _as_of(self, watermark: int) -> t.Collection[Row]:
        undone = self._commits[watermark:]
        rows = dict(self._now) if undone else self._now
        for commit in reversed(undone):
            if commit.before is None:
                del rows[commit.id]
            else:
                rows[commit.id] = commit.before
        return rows.values()

    def _claim(self, id: str) -> None:
        if id.isdecimal():
            self._next_id = max(self._next_id, int(id) + 1)
