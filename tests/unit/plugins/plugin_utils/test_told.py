# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks make of the results of modules."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.plugin_utils._told import (
    counts_of,
    is_of_one_project,
    line_of,
    message,
    problems_of,
)


def change(action, identifier=None, label=None):
    return dict(action=action, id=identifier, label=label)


def item(label=None, **options):
    return dict(label=label, **options)


#: The items, what the module returned, and the counts that are not zero.
COUNTS = {
    "nothing to do": ([item("a"), item("b")], {}, dict(unchanged=2)),
    "created": ([item("a"), item("b")], dict(changes=[change("create", label="a")]), dict(created=1, unchanged=1)),
    "restored under another label": (
        [item("b", id="1")],
        dict(changes=[change("restore", "1", "a"), change("rename", "1", "b")]),
        dict(restored=1, renamed=1),
    ),
    "archived as it was asked for": (
        [item("a", state="absent"), item(id=2, state="absent"), item("c", state="absent")],
        dict(changes=[change("archive", "1", "a"), change("archive", "2", "b")]),
        dict(archived=2, unchanged=1),
    ),
    "purged": ([item("a")], dict(changes=[change("archive", "2", "b")]), dict(archived=1, unchanged=1)),
    "taken over": (
        [item("a", replaces=1), item("b")],
        dict(
            changes=[
                change("rename", "1", "a-superseded-1"),
                change("create", label="a"),
                change("assign", label="a"),
                change("unassign", "1", "a-superseded-1"),
                change("archive", "1", "a-superseded-1"),
            ]
        ),
        dict(renamed=1, created=1, assigned=1, removed=1, archived=1, unchanged=1),
    ),
    "failed half-way": (
        [item("a"), item("b"), item("c")],
        dict(failed=True, changes=[change("create", label="a")], pending=[change("create", label="b")]),
        dict(created=1, pending=1, unchanged=1),
    ),
    "failed before": ([item("a")], dict(failed=True, msg="no"), {}),
    "no mapping": (["a", None], dict(changes=[change("archive", "1", "x")]), dict(archived=1, unchanged=2)),
}


@pytest.mark.parametrize("case", COUNTS)
def test_counts(case):
    items, result, expected = COUNTS[case]
    assert {word: count for word, count in counts_of(items, result).items() if count} == expected


def test_line():
    counts = [counts_of(items, result) for items, result, _expected in COUNTS.values()]
    told = "created 3, renamed 2, restored 1, archived 5, assigned 1, removed 1, unchanged 9, not done 1"
    assert line_of(counts) == told
    assert line_of([], would=True) == "would be created 0, renamed 0, restored 0, archived 0, unchanged 0"


def test_problems_name_project_and_item():
    result = dict(problems=[dict(item=3, project_id=None, problem="it is odd", advice="make it even"), dict(item=None)])
    first, second = problems_of(result, "FILE", "101")
    assert (first["told"], first["project_id"]) == ("FILE, project 101, item 3: it is odd; make it even.", "101")
    assert second["told"].startswith("FILE, project 101: ")
    result["problems"][0]["project_id"] = "7"
    assert problems_of(result, "FILE", "101")[0]["told"].startswith("FILE, project 7, item 3: ")


@pytest.mark.parametrize("problems", [None, [], "no list"])
def test_without_problems_the_message_is_told(problems):
    result = dict(msg="Could not do it.", problems=problems)
    assert [each["told"] for each in problems_of(result, "FILE", "101")] == ["FILE, project 101: Could not do it."]
    assert problems_of(result, "FILE")[0]["told"] == "FILE: Could not do it."


def test_message_has_the_first_ones():
    problems = [dict(told=f"Problem {number}.") for number in range(25)]
    lines = message(problems, "Nothing was written.").splitlines()
    assert lines[:20] == [f"Problem {number}." for number in range(20)]
    assert lines[20:] == ["5 more problems are in the result.", "Nothing was written."]
    assert message(problems[:1]) == "Problem 0."


@pytest.mark.parametrize(
    "result, one",
    [
        ({}, True),
        (dict(failure=dict(kind="refused")), True),
        (dict(failure=dict(kind="input"), problems=[dict(item=1)]), True),
        (dict(failure=dict(kind="input"), problems=[dict(item=None)]), False),
        (dict(failure=dict(kind="input")), False),
        (dict(failure=dict(kind="connection")), False),
        (dict(failure=dict(kind="api")), False),
    ],
)
def test_failures_of_one_project(result, one):
    assert is_of_one_project(result) is one
