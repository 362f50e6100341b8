# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Flags and experiments in the API's words: the record; list, assign and remove."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from .client import Client
from .deployments import KINDS, identifier_from, order_of_id

#: What is read of a row. The rest can be thousands of users, and is thrown away while it is read.
FIELDS = frozenset(["id", "key", "name", "enabled", "deployments"])
#: How often a list that keeps changing is read.
MOST_READINGS = 5


class Flag(t.NamedTuple):
    """A flag or an experiment, as a list shows it.

    ``enabled`` and ``name`` are None where the API does not tell. ``deployments``: the ids of those that it uses, in order.
    """

    kind: str
    id: str
    project_id: str
    key: str
    name: str | None
    enabled: bool | None
    archived: bool
    deployments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.key!r}"

    @property
    def place(self) -> tuple[str, str]:
        """What distinguishes it from all other flags and experiments: a flag and an experiment can have the same id."""
        return self.kind, self.id

    @property
    def described(self) -> str:
        """How it is named where a person has to find it."""
        return f"{self} (id {self.id}) in project {self.project_id}"

    def with_more(self, deployments: t.Iterable[str]) -> Flag:
        """As it is if it uses these deployments too."""
        return self._replace(deployments=_in_order([*self.deployments, *deployments]))

    def as_result(self) -> dict[str, t.Any]:
        """An element of the documented return values ``used_by.flags`` and ``used_by.experiments``."""
        return dict(id=self.id, key=self.key, name=self.name, enabled=self.enabled, archived=self.archived)


class Usage:
    """What uses which deployment.

    :param flags: flags and experiments.
    :param deployment_ids: the deployments whose users are wanted; None for all.
    """

    def __init__(self, flags: t.Iterable[Flag], deployment_ids: t.Collection[str] | None = None) -> None:
        self._users: dict[str, list[Flag]] = {}
        for flag in flags:
            for deployment_id in flag.deployments:
                if deployment_ids is None or deployment_id in deployment_ids:
                    self._users.setdefault(deployment_id, []).append(flag)

    def of(self, deployment_id: str, archived: bool = False) -> list[Flag]:
        """The flags and experiments that use a deployment: those that are active, or those that are archived."""
        return [user for user in self._users.get(deployment_id, ()) if user.archived is archived]

    def as_result(self, deployment_id: str) -> dict[str, list[dict[str, t.Any]]]:
        """The documented return value ``used_by`` of a deployment, archived users last."""
        users = self.of(deployment_id) + self.of(deployment_id, archived=True)
        return {kind + "s": [user.as_result() for user in users if user.kind == kind] for kind in KINDS}


Rows = t.Mapping[str, Flag]


def read_usage(client: Client, project_ids: t.Iterable[str], deployment_ids: t.Collection[str] | None = None) -> Usage:
    """Read which flags and experiments of some projects use deployments, archived ones too.

    :param deployment_ids: the deployments whose users are wanted; None for all.
    :raises RequestFailed: as :func:`list_flags`.
    """
    lists = (
        list_flags(client, kind, project_id, archived=True) for project_id in sorted(set(project_ids)) for kind in KINDS
    )
    return Usage((flag for flags in lists for flag in flags), deployment_ids)


def list_flags(client: Client, kind: str, project_id: str, archived: bool = False) -> list[Flag]:
    """The flags or the experiments of a project.

    Documented: the lists take ``projectId`` and ``includeArchived``, and have the ids of the ``deployments`` in each
    row. They have no filter by deployment, and it is not documented whether a row tells that it is archived: what is
    listed only with ``includeArchived`` is.

    :param kind: one of :data:`KINDS`.
    :param archived: whether those that are archived are wanted too; they come last.
    :raises RequestFailed: a list could not be read, or a row does not say which deployments it uses.
    """
    # In this order, so that one that is made meanwhile, or comes back from the archive, counts as active.
    listed = _read(client, kind, project_id, include_archived=True)[0] if archived else {}
    active = _read_active(client, kind, project_id)
    return [*active.values(), *(row._replace(archived=True) for row in listed.values() if row.id not in active)]


