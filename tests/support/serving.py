# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account with flags and experiments, and short words for what they have and for what is changed."""

from __future__ import annotations

import typing as t

ACCOUNT = {
    "keys": {"management-key": ["1", "2"]},
    "deployments": [
        {"id": 5, "projectId": "1", "label": "default", "type": None},
        {"id": 7, "projectId": "1", "label": "web", "type": "client"},
        {"id": 8, "projectId": "1", "label": "api", "type": "server"},
        {"id": 9, "projectId": "1", "label": "old", "type": "client", "deleted": True},
        {"id": 6, "projectId": "2", "label": "other", "type": "client"},
    ],
    "flags": [
        {"id": 21, "projectId": "1", "key": "cart", "enabled": True, "deployments": [7, 8]},
        {"id": 22, "projectId": "1", "key": "pay", "enabled": True, "deployments": [7]},
        {"id": 23, "projectId": "1", "key": "gone", "enabled": True, "archived": True, "deployments": [7]},
        {"id": 24, "projectId": "1", "key": "free", "enabled": False, "deployments": []},
        {"id": 25, "projectId": "2", "key": "cart", "enabled": True, "deployments": [6]},
    ],
    "experiments": [
        {"id": 31, "projectId": "1", "key": "hero", "enabled": True, "deployments": [7, 8]},
        {"id": 32, "projectId": "1", "key": "cart", "enabled": False, "deployments": []},
    ],
}


def plain(change: t.Mapping[str, t.Any]) -> str:
    """A change in short: what is done, the id and the label, and where."""
    return " ".join(
        str(part)
        for part in (
            change["action"],
            change["id"] or "-",
            change["label"],
            change["flag"] or change["experiment"] or "",
        )
        if part
    )


def have(rows):
    """The deployments of flags or experiments, in short."""
    return " ".join(f"{row['key']}={','.join(sorted(map(str, row['deployments']), key=int))}" for row in rows)
