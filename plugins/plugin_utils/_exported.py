# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What the playbook ``export`` writes of the flags and experiments that deployments serve."""

from __future__ import annotations

import typing as t

Row = t.Mapping[str, t.Any]
KINDS = ("flags", "experiments")


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
