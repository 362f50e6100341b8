# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shown on screen: few lines, none of them too long, and in each what matters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.plugin_utils import _screen
from ansible_collections.community.amplitude.plugins.plugin_utils._screen import audited, planned, table
from ansible_collections.community.amplitude.plugins.plugin_utils._told import counts_of

KINDS = ("missing", "archived", "conflict")


def row(number, drift=None, label=None, unused=False, detail="it is so"):
    return dict(
        project_id=str(100 + number % 3),
        label=label or f"app-{number}",
        id=None if drift == "missing" else str(5000 + number),
        type="client",
        drift=drift,
        detail=detail if drift else None,
        unused=unused,
    )


def found(rows, others=()):
    kinds = {kind: sum(each["drift"] == kind for each in rows) for kind in KINDS}
    summary = dict(total=len(rows), drift=sum(kinds.values()), kinds=kinds)
    return dict(deployments=rows, summary=summary, other_projects=list(others))


def change(number, action="create", **fields):
    nothing = dict.fromkeys(("id", "previous_label", "type", "flag", "experiment"))
    return dict(nothing, project_id="101", action=action, label=f"app-{number}", **fields)


def test_thousands_of_rows():
    """The kinds that matter most are first, each row has its project, and it is said where the rest is."""
    rows = [row(number, KINDS[2 - number % 3]) for number in range(3000)]
    rows += [row(number, unused=True) for number in range(3000)]
    others = [dict(project_id=str(number), active=1, archived=0) for number in range(500)]
    lines = audited(found(rows, others), "/out/audit.html")
    assert len(lines) < 65 and max(map(len, lines)) <= 100
    assert lines[0].split("  ")[0] == "project" and lines[0].endswith("what is wrong")
    shown = [each.split() for each in lines[1:31]]
    assert {each[4] for each in shown} == {"missing"} and {each[0] for each in shown} <= {"100", "101", "102"}
    assert lines[31] == "… and 2,970 more deployments, see /out/audit.html"
    assert "6,000 deployments, 3,000 with drift: 1,000 missing, 1,000 archived, 1,000 conflict" in lines
    assert "Used by no flag and no experiment: 3,000 deployments" in lines
    assert "… and 2,990 more deployments, see /out/audit.html" in lines
    assert "… and 490 more projects, see /out/audit.html" in lines


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "0 deployments, 0 with drift"),
        ([row(1)], "1 deployment, 0 with drift"),
        ([row(1), row(2)], "2 deployments, 0 with drift"),
    ],
)
def test_nothing_differs(rows, told):
    assert audited(found(rows), "/audit.html") == [told]


def test_one_more_than_are_shown():
    lines = audited(found([row(number, "missing") for number in range(31)]), "/audit.html")
    assert "… and 1 more deployment, see /audit.html" in lines


def test_long_label_leaves_room_for_what_is_wrong():
    detail = "no unarchived flag of the project has the key 'fast-serach'; correct flags, or create it"
    lines = audited(
        found([row(1, "conflict", "l" * 300, detail=detail), row(2, "archived", detail="it is archived")]),
        "/audit.html",
    )
    assert "lll…  5001  client  conflict  no unarchived flag" in lines[2] and max(map(len, lines)) <= 100
    start = lines[2].index("no unarchived")
    assert " ".join(each[start:] for each in lines[2:5]) == detail


@given(
    st.lists(st.tuples(*[st.none() | st.text(max_size=150)] * 4, st.integers(0, 10**6)), max_size=5),
    st.permutations(range(5)),
    st.sampled_from([None, 1]),
)
def test_no_line_is_too_long(rows, order, cut):
    rows = [[each[place] for place in order] for each in rows]
    lines = table(["project", "label", "id", "kind", ""], rows, cut)
    assert len(lines) <= 1 + len(rows) * _screen.LINES and bool(lines) is bool(rows)
    assert not [each for each in lines if len(each) > 100 or "\n" in each or each != each.rstrip()]


def test_plan():
    changes = [
        change(1, type="client"),
        change(2, "rename", id="2", previous_label="old"),
        change(3, "assign", id="3", flag="cart"),
        change(4, "unassign", id="4", experiment="price"),
        change(5, "archive", id="5"),
    ]
    problem = dict(told="state.yml, project 102, item 1: it is\nso; do that.")
    plan = dict(
        projects=[
            dict(project_id="101", changes=changes, problems=[]),
            dict(project_id="102", changes=[], problems=[problem]),
            dict(project_id="103", changes=[], problems=[]),
        ]
    )
    counts = [counts_of([dict(label=f"app-{number}") for number in range(9)], dict(changes=changes))] + [
        counts_of([], {})
    ] * 2
    assert planned(plan, counts, [problem], "/plan.json") == [
        "project  action    id  label",
        "101      create    -   app-1  client",
        "101      rename    2   app-2  from old",
        "101      assign    3   app-3  to flag cart",
        "101      unassign  4   app-4  from experiment price",
        "101      archive   5   app-5",
        "",
        "project  created  renamed  restored  archived  assigned  removed  unchanged  problems",
        "101            1        1         0         1         1        1          5         0",
        "102            0        0         0         0         0        0          0         1",
        "",
        "state.yml, project 102, item 1: it is so; do that.",
    ]
    same = [dict(each, changes=[], problems=[]) for each in plan["projects"]]
    assert planned(dict(projects=same), counts, [], "/plan.json") == ["Nothing has to be changed."]
