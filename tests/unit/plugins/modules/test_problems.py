# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that is refused names everything that is wrong at once, and tells programs why it has failed."""

from __future__ import annotations

import re

import pytest

from ansible_collections.community.amplitude.tests.support.bulk import PROJECT, writes
from ansible_collections.community.amplitude.tests.support.modules import run_module

pytestmark = pytest.mark.core

#: An item that is refused, the words of its problem, and of its advice.
ITEMS = {
    "a label": (dict(label="my app", type="client"), "label cannot be 'my app'", "use only letters"),
    "no label": (dict(label="", type="client"), "neither label nor id is set", "set label, or id"),
    "the label before": (dict(label="x", previous_label="x"), "previous_label is the same as label", "give the label"),
    "ambiguous": (dict(label="twin", type="client"), "there are 2 active deployments with the label 'twin'", "id"),
    "another type": (dict(label="web", type="server"), r"deployment 'web' \(id 1\) is a client deployment", "set type"),
    "no type": (dict(label="nowhere"), "it does not exist, and type is missing", "set type"),
    "no such id": (dict(id="99", label="y"), "there is no deployment with the id 99", "correct the id"),
    "of another project": (dict(id="6"), r".*'other' \(id 6\) belongs to project 2", "correct id or project_id"),
    "taken": (
        dict(id="3", label="busy"),
        "the label 'busy' already belongs to the active deployment with the id 9",
        "archive",
    ),
    "in use": (dict(label="api", state="absent"), r"the deployment 'api' \(id 2\) is used by flag", "remove it there"),
    "default": (dict(id="5", state="absent"), r"deployment 'default' \(id 5\) has no key with the prefix", "keep it"),
}
#: Beside them: those of two items, and what the task itself does.
FINE = dict(label="new", type="client")
SEED = dict(
    PROJECT,
    deployments=[
        *PROJECT["deployments"],
        *(dict(id=number, projectId="1", label="twin", type="client") for number in (7, 8)),
        dict(id=9, projectId="1", label="busy", type="client"),
    ],
)


@pytest.fixture(autouse=True)
def _seed(emulator):
    emulator.reset(SEED)


def single(connection, item, check_mode):
    return run_module("amplitude_deployment", check_mode, **dict(connection, project_id="1", **item))


def bulk(connection, items, check_mode, **options):
    options = dict(dict(connection, project_id="1", deployments=items), **options)
    return run_module("amplitude_deployments", check_mode, **options)


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "real"])
@pytest.mark.parametrize("module", ["single", "bulk"])
@pytest.mark.parametrize("name", [name for name in ITEMS if name != "no label"])
def test_one_problem(emulator, connection, module, name, check_mode):
    item, problem, advice = ITEMS[name]
    is_bulk = module == "bulk"
    result = bulk(connection, [FINE, item], check_mode) if is_bulk else single(connection, item, check_mode)
    assert result["failed"] and not result.get("changed") and writes(emulator) == []
    [told] = result["problems"]
    about = dict(item=2 if is_bulk else None, project_id="1", label=item.get("label"), id=item.get("id"))
    assert {field: told[field] for field in about} == about
    assert re.match(problem, told["problem"]) and advice in told["advice"]
    assert result["msg"].endswith(f"{told['problem']}; {told['advice']}.")
    assert ("item 2" in result["msg"]) is is_bulk
    kind = "input" if "label" in name else "refused"
    assert result["failure"] == dict(kind=kind, status=None, transient=name == "ambiguous", retry_after=None)


def test_all_problems_of_all_stages_at_once(emulator, connection):
    items = [FINE, *(item for item, *dummy in ITEMS.values()), dict(id="4711"), dict(label="a", project_id="2"), FINE]
    names = [*ITEMS]
    options = dict(purge=True, purge_limit=-1, concurrency=99)
    results = [bulk(connection, items, check_mode, **options) for check_mode in (True, False)]
    assert results[0]["problems"] == results[1]["problems"] and results[0]["msg"] == results[1]["msg"]
    assert writes(emulator) == []
    problems = results[0]["problems"]
    assert sorted(each["item"] or 0 for each in problems) == [0, 0, *range(2, len(items) + 1)]
    for number, name in enumerate(names, 2):
        [told] = [each for each in problems if each["item"] == number]
        assert re.match(ITEMS[name][1], told["problem"])
    words = [each["problem"] for each in problems]
    assert any(f"items 1 and {len(items)} have the same label 'new'" in each for each in words)
    assert "concurrency is 99" in words and "purge_limit is -1" in words
    assert all(f"{each['problem']}; {each['advice']}." in results[0]["msg"] for each in problems)
    assert results[0]["failure"]["kind"] == "input" and results[0]["pending"] == []


