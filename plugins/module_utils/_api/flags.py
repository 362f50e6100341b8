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
    """The users of every deployment of some projects."""

    def __init__(self, users: t.Mapping[str, t.Sequence[User]]) -> None:
        self._users = users

    def of(self, deployment_id: str, archived: bool = False) -> list[User]:
        """The flags and experiments that use a deployment: those that are active, or those that are archived."""
        return [user for user in self._users.get(deployment_id, ()) if user.archived is archived]

    def as_result(self, deployment_id: str) -> dict[str, list[dict[str, t.Any]]]:
        """The documented return value ``used_by`` of a deployment, archived users last."""
        users = self.of(deployment_id) + self.of(deployment_id, archived=True)
        return {kind: [user.as_result() for user in users if user.kind == kind] for kind in KINDS}


def read_usage(client: Client, project_ids: t.Iterable[str]) -> Usage:
    """Read all flags and experiments of some projects, archived ones too.

    Documented: the lists take ``projectId`` and ``includeArchived``, and have the ids of the ``deployments`` in each
    row. They have no filter by deployment, and it is not documented whether a row tells that it is archived: what is
    listed only with ``includeArchived`` is.

    :raises RequestFailed: a list could not be read, or a row does not say which deployments it uses.
    """
    users: dict[str, list[User]] = {}
    for project_id in sorted(set(project_ids)):
        for kind in KINDS:
            # In this order, so that one that is made meanwhile, or comes back from the archive, counts as active.
            rows = list(_rows(client, kind, project_id, include_archived=True))
            active = {row["id"]: row for row in _rows(client, kind, project_id, include_archived=False)}
            for row in [*active.values(), *(row for row in rows if row["id"] not in active)]:
                user = User(kind, row["id"], row["key"], row["name"], row["enabled"], row["id"] not in active)
                for deployment_id in row["deployments"]:
                    users.setdefault(deployment_id, []).append(user)
    return Usage(users)


def _rows(client: Client, kind: str, project_id: str, include_archived: bool) -> t.Iterator[dict[str, t.Any]]:
    doing = f"list the {kind} of project {project_id}"
    params = dict(projectId=project_id, includeArchived="true" if include_archived else "false")
    for page in client.pages("/api/1/" + kind, kind, doing, params):
        for row in page:
            deployments = row.get("deployments")
            read = dict(
                id=identifier_from(row.get("id")),
                key=row.get("key"),
                name=row.get("name"),
                enabled=row.get("enabled"),
                deployments=[identifier_from(each) for each in deployments] if isinstance(deployments, list) else None,
            )
            if read["id"] is None or not isinstance(read["key"], str):
                raise client.unexpected(doing, "in which a row has no id or key")
            if read["deployments"] is None or None in read["deployments"]:
                raise client.unexpected(
                    doing, "in which {0!r} does not say which deployments it uses".format(read["key"])
                )
            yield read
