# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a write has come to is read from the list, which may show it late, never, or beside the write of another run."""

from __future__ import annotations

import re

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.tests.support.modules import QUICK, run_module
from ansible_collections.community.amplitude.tests.support.situations import told

pytestmark = pytest.mark.core

FOR_EVER = 10**6


@pytest.fixture
def run(emulator, connection):
    def run(check_mode=False, waits=QUICK, **options):
        return run_module("amplitude_deployment", check_mode, waits, **dict(connection, project_id="1", **options))

    return run


def by_label(emulator, label):
    return [(row["id"], row["deleted"]) for row in emulator.deployments() if row["label"] == label]


def test_create_that_the_list_never_shows(emulator, run):
    emulator.reset(stale_lists=FOR_EVER)
    result = run(label="web", type="server", retry_timeout=0.2)
    assert result["failed"] and result["changed"]
    assert re.match(
        "Could not read the key of deployment 'web' in project 1: it was created with the id 10001, but the list of "
        r"deployments does not show it yet[^;]*; run this again, .*\.\Z",
        result["msg"],
    )
    assert result["changes"] == [told("create", "web", project_id="1", type="server")]
    assert (result["deployment"]["id"], result["deployment"]["key"]) == ("10001", None)
    assert result["diff"]["after"] == dict(project_id="1", label="web", type="server")

    rows = [dict(row, type="server") for row in emulator.deployments()]
    emulator.reset({"keys": {"management-key": ["1"]}, "deployments": rows})
    again = run(label="web", type="server")
    assert (again["changed"], again["deployment"]["id"]) == (False, "10001")
    assert again["deployment"]["key"].startswith("server-")


@pytest.mark.parametrize("retry_timeout", [0.2, 60])
@pytest.mark.parametrize("state, deleted", [("absent", True), ("present", False)])
def test_edit_that_the_list_never_shows(emulator, run, state, deleted, retry_timeout):
    emulator.reset()
    emulator.create_deployment(projectId="1", label="web", type="client", deleted=not deleted)
    emulator.switch(stale_lists=FOR_EVER)
    started = QUICK.now()
    result = run(label="web", state=state, retry_timeout=retry_timeout)
    assert QUICK.now() - started < 5, "it does not wait for ever"
    assert not result.get("failed") and result["changed"]
    assert result["deployment"]["deleted"] is deleted
    assert len(result["warnings"]) == 1
    assert "was accepted, but the list of deployments does not show it yet" in result["warnings"][0]
    assert by_label(emulator, "web") == [("10001", deleted)]


def test_edit_that_cannot_be_read_back(emulator, run):
    emulator.create_deployment(projectId="1", label="web", type="client")
    emulator.misbehave(method="GET", path="deployments", action="status", status=403, nth=2)
    result = run(label="web", state="absent")
    assert not result.get("failed") and result["changed"] and result["deployment"]["deleted"]
    assert re.match(
        "The change was accepted, but could not be read back. Could not list the deployments: ", result["warnings"][0]
    )


def test_create_that_cannot_be_read_back(emulator, run):
    emulator.misbehave(method="GET", action="status", status=403, nth=2)
    result = run(label="web", type="client")
    assert result["failed"] and result["changed"] and result["deployment"]["id"] == "10001"
    assert "answered 403" in result["msg"]
    assert not run(label="web", type="client")["changed"]


def test_nothing_is_waited_for_without_retry_timeout(emulator, run):
    emulator.reset(stale_lists=1)
    result = run(label="web", type="client", retry_timeout=0)
    assert result["failed"] and result["changed"]
    assert [request["method"] for request in emulator.requests()] == ["GET", "POST", "GET"]


@pytest.mark.parametrize("unique_labels", ["none", "active"])
@pytest.mark.parametrize("hidden_for", [1, 2, 3])
def test_lost_create_beside_that_of_another_run(emulator, run, hidden_for, unique_labels):
    """Which of the two it has created this run cannot know; it must not take the other's for its own and leave."""
    emulator.reset(stale_lists=hidden_for, unique_labels=unique_labels)
    other = emulator.create_deployment(projectId="1", label="web", type="client")
    emulator.misbehave(method="POST", action="cut", moment="after")
    result = run(label="web", type="client", waits=QUICK._replace(races_settle=2.0, list_lag=0.8))
    assert not result.get("failed"), result["msg"]
    assert (result["deployment"]["id"], result["deployment"]["key"]) == (other["id"], other["key"])
    assert by_label(emulator, "web") == [(other["id"], False)]
    assert not run(label="web", type="client")["changed"]


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize(
    "options", [dict(label="web", type="client", restore_archived=False), dict(id="2", label="web")]
)
def test_refused_label_is_explained(emulator, run, status, options):
    seed = {
        "keys": {"management-key": ["1"]},
        "deployments": [
            {"id": 1, "projectId": "1", "label": "web", "type": "client", "deleted": True},
            {"id": 2, "projectId": "1", "label": "shop", "type": "client"},
        ],
    }
    emulator.reset(seed, unique_labels="all", duplicate_status=status)
    result = run(**options)
    assert result["failed"] and not result.get("changed")
    assert re.match(
        rf"Could not (create|rename) .*: .* answered {status} .*, and the archived deployment 'web' with the id 1 has this "
        r"label[^;]*; use another label: an archived deployment keeps its label, and restoring it would bring back its "
        r"key\.\Z",
        result["msg"],
    )


