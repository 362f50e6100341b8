# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The failures that random histories have found, each as the shortest history that shows it."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.tests.unit.histories import exceptions
from ansible_collections.community.amplitude.tests.unit.histories.story import (
    ByHand,
    History,
    Kill,
    OnFlag,
    Other,
    Race,
    Run,
)
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
    "an archive that the list shows later than a rename by hand": History(
        [
            Race(
                [dict(project_id="1", label="api", state="absent"), dict(API_WANTED, check_mode=True)],
                [fault("GET", status=500, moment="before")],
                by_hand=ByHand(dict(label="web"), row=2),
            )
        ],
        rows=[API],
        switches=dict(stale_lists=2),
    ),
    "what is made in one project has the label of two active ones of another": History(
        [Run(dict(deployments=[dict(project_id="2", id="11"), dict(project_id="1", label="hub", type="client")]))],
        rows=[dict(API, id=each, projectId="2", label="hub") for each in ("11", "12")],
    ),
    "a restore that somebody undoes": History(
        [
            Run(
                dict(project_id="1", id=2, label="web", type="client"),
                others=[Other("PATCH", 1, ByHand(dict(deleted=True), row=2))],
            )
        ],
        rows=[ARCHIVED_WEB],
    ),
}
#: A limit that docs/docsite/rst/faults.rst tells.
LIMIT = History([Race([WEB, WEB, WEB])], switches=dict(opaque_ids=True), latency=0.5, seed=8)


def item(label, previous_label=None, project_id="1", type="client", **more):
    item = dict(dict(project_id=project_id, label=label, type=type), **more)
    return dict(item, previous_label=previous_label) if previous_label else item


def row(number, label, type="client", project_id="1", **more):
    return dict(dict(id=str(number), projectId=project_id, label=label, type=type), **more)


def run(*items, others=(), **more):
    given = {name: more.pop(name) for name in list(more) if name not in Run._fields}
    return Run(dict(given, deployments=list(items)), others=others, **more)


def after(verb, nth, changes, row=None):
    """Somebody creates a deployment, or edits the one of a rank: those of the history begin at 2."""
    if row is None:
        changes = dict(dict(projectId="1", type="client", deleted=False), **changes)
    return Other(verb, nth, ByHand(changes, row))


HANDED_ON = [item("storefront", "web-shop"), item("web-shop")]
UNAVAILABLE = [fault("POST", status=503, moment="before")]
#: Those that are numbered were seen in 0.1.0.
FOUND.update(
    {
        "E1 the first of two creates with a label that is handed on is lost": History(
            [run(*HANDED_ON, faults=UNAVAILABLE)]
        ),
        "E1 what is archived is restored and renamed away": History(
            [run(*HANDED_ON, faults=UNAVAILABLE)], rows=[row(11, "web-shop", deleted=True)]
        ),
        "E1 with purge": History([run(*HANDED_ON, faults=UNAVAILABLE, purge=True)], rows=[row(11, "old")]),
        "E2 the second of two creates is refused": History(
            [run(item("web-shop", type="server"), item("storefront", "web-shop"), faults=[fault("POST", nth=2)])]
        ),
        "E2 what was created and returned is renamed when it is run again": History(
            [run(*HANDED_ON[::-1], faults=[fault("POST", nth=2)])]
        ),
        "E3 a withdrawal gives back a label that is not free any more": History(
            [run(item("a", "b"), item("b"), others=[after("GET", 1, dict(label="a"))])], rows=[row(11, "b")]
        ),
        "E3 in the single module": History(
            [Run(item("a", "b"), others=[after("GET", 1, dict(label="a")), after("PATCH", 1, dict(label="b"))])],
            rows=[row(11, "b")],
        ),
        "E4 two runs of one list": History(
            [Race([dict(deployments=[item("b"), item("c", "b")])] * 2)], latency=0.5, seed=3
        ),
        "E4 two runs of one list whose requests take long": History(
            [Race([dict(deployments=[item("b"), item("c", "b")])] * 2)], latency=9.0, seed=29
        ),
        "E5 renamed by hand as soon as it is created": History(
            [Run(WEB, others=[after("POST", 1, dict(label="api"), 2)])]
        ),
        "E5 archived by hand as soon as it is created": History(
            [Run(WEB, others=[after("POST", 1, dict(deleted=True), 2)])]
        ),
        "E5 renamed by hand before it is archived": History(
            [Run(dict(project_id="1", id="11", state="absent"), others=[after("GET", 1, dict(label="api"), 2)])],
            rows=[row(11, "web")],
        ),
        "E6 renamed by hand to the label that another item makes anew": History(
            [run(item("c", "a"), item("a"), others=[after("GET", 1, dict(label="a"), 2)])], rows=[row(11, "c")]
        ),
        "E5 renamed by another run before it is archived": History(
            [
                Race(
                    [
                        dict(project_id="1", label="api", state="absent"),
                        dict(project_id="1", label="job", previous_label="api"),
                    ]
                )
            ],
            rows=[API],
            latency=0.05,
            seed=0,
        ),
        "what was done is not looked at again when somebody undoes it": History(
            [run(dict(project_id="1", id="11"), item("api"), others=[after("GET", 1, dict(label="job"), 2)])],
            rows=[row(11, "web")],
        ),
        "what was absent is not looked at again when somebody creates it": History(
            [run(item("web", state="absent"), item("api"), others=[after("GET", 1, dict(label="web"))])]
        ),
        "what is absent has come back under another id": History(
            [Run(item("web", state="absent"), others=[after("GET", 1, dict(deleted=False), 3)])],
            rows=[row(12, "web"), row(13, "web", deleted=True)],
        ),
        "a list that lags still shows what was withdrawn": History(
            [Run(dict(project_id="1", id="11", label="web"), others=[after("GET", 1, dict(label="web"))])],
            rows=[row(11, "api")],
            switches=dict(stale_lists=1),
        ),
        "a rival that comes to be shown after its label was settled": History(
            [
                Race(
                    [dict(deployments=[item("job"), item("web")]), dict(deployments=[item("web"), item("job")])],
                    [fault("POST", nth=2, status=503, times=2, moment="before")],
                )
            ],
            switches=dict(opaque_ids=True, max_page_size=1, stale_lists=3, cursor="opaque"),
            latency=0.05,
        ),
        "E14 an archived label is made active by id beside an item that would take it over": History(
            [run(item("job", "web"), dict(project_id="1", id="11"))], rows=[row(11, "web", deleted=True)]
        ),
        "E14 ids whose labels are handed on": History(
            [
                run(
                    dict(project_id="1", id="11", label="b"),
                    dict(project_id="1", id="12", label="c"),
                    dict(project_id="1", label="a", state="absent"),
                )
            ],
            rows=[row(11, "a", deleted=True), row(12, "b")],
        ),
        "E14 two labels that are exchanged, one of them archived": History(
            [run(dict(project_id="1", id="12", label="web"), dict(project_id="1", id="11", label="job"))],
            rows=[row(11, "web", deleted=True), row(12, "job")],
        ),
        "E20 two creates whose answers are lost, and a list that is far behind": History(
            [Run(WEB, [dict(cut_after("POST"), times=2)])], switches=dict(stale_seconds=7.0)
        ),
    }
)


