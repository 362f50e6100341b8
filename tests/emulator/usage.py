# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flags and experiments of an account, and which deployments they have."""

from __future__ import annotations

import dataclasses
import typing as t

from .errors import Invalid, check_fields
from .switches import Switches
from .table import Table

FLAG_FIELDS = ("id", "projectId", "key", "name", "enabled", "archived", "evaluationMode", "deployments")
EDITABLE_FLAG_FIELDS = ("name", "enabled", "archived", "deployments")
EVALUATION_MODES = ("remote", "local")


@dataclasses.dataclass(frozen=True)
class Flag:
    """A flag or an experiment at one moment; ids are strings whatever the API sends."""

    id: str
    project_id: str
    key: str
    name: str
    enabled: bool = False
    archived: bool = False
    evaluation_mode: str = EVALUATION_MODES[0]
    deployments: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        """Everything that is true of it, as a JSON object."""
        return {
            "id": self.id,
            "projectId": self.project_id,
            "key": self.key,
            "name": self.name,
            "enabled": self.enabled,
            "archived": self.archived,
            "evaluationMode": self.evaluation_mode,
            "deployments": list(self.deployments),
        }


class Flags(Table[Flag]):
    """The flags of an account, or its experiments; the deployments that they name need not exist."""

    def fill(self, rows: t.Iterable[t.Mapping[str, t.Any]], switches: Switches) -> None:
        """Store the rows of a seed."""
        rows = list(rows)
        self.claim_ids(rows, FLAG_FIELDS)
        for row in rows:
            flag = self._new(row, switches)
            self.seed(flag.id, flag)

    def add_by_hand(self, row: t.Mapping[str, t.Any], switches: Switches) -> Flag:
        """Create one from a row as in a seed."""
        with self.lock:
            created = self._new(check_fields(self.what, row, FLAG_FIELDS), switches)
            self.commit(created.id, created, switches)
            return created

    def edit_by_hand(self, id: str, changes: t.Mapping[str, t.Any], switches: Switches) -> Flag:
        """Change ``name``, ``enabled``, ``archived`` or all the ``deployments``."""
        check_fields("a change by hand", changes, EDITABLE_FLAG_FIELDS)
        with self.lock:
            before = self.expect(id)
            if "deployments" in changes:
                changes = {**changes, "deployments": _ids(changes["deployments"])}
            after = dataclasses.replace(before, **changes)
            _check_values(after)
            if after != before:
                self.commit(id, after, switches)
            return after

    def assign_by_hand(self, id: str, deployments: t.Any, switches: Switches) -> Flag:
        """Add deployments to those that it has; asks for no permission, and for no deployment."""
        with self.lock:
            has = self.expect(id).deployments
            added = [each for each in _ids(deployments) if each not in has]
            return self.edit_by_hand(id, {"deployments": [*has, *added]}, switches)

    def remove_by_hand(self, id: str, deployments: t.Any, switches: Switches) -> Flag:
        """Take deployments away from it; asks for no permission."""
        with self.lock:
            gone = _ids(deployments)
            rest = [each for each in self.expect(id).deployments if each not in gone]
            return self.edit_by_hand(id, {"deployments": rest}, switches)

    def set_deployments(self, id: str, deployments: tuple[str, ...], switches: Switches) -> bool:
        """Write all the deployments that it has, and say whether that changed anything."""
        with self.lock:
            before = self.expect(id)
            after = dataclasses.replace(before, deployments=deployments)
            if after != before:
                self.commit(id, after, switches)
            return after != before

    def listed(self, id: str) -> Flag | None:
        """One as a list that begins now shows it, None if it does not."""
        watermark = self.begin_listing()
        found = self.rows(watermark, id, lambda rows: [row for row in rows if row.id == id])
        return found[0] if found else None

    def seen(self, projects: frozenset[str], key: str | None, archived: bool, watermark: int) -> list[Flag]:
        """Those of some projects as of a watermark, newest first; with this key, unless that is None."""

        def select(rows: t.Collection[Flag]) -> list[Flag]:
            chosen = [row for row in rows if row.project_id in projects and (archived or not row.archived)]
            if key is not None:
                chosen = [row for row in chosen if row.key == key]
            return chosen[::-1]

        return self.rows(watermark, (projects, key, archived), select)

    def _new(self, row: t.Mapping[str, t.Any], switches: Switches) -> Flag:
        created = Flag(
            id=self.id_of(row, switches),
            project_id=str(row.get("projectId") or ""),
            key=row.get("key", ""),
            name=row.get("name", row.get("key", "")),
            enabled=row.get("enabled", False),
            archived=row.get("archived", False),
            evaluation_mode=row.get("evaluationMode", EVALUATION_MODES[0]),
            deployments=_ids(row.get("deployments", ())),
        )
        _check_values(created)
        return created


def _ids(given: t.Any) -> tuple[str, ...]:
    if not isinstance(given, (list, tuple)) or not all(type(id) in (str, int) and id != "" for id in given):
        raise Invalid(f"deployments must be a list of ids, not {given!r}")
    return tuple(map(str, given))


def _check_values(flag: Flag) -> None:
    for name, value in (("projectId", flag.project_id), ("key", flag.key), ("name", flag.name)):
        if not isinstance(value, str) or not value:
            raise Invalid(f"{name} must be a string that is not empty, not {value!r}")
    for name, value in (("enabled", flag.enabled), ("archived", flag.archived)):
        if not isinstance(value, bool):
            raise Invalid(f"{name} must be a boolean, not {value!r}")
    if flag.evaluation_mode not in EVALUATION_MODES:
        raise Invalid(f"evaluationMode must be remote or local, not {flag.evaluation_mode!r}")
