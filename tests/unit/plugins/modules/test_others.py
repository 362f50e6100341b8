# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Others act between two requests of a task: another run that does not know of this one, or a person."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.community.amplitude.tests.support.client import Clock
from ansible_collections.community.amplitude.tests.support.modules import QUICK, run_module

MODULES = ["amplitude_deployment", "amplitude_deployments"]
OF_THE_TASK = ("restore_archived", "force", "retry_timeout")
FOR_EVER = 10**6


@pytest.fixture(params=MODULES)
def run(request, emulator, connection):
    """Runs either module for one item; the result has ``deployment`` in both cases."""

    def run(check_mode=False, waits=QUICK, **item):
        emulator.forget_requests()
        given = dict(connection, project_id="1", **{name: item.pop(name) for name in OF_THE_TASK if name in item})
        given.update(dict(deployments=[item]) if request.param == "amplitude_deployments" else item)
        result = run_module(request.param, check_mode, waits, **given)
        [deployment] = result.get("deployments") or [result.get("deployment")]
        return dict(result, deployment=deployment)

    return run


@pytest.fixture
def run_list(emulator, connection):
    def run_list(*items, check_mode=False, waits=QUICK, **options):
        emulator.forget_requests()
        given = dict(connection, project_id="1", deployments=items, **options)
        return run_module("amplitude_deployments", check_mode, waits, **given)

    return run_list


def begin(emulator, *found, **switches):
    """Begin with these deployments: (id, label) or, if it is archived, (id, label, True); and a default one."""
    rows = [dict(id=1, projectId="1", label="default", type=None)]
    rows += [
        dict(id=each[0], projectId="1", label=each[1], type="client", deleted=len(each) > 2 and each[2])
        for each in found
    ]
    emulator.reset({"keys": {"management-key": ["1"]}, "deployments": rows}, **switches)


def new(identifier, label):
    """Somebody else creates it."""
    return dict(create_deployment=dict(id=identifier, projectId="1", label=label, type="client"))


def edit(identifier, **changes):
    """Somebody else renames, archives or restores it."""
    return dict(edit_deployment=dict(id=identifier, **changes))


def done(result, name="changes"):
    return [f"{change['action']} {change['label']}" for change in result.get(name, ())]


def rows(emulator):
    """What there is beside the default one, as text: id, label, and a minus where it is archived."""
    found = [row for row in emulator.deployments() if row["id"] != "1"]
    return sorted(f"{row['id']} {row['label']}{' -' * row['deleted']}" for row in found)


def active(emulator, label):
    return [row["id"] for row in emulator.deployments() if row["label"] == label and not row["deleted"]]


def writes(emulator):
    return [request["method"] for request in emulator.requests() if request["method"] != "GET"]


class Situation(t.NamedTuple):
    """What was there, what is wanted, what others do after which answer, and what becomes of all that.

    ``returned``: the id of the deployment that the task returns. ``warning``: what the only warning says.
    """

    found: list[t.Any]
    item: dict[str, t.Any]
    others: list[tuple[str, int, dict[str, t.Any]]]
    changes: list[str]
    rows: list[str]
    returned: str
    warning: str | None = None
    switches: dict[str, t.Any] = {}


WEB = dict(label="web", type="client")
A_FROM_B = dict(label="a", previous_label="b")
WITHDRAWN = ["create web", "rename web-superseded-10001", "archive web-superseded-10001"]
LOST = (
    r"label '{0}' in project 1 active at the same moment \(id {1}\)\. This run has withdrawn its own deployment with the id "
    "{2}, which is now {3}"
)

