# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import InputError
from ansible_collections.community.amplitude.tests.support.rows import validate_all, want

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
    "wrong label": (
        [want("a"), want("b c")],
        "Could not use item 2 in project 1: label cannot be 'b c'; use only letters",
    ),
    "wrong project": ([want("a", project_id="")], "item 1 has no project_id; set it there or for the whole task"),
}


@pytest.mark.parametrize("name", INVALID)
def test_validate_all(name):
    wanted, message = INVALID[name]
    with pytest.raises(InputError, match=message):
        validate_all(wanted)


def test_the_same_labels_in_different_projects():
    validate_all([want("a"), want("a", project_id="2"), want("b"), want(id="7")])


CIRCLES = {
    "itself by way of another": ([("b", "a"), ("a", "b")], "1, 2"),
    "of three, beside others": ([("x", None), ("b", "a"), ("c", "b"), ("a", "c"), ("y", "x")], "2, 3, 4"),
    "a chain that leads into one": ([("b", "a"), ("a", "b"), ("c", "d")], "1, 2"),
    "a chain": ([("b", "a"), ("c", "b"), ("d", "c")], None),
    "a chain, the other way round": ([("d", "c"), ("c", "b"), ("b", "a")], None),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_circles_are_found_in_any_order(name):
    items, told = CIRCLES[name]
    for order in itertools.permutations(range(len(items))):
        wanted = [want(items[index][0], previous_label=items[index][1]) for index in order]
        if told is None:
            validate_all(wanted)
            continue
        numbers = sorted(order.index(int(number) - 1) + 1 for number in told.split(", "))
        with pytest.raises(InputError, match=f": items {', '.join(map(str, numbers))} rename labels in a circle; "):
            validate_all(wanted)


def test_the_same_circle_in_two_projects_is_none():
    validate_all([want("b", previous_label="a"), want("a", previous_label="b", project_id="2")])
