# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frame of the desired state, and lists of IDs, as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.plugin_utils._desired_state import (
    Project,
    Unusable,
    identifiers,
    projects_from,
)

IDS = st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True), unique=True)


@given(IDS, st.sampled_from([",", ", ", " ", "\n", "\r\n", ",\n", "\t"]), st.sampled_from(["", " ", "\n", ","]))
def test_text_with_ids(ids, between, end):
    assert identifiers(between.join(ids) + end) == ids


@given(IDS)
def test_text_of_a_list(ids):
    """As Ansible makes it of a list, and as JSON."""
    assert identifiers(str(ids)) == identifiers(str(ids).replace("'", '"')) == identifiers(ids) == ids


def test_numbers_and_ids_that_are_there_twice():
    assert identifiers([1, "2", 1, "1"]) == ["1", "2"]
    assert identifiers("[1, 2, 1]") == ["1", "2"]
    assert identifiers(7) == ["7"]


@pytest.mark.parametrize("value", [[None], [""], ["1 2"], [["1"]], [True], True, 1.5, {"1": 1}, [1.5]])
def test_no_list_of_ids(value):
    with pytest.raises(ValueError, match="as a list or separated by commas, spaces or newlines"):
        identifiers(value)


def test_too_few_ids():
    """What is not set at all is all right; what is set must say something."""
    assert identifiers(None, least=1) == identifiers("", least=1) == []
    for value in ([], "[]", " ", ","):
        assert identifiers(value) == []
        with pytest.raises(ValueError):
            identifiers(value, least=1)


def test_projects():
    """Deployments are as they were, whatever they are; IDs are text."""
    given = [dict(project_id=1, deployments=[dict(label="web"), "web", None]), dict(project_id="2", deployments=[])]
    assert projects_from(given, "FILE") == [
        Project(1, "1", [dict(label="web"), "web", None]),
        Project(2, "2", []),
    ]


def test_own_project_is_no_other():
    item = dict(project_id=1, deployments=[dict(label="a", project_id="1"), dict(project_id=1), dict(project_id="")])
    assert projects_from([item], "FILE")[0].project_id == "1"


def test_everything_is_told():
    wrong = [
        5,
        dict(project_id="1", deployments=None, purge=True),
        dict(project_id="1", deployments=[dict(project_id=2)]),
    ]
    with pytest.raises(Unusable) as raised:
        projects_from(wrong, "FILE")
    assert [error.problem for error in raised.value.errors] == [
        "item 1 of amplitude_projects is not a project",
        "item 2 of amplitude_projects (project 1) has unknown fields: purge",
        "item 2 of amplitude_projects (project 1) has deployments that are blank",
        "item 3 of amplitude_projects (project 1) lists, as deployment 1, one of project 2",
        "item 3 of amplitude_projects (project 1) is listed already, as item 2",
    ]
    assert all(str(error).startswith("Could not use the desired state in FILE: item ") for error in raised.value.errors)


@pytest.mark.parametrize("value", [None, "", []])
def test_nothing_is_wanted(value):
    with pytest.raises(Unusable, match="is missing or empty"):
        projects_from(value, "FILE")


@pytest.mark.parametrize(
    "value, kind", [({}, "a mapping"), ("[]", "a single value"), (0, "a single value"), (False, "a single value")]
)
def test_no_list(value, kind):
    with pytest.raises(Unusable, match=f"amplitude_projects is {kind} instead of a list; list the projects"):
        projects_from(value, "FILE")
