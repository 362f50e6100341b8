# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Assigning, removing and taking over while the API refuses, loses answers or lags, and while others act."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.tests.support.bulk import writes
from ansible_collections.community.amplitude.tests.support.modules import QUICK, run_module
from ansible_collections.community.amplitude.tests.support.serving import ACCOUNT, have, plain

SERVE = dict(label="api", flags=["cart", "pay", "free"], experiments=["hero", "cart"])
TAKE_OVER = dict(label="web", replaces="7")
RETIRE = dict(TAKE_OVER, retire=True)


def everything(emulator):
    return have(emulator.flags()), have(emulator.experiments())


def labels(emulator):
    return {row["id"]: (row["label"], row["deleted"]) for row in emulator.deployments()}


def test_one_flag_of_many_is_refused(emulator, serve):
    """The others get it, nothing is removed or archived, and the next run does the rest."""
    emulator.reset(ACCOUNT)
    check = serve(RETIRE, check_mode=True)
    emulator.misbehave(action="status", status=403, times=0, method="POST", path="/flags/22/deployments")
    result = serve(RETIRE)
    assert result["failed"] and "assign deployment 10001 to flag 'pay' (id 22) in project 1" in result["msg"]
    assert result["failure"]["status"] == 403
    assert everything(emulator) == ("cart=7,8,10001 pay=7 gone=7 free= cart=6", "hero=7,8,10001 cart=")
    assert [plain(change) for change in result["pending"]] == [
        "assign - web pay",
        "unassign 7 web-superseded-7 cart",
        "unassign 7 web-superseded-7 pay",
        "unassign 7 web-superseded-7 hero",
        "archive 7 web-superseded-7",
    ]
    told = [*result["changes"], *result["pending"]]
    assert sorted(map(plain, told)) == sorted(map(plain, check["changes"]))
    assert result["deployment"]["flags"] == ["cart"] and result["deployment"]["experiments"] == ["hero"]
    assert result["diff"]["after"]["replaced"] == dict(
        label="web-superseded-7", flags=["cart", "pay"], experiments=["hero"]
    )

    emulator.behave()
    rest = serve(RETIRE)
    assert not rest.get("failed"), rest["msg"]
    assert [plain(change) for change in rest["changes"]][0] == "assign 10001 web pay"
    assert everything(emulator) == ("cart=8,10001 pay=10001 gone=7 free= cart=6", "hero=8,10001 cart=")
    assert labels(emulator)["7"] == ("web-superseded-7", True)


@pytest.mark.parametrize(
    "switch, flags, assigned",
    [
        ("replaces", "cart=7,8 pay=7 gone=7 free= cart=6", "flag 'cart' (id 21)"),
        ("replaces_in_flags", "cart=7,8,10001 pay=7 gone=7 free= cart=6", "flag 'cart' (id 21)"),
        ("replaces_in_experiments", "cart=7,8,10001 pay=7 gone=7 free= cart=6", "experiment 'hero' (id 31)"),
    ],
)
def test_api_that_replaces(emulator, serve, switch, flags, assigned):
    """It is noticed after one flag or experiment, where everything is put back; nothing more is written."""
    emulator.reset(ACCOUNT, assigning=switch)
    result = serve(RETIRE)
    assert result["failed"] and "the API has replaced the deployments 7, 8 instead of adding to them" in result["msg"]
    assert assigned in result["msg"] and "they were assigned again" in result["msg"]
    assert result["failure"]["kind"] == "unexpected_answer" and not result["failure"]["transient"]
    assert all(request["method"] != "DELETE" for request in writes(emulator))
    place = emulator.flags() if "flag" in assigned else emulator.experiments()
    assert sorted(map(int, place[0]["deployments"])) == [7, 8, 10001]
    assert not labels(emulator)["7"][1]
    done = [plain(change) for change in result["changes"]]
    assert done[-1] == ("assign - web cart" if "flag" in assigned else "assign - web hero")
    if switch == "replaces_in_experiments":
        assert have(emulator.flags()) == flags


def test_api_that_replaces_and_does_not_take_it_back(emulator, serve):
    """The error names what is lost."""
    emulator.reset(ACCOUNT, assigning="replaces")
    emulator.misbehave(action="status", status=403, method="POST", nth=2, path="/flags/21/deployments")
    result = serve(TAKE_OVER)
    assert (
        result["failed"]
        and "they could not be assigned again: " in result["msg"]
        and "deployments 7, 8 " in result["msg"]
    )