def test_refused_label_that_differs_in_case(emulator, run):
    emulator.reset(unique_labels="active", labels_ignore_case=True)
    emulator.create_deployment(projectId="1", label="Web", type="client")
    result = run(label="web", type="client")
    assert result["failed"] and not result.get("changed")
    assert "the active deployment 'Web' with the id 10001 has this label; use another label." in result["msg"]


def test_archive_that_is_refused(emulator, run):
    """The message has the words of the API, and blames nobody else."""
    seed = {
        "keys": {"management-key": ["1"]},
        "deployments": [
            {"id": 1, "projectId": "1", "label": "web", "type": "client"},
            {"id": 2, "projectId": "1", "label": "web", "type": "client", "deleted": True},
        ],
        "flags": [{"id": 21, "projectId": "1", "key": "checkout", "deployments": [1]}],
    }
    emulator.reset(seed, archive_in_use="refused")
    result = run(label="web", state="absent", force=True)
    assert result["failed"] and not result.get("changed")
    assert "deployment 1 is in use by checkout" in result["msg"] and "has this label" not in result["msg"]


def test_guard_of_a_second_decision(emulator, run):
    """The archiving comes to nothing, and then a flag begins to use the deployment."""
    emulator.create_deployment(projectId="1", label="web", type="client")
    emulator.misbehave(method="PATCH", action="body", body="<html>Welcome</html>")
    real = Deployments.edit

    def edit(self, *args, **changes):
        emulator.create_flag(projectId="1", key="checkout", deployments=["10001"])
        real(self, *args, **changes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Deployments, "edit", edit)
        result = run(label="web", state="absent")
    assert result["failed"] and "is used by flag 'checkout'" in result["msg"]
    assert by_label(emulator, "web") == [("10001", False)]


@pytest.mark.parametrize("carried_out", ["label", "archive"])
def test_half_of_an_edit(emulator, run, carried_out):
    emulator.create_deployment(projectId="1", label="web", type="client", deleted=True)
    emulator.switch(label_and_archive=carried_out)
    result = run(id="10001", label="shop")
    assert not result.get("failed") and [change["action"] for change in result["changes"]] == ["restore", "rename"]
    assert result["warnings"] == []
    assert by_label(emulator, "shop") == [("10001", False)]
    assert not run(id="10001", label="shop")["changed"]


def test_lost_create_beside_one_of_another_type(emulator, run, monkeypatch):
    emulator.misbehave(method="POST", action="cut")
    real = Deployments.create

    def create(self, project_id, label, type):
        if not emulator.deployments():
            emulator.create_deployment(projectId="1", label="web", type="server")
        return real(self, project_id, label, type)

    monkeypatch.setattr(Deployments, "create", create)
    result = run(label="web", type="client", waits=QUICK._replace(list_lag=0.4))
    assert result["failed"] and not result.get("changed")
    assert "is a server deployment, and the API cannot change the type" in result["msg"]
    assert by_label(emulator, "web") == [("10001", False)]


@pytest.mark.parametrize("status", [400, 409])
def test_refusal_that_has_another_reason(emulator, run, status):
    emulator.misbehave(method="POST", action="status", status=status, body="bad project", times=0)
    result = run(label="web", type="client")
    assert result["failed"]
    assert re.search(rf'answered {status} .* \("bad project"\); correct what the answer', result["msg"])


@pytest.mark.parametrize("method, options", [("POST", dict(label="new", type="client")), ("PATCH", dict(id="10001"))])
def test_outcome_that_stays_unknown(emulator, run, method, options):
    emulator.create_deployment(projectId="1", label="web", type="client", deleted=True)
    emulator.misbehave(method=method, action="status", status=503, times=0)
    result = run(retry_timeout=0, **options)
    assert result["failed"] and not result.get("changed")
    assert ", so it is not known whether it was carried out; run this again later" in result["msg"]


def test_fields_that_are_not_read_from_the_body(emulator, serve):
    """The API's page calls them query parameters. A create is refused then; an edit may be OK and come to nothing."""
    emulator.reset(fields_of_post="query", fields_of_patch="query")
    wanted = dict(label="web", type="client")
    result = serve(wanted)
    assert result["failed"] and not result.get("changed")
    assert re.match("Could not create the client deployment 'web' in project 1: .* answered 400 .*; .*", result["msg"])
    assert emulator.deployments() == []

    emulator.create_deployment(projectId="1", **wanted)
    result = serve(dict(wanted, label="shop", previous_label="web"))
    assert "was accepted, but the list of deployments does not show it yet" in result["warnings"][0]
    assert by_label(emulator, "web") == [("10001", False)]
    assert serve(dict(label="web", state="absent"), check_mode=True)["changed"], "the next run does not call it done"
