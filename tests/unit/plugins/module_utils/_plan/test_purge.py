# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import Refused
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Purge, Rules
from ansible_collections.community.amplitude.tests.support.rows import plans_of, row, want, written

A = row("1", "a")

PROJECT = [
    row("5", "e"),
    row("4", "d", deleted=True),
    row("6", "default", type=None),
    A,
    row("10", "b", project_id="2"),
    row("9", "z", project_id="3"),
]


def test_purge_archives_what_is_not_listed():
    plans = plans_of([want("a")], Observed(PROJECT), Rules(force=True), Purge(frozenset({"1", "2"}), 2))
    assert [(each.before.id, each.after.deleted) for each in plans] == [("1", False), ("5", True), ("10", True)]
    assert written(plans) == [(0, "archive", "b"), (0, "archive", "e")]


def test_purge_spares_what_is_listed_as_absent_renamed_or_by_id():
    wanted = [want("a", state="absent"), want("f", previous_label="e"), want(id="10", project_id="2")]
    plans = plans_of(wanted, Observed(PROJECT), Rules(), Purge(frozenset({"1", "2"}), 0))
    assert len(plans) == 3


@pytest.mark.parametrize(
    "wanted, limit, message",
    [
        ([want("a")], 1, None),
        ([want("a")], 0, r"project 1: 1 deployment would be archived, but purge_limit is 0: 'e' \(id 5\); list"),
        ([want("a")], 0, r"project 2: 1 deployment would be archived, but purge_limit is 0: 'b' \(id 10\); list"),
        (
            [],
            None,
            "project 1: no listed deployment is to be present in project 1, so all deployments there would be archived: "
            r"'a' \(id 1\), 'e' \(id 5\); set purge_limit to at least 2",
        ),
        (
            [],
            None,
            "project 2: no listed deployment is to be present in project 2, so all deployments there would be archived: "
            r"'b' \(id 10\); set purge_limit to at least 1",
        ),
        ([], 1, "project 1: 2 deployments would be archived, but purge_limit is 1"),
        ([], 2, None),
        (
            [want("a")],
            None,
            "project 2: no listed deployment is to be present in project 2, so all deployments there would be archived",
        ),
        ([want("a"), want("b", project_id="2", state="absent")], None, None),
        (
            [want("a"), want("c", project_id="2", state="absent")],
            None,
            r"project 2: no listed .* present in project 2, so all .*: 'b' \(id 10\); set .* least 1",
        ),
        ([want("a"), want("c", project_id="2", type="client")], None, None),
        ([want("a"), want(project_id="2", id="10")], None, None),
    ],
)
def test_purge_limit(wanted, limit, message):
    purge = Purge(frozenset({"1", "2"}), limit)
    if message is None:
        assert plans_of(wanted, Observed(PROJECT), Rules(), purge)
    else:
        with pytest.raises(Refused, match="Could not purge " + message):
            plans_of(wanted, Observed(PROJECT), Rules(), purge)


def test_projects_of_a_purge_are_told_by_their_numbers():
    rows = [*PROJECT, row("11", "y", project_id="10")]
    with pytest.raises(Refused, match="purge project 2: no .* Could not purge project 10: no "):
        plans_of([], Observed(rows), Rules(), Purge(frozenset({"10", "2"})))


def test_usual_purge_limit():
    rows = [row(str(number), f"label{number}") for number in range(12)]
    with pytest.raises(Refused, match="11 deployments would be archived, but purge_limit is 10"):
        plans_of([want("label0")], Observed(rows), Rules(), Purge(frozenset({"1"})))
    assert len(plans_of([want("label0"), want("label1")], Observed(rows), Rules(), Purge(frozenset({"1"})))) == 12
