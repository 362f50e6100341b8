# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not archived without ``force``."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Usage
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    ApiError,
    DefaultDeployment,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.guards import (
    check_default,
    refuse_used,
    to_check,
    usage_unknown,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Purge, Rules
from ansible_collections.community.amplitude.tests.support.rows import flag, plans_of, row, want

A, B, C = row("1", "a"), row("2", "b"), row("3", "c")


def test_usage_is_a_reason_not_to_archive():
    new = flag("1", "new-checkout", "1", name="New")
    test = flag("3", "colours", "1", kind="experiment")
    usage = Usage([new, test, flag("2", "old", "1", "2", enabled=False, archived=True)])
    plans = plans_of([want(label, state="absent") for label in "abc"], Observed([A, B, C]), Rules())
    [refusal] = list(refuse_used(dict(enumerate(plans)), usage).values())
    assert (
        "the deployment 'a' (id 1) is used by flag 'new-checkout', experiment 'colours' (and by flag 'old', archived)"
        in str(refusal)
    )
    assert refuse_used(dict(enumerate(plans[1:])), usage) == {}
    kept = plans_of([want("a"), want("b")], Observed([A, B, C]), Rules())
    assert refuse_used(dict(enumerate(kept)), usage) == {}


#: The key tells the type; that of a default deployment has no known prefix.
KEYS = {
    "client": (row("1", "a", type="client"), False),
    "server": (row("1", "a", type="server"), False),
    "no known prefix": (row("1", "a", type=None), True),
    "no key at all": (row("1", "a", type=None)._replace(key=None), True),
}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", KEYS)
def test_default_deployment(name, force):
    found, is_default = KEYS[name]
    if not is_default or force:
        check_default("archive it", found, Rules(force=force))
        assert plans_of([want("a", state="absent")], Observed([found]), Rules(force=force))[0].archives
        return
    message = r"deployment 'a' \(id 1\) has no key with the prefix client- or server-, so it counts as the default"
    with pytest.raises(DefaultDeployment, match=f"Could not archive it: {message}.*; keep it, or set force to true"):
        check_default("archive it", found, Rules())
    for wanted in (want("a", state="absent"), want(id="1", state="absent")):
        with pytest.raises(DefaultDeployment, match=message):
            plans_of([wanted], Observed([found]), Rules())


OLD = row("4", "old", deleted=True)
OTHER = row("9", "z", project_id="2")

#: What is wanted, and the projects whose flags and experiments are read for it.
READ: dict[str, tuple[list[t.Any], t.Any, set[str]]] = {
    "nothing is written": ([want("a")], None, set()),
    "create": ([want("new", type="client")], None, set()),
    "rename": ([want("new", previous_label="a")], None, set()),
    "restore": ([want("old")], None, set()),
    "archive": ([want("a", state="absent")], None, {"1"}),
    "archive by id": ([want(id="9", project_id="2", state="absent")], None, {"2"}),
    "what is archived already": ([want("old", state="absent")], None, set()),
    "what does not exist": ([want("new", state="absent")], None, set()),
    "purge of one project": ([want("a")], Purge(frozenset({"1"}), 10), {"1"}),
    "purge of two": ([want("a")], Purge(frozenset({"1", "2"}), 10), {"1", "2"}),
    "purge that finds nothing": ([want("z", project_id="2")], Purge(frozenset({"2"}), 10), set()),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_checked(name):
    wanted, purge, expected = READ[name]
    plans = plans_of(wanted, Observed([A, B, OLD, OTHER]), Rules(), purge)
    archiving = to_check(dict(enumerate(plans)), Rules())
    assert set(archiving) == expected
    assert all(each.archives and each.before.project_id == id for id in archiving for each in archiving[id].values())
    assert to_check(dict(enumerate(plans)), Rules(force=True)) == {}


def test_all_that_are_used_are_told_at_once():
    usage = Usage([flag("5", "f" + each, each) for each in "13"])
    plans = plans_of([want(label, state="absent") for label in "cba"], Observed([A, B, C]), Rules())
    refusals = refuse_used(dict(enumerate(plans)), usage)
    assert {place: refusal.problem for place, refusal in refusals.items()} == {
        0: "the deployment 'c' (id 3) is used by flag 'f3'",
        2: "the deployment 'a' (id 1) is used by flag 'f1'",
    }


def test_usage_that_cannot_be_read():
    failure = ApiError("list the flags in project 1", "it answered 403", "get access", 403)
    refusal = usage_unknown(failure)
    assert refusal.failure() == dict(kind="refused", status=403, transient=False, retry_after=None)
    assert str(refusal) == (
        "Could not find out whether flags or experiments still use what is to be archived: list the flags in project 1: "
        "it answered 403; make sure that the management API key can list them, or set force to true if you "
        "are sure that nothing uses it: whatever does will no longer get variants."
    )
