# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The oracle for lists, by examples that can be checked by reading the documentation."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.tests.unit.histories import lists


def row(id, label, deleted=False, project_id="1", type="client"):
    return dict(id=id, projectId=project_id, label=label, key="key", type=type, deleted=deleted)


def item(label=None, previous_label=None, **more):
    given = dict(label=label, previous_label=previous_label, project_id="1", **more)
    given.setdefault("type", "client")
    return {name: value for name, value in given.items() if value is not None}


def ends(items, rows, unique_labels="none", **task):
    """Each end that is allowed, as ``id label`` of what is active."""
    found = lists.ends(dict(task, deployments=items), rows, dict(unique_labels=unique_labels))
    return {" ".join(sorted(f"{row['id']}={row['label']}" for row in end.rows if not row["deleted"])) for end in found}


A, B = row("11", "a"), row("12", "b")
GRANTED = {
    "nothing to do": ([item("a")], [A], "11=a"),
    "created": ([item("a"), item("b")], [A], "11=a new 1=b"),
    "handed on": ([item("b", "a"), item("a")], [A], "11=b new 1=a"),
    "handed on in the other order": ([item("a"), item("b", "a")], [A], "11=b new 0=a"),
    "both are new": ([item("a"), item("b", "a")], [], "new 0=a new 1=b"),
    "a chain": ([item("c", "b"), item("b", "a"), item("a")], [A, B], "11=b 12=c new 2=a"),
    "a label that an id gives up": ([item("a"), item("c", id="11")], [A], "11=c new 0=a"),
    "ids swap through a free label": ([item("c", id="11"), item("a", id="12")], [A, B], "11=c 12=a"),
    "absent": ([item("a", state="absent"), item("b")], [A, B], "12=b"),
    "absent by a label that an id gives up": ([item("a", state="absent"), item("b", id="11")], [A], "11=b"),
}
REFUSED = {
    "one label twice": ([item("a"), item("a")], []),
    "one id twice": ([item(id="11"), item("c", id="11")], [A]),
    "one label taken over twice": ([item("b", "a"), item("c", "a")], [A]),
    "a circle": ([item("a", "b"), item("b", "a")], [A, B]),
    "taken over from what is absent": ([item("b", "a"), item("a", state="absent")], [A]),
    "two that mean the same": ([item("a"), item(id="11")], [A]),
    "ids that swap": ([item("b", id="11"), item("a", id="12")], [A, B]),
    "absent by label, active by id": ([item("a", state="absent"), item(id="11")], [dict(A, deleted=True)]),
    "restored by label, absent by id": ([item(id="12", state="absent"), item("b")], [A, dict(B, deleted=True)]),
    "a label that is taken": ([item("b", id="11")], [A, B]),
}


@pytest.mark.parametrize("items, rows, end", GRANTED.values(), ids=GRANTED)
def test_granted(items, rows, end):
    found = ends(items, rows)
    assert found == {end}


@pytest.mark.parametrize("items, rows", REFUSED.values(), ids=REFUSED)
def test_refused(items, rows):
    assert not ends(items, rows)


@pytest.mark.parametrize("limit, end", [(None, {"11=a"}), (1, {"11=a"}), (0, set())])
def test_purge(limit, end):
    default = row("1", "default", project_id="2", type=None)
    assert ends([item("a")], [A, B], purge=True, purge_limit=limit) == end
    assert ends([item("a")], [A, default], purge=True, purge_limit=limit, project_id="2") == {"11=a 1=default"}


def test_purge_of_all():
    assert not ends([item("a", state="absent")], [A, B], purge=True)
    assert ends([item("a", state="absent")], [A, B], purge=True, purge_limit=5) == {""}


def test_labels_that_archived_ones_have():
    [end] = lists.ends(
        dict(deployments=[item("a")], restore_archived=False), [dict(A, deleted=True)], dict(unique_labels="all")
    )
    assert not end.accepted