def flag(number, key, *deployments, **more):
    return dict(dict(id=str(number), projectId="1", key=key, enabled=True, deployments=list(deployments)), **more)


WEB_AND_API = [row(11, "web"), row(12, "api")]
#: What deployments serve.
FOUND.update(
    {
        "another one gets the label before anything is removed from what it replaces": History(
            [
                Run(
                    dict(project_id="1", label="api", replaces="11", retire=True),
                    others=[after("GET", 9, dict(label="job"), 3), after("GET", 9, dict(label="api"))],
                )
            ],
            rows=WEB_AND_API,
            flags=[flag(21, "cart", "11")],
        ),
        "what would be left on a flag is archived before the other one is removed": History(
            [
                Run(
                    dict(project_id="1", label="web", flags=[], exclusive=True),
                    others=[after("GET", 4, dict(deleted=True), 3)],
                )
            ],
            rows=WEB_AND_API,
            flags=[flag(21, "cart", "11", "12")],
        ),
        "what was assigned is removed by somebody else before the list shows it": History(
            [
                Run(
                    dict(project_id="1", label="api", flags=["cart"]),
                    others=[Other("POST", 1, OnFlag("flags", dict(remove=2), 0))],
                )
            ],
            rows=WEB_AND_API,
            flags=[flag(21, "cart")],
        ),
        "an API that replaces, and does not take back what is archived": History(
            [Run(dict(project_id="1", label="hub", type="client", flags=["cart"]))],
            rows=[*WEB_AND_API, row(13, "job", deleted=True)],
            flags=[flag(21, "cart", "11", "12", "13")],
            switches=dict(assigning="replaces", archived_deployment_status=400),
        ),
        "an API that replaces what somebody has assigned since the run began": History(
            [
                Run(
                    dict(project_id="1", label="web", flags=["cart"]),
                    others=[Other("GET", 1, OnFlag("flags", dict(assign=2), 0))],
                )
            ],
            rows=[*WEB_AND_API, row(13, "job")],
            flags=[flag(21, "cart", "13")],
            switches=dict(assigning="replaces"),
        ),
    }
)


@pytest.mark.parametrize("history", FOUND.values(), ids=FOUND)
def test_found(_emulator, monkeypatch, history):
    monkeypatch.setitem(exceptions.EXCEPTIONS, "all find the same", ())
    World(_emulator, history).play()


@pytest.mark.xfail(reason="the lowest id is the oldest only where ids count up", raises=AssertionError)
def test_run_that_finds_what_is_withdrawn(_emulator, monkeypatch):
    monkeypatch.setitem(exceptions.EXCEPTIONS, "all find the same", ())
    World(_emulator, LIMIT).play()