def reader(client: Client) -> t.Callable[[str, str], list[Flag]]:
    """What tells the flags or the experiments of a project, archived ones too, and reads each list at most once.

    It takes the project and the kind, and raises what :func:`list_flags` raises.
    """
    lists: dict[tuple[str, str], list[Flag]] = {}

    def read(project_id: str, kind: str) -> list[Flag]:
        if (project_id, kind) not in lists:
            lists[project_id, kind] = list_flags(client, kind, project_id, archived=True)
        return lists[project_id, kind]

    return read


def assign(client: Client, flag: Flag, deployment_ids: t.Sequence[str]) -> None:
    """Assign deployments of its project to a flag or an experiment, all in one request.

    Documented: the answer is OK. Whether they are added to those that are there, or replace them, is not, nor how a
    deployment is answered that is there already. It is not sent again where the outcome is unknown: the list decides.

    :raises RequestFailed: and its kinds; of an :class:`ApiError` the status tells what the API had against it.
    """
    what = "deployment" if len(deployment_ids) == 1 else "deployments"
    doing = f"assign {what} {', '.join(deployment_ids)} to {flag.described}"
    client.post_ok(_path(flag), doing, dict(deployments=list(deployment_ids)))


def remove(client: Client, flag: Flag, deployment_id: str) -> None:
    """Remove a deployment from a flag or an experiment.

    Documented: the answer is OK. How the removal of one that is not there is answered is not; and since it is sent again
    where the outcome is unknown, a 404 can also mean that this very request has removed it before.

    :raises RequestFailed: and its kinds, as :func:`assign`.
    """
    doing = f"remove deployment {deployment_id} from {flag.described}"
    client.delete_ok(f"{_path(flag)}/{quote(deployment_id, safe='')}", doing)


def _path(flag: Flag) -> str:
    return f"/api/1/{flag.kind}s/{quote(flag.id, safe='')}/deployments"


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
    found: dict[str, Flag] = {}
    for rows in readings:
        for row in rows.values():
            found[row.id] = row.with_more(found[row.id].deployments) if row.id in found else row
    return found


def _read(client: Client, kind: str, project_id: str, include_archived: bool) -> tuple[Rows, int]:
    """The rows of a list by their ids, and how many pages they took."""
    kinds = kind + "s"
    doing = f"list the {kinds} of project {project_id}"
    params = dict(projectId=project_id, includeArchived="true" if include_archived else "false")
    found: dict[str, Flag] = {}
    pages = 0
    for page in client.pages("/api/1/" + kinds, kinds, doing, params, keep=FIELDS):
        pages += 1
        for row in page:
            read = _from_row(client, row, kind, project_id, doing)
            # One that changes meanwhile can be sent twice; what either of them uses is used.
            found[read.id] = read.with_more(found[read.id].deployments) if read.id in found else read
    return found, pages


def _from_row(client: Client, row: t.Mapping[str, t.Any], kind: str, project_id: str, doing: str) -> Flag:
    """Read one row of a list. Unknown fields are ignored."""
    identifier, key, ids = identifier_from(row.get("id")), row.get("key"), row.get("deployments")
    if identifier is None or not isinstance(key, str):
        raise client.unexpected(doing, "in which a row has no id or key")
    deployments = [identifier_from(each) for each in ids] if isinstance(ids, list) else [None]
    if None in deployments:
        raise client.unexpected(doing, f"in which {key!r} does not say which deployments it uses")
    name, enabled = row.get("name"), row.get("enabled")
    return Flag(
        kind=kind,
        id=identifier,
        project_id=project_id,
        key=key,
        name=name if isinstance(name, str) else None,
        enabled=enabled if isinstance(enabled, bool) else None,
        archived=False,
        deployments=_in_order(t.cast("list[str]", deployments)),
    )


def _in_order(ids: t.Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(ids), key=order_of_id))
