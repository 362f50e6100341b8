# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was approved is what is done, in both writing modules, with others acting between any two requests."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.tests.support.bulk import writes
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.support.serving import ACCOUNT, plain
from ansible_collections.community.amplitude.tests.support.situations import SITUATIONS

RETIRE = dict(label="web", replaces="7", retire=True)
CASES = {
    "create": dict(label="new", type="client"),
    "create and assign": dict(label="new", type="client", flags=["cart", "free"]),
    "rename": dict(label="shop", previous_label="web"),
    "restore": dict(label="old"),
    "restore and rename": dict(id="9", label="new"),
    "archive": dict(label="api", state="absent"),
    "assign and remove": dict(label="api", flags=["pay"], exclusive=True),
    "take over and retire": RETIRE,
}


def approved(serve, options, **rules):
    check = serve(options, check_mode=True, force=True, **rules)
    assert not check.get("failed"), check["msg"]
    return check["changes"]


@pytest.mark.parametrize("name", CASES)
def test_what_was_approved_is_carried_out(emulator, serve, name):
    options = CASES[name]
    emulator.reset(ACCOUNT)
    changes = approved(serve, options)
    for check_mode in (True, False):
        result = serve(options, check_mode, force=True, approved_changes=changes)
        assert not result.get("failed"), result["msg"]
        assert result["changes"] == changes and result["warnings"] == []
    again = serve(options, force=True, approved_changes=changes)
    assert not again.get("failed") and not again["changed"] and writes(emulator) == []
    assert len(again["warnings"]) == 1 and "No longer needed from approved_changes" in again["warnings"][0]
    nothing = serve(options, force=True, approved_changes=[])
    assert not nothing.get("failed") and nothing["warnings"] == []


@pytest.mark.parametrize("name", CASES)
def test_each_change_has_to_be_approved(emulator, serve, name):
    options = CASES[name]
    emulator.reset(ACCOUNT)
    changes = approved(serve, options)
    for place, change in enumerate(changes):
        rest = changes[:place] + changes[place + 1 :]
        if change["action"] == "create" and any(each["action"] == "assign" for each in rest):
            continue  # without it, what is to be assigned to is not said
        for check_mode in (True, False):
            result = serve(options, check_mode, force=True, approved_changes=rest)
            assert result["failed"] and "is not in approved_changes" in result["msg"]
            assert [each["problem"].count(repr(change["label"])) > 0 for each in result["problems"]] == [True]
            assert result["failure"]["kind"] == "refused" and writes(emulator) == []


@pytest.mark.parametrize("blank", [None, ""])
def test_blank_approval(emulator, serve, blank):
    """It must not approve everything."""
    emulator.reset(ACCOUNT)
    result = serve(CASES["create"], approved_changes=blank)
    assert result["failed"] and "approved_changes is empty" in result["msg"] and emulator.requests() == []


@pytest.mark.parametrize(
    "entries, words", [(["create"], "entry 1"), ([dict(action="create")], "entry 1"), ("create", "not a list")]
)
def test_approval_that_is_none(emulator, serve, entries, words):
    emulator.reset(ACCOUNT)
    result = serve(CASES["create"], approved_changes=entries)
    assert result["failed"] and words in result["msg"] and "approved_changes" in result["msg"]
    assert result["failure"]["kind"] == "input" and writes(emulator) == []


#: What somebody does between the approval and the run, or while that runs.
OTHERS = {
    "creates it": lambda emulator: emulator.create_deployment(projectId="1", label="web", type="client"),
    "renames the old one": lambda emulator: emulator.edit_deployment("7", label="else"),
    "archives the old one": lambda emulator: emulator.edit_deployment("7", deleted=True),
    "assigns the old one": lambda emulator: emulator.assign_to_flag("24", ["7"]),
    "removes the old one": lambda emulator: emulator.remove_from_flag("22", ["7"]),
    "archives a flag": lambda emulator: emulator.edit_flag("22", archived=True),
}


@pytest.mark.parametrize(
    "moment", [None, ("GET", 1), ("PATCH", 1), ("POST", 1), ("POST", 2), ("DELETE", 1), ("GET", 12)], ids=str
)
@pytest.mark.parametrize("name", OTHERS)
def test_others_act(emulator, serve, name, moment):
    """Whatever they do, only what was approved is written, or nothing."""
    emulator.reset(ACCOUNT)
    changes = approved(serve, RETIRE)
    if moment is None:
        OTHERS[name](emulator)
    else:
        emulator.after(*moment, lambda: OTHERS[name](emulator))
    result = serve(RETIRE, force=True, approved_changes=changes)
    if not any("withdrawn" in warning or "has its label" in warning for warning in result["warnings"]):
        ids = {True: None}
        done = [dict(each, id=ids.get(each["action"] == "assign", each["id"])) for each in result.get("changes", ())]
        assert set(map(plain, done)) <= set(map(plain, changes))
    if result.get("failed") and not result.get("changes"):
        assert writes(emulator) == []


@pytest.mark.parametrize("nth", range(1, 4))
@pytest.mark.parametrize("method", ["PATCH", "POST", "DELETE"])
def test_interrupted_run_goes_on_with_the_same_approval(emulator, serve, method, nth):
    emulator.reset(ACCOUNT)
    changes = approved(serve, RETIRE)
    emulator.misbehave(action="status", status=403, method=method, nth=nth)
    serve(RETIRE, force=True, approved_changes=changes)
    emulator.behave()
    rest = serve(RETIRE, force=True, approved_changes=changes)
    assert not rest.get("failed"), rest["msg"]
    assert {row["id"]: row["deleted"] for row in emulator.deployments()}["7"]


def test_situations_in_one_list(emulator, connection):
    """All that can be done at once is approved at once; without one of the changes nothing is done."""
    usable = [each for each in SITUATIONS if each.changes and not each.ask.get("restore_archived") is False]
    usable = [each for each in usable if not each.ask.get("force") and "restore_archived" not in each.ask]
    projects = sorted({row["projectId"] for each in usable for row in each.rows()} | {each.project for each in usable})
    emulator.reset(dict(keys={"management-key": projects}, deployments=[row for each in usable for row in each.rows()]))
    items = [dict(each.ask, project_id=each.project) for each in usable]

    def run(check_mode=False, **options):
        emulator.forget_requests()
        return run_module("amplitude_deployments", check_mode, **dict(connection, deployments=items, **options))

    changes = run(True)["changes"]
    assert len(changes) > 10
    lacking = run(approved_changes=changes[1:])
    assert lacking["failed"] and len(lacking["problems"]) == 1 and writes(emulator) == []
    nothing = run(approved_changes=[])
    assert len(nothing["problems"]) == len(changes) and writes(emulator) == []
    result = run(approved_changes=changes)
    assert not result.get("failed"), result["msg"]
    assert result["changes"] == changes