SITUATIONS = {
    # A rename that has lost a race: its old label, if nobody has taken that meanwhile.
    "E3 lost to a lower one": Situation(
        [(11, "b")], A_FROM_B, [("GET", 1, new(10, "a"))],
        ["rename a", "rename b"], ["10 a", "11 b"], "10", LOST.format("a", 10, 11, "'b' and active"),
    ),
    "E3 lost to a lower one, and the old label is taken": Situation(
        [(11, "b")], A_FROM_B, [("GET", 1, new(10, "a")), ("PATCH", 1, new(20, "b"))],
        ["rename a", "rename a-superseded-11"], ["10 a", "11 a-superseded-11", "20 b"], "10",
        LOST.format("a", 10, 11, "'a-superseded-11' and active"),
    ),
    "E3 lost to a higher one that has ended, and the old label is taken": Situation(
        [(11, "b")], A_FROM_B, [("GET", 1, new(12, "a")), ("PATCH", 1, new(20, "b"))],
        ["rename a", "rename a-superseded-11"], ["11 a-superseded-11", "12 a", "20 b"], "12",
        LOST.format("a", 12, 11, "'a-superseded-11' and active"),
    ),
    "E3 the old label is taken at the moment of the withdrawal": Situation(
        [(11, "b")], A_FROM_B, [("GET", 1, new(10, "a")), ("GET", 2, new(20, "b"))],
        ["rename a", "rename b", "rename b-superseded-11"], ["10 a", "11 b-superseded-11", "20 b"], "10", "",
    ),
    "E3 what was restored is archived again": Situation(
        [(11, "web", True)], dict(label="web"), [("GET", 1, new(10, "web"))],
        ["restore web", "archive web"], ["10 web", "11 web -"], "10", LOST.format("web", 10, 11, "'web' and archived"),
    ),
    # What was created is there, but not as it was written: that ends the waiting.
    "E5 renamed": Situation(
        [], dict(WEB, retry_timeout=60), [("POST", 1, edit(10001, label="mine"))],
        ["create web", "create web"], ["10001 mine", "10002 web"], "10002",
    ),
    "E5 archived": Situation(
        [], dict(WEB, retry_timeout=60), [("POST", 1, edit(10001, deleted=True))],
        ["create web", "restore web"], ["10001 web"], "10001",
    ),
    "E5 archived, and what is archived must not come back": Situation(
        [], dict(WEB, retry_timeout=60, restore_archived=False), [("POST", 1, edit(10001, deleted=True))],
        ["create web", "create web"], ["10001 web -", "10002 web"], "10002",
    ),
    "E5 renamed while the list shows it late": Situation(
        [], WEB, [("POST", 1, edit(10001, label="mine"))],
        ["create web", "create web"], ["10001 mine", "10002 web"], "10002", switches=dict(stale_lists=2),
    ),
    # One part of the withdrawal is not carried out, and is then sent again.
    "E9 only renamed": Situation(
        [], WEB, [("POST", 1, new(10, "web"))], WITHDRAWN, ["10 web", "10001 web-superseded-10001 -"], "10",
        LOST.format("web", 10, 10001, "'web-superseded-10001' and archived"), dict(label_and_archive="label"),
    ),
    "E9 only archived": Situation(
        [], WEB, [("POST", 1, new(10, "web"))], WITHDRAWN, ["10 web", "10001 web-superseded-10001 -"], "10",
        LOST.format("web", 10, 10001, "'web-superseded-10001' and archived"), dict(label_and_archive="archive"),
    ),
    # The superseded label is refused, so that it is archived as it is.
    "E10 the superseded label is too long": Situation(
        [], WEB, [("POST", 1, new(10, "web"))], ["create web", "archive web"], ["10 web", "10001 web -"], "10",
        LOST.format("web", 10, 10001, "'web' and archived"), dict(longest_label=6),
    ),
    # The key is waited for, of what is created as of what is found.
    "E15 the key comes later than the row": Situation(
        [], WEB, [], ["create web"], ["10001 web"], "10001", switches=dict(late_keys=3),
    ),
    "E15 beside a lower one": Situation(
        [], WEB, [("POST", 1, new(10, "web"))], WITHDRAWN, ["10 web", "10001 web-superseded-10001 -"], "10",
        LOST.format("web", 10, 10001, "'web-superseded-10001' and archived"), dict(late_keys=2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SITUATIONS)
def test_check_apply_rerun(emulator, run, name):
    situation = SITUATIONS[name]
    begin(emulator, *situation.found, **situation.switches)
    before = rows(emulator)
    check = run(check_mode=True, **situation.item)
    assert done(check) == situation.changes[:1] and rows(emulator) == before and writes(emulator) == []

    for method, nth, what in situation.others:
        emulator.order_action(method=method, nth=nth, **what)
    result = run(**situation.item)
    assert not result.get("failed"), result["msg"]
    assert (done(result), rows(emulator)) == (situation.changes, situation.rows)
    assert result["changed"] and result["deployment"]["id"] == situation.returned
    assert result["deployment"]["key"] in {row["key"] for row in emulator.deployments()}
    if situation.warning is None:
        assert result["warnings"] == []
    else:
        assert re.search(situation.warning, " ".join(result["warnings"]))
    assert len(emulator.requests()) < 50, "nothing is waited for in vain"

    again = run(**situation.item)
    assert (again["changed"], again["deployment"], again["warnings"]) == (False, result["deployment"], [])


def test_e3_handed_on(emulator, run_list):
    """The list makes the old label anew, so that what has lost the race cannot have it back."""
    for other in (10, 12):
        items = [dict(label="a", previous_label="b", type="client"), dict(label="b", type="client")]
        begin(emulator, (11, "b"))
        assert done(run_list(*items, check_mode=True)) == ["rename a", "create b"]
        emulator.order_action(method="GET", nth=1, **new(other, "a"))
        result = run_list(*items)
        assert not result.get("failed"), result["msg"]
        assert rows(emulator) == sorted([f"{other} a", "10001 b", "11 a-superseded-11"])
        assert [row["id"] for row in result["deployments"]] == [str(other), "10001"]
        again = run_list(*items)
        assert (again["changed"], again["deployments"]) == (False, result["deployments"])


def test_e6_races_with_itself(emulator, run_list):
    """The label that it has just made anew is made active by hand, on what it takes the label over with."""
    items = [dict(label="c", previous_label="a", type="client"), dict(label="a", type="client")]
    begin(emulator, (11, "c"))
    assert done(run_list(*items, check_mode=True)) == ["create a"]
    emulator.order_action(method="GET", nth=1, **edit(11, label="a"))
    result = run_list(*items)
    assert not result.get("failed"), result["msg"]
    assert len(writes(emulator)) <= 5
    assert len(active(emulator, "a")) == len(active(emulator, "c")) == 1
    assert [row["id"] for row in result["deployments"]] == [*active(emulator, "c"), *active(emulator, "a")]
    assert not run_list(*items)["changed"]


def test_what_others_have_renamed_is_not_told_as_written(emulator, run):
    """It is no part of what this run has sent: that had no other part."""
    begin(emulator, (11, "a"))
    emulator.order_action(method="PATCH", nth=1, **edit(11, label="x"))
    emulator.misbehave(method="PATCH", action="status", status=403, nth=2)
    result = run(id="11", label="c")
    assert result["failed"] and "answered 403" in result["msg"]
    assert done(result) == ["rename c"]


@pytest.mark.parametrize("status, tries", [(400, 2), (409, 2), (403, 1)])
def test_e10_withdrawal_that_is_refused(emulator, run, status, tries):
    begin(emulator)
    emulator.order_action(method="POST", nth=1, **new(10, "web"))
    emulator.misbehave(method="PATCH", action="status", status=status, times=0)
    result = run(**WEB)
    assert result["failed"] and result["changed"] and done(result) == ["create web"]
    assert re.fullmatch(
        r"Could not withdraw deployment 'web' \(id 10001\) in project 1: Another run has made the label 'web' in project 1 "
        rf"active at the same moment \(id 10\), .* answered {status} .*, and as far as is known the deployments with the "
        r"ids 10, 10001 are all active now; archive or rename all but one of them \(.* include_usage .*\), and run this "
        r"again\.",
        result["msg"],
    )
    assert writes(emulator) == ["POST"] + ["PATCH"] * tries
    assert active(emulator, "web") == ["10001", "10"], "which is what it says"

    emulator.behave()
    emulator.edit_deployment("10001", deleted=True)
    again = run(**WEB)
    assert (again["changed"], again["deployment"]["id"]) == (False, "10"), "the advice leads on"


def test_e10_the_key_that_was_seen_is_returned(emulator, run):
    begin(emulator)
    emulator.order_action(method="POST", nth=1, **new(10, "web"))
    emulator.misbehave(method="PATCH", action="status", status=403, times=0)
    deployment = run(**WEB)["deployment"]
    assert deployment["key"] in {row["key"] for row in emulator.deployments() if row["id"] == deployment["id"]}


def test_e10_one_way_back_is_tried_once(emulator, run):
    """What was restored can only be archived again."""
    begin(emulator, (11, "web", True))
    emulator.order_action(method="GET", nth=1, **new(10, "web"))
    emulator.misbehave(method="PATCH", action="status", status=400, nth=2, times=0)
    assert "the ids 10, 11 are all active now" in run(label="web")["msg"]
    assert writes(emulator) == ["PATCH", "PATCH"]


def test_e10_withdrawal_that_comes_to_nothing(emulator, run):
    begin(emulator)
    emulator.order_action(method="POST", nth=1, **new(10, "web"))
    emulator.misbehave(method="PATCH", action="status", status=503, times=0)
    result = run(**WEB, retry_timeout=1)
    assert result["failed"] and done(result) == ["create web"]
    assert re.search("the ids 10, 10001|outcome|not known", result["msg"])


def test_two_others_that_stay(emulator, run):
    """It takes its own back, and the sentence says which are active then."""
    begin(emulator)
    emulator.order_action(method="POST", nth=1, **new(5, "web"))
    emulator.order_action(method="POST", nth=1, **new(6, "web"))
    result = run(**WEB)
    assert result["failed"] and done(result) == WITHDRAWN
    assert "there are 2 active deployments with the label 'web', with the ids 5, 6; " in result["msg"]
    assert active(emulator, "web") == ["5", "6"]


def test_another_one_that_comes_when_this_one_was_seen_already(emulator, run_list):
    """The list ends well only if what it read last shows every item as it is returned."""
    begin(emulator, (11, "b"), late_keys=3)
    emulator.order_action(method="GET", nth=2, **new(20, "a"))
    result = run_list(dict(id="11", label="a"), dict(label="web", type="client"))
    assert result["failed"] and sorted(done(result)) == ["create web", "rename a"]
    assert re.search(
        "the deployments with the ids 11, 20 are all active with the label 'a' now; archive or rename all but one of them",
        result["msg"],
    )
    assert active(emulator, "a") == ["11", "20"]


def test_e15_key_that_never_comes(emulator, run):
    begin(emulator, late_keys=FOR_EVER)
    result = run(**WEB, retry_timeout=0.3)
    assert result["failed"] and done(result) == ["create web"] and result["deployment"]["id"] == "10001"
    assert "it was created with the id 10001, but the list of deployments shows it without its key" in result["msg"]


def test_e15_key_that_never_comes_beside_a_lower_one(emulator, run):
    """Whether it stays does not depend on its key."""
    begin(emulator, late_keys=FOR_EVER)
    emulator.order_action(method="POST", nth=1, **new(10, "web"))
    result = run(**WEB, retry_timeout=0.5)
    assert active(emulator, "web") == ["10"] or "10, 10001" in result["msg"]


def test_e15_absent_while_the_key_is_late(emulator, run):
    """It counts as a default deployment only if the key is still not there after a while."""
    begin(emulator, late_keys=2)
    emulator.create_deployment(projectId="1", label="web", type="client")
    result = run(label="web", state="absent")
    assert not result.get("failed"), result["msg"]
    assert rows(emulator) == ["10001 web -"]


def test_e15_key_of_another_run(emulator, run):
    """What another run has just created is found with its key, too."""
    begin(emulator, late_keys=2)
    emulator.create_deployment(projectId="1", label="web", type="client")
    result = run(**WEB)
    assert (result["changed"], result["warnings"]) == (False, [])
    assert result["deployment"]["key"].startswith("client-")


def rename_each_new_one(emulator, first=1, last=60):
    for number in range(first, last + 1):
        emulator.order_action(method="POST", nth=number, **edit(10000 + number, label=f"mine{number}"))


def test_e18_changed_all_the_time(emulator, run):
    begin(emulator)
    rename_each_new_one(emulator)
    result = run(**WEB)
    assert result["failed"] and result["changed"]
    assert re.fullmatch(
        "Could not bring deployment 'web' in project 1 to the desired state: something else keeps changing deployment "
        r"'web' in project 1, even after 30 rounds within .* seconds?; find out what it is, and run this again\.",
        result["msg"],
    )
    assert done(result) == ["create web"] * len(writes(emulator)), "all that was written is told"
    assert active(emulator, "web") == []


def test_e18_refused_in_the_last_round(emulator, run):
    """It is told, and not what has happened in all rounds before."""
    begin(emulator)
    rename_each_new_one(emulator)
    run(**WEB)
    rounds = len(writes(emulator))

    begin(emulator)
    rename_each_new_one(emulator, last=rounds - 1)
    emulator.misbehave(method="POST", action="status", status=403, nth=rounds)
    result = run(**WEB)
    assert result["failed"] and done(result) == ["create web"] * (rounds - 1)
    assert re.search("Could not create the client deployment 'web' in project 1: .* answered 403", result["msg"])


def test_e18_beside_one_that_nobody_disturbs(emulator, run_list):
    begin(emulator)
    rename_each_new_one(emulator, first=2)
    result = run_list(dict(label="api", type="client"), WEB, concurrency=1)
    assert (
        result["failed"] and "something else keeps changing deployment 'web' in project 1, even after" in result["msg"]
    )
    assert done(result).count("create api") == 1 and "create api" not in done(result, "pending")
    assert result["deployments"][0]["id"] == "10001" and result["deployments"][0]["key"].startswith("client-")


@pytest.mark.parametrize("stale_lists", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, FOR_EVER])
def test_e20_two_lost_creates(emulator, run, stale_lists):
    """However far the list is behind: one is active, or the sentence says more. It is read three times in list_lag."""
    clock = Clock()
    waits = QUICK._replace(
        first_look=0.125, longest_look=0.125, list_lag=0.25, rivals_withdraw=0.25, races_settle=0.25,
        now=clock, sleep=clock.sleeps.append,
    )  # fmt: skip
    begin(emulator, stale_lists=stale_lists, rate_limit=0)
    emulator.misbehave(method="POST", action="cut", moment="after", times=2)
    result = run(waits=waits, **WEB, retry_timeout=20)
    left = active(emulator, "web")
    if not result.get("failed"):
        assert left == [result["deployment"]["id"]]
    elif stale_lists < FOR_EVER:
        assert f"active deployments with the label 'web', with the ids {', '.join(left)}; " in result["msg"]
    else:
        assert (
            "it was created with the id 10003, but the list of deployments does not show it yet after 20 seconds; "
            in result["msg"]
        )
