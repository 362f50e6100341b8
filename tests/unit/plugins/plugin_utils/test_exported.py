# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an export writes."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.community.amplitude.plugins.plugin_utils._exported import desired_state, with_served


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


def listed(label, identifier="1", type="client", project_id="101", **fields):
    return dict(project_id=project_id, label=label, id=identifier, type=type, **fields)


#: Rows, and what is written of them without and with their IDs.
STATES = {
    "nothing": ([], []),
    "one": ([listed("web")], [dict(label="web", type="client")]),
    "only the default one": ([listed("default", type=None)], []),
    "twins": ([listed("a", "1"), listed("a", "2")], [dict(id="1", type="client"), dict(id="2", type="client")]),
    "as the default one": ([listed("a", "1", None), listed("a", "2")], [dict(id="2", type="client")]),
    "a label that cannot be written": ([listed("not {{ a }}", "{{7}}")], [dict(id="{{7}}", type="client")]),
    "what could be a number": ([listed("0123")], [dict(label="0123", type="client")]),
    "what it serves": (
        [listed("web", flags=["b", "no"], experiments=[], left_out=dict(flags=["twin\n"], experiments=[]))],
        [dict(label="web", type="client", flags=["b", "no"], experiments=[])],
    ),
}


class Loader(yaml.SafeLoader):
    """Knows the tag of Ansible for what is no template."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


@pytest.mark.parametrize("case", STATES)
def test_desired_state(case):
    rows, expected = STATES[case]
    text = desired_state(rows, False)
    projects = [dict(project_id="101", deployments=expected)] if rows else []
    assert yaml.load(text, Loader) == dict(amplitude_projects=projects) and "\n\n" not in text
    with_ids = yaml.load(desired_state(rows, True), Loader)["amplitude_projects"]
    ids = [row["id"] for row in rows if row["type"]]
    assert [item["id"] for project in with_ids for item in project["deployments"]] == ids
    assert "{{" not in "".join(each for each in text.splitlines() if "!unsafe" not in each and "#" not in each)


def test_what_is_left_out_is_said():
    rows = [listed("default", "9", None), listed("twin", "1"), listed("twin", "2"), listed("not needed", "3")]
    rows[3].update(flags=[], experiments=[], left_out=dict(flags=["a"], experiments=[]))
    text = desired_state(rows, True)
    for told in (
        '# "default" (ID 9) is left out: its key has neither',
        '# "twin" is active 2 times (IDs 1, 2): the label',
        '# "not needed" is a label that can no longer be written',
        '# One of the flags is left out, since several have its key, or it is empty: "a"',
    ):
        assert told in text


def test_many_projects_are_written_at_once():
    """In the order in which they come."""
    rows = [listed("web", str(number), project_id=str(number // 2)) for number in range(4000)]
    projects = yaml.load(desired_state(rows, False), Loader)["amplitude_projects"]
    assert [each["project_id"] for each in projects] == [str(number) for number in range(2000)]