#: Faults that pass: what is sent, what becomes of it, and whether that takes the list to tell.
PASSING = {
    "the assignment is not carried out": dict(
        action="status", status=503, moment="before", method="POST", path="/flags/"
    ),
    "the answer to the assignment is lost": dict(action="cut", moment="after", method="POST", path="/flags/"),
    "the connection is cut before": dict(action="cut", moment="before", method="POST", path="/flags/"),
    "an error after it was carried out": dict(
        action="status", status=500, moment="after", method="POST", path="/flags/"
    ),
    "too many requests": dict(action="status", status=429, method="POST", path="/flags/"),
    "the removal is not carried out": dict(
        action="status", status=503, moment="before", method="DELETE", path="/flags/"
    ),
    "the answer to the removal is lost": dict(action="cut", moment="after", method="DELETE", path="/flags/"),
    "a list is cut": dict(action="cut", method="GET", path="/flags"),
}


@pytest.mark.parametrize("removed_again_status", [200, 404])
@pytest.mark.parametrize("assigned_again_status", [200, 409])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("name", PASSING)
def test_faults_that_pass(emulator, serve, name, nth, assigned_again_status, removed_again_status):
    emulator.reset(ACCOUNT, assigned_again_status=assigned_again_status, removed_again_status=removed_again_status)
    check = serve(RETIRE, check_mode=True)
    emulator.misbehave(nth=nth, **PASSING[name])
    result = serve(RETIRE)
    assert not result.get("failed"), result["msg"]
    assert result["changes"] == check["changes"] and result["warnings"] == []
    assert everything(emulator) == ("cart=8,10001 pay=10001 gone=7 free= cart=6", "hero=8,10001 cart=")
    assert labels(emulator)["7"] == ("web-superseded-7", True)


def test_outcome_that_stays_unknown(emulator, serve):
    """Nothing is told as done that is not known to be, nothing is removed, and nothing is sent once the time is over."""
    emulator.reset(ACCOUNT, rate_limit=0)
    emulator.misbehave(action="status", status=503, moment="before", method="POST", path="/flags/22/", times=0)
    result = serve(RETIRE, retry_timeout=2)
    # It is sent again whenever the list has had the time to show it, and that takes longer each time it is looked at.
    assert 2 <= len([each for each in writes(emulator) if "/flags/22/" in each["path"]]) <= 2 / QUICK.list_lag
    assert result["failed"] and "so it is not known whether it was carried out" in result["msg"]
    assert "assign - web pay" in map(plain, result["pending"]) and "assign - web pay" not in map(
        plain, result["changes"]
    )
    assert all(request["method"] != "DELETE" for request in writes(emulator))


def test_lists_that_do_not_show_what_goes_first(emulator, serve):
    """As long as it is not known to add, nothing more is written."""
    emulator.reset(ACCOUNT, stale_lists=1000, rate_limit=0)
    result = serve(SERVE, retry_timeout=2)
    assert result["failed"] and result["failure"]["transient"]
    assert "flag 'pay' does not list deployment 8 yet; run this again: it continues from what it finds" in result["msg"]
    assert len(writes(emulator)) == 1 and [plain(change) for change in result["changes"]] == ["assign 8 api pay"]
    assert result["deployment"]["flags"] == ["cart", "pay"]


def test_lists_that_do_not_show_the_rest(emulator, serve):
    """It was accepted, and nothing depends on it."""
    emulator.reset(ACCOUNT)
    emulator.after("POST", 1, lambda: emulator.switch(stale_lists=1000))
    result = serve(dict(label="api", flags=["free"], experiments=["cart"]))
    assert not result.get("failed"), result["msg"]
    assert [plain(change) for change in result["changes"]] == ["assign 8 api free", "assign 8 api cart"]
    assert any("does not show it yet" in warning for warning in result["warnings"])


@pytest.mark.parametrize(
    "fault", [dict(status=403), dict(status=409), dict(status=400)], ids=lambda fault: str(fault["status"])
)
def test_create_that_is_refused(emulator, serve, fault):
    """What was renamed for it gets its label back."""
    emulator.reset(ACCOUNT)
    emulator.misbehave(action="status", method="POST", times=0, path="/deployments", **fault)
    before = everything(emulator)
    result = serve(RETIRE)
    assert result["failed"] and result["failure"]["status"] == fault["status"]
    assert labels(emulator)["7"] == ("web", False) and everything(emulator) == before
    assert [plain(change) for change in result["changes"]] == ["rename 7 web-superseded-7", "rename 7 web"]
    assert result["changed"] and any("has its label 'web' back" in warning for warning in result["warnings"])