def test_what_is_not_refused_is_pending(connection):
    items = [dict(label="nowhere"), FINE, dict(label="old", state="absent"), *(dict(id=id) for id in "789")]
    result = bulk(connection, items, True, purge=True)
    told = [(each["item"], each["label"]) for each in result["problems"]]
    assert told == [(1, "nowhere"), (None, "api"), (None, "web")]
    assert [(each["action"], each["label"]) for each in result["pending"]] == [("create", "new"), ("archive", "old")]


def test_msg_has_the_first_twenty(connection):
    items = [dict(label=f"nowhere-{number}") for number in range(23)]
    result = bulk(connection, items, True)
    assert len(result["problems"]) == 23
    assert result["msg"].count("Could not") == 20
    assert result["msg"].endswith(". And 3 more; the return value problems lists all of them.")
    assert bulk(connection, items[:20], True)["msg"].count("Could not") == 20
    assert "more" not in bulk(connection, items[:20], True)["msg"]


def test_what_is_wrong_in_itself_is_not_waited_beside(emulator, connection):
    """Where the service is down, what is known without it is told at once."""
    emulator.misbehave(action="status", status=503, times=0)
    for items in ([dict(label="my app"), FINE], [dict(label="my app")]):
        emulator.forget_requests()
        result = bulk(connection, items, False, retry_timeout=3600)
        assert [each["item"] for each in result["problems"]] == [1]
        assert len(emulator.requests()) == len(items) - 1


def test_guard_of_each_project(emulator, connection):
    """A project whose flags cannot be read is one problem; what is used in another one is told beside it."""
    emulator.reset(SEED)
    emulator.misbehave(method="GET", path="flags", nth=3, action="status", status=403, times=0)
    items = [dict(label="old", state="absent"), dict(label="api", state="absent")]
    items += [dict(label="other", project_id="2", state="absent")]
    result = bulk(connection, items, False)
    assert [(each["item"], each["project_id"]) for each in result["problems"]] == [(2, "1"), (None, "2")]
    assert "list the flags of project 2: " in result["problems"][1]["problem"]
    assert [each["label"] for each in result["pending"]] == ["old"]


#: What the service does, and the failure.
FAILURES = {
    "400": (dict(action="status", status=400), dict(kind="api", status=400, transient=False)),
    "401": (dict(action="status", status=401), dict(kind="api", status=401, transient=False)),
    "429": (
        dict(action="status", status=429, headers={"Retry-After": "17"}),
        dict(kind="api", status=429, transient=True, retry_after=17.0),
    ),
    "503": (dict(action="status", status=503), dict(kind="api", status=503, transient=True)),
    "redirect": (dict(action="redirect", headers={"Location": "/"}), dict(kind="api", status=302, transient=False)),
    "cut": (dict(action="cut"), dict(kind="answer_lost", status=None, transient=True)),
    "no JSON": (dict(action="body", body="hello"), dict(kind="unexpected_answer", status=None, transient=False)),
}


@pytest.mark.parametrize("module", ["amplitude_deployment", "amplitude_deployments", "amplitude_deployment_info"])
@pytest.mark.parametrize("name", FAILURES)
def test_failure_of_the_list(emulator, connection, module, name):
    fault, expected = FAILURES[name]
    emulator.misbehave(times=0, **fault)
    ask = {"amplitude_deployment": FINE, "amplitude_deployments": dict(deployments=[FINE])}.get(module, {})
    result = run_module(module, **dict(connection, project_id="1", retry_timeout=0, **ask))
    assert result["failure"] == dict(dict(retry_after=None), **expected)
    assert "problems" not in result


def test_failures_that_have_no_answer(emulator, connection):
    nowhere = dict(connection, base_url="http://127.0.0.1:9", retry_timeout=0)
    assert single(nowhere, FINE, False)["failure"]["kind"] == "connection"
    result = single(dict(connection, timeout=0), FINE, False)
    assert result["failure"]["kind"] == "input" and result["problems"][0]["problem"] == "timeout is 0"
    emulator.reset(SEED, stale_lists=10**6)
    hidden = dict(kind="answer_lost", status=None, transient=True, retry_after=None)
    for result in (
        single(dict(connection, retry_timeout=0.2), FINE, False),
        bulk(dict(connection, retry_timeout=0.2), [dict(FINE, label="other")], False),
    ):
        assert result["changed"] and result["failure"] == hidden and "problems" not in result
