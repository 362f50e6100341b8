# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run can know when it sends a request: what the last lists showed it, and what it has written since."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.community.amplitude.tests.unit.histories.model import Row
from ansible_collections.community.amplitude.tests.unit.histories.serving import KINDS
from ansible_collections.community.amplitude.tests.unit.histories.story import Deed


class View(t.NamedTuple):
    """What a run can know.

    :param deployments: as the last list showed them, with what the run has written since.
    :param flags: flags and experiments likewise, of the projects and kinds whose lists it has read.
    :param listed: the same without what it has written since.
    :param read: the kinds and projects of those lists.
    """

    deployments: t.Sequence[Row] = ()
    flags: t.Sequence[Row] = ()
    listed: t.Sequence[Row] = ()
    read: t.AbstractSet[tuple[str, str]] = frozenset()

    def flag(self, path: str) -> Row | None:
        """The flag or experiment that the path of an assignment is about."""
        return _found(self.flags, path)

    def listed_flag(self, path: str) -> Row | None:
        """The same as the last list showed it."""
        return _found(self.listed, path)


class Ledger:
    """Who has written what, to the tables of an account."""

    def __init__(self, account: t.Any) -> None:
        self.tables: dict[str, t.Any] = dict(account.usage, deployments=account.table)
        self._writers: dict[str, list[str]] = {name: [] for name in self.tables}

    def attribute(self, name: str) -> None:
        """Note who has written what has been written since."""
        for table, writers in self._writers.items():
            writers += [name] * (len(self.tables[table]._commits) - len(writers))

    def overtakers(self, deed: Deed) -> set[str]:
        """Who else has written what the last lists of a run do not show."""
        found = set(self._writers["deployments"][deed.watermarks[0] :]) if deed.watermarks else set()
        for (kind, _project_id), watermarks in deed.sights.items():
            found |= set(self._writers[kind][watermarks[0] :])
        return found - {deed.name}

    def view(self, deed: Deed) -> View:
        """What a run can know now."""
        deployments = self._rows(deed, "deployments", deed.watermarks[0]) if deed.watermarks else []
        flags: list[Row] = []
        listed: list[Row] = []
        for (kind, project_id), watermarks in deed.sights.items():
            for is_own, rows in ((True, flags), (False, listed)):
                for row in self._rows(deed, kind, watermarks[0], is_own):
                    if row["projectId"] == project_id:
                        rows.append(dict(row, kind=kind))
        return View(deployments, flags, listed, frozenset(deed.sights))

    def flags(self) -> list[Row]:
        """All flags and experiments as they are."""
        return [dict(row.as_dict(), kind=kind) for kind in KINDS for row in self.tables[kind].all()]

    def as_of(self, name: str, watermark: int) -> list[Row]:
        """The rows that a list shows."""
        return [row.as_dict() for row in self.tables[name]._as_of(watermark)]

    def _rows(self, deed: Deed, name: str, watermark: int, with_own: bool = True) -> list[Row]:
        table = self.tables[name]
        rows = {row.id: row for row in table._as_of(watermark)}
        for before, after in self._own(deed, name, watermark) if with_own else ():
            rows[after.id] = _changed(rows.get(after.id), before, after)
        return [row.as_dict() for row in rows.values()]

    def _own(self, deed: Deed, name: str, watermark: int) -> list[tuple[t.Any, t.Any]]:
        """What a run has written since, in order: the rows before and after."""
        table, names = self.tables[name], {deed.name, deed.name + ", too late"}
        found: list[tuple[t.Any, t.Any]] = []
        later: dict[str, t.Any] = {}
        commits = list(zip(table._commits, self._writers[name]))[watermark:]
        for commit, writer in reversed(commits):
            after = later.get(commit.id) or table.get(commit.id)
            later[commit.id] = commit.before
            if writer in names:
                found.append((commit.before, after))
        return found[::-1]


def _changed(row: t.Any, before: t.Any, after: t.Any) -> t.Any:
    """A row with what was changed in a later one."""
    if row is None or before is None:
        return after
    changed = {}
    for field in dataclasses.fields(after):
        was, now = getattr(before, field.name), getattr(after, field.name)
        if was != now and field.name == "deployments":
            has = [each for each in row.deployments if each in now or each not in was]
            now = (*has, *(each for each in now if each not in was and each not in has))
        if was != now:
            changed[field.name] = now
    return dataclasses.replace(row, **changed)


def _found(rows: t.Iterable[Row], path: str) -> Row | None:
    kind, identifier = path.split("/")[3:5]
    return next((row for row in rows if (row["kind"], row["id"]) == (kind, identifier)), None)
