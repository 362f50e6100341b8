# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The planner decides every situation of the table as the table says, without HTTP and without Ansible."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment
from ansible_collections.community.amplitude.plugins.module_utils._errors import Ambiguous, NotFound, Refused
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed, active_with_key, plan
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Rules, Wanted
from ansible_collections.community.amplitude.tests.support.situations import SITUATIONS, Situation


def observed(situation: Situation) -> Observed:
    rows = [
        Deployment(str(row["id"]), row["projectId"], row["label"], "key", row["type"], row["deleted"])
        for row in situation.rows()
    ]
    random.Random(situation.name).shuffle(rows)
    return Observed(rows)


def decide(situation: Situation, existing: Observed):
    options = dict(situation.ask)
    rules = Rules(**{name: options.pop(name) for name in Rules._fields if name in options})
    return plan(Wanted(project_id=situation.project, **options), existing, rules)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_plan(situation):
    existing = observed(situation)
    if situation.error is not None:
        with pytest.raises(Refused, match=situation.error):
            decide(situation, existing)
        return

    decision = decide(situation, existing)

    assert [change._asdict() for change in decision.changes] == situation.expected_changes()
    assert bool(decision.changes) == (decision.before != decision.after)
    if situation.deployment is None:
        assert decision.after is None
    else:
        after = decision.after._asdict()
        assert {field: after[field] for field in situation.deployment} == situation.deployment


@pytest.mark.parametrize(
    "situation",
    [situation for situation in SITUATIONS if situation.changes],
    ids=lambda situation: situation.name,
)
def test_plan_is_reached_by_its_own_changes(situation):
    """After the changes, the same wish plans none."""
    decision = decide(situation, observed(situation))
    rows = {row["id"]: row for row in situation.rows()}
    after = [
        Deployment(str(row["id"]), row["projectId"], row["label"], "key", row["type"], row["deleted"])
        for row in rows.values()
        if str(row["id"]) != decision.after.id
    ]
    after.append(decision.after._replace(id=decision.after.id or "9999", key="key"))

    again = decide(situation, Observed(after))

    assert again.changes == ()


@pytest.mark.parametrize(
    "rows, told",
    [
        ([("1", "web", "a-key", False)], None),
        ([("2", "web", "old-key", True), ("1", "web", "a-key", False)], None),
        ([], "there is no deployment with this label; correct label or project_id, or create it first"),
        ([("1", "Web", "a-key", False)], "there is no deployment with this label"),
        (
            [("3", "web", None, True), ("2", "web", None, True)],
            r"it is archived \(id 2, 3\); use another label, or create a new one with the module",
        ),
        (
            [("2", "web", "a-key", False), ("1", "web", "a-key", False)],
            "several active deployments have this label, with the ids 1, 2; archive or rename all but the one",
        ),
        ([("1", "web", None, False)], r"the API lists deployment 'web' \(id 1\) without a key; ask Amplitude for it"),
        ([("1", "web", "", False)], r"the API lists deployment 'web' \(id 1\) without a key"),
    ],
)
def test_active_with_key(rows, told):
    rows = [Deployment(identifier, "1", label, key, None, deleted) for identifier, label, key, deleted in rows]
    rows.append(Deployment("9", "2", "web", "key-of-another-project", None, False))
    if told is None:
        assert active_with_key(Wanted("1", "web"), Observed(rows)).key == "a-key"
    else:
        with pytest.raises(
            Refused, match="Could not look up the key of deployment 'web' in project 1: " + told
        ) as caught:
            active_with_key(Wanted("1", "web"), Observed(rows))
        assert isinstance(caught.value, NotFound) is ("several" not in told and "without" not in told)


