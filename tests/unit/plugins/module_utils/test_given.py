# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was given as options: blank is not set, labels are text, and mistakes in a list are told with their places."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._given import is_blank, look
from ansible_collections.community.amplitude.plugins.module_utils._options import connection_spec
from ansible_collections.community.amplitude.plugins.modules import (
    amplitude_deployment,
    amplitude_deployment_info,
    amplitude_deployments,
    amplitude_drift_info,
)
from ansible_collections.community.amplitude.tests.support.modules import run_module

MODULES = {
    module.__name__.rsplit(".", 1)[1]: dict(connection_spec(), **module.SPEC)
    for module in (amplitude_deployment, amplitude_deployment_info, amplitude_deployments, amplitude_drift_info)
}
ITEM = MODULES["amplitude_deployments"]["deployments"]["options"]
EVERY_OPTION = [(module, option) for module, spec in MODULES.items() for option in spec]


def told(options, module="amplitude_deployments", never_blank=()):
    """What is told of options, as sentences, and what is left of them."""
    left = copy.deepcopy(options)
    return [str(problem.error) for problem in look(left, MODULES[module], never_blank)], left


@pytest.mark.parametrize(
    "value, expected", [(None, True), ("", True), (False, False), (0, False), ([], False), (" ", False)]
)
def test_is_blank(value, expected):
    assert is_blank(value) is expected


@pytest.mark.parametrize("blank", [None, ""])
@pytest.mark.parametrize("module, option", EVERY_OPTION)
def test_blank_is_not_set(module, option, blank):
    """Of each option that there is, so that a new one cannot be forgotten."""
    problems, left = told({option: blank}, module)
    assert left == {}
    spec = MODULES[module][option]
    needed = spec.get("required") and "fallback" not in spec
    assert [option in each and "is empty" in each for each in problems] == [True] * bool(needed)


@pytest.mark.parametrize("blank", [None, ""])
@pytest.mark.parametrize("option", ITEM)
def test_blank_is_not_set_in_an_item(option, blank):
    assert told(dict(deployments=[{option: blank, "label": blank}])) == ([], dict(deployments=[{}]))


@pytest.mark.parametrize("value", [False, 0, [], "false", "0"])
@pytest.mark.parametrize("option", ["purge", "purge_limit", "force", "restore_archived", "include_keys"])
def test_values_are_kept(option, value):
    assert told({option: value}) == ([], {option: value})


@pytest.mark.parametrize("blank", [None, ""])
@pytest.mark.parametrize("option", ["labels", "ids"])
def test_blank_filter_is_refused(option, blank):
    """A filter that is not set lets everything pass, which is not what an empty variable was meant to do."""
    [problem], left = told({option: blank}, "amplitude_deployment_info", never_blank=("labels", "ids"))
    assert problem == f"Could not use the options: {option} is empty; give it a value, or leave it out."


@pytest.mark.parametrize("elements", [["a", None], ["", "a"], [""], "a,,b"])
@pytest.mark.parametrize("option", ["labels", "ids"])
def test_blank_element_is_refused(option, elements):
    [problem], dummy = told({option: elements}, "amplitude_deployment_info")
    assert f"{option} has a blank element (number " in problem


#: What YAML makes of a label without quotes, and what it is called.
NOT_TEXT = {
    "no": (False, "the boolean false"),
    "yes": (True, "the boolean true"),
    "0123": (83, "the number 83"),
    "12:30": (750, "the number 750"),
    "1.50": (1.5, "the number 1.5"),
    "[a]": (["a"], "a list"),
    "{a: b}": ({"a": "b"}, "a dictionary"),
}


@pytest.mark.parametrize("name", NOT_TEXT)
@pytest.mark.parametrize("option", ["label", "previous_label"])
def test_labels_are_text(option, name):
    value, kind = NOT_TEXT[name]
    how = "use text" if isinstance(value, (list, dict)) else "put it in quotes where it is defined, or add `| string`"
    [problem], dummy = told({option: value}, "amplitude_deployment")
    assert problem == f"Could not use the options: {option} is {kind}, not text; {how}."
    [problem], left = told(dict(project_id=7, deployments=[dict(label="a"), {"id": 1, option: value}]))
    assert problem == f"Could not use item 2 in project 7: {option} is {kind}, not text; {how}."
    assert left["deployments"] == [dict(label="a"), dict(project_id="7")]


@pytest.mark.parametrize("name", [name for name in NOT_TEXT if name not in ("[a]", "{a: b}")])
def test_labels_of_a_filter_are_text(name):
    value, kind = NOT_TEXT[name]
    for labels in (["web", value], value):
        [problem], dummy = told(dict(labels=labels), "amplitude_deployment_info")
        assert f"of labels is {kind}, not text; put it in quotes" in problem


@pytest.mark.parametrize("value", [7, "7", "abc-7"])
def test_ids_may_be_numbers(value):
    assert told(dict(id=value, project_id=value), "amplitude_deployment") == ([], dict(id=value, project_id=value))
    assert told(dict(ids=[value, 8]), "amplitude_deployment_info")[0] == []
    assert told(dict(deployments=[dict(id=value, project_id=value)]))[0] == []


@pytest.mark.parametrize("value", [True, 1.5, [7], {"a": 1}])
def test_ids_are_nothing_else(value):
    assert "id is " in told(dict(id=value), "amplitude_deployment")[0][0]
    assert "item 1: id is " in told(dict(deployments=[dict(id=value)]))[0][0]


