# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One plan for many deployments: chains of renames, wishes that contradict each other, purges and their limits."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Usage, User
from ansible_collections.community.amplitude.plugins.module_utils._errors import InputError, Refused
from ansible_collections.community.amplitude.plugins.module_utils._plan.guards import check_usage
from ansible_collections.community.amplitude.plugins.module_utils._plan.many import plan_all
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import (
    Purge,
    Rules,
    Wanted,
    check_concurrency,
    purge_from,
    validate_all,
    wanted_from,
)


def row(identifier, label, type="client", deleted=False, project_id="1"):
    return Deployment(identifier, project_id, label, "key", type, deleted)


def want(label=None, project_id="1", **options):
    return Wanted(project_id, label, **options)


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


INVALID = {
    "same label twice": (
        [want("a"), want("b"), want("a", state="absent")],
        "items 1 and 3 have the same label 'a' in pr",
    ),
    "same id twice": ([want(id="1"), want("b", id="1")], "items 1 and 2 have the same id 1"),
    "a label that is absent and renamed": (
        [want("a", state="absent"), want("b", previous_label="a")],
        "item 2 is to be renamed from 'a', which item 1 says is absent",
    ),
    "two are renamed from the same label": (
        [want("b", previous_label="a"), want("b", project_id="2", previous_label="a"), want("c", previous_label="a")],
        "items 1 and 3 are both to be renamed from 'a' in project 1; leave out previous_label in one",
    ),
    "labels in a circle": (
        [want("b", previous_label="a"), want("a", previous_label="b")],
        "items 1, 2 rename labels in a circle",
    ),
    "wrong label": ([want("a"), want("b c")], "item 2: label cannot be 'b c'; use only letters"),
    "wrong project": ([want("a", project_id="")], "item 1: project_id is empty"),
}


@pytest.mark.parametrize("name", INVALID)
def test_validate_all(name):
    wanted, message = INVALID[name]
    with pytest.raises(InputError, match=message):
        validate_all(wanted)


def test_the_same_labels_in_different_projects():
    validate_all([want("a"), want("a", project_id="2"), want("b"), want(id="7")])


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


def test_usage_is_a_reason_not_to_archive():
    flag = User("flags", "1", "new-checkout", "New", True, False)
    old = User("flags", "2", "old", None, False, True)
    test = User("experiments", "3", "colours", None, True, False)
    usage = Usage({"1": [flag, test, old], "2": [old]})
    plans = plan_all([want(label, state="absent") for label in "abc"], Observed([A, B, C]), Rules())
    with pytest.raises(
        Refused,
        match=r"the deployment 'a' \(id 1\) is used by flag 'new-checkout', experiment 'colours' \(and by flag 'old', "
        r"archived\); remove it there in Amplitude, or set force to true",
    ):
        check_usage(plans, usage)
    check_usage(plans[1:], usage)
    check_usage(plan_all([want("a"), want("b")], Observed([A, B, C]), Rules()), usage)


OPTIONS = dict(project_id="1", purge=True, purge_limit=None, concurrency=8)
ITEM = dict(label="a", type=None, state="present", id=None, previous_label=None, project_id=None)


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(concurrency=0), "concurrency is 0; give a number from 1 to 32"),
        (dict(concurrency=33), "concurrency is 33"),
        (dict(project_id=None), "item 1 has no project_id; set it there or for the whole task"),
        (dict(project_id=None, deployments=[]), "purge is true, but no project is named"),
        (dict(project_id=""), "item 1 has no project_id"),
        (dict(purge_limit=-1), "purge_limit is -1"),
    ],
)
def test_options_that_cannot_be_used(options, message):
    params = dict(OPTIONS, deployments=[ITEM])
    params.update(options)
    with pytest.raises(InputError, match=message):
        check_concurrency(params["concurrency"])
        purge_from(params, wanted_from(params["deployments"], params["project_id"]))


def test_projects_of_a_purge():
    items = [ITEM, dict(ITEM, project_id="2")]
    params = dict(OPTIONS, deployments=items)
    wanted = wanted_from(items, params["project_id"])
    assert purge_from(params, wanted).project_ids == {"1", "2"}
    assert [each.project_id for each in wanted] == ["1", "2"]
    assert purge_from(dict(params, purge=False), []) is None
