# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of one Amplitude account: projects, management keys and deployments."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import string
import threading
import time
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Set, Tuple

from .errors import Invalid, Refused, check_fields
from .switches import Switches

DEFAULT_SEED: Mapping[str, Any] = {"keys": {"management-key": ["1", "2"]}}
SEED_FIELDS = ("keys", "projects", "deployments", "switches")
FIRST_ID = 10001
TYPES = ("client", "server")

_ROW_FIELDS = ("id", "projectId", "label", "type", "key", "deleted")
_EDITABLE_FIELDS = ("label", "deleted")


@dataclasses.dataclass(frozen=True)
class Deployment:
    """A deployment at one moment; ids are strings whatever the API sends."""

    id: str
    project_id: str
    label: str
    key: str
    deleted: bool = False

    @property
    def type(self) -> Optional[str]:
        """``client``, ``server``, or None for a project's default deployment."""
        prefix = self.key.partition("-")[0]
        return prefix if prefix in TYPES and prefix != self.key else None

    def as_dict(self) -> Dict[str, Any]:
        """Everything that is true of the deployment, as a JSON object."""
        return {
            "id": self.id,
            "projectId": self.project_id,
            "label": self.label,
            "key": self.key,
            "type": self.type,
            "deleted": self.deleted,
        }


@dataclasses.dataclass(frozen=True)
class _Commit:
    """When a write shows up: after ``hidden_lists`` listings in all, and at the monotonic time ``shown_at``."""

    hidden_lists: int
    shown_at: float


