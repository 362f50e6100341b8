# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""amplitude_deployment in every situation of the table, over every variant of what the API does not document.

Each situation runs as check, apply and re-run: the prediction equals what is done, and neither the check nor the
re-run sends a write.
"""

from __future__ import annotations

import re

import pytest

from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.support.situations import SITUATIONS, seed

pytestmark = pytest.mark.core

WORLDS = {
    "as documented": dict(),
    "ids as strings, pages that end with null": dict(ids="string", max_page_size=1, last_page="null"),
    "opaque ids, pages that end with an empty cursor": dict(
        opaque_ids=True, max_page_size=1, last_page="empty_string", order="newest_first"
    ),
    "extra fields, opaque cursors, pages that end with an empty page": dict(
        extra_fields=True, cursor="opaque", max_page_size=1, last_page="empty_page", order="label"
    ),
    "active rows without deleted, pages that end with an empty page and a cursor": dict(
        omit_deleted=True, max_page_size=1, last_page="empty_page_with_cursor", order="shuffled"
    ),
    "labels unique among active (400)": dict(unique_labels="active"),
    "labels unique among all (400)": dict(unique_labels="all", error_body="text"),
    "labels unique among all (409)": dict(unique_labels="all", duplicate_status=409, error_body="html"),
    "a list that lags behind by 2": dict(stale_lists=2),
    "gzip": dict(gzip=True),
    "all at once": dict(
        opaque_ids=True,
        max_page_size=1,
        last_page="empty_page_with_cursor",
        cursor="opaque",
        order="shuffled",
        unique_labels="active",
        duplicate_status=409,
        error_body="json_nested",
        stale_lists=1,
        extra_fields=True,
        omit_deleted=True,
        gzip=True,
    ),
}
WRITES = ("POST", "PATCH")


def predicted(result):
    """What check mode has to predict; of a deployment that would be created nobody knows the id and the key."""
    deployment = result["deployment"] and dict(result["deployment"])
    if any(change["action"] == "create" for change in result["changes"]):
        deployment.update(id=None, key=None)
    return dict(changed=result["changed"], changes=result["changes"], diff=result["diff"], deployment=deployment)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
@pytest.mark.parametrize("world", WORLDS)
def test_check_apply_rerun(emulator, connection, world, situation):
    emulator.reset(seed([situation]), rate_limit=0, **WORLDS[world])
    options = dict(connection, project_id=situation.project, **situation.ask)
    before = emulator.deployments()

    def run(check_mode):
        emulator.forget_requests()
        result = run_module("amplitude_deployment", check_mode, **options)
        return result, [request for request in emulator.requests() if request["method"] in WRITES]

    check, check_writes = run(check_mode=True)
    assert check_writes == []
    if situation.error is not None:
        apply, apply_writes = run(check_mode=False)
        assert check["failed"] and apply["failed"]
        assert re.search(situation.error, check["msg"])
        assert apply["msg"] == check["msg"]
        assert apply_writes == []
        assert emulator.deployments() == before
        return
    assert not check.get("failed"), check["msg"]
    assert check["changes"] == situation.expected_changes()
    assert check["changed"] is bool(situation.changes)
    assert "key" not in str(check["diff"])

    apply, apply_writes = run(check_mode=False)
    if situation.refused_where_archived_labels_count and WORLDS[world].get("unique_labels") == "all":
        assert apply["failed"]
        assert re.search(r"answered 4(00 Bad Request|09 Conflict)", apply["msg"])
        assert emulator.deployments() == before
        return
    assert not apply.get("failed"), apply["msg"]
    assert apply["warnings"] == check["warnings"]
    assert [re.search(situation.warning or "none is expected", warning) for warning in apply["warnings"]].count(
        None
    ) == 0
    assert len(apply["warnings"]) == bool(situation.warning)
    assert predicted(apply) == predicted(check)
    assert len(apply_writes) == (1 if situation.changes else 0), "one plan for one deployment is one request"
    assert all(write["committed"] for write in apply_writes)
    if situation.deployment is None:
        assert apply["deployment"] is None
    else:
        fields = {field: apply["deployment"][field] for field in situation.deployment}
        assert fields == situation.deployment
        true_state = {row["id"]: row for row in emulator.deployments()}[apply["deployment"]["id"]]
        assert apply["deployment"] == dict(
            id=true_state["id"],
            project_id=true_state["projectId"],
            label=true_state["label"],
            key=true_state["key"],
            type=true_state["type"],
            deleted=true_state["deleted"],
            flags=None,
            experiments=None,
        )

    after = emulator.deployments()
    rerun, rerun_writes = run(check_mode=False)
    assert not rerun.get("failed"), rerun["msg"]
    assert (rerun["changed"], rerun["changes"], rerun_writes) == (False, [], [])
    assert rerun["diff"]["before"] == rerun["diff"]["after"]
    assert emulator.deployments() == after
    if situation.rerun_deployment is None:
        assert rerun["deployment"] is None
    else:
        assert rerun["deployment"] == apply["deployment"]