def test_archived_one_that_blocks_the_create(emulator, serve):
    """The error has its id, and no advice brings back what may have leaked."""
    emulator.reset(ACCOUNT, unique_labels="all")
    result = serve(dict(label="old", replaces="8", retire=True))
    assert result["failed"] and "the archived deployment 'old' with the id 9 has this label" in result["msg"]
    assert "use another label: an archived deployment keeps its label" in result["msg"]
    assert [request["method"] for request in writes(emulator)] == ["POST"]


def test_label_that_cannot_be_given_back(emulator, serve):
    emulator.reset(ACCOUNT)
    emulator.misbehave(action="status", status=403, method="POST", times=0, path="/deployments")
    emulator.misbehave(action="status", status=403, method="PATCH", times=0, nth=2)
    result = serve(RETIRE)
    assert result["failed"] and labels(emulator)["7"] == ("web-superseded-7", False)
    assert any("could not be given its label 'web' back" in warning for warning in result["warnings"])


def test_what_is_assigned_meanwhile_is_taken_over_too(emulator, serve):
    emulator.reset(ACCOUNT)
    emulator.after("DELETE", 1, lambda: emulator.assign_to_flag("24", ["7"]))
    result = serve(RETIRE)
    assert not result.get("failed"), result["msg"]
    assert everything(emulator) == ("cart=8,10001 pay=10001 gone=7 free=10001 cart=6", "hero=8,10001 cart=")
    assert result["deployment"]["flags"] == ["cart", "free", "pay"]
    assert {"assign - web free", "unassign 7 web-superseded-7 free"} <= set(map(plain, result["changes"]))


def test_what_is_assigned_again_and_again(emulator, serve):
    """It does not end: nothing is archived, and the error names what is left."""
    flags = [dict(id=100 + each, projectId="1", key=f"f{each}", enabled=True, deployments=[8]) for each in range(9)]
    emulator.reset(dict(ACCOUNT, flags=[*ACCOUNT["flags"], *flags]))
    left = iter(flags)

    def assign():
        emulator.assign_to_flag(str(next(left)["id"]), ["7"])
        emulator.after("POST", 1, assign, path="/flags/")

    emulator.after("POST", 1, assign, path="/flags/")
    result = serve(RETIRE)
    assert result["failed"] and "Could not retire 'web-superseded-7' (id 7) in project 1: flag 'f" in result["msg"]
    assert not labels(emulator)["7"][1] and result["failure"]["transient"]
    assert all(request["method"] != "DELETE" for request in writes(emulator))


def test_somebody_archives_the_new_one(emulator, serve):
    """It is decided again before anything is removed: nothing is taken from the old one for what is not there."""
    emulator.reset(ACCOUNT)
    emulator.after("POST", 4, lambda: emulator.edit_deployment("10001", deleted=True))
    result = serve(RETIRE)
    active = [row["id"] for row in emulator.deployments() if row["label"] == "web" and not row["deleted"]]
    assert not result.get("failed"), result["msg"]
    assert active == [result["deployment"]["id"]]
    assert have(emulator.flags()).startswith(f"cart=8,10001,{active[0]} pay=10001,{active[0]}")


