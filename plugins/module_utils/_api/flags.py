# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Which flags and experiments use a deployment."""

from __future__ import annotations

import typing as t

from .client import Client
from .deployments import identifier_from

#: The kinds of users, as the API names them in its paths and in the fields of its answers.
KINDS = ("flags", "experiments")
#: What is read of a row. The rest can be thousands of users, and is thrown away while it is read.
FIELDS = frozenset(["id", "key", "name", "enabled", "deployments"])
#: So often is a list read that changes all the time.
MOST_READINGS = 5


class User(t.NamedTuple):
    """A flag or an experiment that a deployment is assigned to."""

    kind: str
    id: str
    key: str
    name: str | None
    enabled: bool | None
    archived: bool

    def __str__(self) -> str:
        return f"{self.kind[:-1]} {self.key!r}"

    def as_result(self) -> dict[str, t.Any]:
        """An element of the documented return values ``used_by.flags`` and ``used_by.experiments``."""
        return dict(id=self.id, key=self.key, name=self.name, enabled=self.enabled, archived=self.archived)


class Usage:
    """The users of the deployments of some projects."""

    def __init__(self, users: t.Mapping[str, t.Sequence[User]]) -> None:
        self._users = users

    def of(self, deployment_id: str, archived: bool = False) -> list[User]:
        """The flags and experiments that use a deployment: those that are active, or those that are archived."""
        return [user for user in self._users.get(deployment_id, ()) if user.archived is archived]

    def as_result(self, deployment_id: str) -> dict[str, list[dict[str, t.Any]]]:
        """The documented return value ``used_by`` of a deployment, archived users last."""
        users = self.of(deployment_id) + self.of(deployment_id, archived=True)
        return {kind: [user.as_result() for user in users if user.kind == kind] for kind in KINDS}


class Row(t.NamedTuple):
    """A flag or an experiment as a list shows it."""

    id: str
    key: str
    name: str | None
    enabled: bool | None
    deployments: frozenset[str]


Rows = t.Mapping[str, Row]


def read_usage(client: Client, project_ids: t.Iterable[str], deployment_ids: t.Collection[str] | None = None) -> Usage:
    """Read all flags and experiments of some projects, archived ones too.

    Documented: the lists take ``projectId`` and ``includeArchived``, and have the ids of the ``deployments`` in each
    row. They have no filter by deployment, and it is not documented whether a row tells that it is archived: what is
    listed only with ``includeArchived`` is.

    :param deployment_ids: the deployments whose users are wanted; None for all.
    :raises RequestFailed: a list could not be read, or a row does not say which deployments it uses.
    """
    users: dict[str, list[User]] = {}
    for project_id in sorted(set(project_ids)):
        for kind in KINDS:
            # In this order, so that one that is made meanwhile, or comes back from the archive, counts as active.
            listed, dummy = _read(client, kind, project_id, include_archived=True)
            active = _read_active(client, kind, project_id)
            for row in [*active.values(), *(row for row in listed.values() if row.id not in active)]:
                user = User(kind, row.id, row.key, row.name, row.enabled, row.id not in active)
                for deployment_id in sorted(row.deployments):
                    if deployment_ids is None or deployment_id in deployment_ids:
                        users.setdefault(deployment_id, []).append(user)
    return Usage(users)


def _read_active(client: Client, kind: str, project_id: str) -> Rows:
    """The flags or experiments that are not archived.

    A list of several pages can miss a row: if somebody archives one that was read already, all that follow move up, and the
    first of the next page is never sent. So such a list is read until two readings agree.
    """
    readings: list[Rows] = []
    for dummy in range(MOST_READINGS):
        rows, pages = _read(client, kind, project_id, include_archived=False)
        if pages <= 1 or (readings and agree(readings[-1], rows)):
            return rows
        readings.append(rows)
    return in_doubt(readings)


def agree(one: Rows, other: Rows) -> bool:
    """Whether two readings have the same rows, which use the same deployments."""
    return {row.id: row.deployments for row in one.values()} == {row.id: row.deployments for row in other.values()}


def in_doubt(readings: t.Iterable[Rows]) -> Rows:
    """What readings say of which no two agree: whatever one of them has, and uses, is there and used."""
    found: dict[str, Row] = {}
    for rows in readings:
        for row in rows.values():
            before = found[row.id].deployments if row.id in found else frozenset()
            found[row.id] = row._replace(deployments=before | row.deployments)
    return found


def _read(client: Client, kind: str, project_id: str, include_archived: bool) -> tuple[Rows, int]:
    """The rows of a list by their ids, and how many pages they took."""
    doing = f"list the {kind} of project {project_id}"
    params = dict(projectId=project_id, includeArchived="true" if include_archived else "false")
    found: dict[str, Row] = {}
    pages = 0
    for page in client.pages("/api/1/" + kind, kind, doing, params, keep=FIELDS):
        pages += 1
        for row in page:
            read = _row(client, row, doing)
            # One that changes meanwhile can be sent twice; what either of them uses is used.
            before = found[read.id].deployments if read.id in found else frozenset()
            found[read.id] = read._replace(deployments=before | read.deployments)
    return found, pages


def _row(client: Client, row: t.Mapping[str, t.Any], doing: str) -> Row:
    """Read one row of a list. Unknown fields are ignored."""
    identifier, key, ids = identifier_from(row.get("id")), row.get("key"), row.get("deployments")
    if identifier is None or not isinstance(key, str):
        raise client.unexpected(doing, "in which a row has no id or key")
    deployments = [identifier_from(each) for each in ids] if isinstance(ids, list) else [None]
    if None in deployments:
        raise client.unexpected(doing, f"in which {key!r} does not say which deployments it uses")
    return Row(identifier, key, row.get("name"), row.get("enabled"), frozenset(t.cast("list[str]", deployments)))
