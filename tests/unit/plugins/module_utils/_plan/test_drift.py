# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is called drift: each kind of it, and that it is what amplitude_deployments would do."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Usage
from ansible_collections.community.amplitude.plugins.module_utils._plan.drift import (
    KINDS,
    Row,
    find_drift,
    other_projects,
    summary_of,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Rules, Wanted
from ansible_collections.community.amplitude.tests.support.rows import flag, reading
from ansible_collections.community.amplitude.tests.support.situations import told


def row(identifier, label, type="client", deleted=False, project_id="1"):
    return Deployment(str(identifier), project_id, label, "a-key", type, deleted)


def want(label=None, project_id="1", **options):
    return Wanted(project_id, label, **options)


def drift_of(wanted, rows, projects=("1",), rules=Rules(), usage=None, flags=()):
    return find_drift(wanted, set(projects), Observed(rows), rules, reading(flags), usage)


WEB = row(1, "web")
DEFAULT = row(9, "default", type=None)

#: What is wanted, what there is, and of each row that differs: label, id, kind and a word of the detail.
CASES = {
    "all is well": ([want("web", type="client")], [WEB], []),
    "missing": ([want("web", type="client")], [], [("web", None, "missing", "does not exist")]),
    "missing without a type": ([want("web")], [], [("web", None, "missing", "type is missing")]),
    "missing by id": ([want(id="7")], [], [(None, "7", "missing", "no deployment with the id 7")]),
    "archived": ([want("web")], [row(1, "web", deleted=True)], [("web", "1", "archived", "archived instead of")]),
    "archived and renamed": (
        [want("web", id="1")],
        [row(1, "old", deleted=True)],
        [("web", "1", "archived", "archived instead of active and it has the label 'old'")],
    ),
    "renamed by hand": ([want("web", id="1")], [row(1, "shop")], [("web", "1", "renamed", "has the label 'shop'")]),
    "to be renamed": ([want("web", previous_label="shop")], [row(1, "shop")], [("web", "1", "renamed", "'shop'")]),
    "to be renamed, but of another type": (
        [want("web", previous_label="shop", type="server")],
        [row(1, "shop"), row(2, "web", deleted=True)],
        [("web", "1", "type", "is a client deployment")],
    ),
    "of another type": ([want("web", type="server")], [WEB], [("web", "1", "type", "is a client deployment")]),
    "twice": ([want("web")], [WEB, row(2, "web")], [("web", None, "duplicate", "with the ids 1, 2")]),
    "twice, one listed by its id": (
        [want("web", id="1")],
        [WEB, row(2, "web")],
        [("web", "2", "duplicate", "has the same label as 1")],
    ),
    "twice, both listed by their ids": ([want(id="1"), want(id="2")], [WEB, row(2, "web")], []),
    "twice, neither of them listed": (
        [],
        [WEB, row(2, "web")],
        [("web", "1", "duplicate", "label as 2"), ("web", "2", "duplicate", "label as 1")],
    ),
    "archived twice": (
        [want("web")],
        [row(1, "web", deleted=True), row(2, "web", deleted=True)],
        [("web", None, "duplicate", "2 archived deployments")],
    ),
    "label taken": (
        [want("web", id="2")],
        [WEB, row(2, "api")],
        [("web", "1", "unlisted", "not listed"), ("web", "2", "conflict", "belongs to the active")],
    ),
    "two for one": ([want("web"), want(id="1")], [WEB], [("web", "1", "conflict", "both mean")]),
    "in another project": (
        [want(id="1", project_id="2")],
        [WEB],
        [
            ("web", "1", "unlisted", "not listed"),
            (None, "1", "conflict", "belongs to project 1"),
        ],
    ),  # fmt: skip
    "active although absent": ([want("web", state="absent")], [WEB], [("web", "1", "active", "instead of absent")]),
    "absent as it should be": ([want("web", state="absent")], [row(1, "web", deleted=True)], []),
    "never there": ([want("web", state="absent")], [], []),
    "the default deployment wanted absent": (
        [want("default", state="absent")],
        [DEFAULT],
        [("default", "9", "active", "Web Experiments")],
    ),
    "unlisted": ([], [WEB, DEFAULT, row(3, "old", deleted=True)], [("web", "1", "unlisted", "not listed")]),
    "unlisted in a project that is not asked about": ([], [row(1, "web", project_id="3")], []),
}


@pytest.mark.parametrize("name", CASES)
def test_kinds(name):
    wanted, observed, expected = CASES[name]

    rows = drift_of(wanted, observed, "12")

    told = [each for each in rows if each.drift]
    assert [(each.label, each.id, each.drift) for each in told] == [each[:3] for each in expected]
    for each, (_label, _id, _kind, words) in zip(told, expected):
        assert words in each.detail
    summary = summary_of(rows, {"1", "2"})
    assert summary["drift"] == len(told) and summary["total"] == len(rows)
    assert sum(project["drift"] for project in summary["projects"]) == len(told)
    assert "a-key" not in repr(rows)


def test_rules():
    archived = [row(1, "web", deleted=True)]
    [found] = drift_of([want("web", type="client")], archived, rules=Rules(restore_archived=False))
    assert (found.drift, found.id) == ("missing", None)


def test_unused():
    users = [flag("5", "f", "1"), flag("6", "g", "2", archived=True)]
    observed = [WEB, row(2, "api"), row(3, "job"), row(4, "old", deleted=True), DEFAULT]
    wanted = [want(each) for each in ("web", "api", "job", "new")] + [want("old", state="absent")]

    rows = drift_of(wanted, observed, usage=Usage(users))

    unused = {each.label: each.unused for each in rows}
    assert unused == {"web": False, "api": True, "job": True, "new": None, "old": None, "default": None}
    assert summary_of(rows, {"1"})["unused"] == 2
    assert all(each.unused is None for each in drift_of(wanted, observed))


def test_rows_in_full():
    wanted = [want("web", type="server"), want("new", type="client"), want(id="2"), want("gone", state="absent")]
    rows = drift_of(wanted, [WEB, row(2, "api")], usage=Usage([flag("5", "f", "1")]))

    change = told("create", "new", project_id="1", type="client")
    contradiction = (
        "deployment 'web' (id 1) is a client deployment, and the API cannot change the type; set type to client, or use "
        "another label"
    )
    assert rows == [
        Row("1", "api", "2", "client", False, True, False, None, None, (), True),
        Row("1", "gone", None, None, None, True, False, None, None, (), None),
        Row("1", "new", None, "client", None, True, False, "missing", "it does not exist", [change], None),
        Row("1", "web", "1", "client", False, True, False, "type", contradiction, (), False),
    ]
    kinds = dict(dict.fromkeys(KINDS, 0), missing=1, type=1)
    counts = dict(total=4, drift=2, kinds=kinds, unused=1)
    nothing = dict(total=0, drift=0, kinds=dict.fromkeys(KINDS, 0), unused=0)
    projects = [dict(counts, project_id="1"), dict(nothing, project_id="2"), dict(nothing, project_id="10")]
    assert summary_of(iter(rows), {"10", "1", "2"}) == dict(counts, projects=projects)


def test_changes_of_a_row():
    [found] = drift_of([want("web", id="1")], [row(1, "shop", deleted=True)])
    assert found.changes == [
        told("restore", "shop", project_id="1", id="1"),
        told("rename", "web", project_id="1", id="1", previous_label="shop"),
    ]


def test_order_and_what_is_listed():
    """By project, label and id, and numbers as numbers."""
    wanted = [
        want("z", project_id="2"),
        want("c", type="client"),
        want("a"),
        want(id="8", project_id="2"),
        want(id="99"),
    ]
    observed = [
        row(7, "y", project_id="10"),
        row(5, "z", project_id="2"),
        row(30, "b"),
        DEFAULT,
        row(8, "default", type=None, project_id="2"),
        row(4, "b"),
        row(1, "a"),
    ]

    rows = drift_of(wanted, observed, ["1", "2", "10"])

    assert [(each.project_id, each.label, each.id, each.listed, each.default) for each in rows] == [
        ("1", None, "99", True, False),
        ("1", "a", "1", True, False),
        ("1", "b", "4", False, False),
        ("1", "b", "30", False, False),
        ("1", "c", None, True, False),
        ("1", "default", "9", False, True),
        ("2", "default", "8", True, True),
        ("2", "z", "5", True, False),
        ("10", "y", "7", False, False),
    ]


def test_other_projects():
    """Counted with their default deployments, in the order of their ids, also those in which all is archived."""
    rows = [
        WEB,
        row(2, "web", project_id="10"),
        row(3, "default", type=None, project_id="10"),
        row(4, "old", deleted=True, project_id="10"),
        row(5, "old", deleted=True, project_id="9"),
        row(6, "old", project_id="ignored"),
    ]
    assert other_projects(Observed(rows), {"1", "ignored"}) == [
        dict(project_id="9", active=0, archived=1),
        dict(project_id="10", active=2, archived=1),
    ]
