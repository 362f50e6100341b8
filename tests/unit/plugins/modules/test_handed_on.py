# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels that are handed on from one deployment of a list to another."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._apply.ensure import ensure_all
from ansible_collections.community.amplitude.plugins.module_utils._plan.invalid import find_invalid
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Rules, Wanted
from ansible_collections.community.amplitude.tests.support.bulk import PROJECT, active, three_times, writes
from ansible_collections.community.amplitude.tests.support.modules import QUICK, run_module

pytestmark = pytest.mark.core


@pytest.fixture
def run(emulator, connection):
    def run(deployments, check_mode=False, **options):
        emulator.forget_requests()
        return run_module("amplitude_deployments", check_mode, **dict(connection, deployments=deployments, **options))

    return run


def test_chain_of_renames(emulator, run):
    emulator.reset(PROJECT, unique_labels="active")
    items = [
        dict(label="api", previous_label="web"),
        dict(label="shop", previous_label="api"),
        dict(label="web", type="client"),
    ]
    what = three_times(emulator, run, items, project_id="1")
    assert what == [("rename", "api"), ("rename", "shop"), ("create", "web")]
    assert [(row["id"], row["label"]) for row in emulator.deployments()][:2] == [("1", "api"), ("2", "shop")]


#: The label is given up by the first item, which the planner finds by its id, and taken by the second.
HANDED_ON = [dict(id="1", label="web-old"), dict(label="web", type="client")]


@pytest.mark.parametrize("items", [HANDED_ON, HANDED_ON[::-1]], ids=["in order", "the other way round"])
def test_label_that_is_handed_on(emulator, run, items):
    emulator.reset(PROJECT, unique_labels="active")
    what = three_times(emulator, run, items, project_id="1", restore_archived=False)
    assert sorted(what) == [("create", "web"), ("rename", "web-old")]


def test_label_that_is_not_given_up_at_first(emulator, run):
    """The rename is answered with something else than OK and not carried out, so that the list decides."""
    emulator.reset(PROJECT)
    emulator.misbehave(method="PATCH", action="body", body="<html>Welcome</html>")
    result = run(HANDED_ON, project_id="1", restore_archived=False)
    assert not result.get("failed"), result["msg"]
    assert [(change["action"], change["label"]) for change in result["changes"]] == [
        ("rename", "web-old"),
        ("create", "web"),
    ]
    assert [request["method"] for request in writes(emulator)] == ["PATCH", "PATCH", "POST"]
    keys = {row["label"]: row["key"] for row in emulator.deployments()}
    assert [row["key"] for row in result["deployments"]] == [keys["web-old"], keys["web"]]
    assert result["warnings"] == [] and active(emulator).count("web") == 1


def test_label_that_is_never_given_up(emulator, run):
    emulator.reset(PROJECT)
    emulator.misbehave(method="PATCH", action="status", status=503, times=0)
    result = run(HANDED_ON, project_id="1", restore_archived=False, retry_timeout=0.3)
    assert result["failed"] and [change["action"] for change in result["pending"]] == ["rename", "create"]
    assert {request["method"] for request in writes(emulator)} == {"PATCH"}


@pytest.mark.parametrize("seconds", [0.05, 0.3, 10])
def test_list_that_shows_a_create_before_the_rename(emulator, seconds):
    """What a run has renamed itself is no rival of what it creates."""

    class LateRenames(Deployments):
        shows_renames_at = None

        def edit(self, deployment, **changes):
            super().edit(deployment, **changes)
            self.shows_renames_at = QUICK.now() + seconds

        def list(self):
            rows = super().list()
            late = self.shows_renames_at is not None and QUICK.now() < self.shows_renames_at
            return [row._replace(label="web") if late and row.id == "1" else row for row in rows]

    emulator.reset(PROJECT)
    wanted = [Wanted("1", **options) for options in HANDED_ON]
    with Client(emulator.url, "management-key", retry_timeout=60, waits=QUICK) as client:
        outcomes = ensure_all(
            LateRenames(client), wanted, Rules(restore_archived=False), None, False, 4, find_invalid(wanted)
        )
    assert [(change.action, change.label) for each in outcomes.outcomes for change in each.changes] == [
        ("rename", "web-old"),
        ("create", "web"),
    ]
    assert [each.deployment.label for each in outcomes.outcomes] == ["web-old", "web"]
    assert not [warning for warning in outcomes.warnings if "Another run" in warning]
    assert active(emulator).count("web") == 1


def test_lost_create_beside_a_rename_that_the_list_shows_late(emulator):
    """What still has the label in the list is not what this run has created, but what it has renamed."""

    class LateRenames(Deployments):
        renamed = False

        def edit(self, deployment, **changes):
            super().edit(deployment, **changes)
            self.renamed = True

        def list(self):
            rows = super().list()
            return [row._replace(label="web") if self.renamed and row.id == "1" else row for row in rows]

    emulator.reset(PROJECT)
    emulator.misbehave(method="POST", action="cut")
    wanted = [Wanted("1", **options) for options in HANDED_ON]
    with Client(emulator.url, "management-key", retry_timeout=5, waits=QUICK) as client:
        outcomes = ensure_all(
            LateRenames(client), wanted, Rules(restore_archived=False), None, False, 4, find_invalid(wanted)
        )
    assert [each.deployment.id for each in outcomes.outcomes] == ["1", "10001"]
    assert active(emulator).count("web") == 1