#: An item that cannot be used, and what is told of it as item 2 of project 5.
MISTAKES = {
    "a typo": (dict(lable="web"), ["lable is not a known option; perhaps label was meant"]),
    "another one": (dict(label="web", typ="client"), ["typ is not a known option; perhaps type was meant"]),
    "a third one": (dict(label="web", previous_lable="x"), ["; perhaps previous_label was meant"]),
    "nothing like it": (
        dict(label="web", colour="red"),
        ["colour is not a known option; the options are project_id, la"],
    ),
    "an option of the task": (dict(label="web", purge=True), ["purge is not a known option; the options are"]),
    "a key that YAML takes for a boolean": ({False: "x", "label": "web"}, ["False is not a known option"]),
    "a text": ("web", ["it is the text 'web', not a dictionary of options; list its options, such as 'label: …'"]),
    "a number": (7, ["it is the number 7, not a dictionary"]),
    "a list": ([dict(label="web")], ["it is a list, not a dictionary"]),
    "nothing": (None, ["it is blank, not a dictionary"]),
    "another type": (dict(label="web", type="cleint"), ["type is the text 'cleint'; perhaps client was meant"]),
    "no type at all": (dict(label="web", type="browser"), ["type is the text 'browser'; use client or server"]),
    "another state": (dict(label="web", state="Present"), ["state is the text 'Present'; perhaps present was meant"]),
    "a state that is a boolean": (
        dict(label="web", state=False),
        ["state is the boolean false; use present or absent"],
    ),
    "a state that is a list": (dict(label="web", state=["absent"]), ["state is a list; use present or absent"]),
    "several at once": (
        dict(lable="web", type="srver", id=[1], previous_label=7),
        ["lable is not", "id is a list", "previous_label is the number 7", "perhaps server was meant"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_in_an_item(name):
    item, expected = MISTAKES[name]
    fine = dict(label="fine", type="client", project_id="9")
    problems, left = told(dict(project_id="5", deployments=[fine, item, fine]))
    assert len(problems) == len(expected)
    assert all(any(words in problem for problem in problems) for words in expected)
    assert all(problem.startswith("Could not use item 2 in project 5: ") for problem in problems)
    assert left["deployments"][0] == left["deployments"][2] == fine and len(left["deployments"]) == 3
    # In a list of projects, it is the item of its project.
    projects = [dict(project_id=4, deployments=[fine]), dict(project_id=5, deployments=[fine, item])]
    assert told(dict(projects=projects), "amplitude_drift_info")[0] == problems


def test_text_that_ansible_takes_for_an_item():
    problems, left = told(dict(deployments=["label=web type=client", '{"label": "api"}']))
    assert (problems, left["deployments"]) == ([], [dict(label="web", type="client"), dict(label="api")])


@pytest.mark.parametrize("value", ["web", 7, True, dict(label="web")])
def test_list_that_is_none(value):
    [problem], dummy = told(dict(deployments=value))
    assert (
        "deployments is " in problem
        and "not a list; pass a list in which each item is a dictionary of options" in problem
    )


def test_mistakes_are_told_beside_what_the_account_refuses(emulator, connection):
    emulator.reset(dict(keys={"management-key": ["1"]}))
    items = [dict(lable="a"), dict(label="b"), dict(label="c d"), dict(label="e", type="client"), dict(label=83)]
    for check_mode in (True, False):
        result = run_module("amplitude_deployments", check_mode, project_id="1", deployments=items, **connection)
        assert [each["item"] for each in result["problems"]] == [1, 2, 3, 5]
        assert [each["label"] for each in result["pending"]] == ["e"]
        assert all(each["project_id"] == "1" for each in result["problems"])
        assert result["failure"]["kind"] == "input"
    assert {request["method"] for request in emulator.requests()} == {"GET"}


def test_everything_about_the_task_is_told_at_once(connection):
    options = dict(
        connection, base_url="ftp://x", management_api_key="short", project_id=True, deployments=[dict(lable=1)]
    )
    result = run_module("amplitude_deployments", **options)
    assert len(result["problems"]) == 4 and result["failure"]["kind"] == "input"
    assert "short" not in str(result)


@pytest.mark.parametrize(
    "base_url",
    ["https://someone:Passw0rd@example.com", "https://example.com?token=Passw0rd", "http://x:Passw0rd@localhost"],
)
def test_address_with_a_password_is_not_shown(connection, base_url):
    for more in (dict(), dict(lable="web")):
        options = dict(connection, base_url=base_url, project_id="1", label="web", type="client", **more)
        result = run_module("amplitude_deployment", **options)
        assert result["failed"] and "Passw0rd" not in str(result)


#: Every option whose blank used to be refused or taken for a value, beside what it means without it.
BLANKS = dict(
    region="",
    base_url="",
    management_api_key=None,
    validate_certs="",
    ca_path="",
    timeout="",
    retry_timeout=None,
    state="",
    id="",
    previous_label=None,
    restore_archived="",
    force=None,
)


def test_module_with_nothing_but_blanks(emulator, monkeypatch):
    """What is blank in the task comes from the environment, or is what it is without it."""
    monkeypatch.setenv("AMPLITUDE_BASE_URL", emulator.url)
    monkeypatch.setenv("AMPLITUDE_MANAGEMENT_API_KEY", "management-key")
    result = run_module("amplitude_deployment", project_id="1", label="web", type="client", **BLANKS)
    assert result["changed"], result["msg"]
    item = dict(BLANKS, label="web", type="")
    options = {option: BLANKS[option] for option in BLANKS if option not in ITEM}
    items = [{option: item[option] for option in item if option in ITEM}]
    blanks = dict(purge="", purge_limit=None, include_keys="", concurrency=None)
    result = run_module("amplitude_deployments", project_id="1", deployments=items, **options, **blanks)
    assert not result.get("failed") and not result["changed"]


def test_id_that_is_blank_beside_a_previous_label(connection):
    options = dict(connection, project_id="1", label="web", type="client", id=None, previous_label="shop")
    assert run_module("amplitude_deployment", **options)["changed"]
