# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One plan for many deployments: who goes before whom, wishes that contradict each other, purges and their limits."""

from __future__ import annotations

import itertools
import random
import sys
import typing as t

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AmplitudeError,
    LabelTaken,
    NotFound,
    Refused,
    TypeContradiction,
    refusal,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.invalid import find_invalid
from ansible_collections.community.amplitude.plugins.module_utils._plan.many import Places, plan_all, plan_each
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import (
    Purge,
    Rules,
    Wanted,
)
from ansible_collections.community.amplitude.tests.support.rows import plans_of, row, validate_all, want, written

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
    plans = plans_of(wanted, Observed(rows), Rules())
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
        assert written(plans_of(wanted, Observed(after), Rules())) == []


#: What there is, what is wanted, and of each item the numbers of those that have to go before, and its wave.
NEEDS: dict[str, tuple[list[t.Any], list[Wanted], list[tuple[tuple[int, ...], int]]]] = {
    "one that takes a label over goes before the one that makes it anew, also where both are creates": (
        [],
        [want("b", type="client"), want("c", type="client", previous_label="b")],
        [((1,), 1), ((), 0)],
    ),
    "a rename before a create": (
        [B],
        [want("b", type="client"), want("c", previous_label="b")],
        [((1,), 1), ((), 0)],
    ),
    "one that has taken it over already is not waited for": (
        [C],
        [want("b", type="client"), want("c", previous_label="b")],
        [((), 0), ((), 0)],
    ),
    "three creates that take over from each other": (
        [],
        [want(each, type="client", previous_label=old) for each, old in zip("bcd", [None, "b", "c"])],
        [((1,), 2), ((2,), 1), ((), 0)],
    ),
    "an archive before a restore": (
        [A, row("5", "a", deleted=True)],
        [want("a", id="5"), want(id="1", state="absent")],
        [((1,), 1), ((), 0)],
    ),
    "an archive needs nobody": (
        [A, B],
        [want("a", state="absent"), want(id="2", label="x")],
        [((), 0), ((), 0)],
    ),
    "two that need the same one": (
        [row("5", "a", deleted=True), row("6", "a")],
        [want("a", type="client"), want(id="6", label="x"), want(id="5", label="y")],
        [((1, 2), 1), ((), 0), ((), 0)],
    ),
    "another project is not waited for": (
        [B],
        [want("b", project_id="2", type="client"), want("c", previous_label="b")],
        [((), 0), ((), 0)],
    ),
}


@pytest.mark.parametrize("name", NEEDS)
def test_needs_and_waves(name):
    rows, wanted, expected = NEEDS[name]
    for order in itertools.permutations(range(len(wanted))):
        plans = plans_of([wanted[index] for index in order], Observed(rows), Rules())
        told = {index: ({order[each] for each in plan.needs}, plan.wave) for index, plan in zip(order, plans)}
        assert told == {index: (set(needs), wave) for index, (needs, wave) in enumerate(expected)}


LABELS = st.sampled_from("abcd")
ROWS = st.lists(st.tuples(LABELS, st.booleans()), max_size=4).map(
    lambda found: [row(str(5 + number), label, deleted=deleted) for number, (label, deleted) in enumerate(found)]
)
STATES = st.sampled_from(["present", "present", "absent"])
BY_ID = st.builds(Wanted, st.just("1"), st.none() | LABELS, st.none(), STATES, st.sampled_from("5678"))
BY_LABEL = st.builds(Wanted, st.just("1"), LABELS, st.just("client"), STATES, st.none(), st.none() | LABELS)


@st.composite
def lists(draw):
    """What there is, and a list that can be planned."""
    rows, wanted, rules = draw(ROWS), draw(st.lists(BY_ID | BY_LABEL, max_size=4)), Rules(draw(st.booleans()))
    try:
        validate_all(wanted)
    except AmplitudeError:
        assume(False)
    return rows, wanted, rules


def planned(wanted, rows, rules):
    """The plan of each item, or that it is refused."""
    try:
        return {each.wanted: each[1:4] for each in plans_of(wanted, Observed(rows), rules)}
    except Refused:
        return None


