# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The file that the playbook ``export`` writes: the desired state that an account has now."""

from __future__ import annotations

import json
import re
import typing as t

from ..module_utils._api.deployments import LABEL_CHARACTERS
from ._reports import render

Row = t.Mapping[str, t.Any]
KINDS = ("flags", "experiments")
#: What no parser of YAML takes for a template.
_PLAIN = re.compile(f"[{LABEL_CHARACTERS}]+")


def desired_state(rows: t.Iterable[Row], with_ids: bool) -> str:
    """The text of the file.

    :param rows: the active deployments, sorted by project and label, as the module ``amplitude_deployment_info`` returns
        them; what they serve is listed if :func:`with_served` has added it.
    :param with_ids: whether each is listed with its ID.
    """
    projects: dict[str, list[Row]] = {}
    for row in rows:
        projects.setdefault(row["project_id"], []).append(row)
    listed = [dict(project_id=each, deployments=list(_listed(projects[each], with_ids))) for each in projects]
    return render("deployments.yml.j2", dict(projects=listed, kinds=KINDS, text=_text, quoted=json.dumps))


def _listed(rows: t.Sequence[Row], with_ids: bool) -> t.Iterator[dict[str, t.Any]]:
    """The deployments of a project, each with the fields that name it, and ``ids`` if several have its label."""
    ids: dict[str, list[str]] = {}
    for row in rows:
        ids.setdefault(row["label"], []).append(row["id"])
    for row in rows:
        shared = len(ids[row["label"]]) > 1
        writable = _PLAIN.fullmatch(row["label"]) is not None
        name = dict(id=row["id"]) if shared or not writable else dict(label=row["label"])
        if with_ids:
            name.update(id=row["id"])
        yield dict(row=row, name=name, ids=ids[row["label"]] if shared else [], writable=writable)


def _text(value: str) -> str:
    """A text as YAML writes it. What could be taken for a template when the file is read must not become one."""
    return ("" if _PLAIN.fullmatch(value) else "!unsafe ") + json.dumps(value)


def with_served(rows: t.Sequence[Row]) -> list[dict[str, t.Any]]:
    """Deployments of some projects, each with the keys of what it serves, without what is archived.

    :param rows: as the module ``amplitude_deployment_info`` returns them with ``include_usage``.
    :return: the same rows, with ``flags`` and ``experiments`` as the desired state lists them, and with ``left_out``: of
        each kind the keys that cannot be listed, since several have them, or none at all.
    """
    ids: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        for kind in KINDS:
            for user in _users(row, kind):
                ids.setdefault((row["project_id"], kind, user["key"]), set()).add(user["id"])
    found = []
    for row in rows:
        keys = {kind: sorted({user["key"] for user in _users(row, kind)}) for kind in KINDS}
        unclear = {
            kind: [key for key in keys[kind] if not key or len(ids[row["project_id"], kind, key]) > 1] for kind in KINDS
        }
        listed = {kind: [key for key in keys[kind] if key not in unclear[kind]] for kind in KINDS}
        found.append(dict(row, **listed, left_out=unclear))
    return found


def _users(row: Row, kind: str) -> list[Row]:
    return [user for user in row["used_by"][kind] if not user["archived"]]