REFUSED = {
    "a flag that does not exist": (dict(label="web", flags=["no"]), "there is no flag with the key 'no'"),
    "a flag that is archived": (dict(label="web", flags=["gone"]), "the flag 'gone' is archived (id 23)"),
    "an empty key": (dict(label="web", flags=[""]), "flags has a blank element"),
    "serving while absent": (dict(label="web", state="absent", flags=[]), "what is to be absent serves nothing"),
    "replacing while absent": (dict(label="web", state="absent", replaces="8"), "what is to be absent serves nothing"),
    "exclusive of nothing": (dict(label="web", exclusive=True), "exclusive is true, but neither flags nor experiments"),
    "retire nothing": (dict(label="web", retire=True), "retire is true, but nothing is replaced"),
    "replaces nothing": (dict(label="web", replaces="77"), "there is no deployment with the id 77; correct replaces"),
    "replaces one of another project": (dict(label="web", replaces="6"), "belongs to project 2; correct replaces or"),
    "the default deployment": (dict(label="default", replaces="5", type="client"), "counts as the default deployment"),
    "the default deployment is retired": (
        dict(label="web", replaces="5", retire=True),
        "counts as the default deployment",
    ),
    "no type": (dict(label="new", replaces="5"), "type is missing"),
    "another type": (dict(label="api", replaces="7", type="client"), "is a server deployment"),
    "an enabled flag would be left": (dict(label="web", flags=[], exclusive=True), "the enabled flag 'pay' (id 22)"),
    "retired, and an enabled flag would be left": (
        dict(RETIRE, flags=["cart"], exclusive=True),
        "no active deployment would serve the enabled flag 'pay' (id 22)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_anything_is_written(emulator, serve, name):
    options, words = REFUSED[name]
    emulator.reset(ACCOUNT)
    for check_mode in (True, False):
        result = serve(options, check_mode=check_mode)
        assert result["failed"] and words in result["msg"], result["msg"]
        assert writes(emulator) == [] and result["failure"]["kind"] in ("refused", "input")
        assert len(result["problems"]) == 1


def test_several_active_beside_the_replaced_one(emulator, serve):
    rows = [dict(id=each, projectId="1", label="web", type="client") for each in (11, 12)]
    emulator.reset(dict(ACCOUNT, deployments=[*ACCOUNT["deployments"], *rows]))
    result = serve(RETIRE)
    assert (
        result["failed"]
        and "2 active deployments with the label 'web', with the ids 11, 12; archive or" in result["msg"]
    )
    assert writes(emulator) == []


def test_flags_that_cannot_be_read(emulator, serve):
    emulator.reset(ACCOUNT)
    emulator.misbehave(action="status", status=403, times=0, method="GET", path="/flags")
    for options in (SERVE, RETIRE):
        result = serve(options)
        assert result["failed"] and "list the flags of project 1" in result["msg"] and writes(emulator) == []


@pytest.mark.parametrize("refused_assignment", ["nothing", "rest"])
@pytest.mark.parametrize("assigned_again_status", [200, 400, 409])
@pytest.mark.parametrize("flag", ["free", "beside"], ids=["that has none", "that has another one"])
def test_one_of_several_that_one_flag_gets_is_there_already(
    emulator, connection, flag, assigned_again_status, refused_assignment
):
    """Somebody assigns it just before; whatever the API makes of the request, what was written is told."""
    beside = dict(id=26, projectId="1", key="beside", enabled=True, deployments=[5])
    emulator.reset(
        dict(ACCOUNT, flags=[*ACCOUNT["flags"], beside]),
        assigned_again_status=assigned_again_status,
        refused_assignment=refused_assignment,
    )
    emulator.after("GET", 4, lambda: emulator.assign_to_flag({"free": "24", "beside": "26"}[flag], ["7"]))
    items = [dict(label=label, project_id="1", flags=[flag]) for label in ("web", "api")]
    result = run_module("amplitude_deployments", **dict(connection, deployments=items))
    assert not result.get("failed"), result["msg"]
    assert {"free": "free=7,8", "beside": "beside=5,7,8"}[flag] in have(emulator.flags())
    assert result["changed"] and f"assign 8 api {flag}" in map(plain, result["changes"])
    assert [row["flags"].count(flag) for row in result["deployments"]] == [1, 1]


@pytest.mark.parametrize("status", [400, 404, 503])
def test_flag_that_is_gone_gets_nothing(emulator, serve, status):
    """It is archived after it was read, and the assignment is refused, or lost: nothing of that is told as done."""
    emulator.reset(ACCOUNT, archived_flag_status=404 if status == 503 else status)
    if status == 503:
        emulator.misbehave(action="status", status=503, moment="before", method="POST", path="/flags/22/")
    emulator.after("GET", 3, lambda: emulator.edit_flag("22", archived=True), path="/flags")
    result = serve(TAKE_OVER)
    assert not result.get("failed"), result["msg"]
    assert [request["path"] for request in writes(emulator) if request["status"] == status] == [
        "/api/1/flags/22/deployments"
    ]
    assert "pay=7" in have(emulator.flags()).split() and result["deployment"]["flags"] == ["cart"]
    assert [plain(change) for change in result["changes"]] == [
        "rename 7 web-superseded-7",
        "create - web",
        "assign - web cart",
        "assign - web hero",
    ]