@given(lists(), st.randoms(use_true_random=False))
def test_order_of_the_items_does_not_matter(given_lists, chance):
    rows, wanted, rules = given_lists
    other = list(wanted)
    chance.shuffle(other)
    assert planned(wanted, rows, rules) == planned(other, rows, rules)


@given(lists(), st.randoms(use_true_random=False))
def test_no_label_is_active_twice_between_two_writes(given_lists, chance):
    """The writes of one wave may be carried out in any order."""
    rows, wanted, rules = given_lists
    try:
        plans = [each for each in plans_of(wanted, Observed(rows), rules) if each.changes]
    except Refused:
        assume(False)
    held = {each.id: each for each in rows}
    before = [each.label for each in rows if not each.deleted]
    chance.shuffle(plans)
    for number, each in enumerate(sorted(plans, key=lambda plan: plan.wave)):
        held[each.after.id or f"new {number}"] = each.after
        active = [one.label for one in held.values() if not one.deleted]
        assert all(active.count(label) <= max(1, before.count(label)) for label in active)


def opcodes(function: t.Callable[[], t.Any]) -> int:
    """How many steps of Python's machine a call takes: as good as its time, and the same on each machine."""
    count = 0

    def trace(frame: t.Any, event: str, arg: t.Any) -> t.Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def chain_by_previous_label(number):
    rows = [row(str(each), f"a{each}") for each in range(number)]
    return rows, [want(f"a{each + 1}", previous_label=f"a{each}") for each in range(number)]


def chain_by_ids(number):
    rows = [row(str(each), f"a{each}") for each in range(number)]
    return rows, [want(f"a{each + 1}", id=str(each)) for each in range(number)]


def chain_of_creates(number):
    return [], [
        want(f"a{each + 1}", type="client", previous_label=f"a{each}" if each else None) for each in range(number)
    ]


@pytest.mark.parametrize("order", ["rising", "shuffled"])
@pytest.mark.parametrize("chain", [chain_by_previous_label, chain_by_ids, chain_of_creates])
def test_work_grows_with_the_number_of_items(chain, order):
    """A thousand items in the worst order take about ten times as much as a hundred, and not a hundred times."""

    def work(number):
        rows, wanted = chain(number)
        if order == "shuffled":
            random.Random(7).shuffle(wanted)
        plans = []
        count = opcodes(lambda: (validate_all(wanted), plans.extend(plans_of(wanted, Observed(rows), Rules()))))
        assert sorted(each.wave for each in plans) == list(range(number))
        return count

    assert work(1000) < 12 * work(100)


