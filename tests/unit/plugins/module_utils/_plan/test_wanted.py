# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with what is wanted is found before anything is asked of the API, each item alone and all together."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import InputError
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import (
    Purge,
    Wanted,
    check_concurrency,
    purge_from,
    takers,
    validate,
    wanted_from,
    wanted_one,
)
from ansible_collections.community.amplitude.tests.support.rows import validate_all, want


@pytest.mark.parametrize(
    "wanted, error",
    [
        (Wanted("", "web"), "project_id is empty"),
        (Wanted("1 2", "web"), "project_id cannot be '1 2'"),
        (Wanted("1", ""), "label cannot be ''"),
        (Wanted("1"), "neither label nor id is set"),
        (Wanted("1", state="absent", type="client"), "neither label nor id is set"),
        (Wanted("1", "my app"), "label cannot be 'my app'"),
        (Wanted("1", "café"), "label cannot be 'café'"),
        (Wanted("1", "web\n"), r"label cannot be 'web\\n'"),
        (Wanted("1", "web/app"), "label cannot be 'web/app'"),
        (Wanted("1", "web", id=""), "id is empty"),
        (Wanted("1", "web", id="../1"), None),
        (Wanted("1", "web", previous_label="web"), "previous_label is the same as label"),
        (Wanted("1", "Web_2-b"), None),
        (Wanted("1", None, id="5"), None),
    ],
)
def test_validate(wanted, error):
    if error is None:
        validate(wanted)
    else:
        with pytest.raises(InputError, match=error):
            validate(wanted)


OPTIONS = dict(project_id="1", purge=True, purge_limit=None, concurrency=8)
ITEM = dict(label="a", type=None, state="present", id=None, previous_label=None, project_id=None)


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(concurrency=0), "concurrency is 0; use a number from 1 to 32"),
        (dict(concurrency=33), "concurrency is 33"),
        (dict(project_id=None), "item 1 has no project_id; set it there or for the whole task"),
        (dict(project_id=None, deployments=[]), "purge is true, but no project is named"),
        (dict(project_id=""), "item 1 has no project_id"),
        (dict(project_id="", deployments=[]), "project_id is empty"),
        (dict(project_id="1 2", deployments=[]), "project_id cannot be '1 2'"),
        (dict(purge_limit=-1), "purge_limit is -1"),
    ],
)
def test_options_that_cannot_be_used(options, message):
    params = dict(OPTIONS, deployments=[ITEM])
    params.update(options)
    with pytest.raises(InputError, match=message):
        check_concurrency(params["concurrency"])
        wanted = wanted_from(params["deployments"], params["project_id"])
        validate_all(wanted)
        purge_from(params, wanted)


@pytest.mark.parametrize("concurrency", [1, 32])
def test_concurrency_that_can_be_used(concurrency):
    assert check_concurrency(concurrency) == concurrency


@pytest.mark.parametrize("limit", [None, 0, 10**6])
def test_purge_limit_that_can_be_used(limit):
    assert purge_from(dict(OPTIONS, purge_limit=limit), [want("a")]) == Purge(frozenset({"1"}), limit)


def test_projects_of_a_purge():
    items = [ITEM, dict(ITEM, project_id="2")]
    params = dict(OPTIONS, deployments=items)
    wanted = wanted_from(items, params["project_id"])
    assert purge_from(params, wanted).project_ids == {"1", "2"}
    assert [each.project_id for each in wanted] == ["1", "2"]
    assert purge_from(dict(params, purge=False), []) is None


#: An item in which no option is set.
NOTHING = dict(ITEM, label=None)


@pytest.mark.parametrize(
    "given, wanted",
    [
        (dict(label="web"), want("web")),
        (dict(label="web", type="", id="", previous_label="", project_id=""), want("web")),
        (dict(label="web", type=None, id=None, previous_label=None, project_id=None), want("web")),
        (dict(label="", id="7"), want(id="7")),
        (dict(label="web", project_id="2"), want("web", project_id="2")),
        (dict(label="web", state="absent", type="client"), want("web", state="absent", type="client")),
    ],
)
def test_blank_is_not_set(given, wanted):
    assert wanted_one(dict(NOTHING, **given), "1") == wanted


@pytest.mark.parametrize("blank", [None, ""])
@pytest.mark.parametrize("rest", [dict(state="absent"), dict(type="client"), dict(previous_label="web"), dict()])
def test_blank_label_names_nothing(blank, rest):
    """It must not mean the deployment whose label is empty."""
    with pytest.raises(InputError, match="neither label nor id is set; set label, or id, to say which one is meant"):
        validate(wanted_one(dict(NOTHING, label=blank, **rest), "1"))
    with pytest.raises(InputError, match="item 2 in project 1: neither label nor id is set"):
        validate_all(wanted_from([dict(NOTHING, label="web"), dict(NOTHING, label=blank, **rest)], "1"))


@pytest.mark.parametrize(
    "wanted, text",
    [
        (want("web"), "deployment 'web' in project 1"),
        (want("web", id="7"), "deployment 'web' (id 7) in project 1"),
        (want(id="7", project_id="2"), "deployment (id 7) in project 2"),
    ],
)
def test_what_is_wanted_in_words(wanted, text):
    assert str(wanted) == text


def test_takers():
    wanted = [
        want("b", previous_label="a"),
        want("c", previous_label="b", state="absent"),
        want("d", previous_label="a", project_id="2"),
        want("e"),
    ]
    assert takers(wanted) == {("1", "a"): 0, ("2", "a"): 2}


#: Whether the items, each (label, previous_label), hand labels on in a circle; and the numbers that are told.
