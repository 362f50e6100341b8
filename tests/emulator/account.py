# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of one Amplitude account: projects, management keys and deployments."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import random
import threading
import time
import typing as t

from .errors import Invalid, Refused, check_fields
from .switches import Switches
from .table import Table
from .usage import Flags

DEFAULT_SEED: t.Mapping[str, t.Any] = {"keys": {"management-key": ["1", "2"]}}
SEED_FIELDS = ("keys", "projects", "deployments", "flags", "experiments", "switches")
ROW_FIELDS = ("id", "projectId", "label", "type", "key", "deleted")
EDITABLE_FIELDS = ("label", "deleted")
TYPES = ("client", "server")


@dataclasses.dataclass(frozen=True)
class Deployment:
    """A deployment at one moment; ids are strings whatever the API sends."""

    id: str
    project_id: str
    label: str
    key: str
    deleted: bool = False

    @property
    def type(self) -> str | None:
        """``client``, ``server``, or None for a project's default deployment."""
        prefix = self.key.partition("-")[0]
        return prefix if prefix in TYPES and prefix != self.key else None

    def as_dict(self) -> dict[str, t.Any]:
        """Everything that is true of the deployment, as a JSON object."""
        return {
            "id": self.id,
            "projectId": self.project_id,
            "label": self.label,
            "key": self.key,
            "type": self.type,
            "deleted": self.deleted,
        }


