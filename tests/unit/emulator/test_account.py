# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeds, ids, and which labels are taken."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.community.amplitude.tests.emulator import Emulator, Invalid
from ansible_collections.community.amplitude.tests.unit.emulator.api import SEED, Api


def test_seed(api: Api, emulator: Emulator) -> None:
    emulator.reset(SEED)
    truth = {row["label"]: row for row in emulator.deployments()}
    assert [row["id"] for row in truth.values()] == ["7", "10001", "10002", "10003", "10004"]
    assert [row["type"] for row in truth.values()] == ["client", "server", None, "server", "client"]
    assert re.fullmatch("[0-9a-f]{32}", truth["default"]["key"])
    assert api.labels() == ["web", "api", "default", "old"]
    assert [row["deleted"] for row in api.rows()] == [False, False, False, True]
    emulator.reset({"deployments": [{"id": "20000", "projectId": "1", "label": "a", "type": "client"}]})
    assert api.create().json() == {"id": 20001}


@pytest.mark.parametrize(
    "seed",
    [
        {"deploments": []},
        {"keys": {"k": "1"}},
        {"deployments": [{"projectId": "1", "labell": "a"}]},
        {"deployments": [{"projectId": "1", "label": "a", "type": "mobile"}]},
        {"deployments": [{"projectId": "1", "label": "a", "type": "client", "key": "server-1"}]},
        {"deployments": [{"id": 1, "projectId": "1", "label": "a"}] * 2},
        {"deployments": [{"label": "a"}]},
        {"switches": {"idz": "number"}},
    ],
)
def test_seed_that_is_not_understood(seed: t.Any) -> None:
    with pytest.raises(Invalid):
        Emulator(seed)


@pytest.mark.parametrize("switches, kind", [({}, int), ({"ids": "string"}, str), ({"opaque_ids": True}, str)])
def test_ids(api: Api, emulator: Emulator, switches: dict[str, t.Any], kind: type) -> None:
    emulator.reset(**switches)
    created = [api.create(f"l{n}").json()["id"] for n in range(8)]
    rows = api.rows()
    assert [row["id"] for row in rows] == created
    assert {row["projectId"] for row in rows} == {kind("1")}
    assert all(isinstance(id, kind) for id in created)
    assert (sorted(created) == created) is not switches.get("opaque_ids", False)
    assert api.edit(created[0], archive=True).status_code == 200


@pytest.mark.parametrize("duplicate_status", [400, 409])
@pytest.mark.parametrize(
    "unique_labels, create_active, create_archived, rename, restore, rename_archived",
    [
        ("none", True, True, True, True, True),
        ("active", False, True, False, False, True),
        ("all", False, False, False, False, False),
    ],
)
def test_unique_labels(
    api: Api, emulator: Emulator, duplicate_status: int, unique_labels: str, create_active: bool,
    create_archived: bool, rename: bool, restore: bool, rename_archived: bool,
) -> None:  # fmt: skip
    rows = [("1", "a", False), ("2", "a", True), ("3", "b", True), ("4", "c", False), ("5", "d", True)]
    seed = [{"id": id, "projectId": "1", "label": label, "deleted": gone} for id, label, gone in rows]
    for call, allowed in [
        (lambda: api.create("a"), create_active),
        (lambda: api.create("b"), create_archived),
        (lambda: api.create("a", project="2"), True),
        (lambda: api.create("A"), True),
        (lambda: api.edit(4, label="a"), rename),
        (lambda: api.edit(4, label="c"), True),
        (lambda: api.edit(4, archive=True), True),
        (lambda: api.edit(1, archive=True), True),
        (lambda: api.edit(2, archive=False), restore),
        (lambda: api.edit(2, archive=False, label="e"), True),
        (lambda: api.edit(5, label="a"), rename_archived),
        (lambda: api.edit(5, archive=False), True),
    ]:
        emulator.reset({"deployments": seed}, unique_labels=unique_labels, duplicate_status=duplicate_status)
        assert call().status_code == (200 if allowed else duplicate_status)
