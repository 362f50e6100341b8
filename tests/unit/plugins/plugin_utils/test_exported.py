# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an export writes of the flags and experiments that deployments serve."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.plugin_utils._exported import with_served


def user(identifier, key, archived=False):
    return dict(id=identifier, key=key, name=None, enabled=True, archived=archived)


def row(flags=(), experiments=(), project_id="1"):
    return dict(project_id=project_id, label="web", used_by=dict(flags=list(flags), experiments=list(experiments)))


CASES = {
    "nothing": ([row()], [([], [])], {}),
    "in order": ([row([user("1", "b"), user("2", "a")], [user("1", "c")])], [(["a", "b"], ["c"])], {}),
    "nothing that is archived": ([row([user("1", "a", True)])], [([], [])], {}),
    "one flag of two deployments": ([row([user("1", "a")]), row([user("1", "a")])], [(["a"], []), (["a"], [])], {}),
    "a flag and an experiment": ([row([user("1", "a")], [user("2", "a")])], [(["a"], ["a"])], {}),
    "of two projects": ([row([user("1", "a")]), row([user("2", "a")], (), "2")], [(["a"], []), (["a"], [])], {}),
    "one of them is archived": ([row([user("1", "a"), user("2", "a", True)])], [(["a"], [])], {}),
    "twins": ([row([user("1", "a"), user("2", "a"), user("3", "b")])], [(["b"], [])], {0: dict(flags=["a"])}),
    "twins of two deployments": (
        [row((), [user("1", "a")]), row((), [user("2", "a")])],
        [([], []), ([], [])],
        {0: dict(experiments=["a"]), 1: dict(experiments=["a"])},
    ),
    "an empty key": ([row([user("1", "")])], [([], [])], {0: dict(flags=[""])}),
}


@pytest.mark.parametrize("name", CASES)
def test_with_served(name):
    rows, served, left_out = CASES[name]
    found = with_served(rows)
    assert [(each["flags"], each["experiments"]) for each in found] == served
    nothing = dict(flags=[], experiments=[])
    assert [each["left_out"] for each in found] == [dict(nothing, **left_out.get(n, {})) for n in range(len(rows))]
    assert [{field: each[field] for field in rows[0]} for each in found] == rows
