# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Deployments in the API's words: the record, and list, create and edit."""

from __future__ import annotations

import builtins
import re
import sys
import typing as t
from urllib.parse import quote

from .._errors import InputError
from .client import Client

#: Documented: what a label is made of, as the inside of a character class.
LABEL_CHARACTERS = "A-Za-z0-9_-"

#: By the first seven characters of a key.
_TYPES = {"client-": "client", "server-": "server"}
#: What would be another path as a part of one.
_NO_PART = ("", ".", "..")

_PATH = "/api/1/deployments"
_DOING_LIST = "list the deployments"
#: What a deployment is assigned to. The API names it with an s in its paths and in the fields of its answers.
KINDS = ("flag", "experiment")


class Deployment(t.NamedTuple):
    """One deployment, as the API lists it or as it is predicted to be.

    ``id`` and ``key`` are None where a deployment is only predicted. ``type`` is None where the key does not tell it:
    the API does not list the type, but documents that keys begin with ``client-`` or ``server-``; the key of a
    project's default deployment, which is the project's API key, does not.
    """

    id: str | None
    project_id: str
    label: str
    key: str | None
    type: str | None
    deleted: bool

    @property
    def is_default(self) -> bool:
        """Whether it is the default deployment of its project, which is never purged."""
        return self.type is None

    def as_result(self) -> dict[str, t.Any]:
        """The documented return value ``deployment``."""
        return dict(self._asdict())


def without_keys(result: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The return values of a module, with every ``key`` in ``deployments`` replaced by None."""
    if "deployments" not in result:
        return dict(result)
    return dict(result, deployments=[row and dict(row, key=None) for row in result["deployments"]])


def type_of_key(key: str | None) -> str | None:
    """``client`` or ``server``, or None if the key has no known prefix."""
    return _TYPES.get((key or "")[:7])


def order_of_id(identifier: str) -> tuple[int, int, str]:
    """A sort key for ids, which may be numbers or text: numbers by value, before all others."""
    if re.fullmatch(r"[0-9]{1,100}", identifier):
        return (0, int(identifier), identifier)
    return (1, 0, identifier)


def order_of(deployment: Deployment) -> tuple[t.Any, ...]:
    """A sort key for deployments: by project, label and id."""
    return (order_of_id(deployment.project_id), deployment.label, order_of_id(deployment.id or ""))


def check_identifier(option: str, value: str | None) -> None:
    """Refuse a value of an option that cannot be the id of a project or a deployment; None is fine.

    :raises InputError: naming the option.
    """
    if value is not None and identifier_from(value) is None:
        problem = f"cannot be {value!r}" if value else "is empty"
        raise InputError("use the options", f"{option} {problem}", "give it as Amplitude shows it")


def select(
    deployments: t.Iterable[Deployment],
    project_id: str | None = None,
    labels: t.Collection[str] | None = None,
    ids: t.Collection[str] | None = None,
    type: str | None = None,
    include_archived: bool = False,
) -> list[Deployment]:
    """The deployments that pass every filter that is not None, sorted by project, label and id."""
    found = [
        row
        for row in deployments
        if (project_id is None or row.project_id == project_id)
        and (labels is None or row.label in labels)
        and (ids is None or row.id in ids)
        and (type is None or row.type == type)
        and (include_archived or not row.deleted)
    ]
    return sorted(found, key=order_of)


class Deployments:
    """The deployments that a management API key can see, in all its projects.

    Every method raises :class:`RequestFailed` and its kinds.
    """

    def __init__(self, client: Client) -> None:
        self.client = client

    def list(self) -> builtins.list[Deployment]:
        """All deployments, archived ones too, in the order of the API, which is not documented.

        A list can change between two of its pages, so that a row is sent twice; the later one counts.
        """
        found: dict[str | None, Deployment] = {}
        for page in self.client.pages(_PATH, "deployments", _DOING_LIST):
            for row in page:
                deployment = self._from_row(row)
                found[deployment.id] = deployment
        return list(found.values())

    def create(self, project_id: str, label: str, type: str) -> str:
        """Create a deployment and return its id. The API answers with nothing else: the key is only in the list."""
        doing = f"create the {type} deployment {label!r} in project {project_id}"
        answer = self.client.post_json(_PATH, doing, dict(projectId=project_id, label=label, type=type))
        identifier = identifier_from(answer.get("id")) if isinstance(answer, dict) else None
        if identifier is None:
            raise self.client.unexpected(doing, "without the id of the new deployment")
        return identifier

    def edit(self, deployment: Deployment, label: str | None = None, archive: bool | None = None) -> None:
        """Rename, archive or restore a deployment; what is None stays as it is."""
        body = {name: value for name, value in (("label", label), ("archive", archive)) if value is not None}
        word = {None: "rename", True: "archive", False: "restore"}[archive]
        where = f"(id {deployment.id}) in project {deployment.project_id}"
        doing = f"{word} the deployment {deployment.label!r} {where}"
        self.client.patch_ok(f"{_PATH}/{quote(deployment.id or '', safe='')}", doing, body)

    def _from_row(self, row: t.Mapping[str, t.Any]) -> Deployment:
        """Read one row of the list. Unknown fields are ignored; a row without ``deleted`` is an active one."""
        identifier, project_id = identifier_from(row.get("id")), identifier_from(row.get("projectId"))
        label, key, deleted = row.get("label"), row.get("key"), row.get("deleted")
        if deleted is None:
            deleted = False
        usable = (
            identifier is not None,
            project_id is not None,
            isinstance(label, str),
            key is None or isinstance(key, str),
            isinstance(deleted, bool),
        )
        if False in usable:
            field = ("id", "projectId", "label", "key", "deleted")[usable.index(False)]
            how = "no" if field not in row else "an unusable"
            raise self.client.unexpected(_DOING_LIST, f"in which a deployment has {how} {field}")
        # Of all rows of a project, its id is kept once.
        project_id = sys.intern(t.cast(str, project_id))
        return Deployment(t.cast(str, identifier), project_id, t.cast(str, label), key, type_of_key(key), deleted)


def identifier_from(value: t.Any) -> str | None:
    """An id as text, whether it came as text or as a number (which of the two is not documented); None if neither.

    Text is printable ASCII without spaces.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and " " not in value
        and value not in _NO_PART
    ):
        return value
    return None
