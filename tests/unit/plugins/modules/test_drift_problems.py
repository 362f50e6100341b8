# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""amplitude_drift_info names everything that is wrong with a desired state, each with its project and item."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.tests.support.modules import run_module

pytestmark = pytest.mark.core

FINE = dict(label="fine", type="client")
SEVEN = [dict(project_id=str(number), deployments=[FINE, FINE][:1]) for number in range(1, 8)]


def run(connection, projects):
    return run_module("amplitude_drift_info", **dict(connection, projects=projects))


@pytest.mark.parametrize("order", [1, -1])
def test_every_bad_project_id_is_named(emulator, connection, order):
    projects = [dict(project_id=project_id) for project_id in ("b b", "7", "a a", "../c d")][::order]
    result = run(connection, projects)
    assert [each["problem"] for each in result["problems"]] == [
        "project_id cannot be '../c d'",
        "project_id cannot be 'a a'",
        "project_id cannot be 'b b'",
    ]
    assert all(each["problem"] in result["msg"] for each in result["problems"])
    assert result["failure"]["kind"] == "input" and emulator.requests() == []


#: What is wrong with the second item of project 7, and what is told of it.
BAD = {
    "label": (dict(label="a b"), "label cannot be 'a b'"),
    "typo": (dict(lable="a"), "lable is not a known option"),
    "no text": (dict(label=False), "label is the boolean false, not text"),
    "text": ("web", "it is the text 'web', not a dictionary of options"),
    "neither": (dict(type="client"), "neither label nor id is set"),
    "both": (dict(id="1", previous_label="x"), "id and previous_label are both set"),
    "twice": (FINE, "items 1 and 2 have the same label 'fine' in project 7"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_item_in_project_seven(emulator, connection, name):
    item, problem = BAD[name]
    projects = [*SEVEN[:6], dict(project_id="7", deployments=[FINE, item])]
    [told] = run(connection, projects)["problems"]
    assert (told["item"], told["project_id"]) == (2, "7")
    assert told["problem"].startswith(problem)
    assert emulator.requests() == []