class Account:
    """The deployments of some projects, and the flags and experiments that use them.

    All methods may be called from any thread.
    """

    def __init__(self, seed: t.Mapping[str, t.Any], switches: Switches) -> None:
        """:raises Invalid: if the seed is not understood."""
        projects = [str(project) for project in seed.get("projects") or ()]
        keys = seed.get("keys") or ({"management-key": projects} if projects else DEFAULT_SEED["keys"])
        if not isinstance(keys, t.Mapping) or not all(isinstance(covered, (list, tuple)) for covered in keys.values()):
            raise Invalid("seed.keys must map management keys to lists of project ids")
        self._covered: dict[str, frozenset[str]] = {key: frozenset(map(str, covered)) for key, covered in keys.items()}
        self._random = random.Random(len(keys))
        self._lock = threading.RLock()
        self._labels: dict[tuple[str, str], set[str]] = {}
        self._late_keys: dict[str, tuple[int, float]] = {}
        self.table: Table[Deployment] = Table("a deployment", self._lock, self._random, _monotonic)
        rows = list(seed.get("deployments") or ())
        self.table.claim_ids(rows, ROW_FIELDS)
        for row in rows:
            deployment = self._new(row, switches)
            self.table.seed(deployment.id, deployment)
            self._index(deployment)
        self.usage: dict[str, Flags] = {}
        for kind, what in (("flags", "a flag"), ("experiments", "an experiment")):
            self.usage[kind] = Flags(what, self._lock, self._random, _monotonic)
            self.usage[kind].fill(seed.get(kind) or (), switches)

    def covered_by(self, key: str) -> frozenset[str] | None:
        """The projects of a management key, or None for a key that is not valid."""
        return self._covered.get(key)

    def deployments(self) -> list[Deployment]:
        """Every deployment as it is now, in the order of creation."""
        return self.table.all()

    def deployment(self, id: str) -> Deployment | None:
        """One deployment as it is now."""
        return self.table.get(id)

    def create(self, project_id: str, label: str, type: str, switches: Switches) -> str:
        """Create a deployment and return its id; raise :class:`Refused` for a label that is taken."""
        with self._lock:
            created = self._new({"projectId": project_id, "label": label, "type": type}, switches)
            self._check_unique(created, switches)
            self._begin_key(created.id, switches)
            self._commit(created, switches)
            return created.id

    def edit(self, id: str, label: str | None, archive: bool | None, switches: Switches) -> bool:
        """Change what is not None and say whether that changed anything; :class:`Refused` as for :meth:`create`."""
        with self._lock:
            before = self.table.expect(id)
            if label is not None and archive is not None and switches.label_and_archive != "both":
                label, archive = (label, None) if switches.label_and_archive == "label" else (None, archive)
            after = dataclasses.replace(
                before,
                label=before.label if label is None else label,
                deleted=before.deleted if archive is None else archive,
            )
            if after == before:
                return False
            if after.label != before.label or not after.deleted:
                self._check_unique(after, switches)
            if after.deleted and not before.deleted and switches.archive_in_use == "refused":
                self._check_unused(id)
            self._commit(after, switches)
            return True

    def add_by_hand(self, row: t.Mapping[str, t.Any], switches: Switches) -> Deployment:
        """Create a deployment from a row as in a seed, asking for no permission."""
        with self._lock:
            created = self._new(check_fields("a deployment", row, ROW_FIELDS), switches)
            self._begin_key(created.id, switches)
            self._commit(created, switches)
            return created

    def edit_by_hand(self, id: str, changes: t.Mapping[str, t.Any], switches: Switches) -> Deployment:
        """Change ``label`` or ``deleted`` of a deployment, asking for no permission."""
        check_fields("a change by hand", changes, EDITABLE_FIELDS)
        with self._lock:
            before = self.table.expect(id)
            after = dataclasses.replace(before, **changes)
            _check_values(after)
            if after != before:
                self._commit(after, switches)
            return after

    def begin_listing(self, key: str) -> int:
        """Begin a listing of deployments and return its watermark."""
        return self.table.begin_listing(key)

    def rows(self, key: str, watermark: int, order: str) -> list[Deployment]:
        """The deployments that a management key sees, as of a watermark."""
        projects = self._covered[key]

        def select(rows: t.Collection[Deployment]) -> list[Deployment]:
            return _ordered([row for row in rows if row.project_id in projects], order)

        return self.table.rows(watermark, (key, order), select)

    def key_is_late(self, id: str) -> bool:
        """Whether lists do not show the key of a deployment yet."""
        last_list, seconds_end = self._late_keys.get(id, (-1, 0.0))
        return self.table.listings <= last_list or _monotonic() < seconds_end

    def _begin_key(self, id: str, switches: Switches) -> None:
        if switches.late_keys or switches.late_key_seconds:
            last_list = self.table.listings + switches.late_keys if switches.late_keys else -1
            self._late_keys[id] = (last_list, _monotonic() + switches.late_key_seconds)

    def _new(self, row: t.Mapping[str, t.Any], switches: Switches) -> Deployment:
        if row.get("type") not in TYPES + (None,):
            raise Invalid("a deployment's type must be client, server or null, not {!r}".format(row["type"]))
        created = Deployment(
            id=self.table.id_of(row, switches),
            project_id=str(row.get("projectId") or ""),
            label=row.get("label", ""),
            key=row.get("key") or self._new_key(row.get("type")),
            deleted=row.get("deleted", False),
        )
        _check_values(created)
        if row.get("type") and created.type != row["type"]:
            raise Invalid("the key of a {} deployment does not begin with {!r}".format(created.type, row["type"]))
        return created

    def _new_key(self, type: str | None) -> str:
        if type is None:
            return f"{self._random.getrandbits(128):032x}"
        return type + "-" + base64.b64encode(self._random.getrandbits(192).to_bytes(24, "big"), b"Ab").decode()

    def _check_unique(self, wanted: Deployment, switches: Switches) -> None:
        if switches.unique_labels == "none":
            return
        scope = [wanted]
        if switches.labels_ignore_case:
            rows = [row for row in self.table.all() if row.project_id == wanted.project_id]
            scope += [row for row in rows if row.label.lower() == wanted.label.lower()]
        else:
            scope += [self.table.expect(id) for id in self._labels.get((wanted.project_id, wanted.label), ())]
        if switches.unique_labels == "active":
            scope = [deployment for deployment in scope if not deployment.deleted]
            if wanted.deleted:
                return
        if any(deployment.id != wanted.id for deployment in scope):
            message = f"label {wanted.label} is taken in project {wanted.project_id}"
            raise Refused(switches.duplicate_status, message)

    def _check_unused(self, id: str) -> None:
        for flags in self.usage.values():
            for flag in flags.all():
                if id in flag.deployments and not flag.archived:
                    raise Refused(400, f"deployment {id} is in use by {flag.key}")

    def _commit(self, deployment: Deployment, switches: Switches) -> None:
        before = self.table.get(deployment.id)
        if before is not None:
            self._labels[before.project_id, before.label].discard(before.id)
        self.table.commit(deployment.id, deployment, switches)
        self._index(deployment)

    def _index(self, deployment: Deployment) -> None:
        self._labels.setdefault((deployment.project_id, deployment.label), set()).add(deployment.id)


def _monotonic() -> float:
    return time.monotonic()  # looked up each time: tests replace this module's clock


def _check_values(deployment: Deployment) -> None:
    for name in ("id", "project_id", "label", "key"):
        if not isinstance(getattr(deployment, name), str) or not getattr(deployment, name):
            raise Invalid(f"{name} must be a string that is not empty, not {getattr(deployment, name)!r}")
    if not isinstance(deployment.deleted, bool):
        raise Invalid(f"deleted must be a boolean, not {deployment.deleted!r}")


def _ordered(oldest_first: list[Deployment], order: str) -> list[Deployment]:
    if order == "newest_first":
        return oldest_first[::-1]
    if order == "label":
        return sorted(oldest_first, key=lambda row: row.label)
    if order == "shuffled":
        return sorted(oldest_first, key=lambda row: hashlib.sha256(row.id.encode()).digest())
    return oldest_first
