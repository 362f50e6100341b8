# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file with a plan: what is written can be read again, and what was edited is refused."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import InputError
from ansible_collections.community.amplitude.plugins.plugin_utils._plan_file import (
    different,
    not_listed,
    planned,
    read_plan,
)

URL = "https://experiment.amplitude.com"
OPTIONS = dict(purge=True, purge_limit=None, restore_archived=True, force=False)


def change(action, identifier, label, **fields):
    rest = dict.fromkeys(["previous_label", "type", "flag", "experiment"])
    return dict(dict(action=action, project_id="1", id=identifier, label=label, **rest), **fields)


CHANGES = [
    change("rename", "7", "b", previous_label="a"),
    change("create", None, "c", type="client"),
    change("assign", None, "c", flag="cart"),
    change("archive", "8", "d"),
]
PLAN = planned(URL, OPTIONS, [("1", dict(changed=True, changes=CHANGES)), ("2", dict(changed=False, changes=[]))])


@pytest.fixture
def read(tmp_path):
    def read(content, base_url=URL):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (tmp_path / "plan.json").write_bytes(data)
        return read_plan(str(tmp_path / "plan.json"), base_url)

    return read


def test_what_is_written_is_read(read):
    assert read(PLAN) == (URL, OPTIONS, {"1": CHANGES, "2": []})


def test_refused_project():
    """What would be done besides is there, and the sentence with the path of the desired state is not."""
    problem = dict(item=1, project_id="1", label="x", id=None, problem="no", advice="go", told="/home/a: no; go.")
    found = dict(failed=True, msg="no", pending=CHANGES[:1], problems=[problem])
    (project,) = planned(URL, OPTIONS, [("1", found)])["projects"]
    del problem["told"]
    assert project == dict(project_id="1", changes=CHANGES[:1], problems=[problem])


def test_failure_without_problems_is_one():
    (project,) = planned(URL, OPTIONS, [("1", dict(failed=True, msg="no"))])["projects"]
    assert project["changes"] == [] and [each["problem"] for each in project["problems"]] == ["no"]


def edited(*path, to=None):
    """The plan with another value in this place; without ``to``, with nothing there."""
    plan = copy.deepcopy(PLAN)
    place = plan
    for step in path[:-1]:
        place = place[step]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = None if to == "null" else to
    return plan


FIRST = ("projects", 0, "changes", 0)
TEXT = json.dumps(PLAN, indent=4)
WRONG = {
    "empty": (b"", "it is empty"),
    "blank": (b" \n", "it is empty"),
    "no JSON": (b"{]", "it is not valid JSON in line 1"),
    "YAML": (b"format: 1\n", "it is not valid JSON in line 1"),
    "brackets": (b"[" * 100000, "it is "),
    "digits": (b'{"format": ' + b"1" * 5000 + b"}", "it is"),
    "binary": (bytes(range(256)), "it is not UTF-8 text"),
    "a list": ([PLAN], "it is not a plan"),
    "the desired state": (dict(amplitude_projects=[]), "it is not a plan"),
    "a newer format": (edited("format", to=2), "its format is 2, and this version of the collection knows 1"),
    "no number": (edited("format", to=True), "its format is true"),
    "a newer format with more": (dict(format="2.1", more=1), 'its format is "2.1"'),
    "an unknown field": (edited("time", to="now"), "it has the unknown field 'time'"),
    "no projects": (edited("projects"), "it has no projects"),
    "projects null": (edited("projects", to="null"), "its projects are not a list"),
    "projects a mapping": (edited("projects", to={}), "its projects are not a list"),
    "address": (edited("base_url", to=1), "its base_url is not text"),
    "no options": (edited("options", to="null"), "its options are not a mapping"),
    "an option missing": (edited("options", "force"), "its options have no force"),
    "an unknown option": (edited("options", "forced", to=True), "its options have the unknown field 'forced'"),
    "an option as text": (edited("options", "force", to="no"), 'its option force is "no"'),
    "an option null": (edited("options", "purge", to="null"), "its option purge is null"),
    "a limit that is none": (edited("options", "purge_limit", to=True), "its option purge_limit is true"),
    "a project null": (edited("projects", 1, to="null"), "its project number 2 is not a mapping"),
    "a project twice": (edited("projects", 1, to=PLAN["projects"][0]), "it has the project 1 twice"),
    "a project_id that is none": (
        edited("projects", 1, "project_id", to=2),
        "its project number 2 has an unusable project_id",
    ),
    "no problems": (edited("projects", 1, "problems"), "its project number 2 has no problems"),
    "problems null": (edited("projects", 1, "problems", to="null"), "the problems of project 2 are not a list"),
    "changes null": (edited("projects", 1, "changes", to="null"), "the changes of project 2 are not a list"),
    "a change that is text": (edited(*FIRST, to="rename"), "in the changes of project 1, entry 1 is not a dictionary"),
    "an unknown action": (edited(*FIRST, "action", to="remove"), "in the changes of project 1, entry 1 has the action"),
    "a field of a change": (
        edited(*FIRST, "why", to="x"),
        "in the changes of project 1, entry 1 has the unknown field",
    ),
    "a change twice": (
        edited("projects", 0, "changes", 3, to=CHANGES[1]),
        "in the changes of project 1, entry 4 is the same",
    ),
    "a change without id": (edited(*FIRST, "id", to="null"), "in the changes of project 1, entry 1 has no id"),
    "a change of another project": (
        edited("projects", 1, "changes", to=CHANGES[:1]),
        "in the changes of project 2, entry 1 belongs to project 1",
    ),
    "a field twice": (b'{"format": 1, "format": 1}', "it has the field 'format' twice in one place"),
}


@pytest.mark.parametrize("case", WRONG)
def test_edited(read, tmp_path, case):
    content, message = WRONG[case]
    with pytest.raises(InputError) as caught:
        read(content)
    text = str(caught.value)
    assert text.startswith(f"Could not use the plan in {tmp_path}/plan.json: {message}")
    assert "make a new plan and have it approved" in text and "\n" not in text and len(text) < 500


@pytest.mark.parametrize("length", range(1, len(TEXT), 37))
def test_cut_off(read, length):
    with pytest.raises(InputError, match="it is (cut off|not valid JSON) in line"):
        read(TEXT[:length].encode())


def test_path_that_cannot_be_used(tmp_path):
    for path, message in ((tmp_path, "it is a directory"), (tmp_path / "none", "there is no such file")):
        with pytest.raises(InputError, match=message):
            read_plan(str(path), URL)


def test_of_another_account(read):
    with pytest.raises(
        InputError, match=f"it was made for {URL}, but this run connects to https://experiment.eu.amplitude.com"
    ):
        read(PLAN, "https://experiment.eu.amplitude.com")


def test_with_problems(read):
    plan = planned(URL, OPTIONS, [("1", dict(failed=True, msg="no", pending=CHANGES))])
    with pytest.raises(InputError, match="it has 1 problem, so none of it"):
        read(plan)


def test_warnings(read):
    assert different(OPTIONS, dict(purge=True, force=False)) == []
    assert different(OPTIONS, dict(purge=False, purge_limit=5)) == [
        "The plan was made with amplitude_purge true, which takes precedence over false.",
        "The plan was made with amplitude_purge_limit not set, which takes precedence over 5.",
    ]
    assert not_listed(read(PLAN), ["1"]) == []
    assert len(not_listed(read(PLAN), ["2"])) == 1