@pytest.mark.parametrize(
    "before, after, expected",
    [
        (None, None, ({}, {})),
        (None, ("web", "client", False), ({}, {"project_id": "1", "label": "web", "type": "client"})),
        (
            ("web", "client", True),
            ("web", "client", False),
            ({}, {"project_id": "1", "label": "web", "type": "client"}),
        ),
        (("web", None, False), ("web", None, True), ({"project_id": "1", "label": "web", "type": None}, {})),
    ],
)
def test_diff_has_the_managed_fields_and_no_key(before, after, expected):
    def row(fields):
        return fields and Deployment("7", "1", fields[0], "server-secret", fields[1], fields[2])

    decision = decide(SITUATIONS[0], Observed([]))._replace(before=row(before), after=row(after))

    assert decision.diff() == {"before": expected[0], "after": expected[1]}


def test_situations_do_not_meet():
    """All situations are seeded into one account, so no two may share a project or an id."""
    projects = [situation.project for situation in SITUATIONS]
    ids = [row["id"] for situation in SITUATIONS for row in situation.rows()]
    foreign = {row["projectId"] for situation in SITUATIONS for row in situation.rows()} - set(projects)
    assert len(set(projects)) == len(projects)
    assert len(set(ids)) == len(ids)
    assert all(project.startswith("2") for project in foreign)


@pytest.mark.parametrize("deleted", [False, True])
def test_only_several_active_ones_may_become_one(deleted):
    rows = [Deployment(identifier, "1", "web", "key", "client", deleted) for identifier in ("1", "2")]
    with pytest.raises(Ambiguous) as caught:
        plan(Wanted("1", "web", "client"), Observed(rows), Rules())
    assert caught.value.passing is not deleted


def test_lowest_id_is_that_of_the_lowest_number():
    rows = [Deployment(identifier, "1", "web", "key", "client", False) for identifier in ("10", "b", "9", "a", "111")]
    found = Observed(rows).with_label("1", "web", deleted=False)
    assert [row.id for row in found] == ["9", "10", "111", "a", "b"]


@pytest.mark.parametrize(
    "wanted, told",
    [
        (
            Wanted("1", id="7", state="absent"),
            "There is no deployment with the id 7, so nothing is archived: is the",
        ),
        (Wanted("1", "web", id="7", state="absent"), "There is no deployment with the id 7, "),
        (Wanted("1", id="6", state="absent"), None),
        (Wanted("1", id="5", state="absent"), None),
        (Wanted("1", "new", state="absent"), None),
        (Wanted("1", "new", type="client"), None),
    ],
)
def test_absent_with_an_id_that_nothing_has(wanted, told):
    rows = [Deployment("5", "1", "web", "key", "client", False), Deployment("6", "1", "old", "key", "client", True)]
    warnings = plan(wanted, Observed(rows), Rules()).warnings
    assert len(warnings) == (told is not None)
    assert told is None or warnings[0].startswith(told)


def test_projects_of_which_nothing_is_listed_are_told_in_order():
    """Whatever the order of the set that has them."""
    observed = Observed([Deployment("5", "200", "web", "key", "client", False)])
    for order in itertools.permutations(["30", "4", "b", "a", "200"]):
        warnings = observed.warnings_about(order)
        told = [re.match(r"No deployment of project (\w+) is listed", each) for each in warnings]
        assert [each and each.group(1) for each in told] == ["4", "30", "a", "b"]


@pytest.mark.parametrize(
    "found, wanted",
    [
        ([("web", "server", True)], Wanted("1", "web", "client", "absent")),
        ([("web", "server", True)], Wanted("1", None, "client", "absent", id="5")),
        ([("web", None, True)], Wanted("1", "web", state="absent")),
        ([("web", None, True)], Wanted("1", None, state="absent", id="5")),
        ([("web", "client", True), ("web", "client", True)], Wanted("1", "web", state="absent")),
        ([("web", "client", False)], Wanted("1", "Web", state="absent")),
        ([], Wanted("1", "web", "client", "absent")),
    ],
)
def test_absent_where_nothing_is_active(found, wanted):
    """Whatever is archived already is as it should be, of another type or a default one too."""
    rows = [
        Deployment(str(5 + number), "1", label, "key", type, deleted)
        for number, (label, type, deleted) in enumerate(found)
    ]
    decision = plan(wanted, Observed(rows), Rules())
    assert decision.changes == () and decision.before == decision.after
