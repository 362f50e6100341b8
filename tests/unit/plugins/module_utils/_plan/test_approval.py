# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.module_utils._errors import InputError
from ansible_collections.community.amplitude.plugins.module_utils._plan.approval import (
    ACTIONS,
    Approval,
    approval_from,
    described,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Change

CREATE = Change("create", "1", None, "web", type="client")
ASSIGN_NEW = Change("assign", "1", None, "web", flag="cart")
ASSIGN = ASSIGN_NEW._replace(id="7")
RENAME = Change("rename", "1", "8", "shop", "store")
ARCHIVE = Change("archive", "1", "9", "old")

#: What was approved, what was carried out, what is planned, and what of that is not approved.
MATCHES = {
    "all of it": ([CREATE, RENAME], [], [CREATE, RENAME], []),
    "in another order": ([CREATE, RENAME], [], [RENAME, CREATE], []),
    "a part of it": ([CREATE, RENAME], [], [RENAME], []),
    "nothing": ([CREATE], [], [], []),
    "nothing of nothing": ([], [], [], []),
    "more than that": ([CREATE], [], [CREATE, RENAME], [RENAME]),
    "anything but nothing": ([], [], [CREATE], [CREATE]),
    "twice": ([CREATE], [], [CREATE, CREATE], [CREATE]),
    "once more": ([CREATE], [CREATE], [CREATE], [CREATE]),
    "the rest": ([CREATE, RENAME], [CREATE], [RENAME], []),
    "another type": ([CREATE], [], [CREATE._replace(type="server")], [CREATE._replace(type="server")]),
    "another id": ([ARCHIVE], [], [ARCHIVE._replace(id="10")], [ARCHIVE._replace(id="10")]),
    "another previous label": (
        [RENAME], [], [RENAME._replace(previous_label="x")], [RENAME._replace(previous_label="x")]
    ),
    "another project": ([ARCHIVE], [], [ARCHIVE._replace(project_id="2")], [ARCHIVE._replace(project_id="2")]),
    "an experiment instead of a flag": (
        [ASSIGN], [], [ASSIGN._replace(flag=None, experiment="cart")], [ASSIGN._replace(flag=None, experiment="cart")]
    ),
    "of what is created": ([CREATE, ASSIGN_NEW], [], [CREATE, ASSIGN_NEW], []),
    "of what was created before": ([CREATE, ASSIGN_NEW], [], [ASSIGN], []),
    "of what was created before, once": ([CREATE, ASSIGN_NEW], [ASSIGN], [ASSIGN_NEW], [ASSIGN_NEW]),
    "of what is created, but approved for another one": ([CREATE, ASSIGN], [], [ASSIGN_NEW], [ASSIGN_NEW]),
    "of what is not created": ([ASSIGN], [], [ASSIGN._replace(id="8")], [ASSIGN._replace(id="8")]),
}  # fmt: skip


@pytest.mark.parametrize("name", MATCHES)
def test_unapproved(name):
    approved, carried_out, planned, unapproved = MATCHES[name]
    assert Approval(approved).unapproved(planned, carried_out) == unapproved


@given(st.lists(st.sampled_from([CREATE, ASSIGN_NEW, RENAME, ARCHIVE])), st.data())
def test_what_is_approved_can_be_carried_out_in_two_parts(changes, data):
    changes = list(dict.fromkeys(changes))
    done = data.draw(st.sampled_from([changes[:place] for place in range(len(changes) + 1)]))
    approval = Approval(changes)
    assert approval.unapproved(changes[len(done) :], done) == []
    assert approval.unused(done) == changes[len(done) :]


def test_unused():
    approval = Approval([CREATE, ARCHIVE, RENAME])
    assert approval.unused_warning([CREATE, ARCHIVE, RENAME]) == []
    [warning] = approval.unused_warning([ARCHIVE])
    assert warning == (
        "No longer needed from approved_changes: create the client deployment 'web' in project 1; rename 'store' (id 8) to "
        "'shop' in project 1."
    )
    [warning] = Approval([ARCHIVE._replace(id=str(each)) for each in range(7)]).unused_warning([])
    assert warning.endswith("; and 2 more.")


ENTRY = dict(action="archive", project_id="1", id="9", label="old")
UNUSABLE = {
    "no dictionary": ("archive", "entry 2 is not a dictionary"),
    "an unknown action": (dict(ENTRY, action="delete"), "entry 2 has the action 'delete', not one of create, restore,"),
    "no action": (dict(ENTRY, action=None), "entry 2 has the action None"),
    "an unknown field": (dict(ENTRY, key="x"), "entry 2 has the unknown field 'key'"),
    "no label": (dict(ENTRY, label=None), "entry 2 has no label"),
    "no project": (dict(ENTRY, project_id=""), "entry 2 has an unusable project_id"),
    "no id": (dict(ENTRY, id=None), "entry 2 has no id, but the action archive: only a create"),
    "no id, of what is not created": (dict(ENTRY, action="assign", id=None, flag="f"), "entry 2 has no id"),
    "a label that is no text": (dict(ENTRY, label=False), "entry 2 has a label that is not text"),
    "a list": (dict(ENTRY, flag=["a"]), "entry 2 has a flag that is not text"),
    "an id that is none": (dict(ENTRY, id=True), "entry 2 has an unusable id"),
    "the same again": (
        dict(action="create", project_id=1, label="web", type="client"),
        "entry 2 is the same as entry 1",
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_entries_that_cannot_be_used(name):
    entry, words = UNUSABLE[name]
    with pytest.raises(InputError) as caught:
        approval_from([CREATE._asdict(), entry])
    assert str(caught.value).startswith("Could not use the option approved_changes: " + words)


def test_what_is_returned_can_be_given():
    """Also without the fields that are None, and with ids that are numbers."""
    changes = [CREATE, ASSIGN_NEW, RENAME, ARCHIVE]
    for entries in (
        [change.as_result() for change in changes],
        [{field: value for field, value in change.as_result().items() if value is not None} for change in changes],
        [dict(change.as_result(), project_id=1) for change in changes],
    ):
        approval = approval_from(entries)
        assert approval.unapproved(changes) == []


def test_words_for_each_action():
    words = [described(Change(action, "1", "7", "web", "shop", None, "cart")) for action in ACTIONS]
    assert words == [
        "create the None deployment 'web' (id 7) in project 1",
        "restore 'web' (id 7) in project 1",
        "rename 'shop' (id 7) to 'web' in project 1",
        "archive 'web' (id 7) in project 1",
        "assign 'web' (id 7) to flag 'cart' in project 1",
        "remove 'web' (id 7) from flag 'cart' in project 1",
    ]
    assert (
        described(Change("assign", "1", None, "web", experiment="hero"))
        == "assign 'web' to experiment 'hero' in project 1"
    )
