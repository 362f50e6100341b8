# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One plan for many deployments: chains of renames, wishes that contradict each other, purges and their limits."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import Refused
from ansible_collections.community.amplitude.plugins.module_utils._plan.many import plan_all
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Purge, Rules, validate_all
from ansible_collections.community.amplitude.tests.support.rows import row, want


def written(plans):
    """The changes in the order of the waves: (wave, action, label)."""
    return sorted((each.wave, change.action, change.label) for each in plans for change in each.changes)


A, B, C = row("1", "a"), row("2", "b"), row("3", "c")

CHAINS = {
    "independent": (
        [A, C],
        [want("b", type="client"), want("d", previous_label="a"), want("c", state="absent")],
        [(0, "archive", "c"), (0, "create", "b"), (0, "rename", "d")],
    ),
    "chain by previous_label": (
        [A, B],
        [want("b", previous_label="a"), want("c", previous_label="b")],
        [(0, "rename", "c"), (1, "rename", "b")],
    ),
    "chain by previous_label, the other way round": (
        [A, B],
        [want("c", previous_label="b"), want("b", previous_label="a")],
        [(0, "rename", "c"), (1, "rename", "b")],
    ),
    "an id gives up its label": (
        [A],
        [want("a", type="client"), want("b", id="1")],
        [(0, "rename", "b"), (1, "create", "a")],
    ),
    "chain of three": (
        [A, B, C],
        [want("b", previous_label="a"), want("c", previous_label="b"), want("d", previous_label="c")],
        [(0, "rename", "d"), (1, "rename", "c"), (2, "rename", "b")],
    ),
    "chain that is half done": (
        [A, C],
        [want("b", previous_label="a"), want("c", previous_label="b")],
        [(0, "rename", "b")],
    ),
    "chain that is done": ([B, C], [want("b", previous_label="a"), want("c", previous_label="b")], []),
    "chain by id": (
        [A, B],
        [want("b", id="1"), want("c", id="2")],
        [(0, "rename", "c"), (1, "rename", "b")],
    ),
    "the label of a renamed one is created anew": (
        [B],
        [want("b", type="client"), want("c", previous_label="b")],
        [(0, "rename", "c"), (1, "create", "b")],
    ),
    "the label of one that is archived by its id": (
        [A, B],
        [want("b", id="1"), want(id="2", state="absent")],
        [(0, "archive", "b"), (1, "rename", "b")],
    ),
    "the label of an archived one that is renamed": (
        [row("1", "a", deleted=True)],
        [want("a", type="client"), want("b", id="1")],
        [(0, "rename", "b"), (0, "restore", "a"), (1, "create", "a")],
    ),
    "a previous_label of what is absent has no meaning": (
        [A],
        [want("b", previous_label="a"), want("c", previous_label="a", state="absent")],
        [(0, "rename", "b")],
    ),
    "what is absent is no longer to be renamed": (
        [B],
        [want("b", previous_label="a", state="absent"), want("a", previous_label="b", state="absent")],
        [(0, "archive", "b")],
    ),
    "another project does not matter": (
        [A, row("9", "b", project_id="2")],
        [want("b", previous_label="a"), want("c", project_id="2", previous_label="b")],
        [(0, "rename", "b"), (0, "rename", "c")],
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_plan_all(name):
    rows, wanted, expected = CHAINS[name]
    validate_all(wanted)
    plans = plan_all(wanted, Observed(rows), Rules())
    assert [each.wanted for each in plans] == wanted
    assert written(plans) == expected

    left = {each.before.id for each in plans if each.before is not None}
    after = [each for each in rows if each.id not in left]
    after += [
        each.after._replace(id=each.after.id or f"9{number}")
        for number, each in enumerate(plans)
        if each.after is not None
    ]
    active = [(each.project_id, each.label) for each in after if not each.deleted]
    assert len(set(active)) == len(active)
    if name != "the label of one that is archived by its id":
        assert written(plan_all(wanted, Observed(after), Rules())) == []


REFUSED = {
    "swap by id": (
        [A, B],
        [want("b", id="1"), want("a", id="2")],
        "label 'b' belongs to the active deployment with the id 2 already",
    ),
    "two mean the same one": (
        [A],
        [want("a"), want(id="1")],
        r"deployment \(id 1\) in project 1 and deployment 'a' in project 1 both mean the deployment 'a' with the id 1",
    ),
    "what is absent by its label is present by its id": (
        [A, row("2", "a", deleted=True)],
        [want(id="2"), want("a", state="absent")],
        r"deployment \(id 2\) in project 1 and deployment 'a' in project 1 both mean the deployment 'a' with the id 2",
    ),
    "one of many is ambiguous": ([A, row("4", "a")], [want("c", type="client"), want("a")], "ids 1, 4; say with id"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_plan_all_refuses(name):
    rows, wanted, message = REFUSED[name]
    validate_all(wanted)
    with pytest.raises(Refused, match=message):
        plan_all(wanted, Observed(rows), Rules())


PROJECT = [
    row("5", "e"),
    row("4", "d", deleted=True),
    row("6", "default", type=None),
    A,
    row("10", "b", project_id="2"),
    row("9", "z", project_id="3"),
]


def test_purge_archives_what_is_not_listed():
    plans = plan_all([want("a")], Observed(PROJECT), Rules(force=True), Purge(frozenset({"1", "2"}), 2))
    assert [(each.before.id, each.after.deleted) for each in plans] == [("1", False), ("5", True), ("10", True)]
    assert written(plans) == [(0, "archive", "b"), (0, "archive", "e")]


def test_purge_spares_what_is_listed_as_absent_renamed_or_by_id():
    wanted = [want("a", state="absent"), want("f", previous_label="e"), want(id="10", project_id="2")]
    plans = plan_all(wanted, Observed(PROJECT), Rules(), Purge(frozenset({"1", "2"}), 0))
    assert len(plans) == 3


@pytest.mark.parametrize(
    "wanted, limit, message",
    [
        ([want("a")], 1, r"2 deployments would be archived, but purge_limit is 1: 'e' \(id 5\), 'b' \(id 10\); list"),
        ([want("a")], 0, "2 deployments would be archived, but purge_limit is 0"),
        (
            [],
            None,
            "none of the deployments is to be present in project 1, 2, so that all there would be archived: "
            r"'a' \(id 1\), 'e' \(id 5\), 'b' \(id 10\); set purge_limit to at least 3",
        ),
        ([], 2, "3 deployments would be archived, but purge_limit is 2"),
        ([], 3, None),
        (
            [want("a")],
            None,
            "none of the deployments is to be present in project 2, so that all there would be archived",
        ),
        ([want("a"), want("b", project_id="2", state="absent")], None, None),
        (
            [want("a"), want("c", project_id="2", state="absent")],
            None,
            r"none of the .* present in project 2, so that all there would be archived: 'b' \(id 10\); set .* least 2",
        ),
        ([want("a"), want("c", project_id="2", type="client")], None, None),
        ([want("a"), want(project_id="2", id="10")], None, None),
    ],
)
def test_purge_limit(wanted, limit, message):
    purge = Purge(frozenset({"1", "2"}), limit)
    if message is None:
        assert plan_all(wanted, Observed(PROJECT), Rules(), purge)
    else:
        with pytest.raises(Refused, match="Could not purge project 1, 2: " + message):
            plan_all(wanted, Observed(PROJECT), Rules(), purge)


def test_usual_purge_limit():
    rows = [row(str(number), f"label{number}") for number in range(12)]
    with pytest.raises(Refused, match="11 deployments would be archived, but purge_limit is 10"):
        plan_all([want("label0")], Observed(rows), Rules(), Purge(frozenset({"1"})))
    assert len(plan_all([want("label0"), want("label1")], Observed(rows), Rules(), Purge(frozenset({"1"})))) == 12
