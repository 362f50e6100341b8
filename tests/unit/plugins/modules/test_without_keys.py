# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is returned where keys are not wanted: everything but the keys, also after a failure."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.tests.support.modules import run_module

pytestmark = pytest.mark.core

SEED = dict(
    keys={"management-key": ["1"]},
    deployments=[
        dict(id=1, projectId="1", label="web", type="client"),
        dict(id=2, projectId="1", label="api", type="server"),
        dict(id=3, projectId="1", label="old", type="server", deleted=True),
    ],
)
ITEMS = [dict(label="web"), dict(label="new", type="server"), dict(label="nothing", state="absent")]


@pytest.fixture(autouse=True)
def seeded(emulator):
    emulator.reset(SEED)


def keys_in(result, emulator):
    shown = repr({name: value for name, value in result.items() if name != "invocation"})
    return [row["label"] for row in emulator.deployments() if row["key"] in shown]


def without_key(rows):
    return [row and dict(row, key=None) for row in rows]


def test_info(connection, emulator):
    options = dict(connection, include_archived=True, include_usage=True)
    whole = run_module("amplitude_deployment_info", **options)
    bare = run_module("amplitude_deployment_info", include_keys=False, **options)

    assert keys_in(whole, emulator) == ["web", "api", "old"] and keys_in(bare, emulator) == []
    assert bare["deployments"] == without_key(whole["deployments"])


def test_many(connection, emulator):
    options = dict(connection, project_id="1", deployments=ITEMS)
    bare = run_module("amplitude_deployments", include_keys=False, **options)
    whole = run_module("amplitude_deployments", **options)

    assert bare["changed"] and not whole["changed"]
    assert keys_in(whole, emulator) == ["web", "new"] and keys_in(bare, emulator) == []
    assert bare["deployments"] == without_key(whole["deployments"])


def test_many_that_fail_half_way(connection, emulator):
    emulator.misbehave(action="status", status=403, method="POST", nth=2, times=0)
    items = [dict(label="a", type="client"), dict(label="b", type="client"), dict(label="web")]
    options = dict(connection, project_id="1", deployments=items, concurrency=1)
    result = run_module("amplitude_deployments", include_keys=False, **options)

    assert result["failed"] and [change["label"] for change in result["changes"]] == ["a"]
    assert [row and row["label"] for row in result["deployments"]] == ["a", None, "web"]
    assert keys_in(result, emulator) == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_drift(connection, emulator, check_mode):
    projects = [dict(project_id="1", deployments=[dict(label="web"), dict(label="old")])]
    result = run_module("amplitude_drift_info", check_mode, projects=projects, include_usage=True, **connection)

    assert not result["changed"] and result["summary"]["drift"] == 2
    assert [row["drift"] for row in result["deployments"]] == ["unlisted", "archived", None]
    assert keys_in(result, emulator) == []
    assert {request["method"] for request in emulator.requests()} == {"GET"}


def test_drift_of_what_cannot_be_read(connection, emulator):
    emulator.misbehave(action="status", status=403, path="/api/1/flags", times=0)
    projects = [dict(project_id="1")]
    result = run_module("amplitude_drift_info", projects=projects, include_usage=True, **connection)

    assert result["failed"] and "Could not list the flags of project 1" in result["msg"]
    assert not run_module("amplitude_drift_info", projects=projects, **connection).get("failed")