#: What there is by id and by the item that it was written for, what is wanted, and what is done for each item.
OWN = {
    "what was made for one is not renamed for another": (
        {"10": ("b", 0)},
        [want("b", type="client"), want("c", type="client", previous_label="b")],
        [[], ["create c"]],
    ),
    "if it was not, it is renamed": (
        {"10": ("b", None)},
        [want("b", type="client"), want("c", type="client", previous_label="b")],
        [["create b"], ["rename c"]],
    ),
    "what was found for itself is renamed": (
        {"10": ("b", 1)},
        [want("b", type="client"), want("c", type="client", previous_label="b")],
        [["create b"], ["rename c"]],
    ),
    "what was made for another one, and was renamed by hand to the label that is to be taken over": (
        {"10": ("b", 1)},
        [want("c", type="client", previous_label="b"), want("d", type="client")],
        [["create c"], ["create d"]],
    ),
    "what has the wanted label itself is found whoever has made it": (
        {"10": ("c", 0)},
        [want("b", type="client"), want("c", type="client", previous_label="b")],
        [["create b"], []],
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_own_deployments_when_it_is_decided_again(name):
    found, wanted, expected = OWN[name]
    rows = [row(identifier, label) for identifier, (label, dummy) in found.items()]
    own = {identifier: index for identifier, (dummy, index) in found.items() if index is not None}
    plans, refusals, dummy = plan_each(wanted, Observed(rows), Rules(), own)
    assert not refusals
    assert [
        [f"{each.action} {each.label}" for each in plans[index].changes] for index in range(len(wanted))
    ] == expected


def test_an_interrupted_list_goes_on_beside_a_deployment_of_another_type():
    wanted = [want("b", type="server"), want("c", type="client", previous_label="b")]
    plans, refusals, dummy = plan_each(wanted, Observed([row("10", "b", type="server")]), Rules(), {"10": 0})
    assert not refusals and [len(plans[index].changes) for index in (0, 1)] == [0, 1]


def test_a_label_that_is_taken_is_told_after_the_other_items():
    """It may only be so because of what was refused for another reason."""
    rows = [A, B, row("3", "c", type="server")]
    wanted = [want("b", id="1"), want("d"), want("c", type="client"), want("a", id="2")]
    plans, problems, _listed = plan_all(Places(wanted), Observed(rows), Rules(), Purge(frozenset({"1"}), 0))
    assert plans == {} and [each.item for each in problems] == [1, 2, 3, 4]
    told = refusal(problems).problems
    assert [(each.item, type(each.error)) for each in told] == [
        (2, NotFound),
        (3, TypeContradiction),
        (1, LabelTaken),
        (4, LabelTaken),
    ]


#: What there is, what is wanted, and the problems as (item, project, label, id, a part of the sentence); the changes that
#: remain are those of all other items.
EVERYTHING_AT_ONCE: dict[str, t.Any] = {
    "each of the stages": (
        [A, row("4", "a"), row("5", "s", type="server"), row("6", "z", project_id="2"), row("7", "x")],
        [
            want("a"),
            want("new", type="client"),
            want("s", type="client"),
            want("y"),
            want("q", id="99"),
            want("p", project_id="2", id="7"),
        ],
        {"1", "2"},
        [
            (1, "1", "a", None, "ensure that deployment 'a' in project 1 is present (item 1): there are 2 active"),
            (3, "1", "s", None, "(item 3): deployment 's' (id 5) is a server deployment"),
            (4, "1", "y", None, "(item 4): it does not exist, and type is missing"),
            (5, "1", "q", "99", "(item 5): there is no deployment with the id 99"),
            (6, "2", "p", "7", "(item 6): deployment 'x' (id 7) belongs to project 1"),
            (None, "1", None, None, "purge project 1: 1 deployment would be archived"),
            (None, "2", None, None, "purge project 2: 1 deployment would be archived"),
        ],
        ["create new"],
    ),
    "what a refused item means is not purged too": (
        [A, row("4", "a"), row("5", "old", type="server")],
        [want("a"), want("shop", previous_label="old", type="client")],
        {"1"},
        [(1, "1", "a", None, "there are 2 active"), (2, "1", "shop", None, "is a server deployment")],
        [],
    ),
}


@pytest.mark.parametrize("name", EVERYTHING_AT_ONCE)
def test_everything_that_is_refused_is_told_at_once(name):
    rows, wanted, projects, expected, left = EVERYTHING_AT_ONCE[name]
    plans, problems, _listed = plan_all(Places(wanted), Observed(rows), Rules(), Purge(frozenset(projects), 0))
    assert [tuple(each[1:]) for each in problems] == [each[:4] for each in expected]
    for problem, (*dummy, words) in zip(problems, expected):
        assert words in str(problem.error)
        assert str(problem.error) in str(refusal(problems))
    assert [f"{change.action} {change.label}" for each in plans.values() for change in each.changes] == left


def test_an_item_that_is_wrong_in_itself_is_left_out():
    wanted = [want("a b", id="1"), want("new", type="client"), want("b")]
    plans, problems, listed = plan_all(
        Places(wanted), Observed([A, B]), Rules(), Purge(frozenset({"1"}), 0), find_invalid(wanted).places
    )
    assert sorted(plans) == [1, 2] and problems == [] and listed == {A.id, B.id}


REFUSED = {
    "swap by id": (
        [A, B],
        [want("b", id="1"), want("a", id="2")],
        "label 'b' already belongs to the active deployment with the id 2",
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
    "one of many is ambiguous": ([A, row("4", "a")], [want("c", type="client"), want("a")], "ids 1, 4; set id"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_plan_all_refuses(name):
    rows, wanted, message = REFUSED[name]
    validate_all(wanted)
    with pytest.raises(Refused, match=message):
        plans_of(wanted, Observed(rows), Rules())
    plans, refusals, dummy = plan_each(wanted, Observed(rows), Rules())
    assert sorted([*plans, *refusals]) == list(range(len(wanted)))