class Account:
    """The deployments of some projects, with every version of them since the seed.

    A *watermark* is a number of commits: a list with watermark 3 shows the first three writes and no other.
    All methods may be called from any thread.
    """

    def __init__(self, seed: Mapping[str, Any], switches: Switches) -> None:
        """:raises Invalid: if the seed is not understood."""
        projects = [str(project) for project in seed.get("projects") or ()]
        keys = seed.get("keys") or ({"management-key": projects} if projects else DEFAULT_SEED["keys"])
        if not isinstance(keys, Mapping) or not all(isinstance(covered, (list, tuple)) for covered in keys.values()):
            raise Invalid("seed.keys must map management keys to lists of project ids")
        self._covered: Dict[str, FrozenSet[str]] = {key: frozenset(map(str, covered)) for key, covered in keys.items()}
        self._random = random.Random(len(keys))
        self._lock = threading.RLock()
        self._versions: Dict[str, List[Tuple[int, Deployment]]] = {}
        self._labels: Dict[Tuple[str, str], Set[str]] = {}
        self._commits: List[_Commit] = []
        self._shown = 0
        self._listings = 0
        self._watermarks: Dict[str, int] = {}
        self._cache: Tuple[Any, List[Deployment]] = (None, [])
        self._next_id = FIRST_ID
        rows = list(seed.get("deployments") or ())
        for row in rows:
            given = str(check_fields("a deployment of the seed", row, _ROW_FIELDS).get("id") or "")
            if given.isdigit():
                self._next_id = max(self._next_id, int(given) + 1)
        for row in rows:
            self._store(self._new(row, switches), 0)

    def covered_by(self, key: str) -> Optional[FrozenSet[str]]:
        """The projects of a management key, or None for a key that is not valid."""
        return self._covered.get(key)

    def deployments(self) -> List[Deployment]:
        """Every deployment as it is now, in the order of creation."""
        with self._lock:
            return [versions[-1][1] for versions in self._versions.values()]

    def deployment(self, id: str) -> Optional[Deployment]:
        """One deployment as it is now."""
        with self._lock:
            versions = self._versions.get(id)
            return versions[-1][1] if versions else None

    def create(self, project_id: str, label: str, type: str, switches: Switches) -> str:
        """Create a deployment and return its id; raise :class:`Refused` for a label that is taken."""
        with self._lock:
            created = self._new({"projectId": project_id, "label": label, "type": type}, switches)
            self._check_unique(created, switches)
            self._commit(created, switches)
            return created.id

    def edit(self, id: str, label: Optional[str], archive: Optional[bool], switches: Switches) -> bool:
        """Change what is not None and say whether that changed anything; :class:`Refused` as for :meth:`create`."""
        with self._lock:
            before = self._versions[id][-1][1]
            after = dataclasses.replace(
                before,
                label=before.label if label is None else label,
                deleted=before.deleted if archive is None else archive,
            )
            if after == before:
                return False
            if after.label != before.label or not after.deleted:
                self._check_unique(after, switches)
            self._commit(after, switches)
            return True

    def add_by_hand(self, row: Mapping[str, Any], switches: Switches) -> Deployment:
        """Create a deployment from a row as in a seed, asking for no permission."""
        with self._lock:
            created = self._new(row, switches)
            if created.id.isdigit():
                self._next_id = max(self._next_id, int(created.id) + 1)
            self._commit(created, switches)
            return created

    def edit_by_hand(self, id: str, changes: Mapping[str, Any], switches: Switches) -> Deployment:
        """Change ``label`` or ``deleted`` of a deployment, asking for no permission."""
        check_fields("a change by hand", changes, _EDITABLE_FIELDS)
        with self._lock:
            before = self.deployment(id)
            if before is None:
                raise Invalid("there is no deployment %s" % id)
            after = dataclasses.replace(before, **changes)
            _check_values(after)
            if after != before:
                self._commit(after, switches)
            return after

    def begin_listing(self, key: str) -> int:
        """Begin a listing and return its watermark."""
        with self._lock:
            self._listings += 1
            now = time.monotonic()
            while self._shown < len(self._commits):
                commit = self._commits[self._shown]
                if commit.hidden_lists >= self._listings or commit.shown_at > now:
                    break
                self._shown += 1
            self._watermarks[key] = self._shown
            return self._shown

    def latest_listing(self, key: str) -> int:
        """The watermark of the listing that a management key began last."""
        with self._lock:
            return self._watermarks.get(key, self._shown)

    def rows(self, key: str, watermark: int, order: str) -> List[Deployment]:
        """The deployments that a management key sees, as of a watermark."""
        with self._lock:
            wanted = (key, watermark, order)
            if self._cache[0] != wanted:
                self._cache = (wanted, _ordered(self._seen(self._covered[key], watermark), order))
            return self._cache[1]

    def _seen(self, projects: FrozenSet[str], watermark: int) -> Iterable[Deployment]:
        for versions in self._versions.values():
            for commit, deployment in reversed(versions):
                if commit <= watermark:
                    if deployment.project_id in projects:
                        yield deployment
                    break

    def _new(self, row: Mapping[str, Any], switches: Switches) -> Deployment:
        check_fields("a deployment", row, _ROW_FIELDS)
        if row.get("type") not in TYPES + (None,):
            raise Invalid("a deployment's type must be client, server or null, not %r" % row["type"])
        created = Deployment(
            id=str(row.get("id") or self._new_id(switches)),
            project_id=str(row.get("projectId") or ""),
            label=row.get("label", ""),
            key=row.get("key") or self._new_key(row.get("type")),
            deleted=row.get("deleted", False),
        )
        _check_values(created)
        if row.get("type") and created.type != row["type"]:
            raise Invalid("the key of a %s deployment does not begin with %r" % (created.type, row["type"]))
        if created.id in self._versions:
            raise Invalid("there are two deployments %s" % created.id)
        return created

    def _new_id(self, switches: Switches) -> str:
        if switches.opaque_ids:
            return "%024x" % self._random.getrandbits(96)
        self._next_id += 1
        return str(self._next_id - 1)

    def _new_key(self, type: Optional[str]) -> str:
        if type is None:
            return "%032x" % self._random.getrandbits(128)
        return type + "-" + "".join(self._random.choices(string.ascii_letters + string.digits, k=32))

    def _check_unique(self, wanted: Deployment, switches: Switches) -> None:
        if switches.unique_labels == "none":
            return
        scope = [wanted]
        scope += [self._versions[id][-1][1] for id in self._labels.get((wanted.project_id, wanted.label), ())]
        if switches.unique_labels == "active":
            scope = [deployment for deployment in scope if not deployment.deleted]
            if wanted.deleted:
                return
        if any(deployment.id != wanted.id for deployment in scope):
            message = "label %s is taken in project %s" % (wanted.label, wanted.project_id)
            raise Refused(switches.duplicate_status, message)

    def _commit(self, deployment: Deployment, switches: Switches) -> None:
        shown_at = time.monotonic() + switches.stale_seconds
        self._commits.append(_Commit(self._listings + switches.stale_lists, shown_at))
        self._store(deployment, len(self._commits))

    def _store(self, deployment: Deployment, commit: int) -> None:
        versions = self._versions.setdefault(deployment.id, [])
        if versions:
            before = versions[-1][1]
            self._labels[before.project_id, before.label].discard(before.id)
        versions.append((commit, deployment))
        self._labels.setdefault((deployment.project_id, deployment.label), set()).add(deployment.id)


def _check_values(deployment: Deployment) -> None:
    for name in ("id", "project_id", "label", "key"):
        if not isinstance(getattr(deployment, name), str) or not getattr(deployment, name):
            raise Invalid("%s must be a string that is not empty, not %r" % (name, getattr(deployment, name)))
    if not isinstance(deployment.deleted, bool):
        raise Invalid("deleted must be a boolean, not %r" % (deployment.deleted,))


def _ordered(rows: Iterable[Deployment], order: str) -> List[Deployment]:
    oldest_first = list(rows)
    if order == "newest_first":
        return oldest_first[::-1]
    if order == "label":
        return sorted(oldest_first, key=lambda row: row.label)
    if order == "shuffled":
        return sorted(oldest_first, key=lambda row: hashlib.sha256(row.id.encode()).digest())
    return oldest_first
