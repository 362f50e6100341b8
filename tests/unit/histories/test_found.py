# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The failures that random histories have found, each as the shortest history that shows it."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.tests.unit.histories import laws
from ansible_collections.community.amplitude.tests.unit.histories.story import History, Kill, Race, Run
from ansible_collections.community.amplitude.tests.unit.histories.world import World

WEB = dict(project_id="1", label="web", type="client")
NEW_WEB = dict(WEB, restore_archived=False)
RENAME = dict(project_id="1", label="web", previous_label="api")
API_WANTED = dict(project_id="1", label="api", type="client")
API = dict(id="11", projectId="1", label="api", type="client")
ARCHIVED_WEB = dict(id="11", projectId="1", label="web", type="client", deleted=True)


def fault(method, nth=1, status=403, **more):
    return dict(dict(action="status", status=status, method=method, nth=nth), **more)


def cut_after(method):
    return dict(action="cut", method=method, moment="after")


FOUND = {
    "an edit whose answer is lost, and a list that cannot be read": History(
        [Run(dict(RENAME, retry_timeout=0), [cut_after("PATCH"), fault("GET", nth=2)])], rows=[API]
    ),
    "a create whose answer is lost, and a list that cannot be read": History(
        [Run(WEB, [cut_after("POST"), fault("GET", nth=2)])]
    ),
    "an edit whose answer is lost, and that is refused when it is sent again": History(
        [Run(RENAME, [cut_after("PATCH"), fault("PATCH", status=429, times=0)])], rows=[API]
    ),
    "a create whose answer is lost, and a list that takes longer than it lags": History(
        [Run(WEB, [cut_after("POST")])], switches=dict(stale_seconds=4.0), latency=9.0, seed=28
    ),
    "a label that is taken by what the list does not show yet, beside an archived one": History(
        [Run(dict(API_WANTED, restore_archived=False), kill=Kill("before", 3))],
        rows=[dict(API, deleted=True)],
        switches=dict(unique_labels="active", stale_lists=2),
    ),
    "three runs of which the first to end has the highest id": History(
        [Race([WEB, WEB, WEB])], switches=dict(stale_seconds=2.0, opaque_ids=True), latency=0.5, seed=19262
    ),
    "two creates that may not wait for each other": History(
        [Race([dict(WEB, retry_timeout=0)] * 2)], latency=0.05, seed=1
    ),
    "a create that may not wait, where ids do not count up": History(
        [Race([WEB, dict(WEB, retry_timeout=0)])], switches=dict(opaque_ids=True), seed=251
    ),
    "a restore that may not wait for the create of another run that has ended": History(
        [Race([NEW_WEB, dict(WEB, retry_timeout=0)])], rows=[ARCHIVED_WEB], seed=10
    ),
    "a restore that cannot read whether another run has created the same": History(
        [Race([NEW_WEB, WEB], [fault("GET", nth=4)])], rows=[ARCHIVED_WEB], seed=10
    ),
}
#: A limit that docs/docsite/rst/faults.rst tells.
LIMIT = History([Race([WEB, WEB, WEB])], switches=dict(opaque_ids=True), seed=0)


@pytest.mark.parametrize("history", FOUND.values(), ids=FOUND)
def test_found(_emulator, monkeypatch, history):
    monkeypatch.setitem(laws.EXCEPTIONS, "all find the same", ())
    World(_emulator, history).play()


@pytest.mark.xfail(reason="the lowest id is the oldest only where ids count up", raises=AssertionError)
def test_run_that_finds_what_is_withdrawn(_emulator, monkeypatch):
    monkeypatch.setitem(laws.EXCEPTIONS, "all find the same", ())
    World(_emulator, LIMIT).play()
