# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small project, and a list of deployments that is checked, applied and applied again."""

from __future__ import annotations

PROJECT = {
    "keys": {"management-key": ["1", "2"]},
    "deployments": [
        {"id": 1, "projectId": "1", "label": "web", "type": "client"},
        {"id": 2, "projectId": "1", "label": "api", "type": "server"},
        {"id": 3, "projectId": "1", "label": "old", "type": "client"},
        {"id": 4, "projectId": "1", "label": "older", "type": "client", "deleted": True},
        {"id": 5, "projectId": "1", "label": "default", "type": None},
        {"id": 6, "projectId": "2", "label": "other", "type": "client"},
    ],
    "flags": [
        {"id": 21, "projectId": "1", "key": "new-checkout", "deployments": [2]},
        {"id": 22, "projectId": "1", "key": "gone", "archived": True, "deployments": [2, 3]},
    ],
    "experiments": [{"id": 31, "projectId": "1", "key": "colours", "deployments": [1, 2]}],
}


def writes(emulator):
    return [request for request in emulator.requests() if request["method"] != "GET"]


def active(emulator, project_id="1"):
    return sorted(
        row["label"] for row in emulator.deployments() if row["projectId"] == project_id and not row["deleted"]
    )


def three_times(emulator, run, items, **options):
    """Check, apply and re-run; return what is written."""
    check = run(items, check_mode=True, **options)
    assert writes(emulator) == []
    apply = run(items, **options)
    if check.get("failed"):
        assert apply["failed"] and apply["msg"] == check["msg"]
        assert writes(emulator) == []
        return check["msg"]
    assert not apply.get("failed"), apply["msg"]
    for name in ("changed", "changes", "diff"):
        assert apply[name] == check[name]
    rerun = run(items, **options)
    assert not rerun.get("failed"), rerun["msg"]
    assert not rerun["changed"] and writes(emulator) == []
    return [(change["action"], change["label"]) for change in apply["changes"]]
