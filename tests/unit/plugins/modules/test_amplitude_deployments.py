# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""amplitude_deployments: the situations of the single module all at once, purges, guards, and failures half-way."""

from __future__ import annotations

import random
import re
import threading

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._apply.ensure import ensure_all
from ansible_collections.community.amplitude.plugins.module_utils._plan.invalid import find_invalid
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Rules, Wanted
from ansible_collections.community.amplitude.tests.support.bulk import PROJECT, active, three_times, writes
from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER
from ansible_collections.community.amplitude.tests.support.modules import QUICK, run_module
from ansible_collections.community.amplitude.tests.support.situations import SITUATIONS, seed

pytestmark = pytest.mark.core

OPTIONS_OF_THE_TASK = {"restore_archived", "force"}
TOGETHER = [each for each in SITUATIONS if each.error is None and not OPTIONS_OF_THE_TASK & set(each.ask)]
REFUSED = [each for each in SITUATIONS if each.error is not None and not OPTIONS_OF_THE_TASK & set(each.ask)]

WORLDS = {
    "as documented": dict(),
    "labels unique": dict(unique_labels="active", ids="string", order="newest_first"),
    "stale lists in small pages": dict(stale_lists=2, max_page_size=9, last_page="empty_page", order="shuffled"),
    "opaque ids": dict(opaque_ids=True, omit_deleted=True, extra_fields=True, gzip=True),
}


def item(situation):
    return dict(situation.ask, project_id=situation.project)


@pytest.fixture
def run(emulator, connection):
    def run(deployments, check_mode=False, **options):
        emulator.forget_requests()
        return run_module("amplitude_deployments", check_mode, **dict(connection, deployments=deployments, **options))

    return run


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("world", WORLDS)
def test_all_situations_at_once(emulator, run, world, concurrency):
    emulator.reset(seed(), rate_limit=0, **WORLDS[world])
    items = [item(situation) for situation in TOGETHER]
    expected = [change for situation in TOGETHER for change in situation.expected_changes()]

    check = run(items, check_mode=True, concurrency=concurrency)
    assert not check.get("failed"), check["msg"]
    assert writes(emulator) == []
    assert (check["changed"], check["changes"]) == (True, expected)
    assert "key" not in str(check["diff"])

    apply = run(items, concurrency=concurrency)
    assert not apply.get("failed"), apply["msg"]
    expected_warnings = [situation.warning for situation in TOGETHER if situation.warning]
    assert len(apply["warnings"]) == len(expected_warnings) and apply["warnings"] == check["warnings"]
    assert all(map(re.search, expected_warnings, apply["warnings"]))
    assert {name: apply[name] for name in ("changed", "changes", "diff")} == {
        name: check[name] for name in ("changed", "changes", "diff")
    }
    assert len(writes(emulator)) == sum(bool(situation.changes) for situation in TOGETHER)
    for situation, predicted, done in zip(TOGETHER, check["deployments"], apply["deployments"]):
        if situation.deployment is None:
            assert predicted is done is None
        else:
            assert {field: done[field] for field in situation.deployment} == situation.deployment, situation.name
            if predicted["id"] is None:
                assert done["key"]
                done = dict(done, id=None, key=None)
            assert predicted == done

    after = emulator.deployments()
    rerun = run(items, concurrency=concurrency)
    assert (rerun["changed"], rerun["changes"], writes(emulator)) == (False, [], [])
    assert rerun["diff"]["before"] == rerun["diff"]["after"]
    assert emulator.deployments() == after


@pytest.mark.parametrize("situation", REFUSED, ids=lambda situation: situation.name)
def test_one_that_is_refused_writes_nothing_of_all(emulator, run, situation):
    emulator.reset(seed([situation, SITUATIONS[0]]))
    for check_mode in (True, False):
        result = run([item(SITUATIONS[0]), item(situation)], check_mode=check_mode)
        assert result["failed"] and not result.get("changed")
        assert re.search(situation.error, result["msg"])
        assert writes(emulator) == []


WEB, API = dict(label="web", type="client"), dict(label="api", type="server")


@pytest.mark.parametrize(
    "items, options, expected",
    [
        ([WEB, API], dict(), [("archive", "old")]),
        ([WEB, API, dict(label="new", type="client")], dict(), [("create", "new"), ("archive", "old")]),
        (
            [WEB],
            dict(),
            r"deployment 'api' \(id 2\) is used by .*flag 'new-checkout'.*experiment 'colours'.*flag 'gone', arch",
        ),
        ([WEB], dict(force=True), [("archive", "api"), ("archive", "old")]),
        ([WEB], dict(force=True, purge_limit=1), "2 deployments would be archived, but purge_limit is 1"),
        (
            [],
            dict(force=True),
            r"no listed deployment is to be .*: 'api' \(id 2\), 'old' \(id 3\), 'web' \(id 1\); set purge_limit",
        ),
        (
            [dict(label="nope", state="absent")],
            dict(force=True),
            "is to be present in project 1, so all deployments there",
        ),
        (
            [dict(label="other", project_id="2")],
            dict(force=True),
            "is to be present in project 1, so all deployments there",
        ),
        ([], dict(force=True, purge_limit=3), [("archive", "api"), ("archive", "old"), ("archive", "web")]),
    ],
)
def test_purge(emulator, run, items, options, expected):
    emulator.reset(PROJECT)
    what = three_times(emulator, run, items, project_id="1", purge=True, **options)
    if isinstance(expected, str):
        assert re.search(expected, what)
        assert active(emulator) == ["api", "default", "old", "web"]
    else:
        assert what == expected
        assert "default" in active(emulator)
    assert active(emulator, "2") == ["other"]


@pytest.mark.parametrize("module", ["amplitude_deployment", "amplitude_deployments"])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_project_of_which_nothing_is_listed(emulator, connection, module, state):
    emulator.reset(PROJECT)
    wanted = dict(label="web", type="client", state=state)
    options = dict(connection, project_id="9", **(dict(deployments=[wanted]) if module.endswith("s") else wanted))
    for check_mode in (True, False):
        result = run_module(module, check_mode, **options)
        assert "No deployment of project 9 is listed, not even its default one" in result["warnings"][0]
        assert bool(result.get("failed")) is (state == "present" and not check_mode)


def test_refusal_in_a_project_of_which_nothing_is_listed(emulator, run, connection):
    emulator.reset(PROJECT)
    single = run_module("amplitude_deployment", **dict(connection, project_id="9", label="web"))
    many = run([dict(WEB, project_id="1")], project_id="9", purge=True, purge_limit=0)
    for result, words in ((single, "type is missing"), (many, "purge_limit is 0")):
        assert words in result["msg"] and "No deployment of project 9 is listed" in result["warnings"][0]


def test_usage_is_read_once_and_only_to_archive(emulator, run):
    emulator.reset(PROJECT)
    run([WEB, API], project_id="1")
    assert [request["path"] for request in emulator.requests()] == ["/api/1/deployments"]
    run([dict(label=label, state="absent") for label in ("old", "older")], project_id="1")
    paths = [request["path"].rsplit("/", 1)[1] for request in emulator.requests()]
    assert paths == ["deployments", "flags", "flags", "experiments", "experiments", "3", "deployments"]


@pytest.mark.parametrize("module", ["amplitude_deployment", "amplitude_deployments"])
@pytest.mark.parametrize("kind", ["flags", "experiments"])
def test_usage_that_cannot_be_read(emulator, connection, module, kind):
    emulator.reset(PROJECT)
    emulator.misbehave(method="GET", path=kind, action="status", status=403, times=0)
    wanted = dict(label="old", state="absent")
    options = dict(connection, project_id="1", **(dict(deployments=[wanted]) if module.endswith("s") else wanted))
    for check_mode in (True, False):
        result = run_module(module, check_mode, **options)
        assert result["failed"] and f"list the {kind} of project 1: " in result["msg"]
        assert "or set force to true" in result["msg"]
    assert writes(emulator) == []
    assert run_module(module, force=True, **options)["changed"]


@pytest.mark.parametrize("ids", ["number", "string"])
def test_single_module_obeys_the_same_guards(emulator, connection, ids):
    emulator.reset(PROJECT, ids=ids, deployment_ids_in_flags="string" if ids == "number" else "number", max_page_size=1)
    options = dict(connection, project_id="1", state="absent")
    for check_mode in (True, False):
        for label, message in (
            ("api", "is used by"),
            ("web", "experiment 'colours'"),
            ("default", "default deployment"),
        ):
            result = run_module("amplitude_deployment", check_mode, label=label, **options)
            assert result["failed"] and message in result["msg"]
    assert writes(emulator) == []
    assert run_module("amplitude_deployment", label="old", **options)["changed"]
    assert run_module("amplitude_deployment", label="api", force=True, **options)["changed"]


MANY = [dict(label=f"label-{number:03d}", type="client") for number in range(40)]


def test_failure_half_way(emulator, run):
    emulator.reset(rate_limit=0)
    emulator.misbehave(method="POST", action="status", status=403, nth=11, times=0)
    result = run(MANY, project_id="1", concurrency=4)
    assert result["failed"] and "answered 403" in result["msg"]
    created = [change["label"] for change in result["changes"]]
    pending = [change["label"] for change in result["pending"]]
    assert result["changed"] and len(created) == 10 and len(pending) == 30
    assert sorted(active(emulator)) == sorted(created)
    assert sorted(created + pending) == [each["label"] for each in MANY]
    assert len(writes(emulator)) <= 10 + 4, "what was under way ends, and nothing more is begun"
    shown = [row["label"] for row in result["deployments"] if row is not None and row["key"] is not None]
    assert shown == created and result["deployments"].count(None) == 30
    assert [row["label"] for row in result["diff"]["after"]["deployments"]] == created

    emulator.behave()
    again = run(MANY, project_id="1")
    assert len(again["changes"]) == 30 and len(writes(emulator)) == 30
    assert not run(MANY, project_id="1")["changed"]


@pytest.mark.parametrize("world", WORLDS)
def test_storm(emulator, run, world):
    """Every kind of fault at once, many times over."""
    emulator.reset(rate_limit=0, **WORLDS[world])
    draw = random.Random(world)
    kinds = [
        dict(action="status", status=429),
        dict(action="status", status=503),
        dict(action="status", status=500, moment="after"),
        dict(action="cut"),
        dict(action="cut", moment="after"),
        dict(action="truncate", moment="after"),
    ]
    for dummy in range(12):
        emulator.misbehave(nth=draw.randint(2, 50), **draw.choice(kinds))
    result = run(MANY, project_id="1", retry_timeout=60)
    assert not result.get("failed"), result["msg"]
    assert active(emulator) == [each["label"] for each in MANY]
    assert [row["label"] for row in result["deployments"]] == [each["label"] for each in MANY]
    keys = {row["id"]: row["key"] for row in emulator.deployments()}
    assert all(row["key"] == keys[row["id"]] for row in result["deployments"])
    emulator.behave()
    assert not run(MANY, project_id="1")["changed"]


@pytest.mark.parametrize("world", WORLDS)
def test_three_runs_at_once(emulator, world):
    """All of them find that everything is missing, before any of them creates something."""
    emulator.reset(rate_limit=0, **WORLDS[world])
    wanted = [Wanted("1", **each) for each in MANY[:20]]
    results = []
    everything_is_missing = threading.Barrier(3)

    class Simultaneous(Deployments):
        lists = 0

        def list(self):
            rows = super().list()
            self.lists += 1
            if self.lists == 1:
                everything_is_missing.wait(FOR_EVER)
            return rows

    def write():
        with Client(
            emulator.url,
            "management-key",
            retry_timeout=60,
            waits=QUICK._replace(races_settle=20.0, rivals_withdraw=2.0),
        ) as client:
            results.append(
                ensure_all(Simultaneous(client), wanted, Rules(), None, False, 4, find_invalid(wanted)).as_result()
            )

    threads = [threading.Thread(target=write) for dummy in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert active(emulator) == [each["label"] for each in MANY[:20]]
    assert results[0]["deployments"] == results[1]["deployments"] == results[2]["deployments"]


def test_diff_is_that_of_all(emulator, run):
    emulator.reset(PROJECT)
    items = [dict(label="shop", previous_label="web"), API, dict(label="new", type="client")]
    result = run(items, check_mode=True, project_id="1", purge=True)

    def entry(label, type):
        return dict(project_id="1", label=label, type=type)

    assert result["diff"] == dict(
        before=dict(deployments=[entry("web", "client"), entry("api", "server"), entry("old", "client")]),
        after=dict(deployments=[entry("shop", "client"), entry("api", "server"), entry("new", "client")]),
    )


def test_usage_is_read_of_every_project(emulator, run):
    flags = [*PROJECT["flags"], {"id": 23, "projectId": "2", "key": "elsewhere", "deployments": [6]}]
    emulator.reset(dict(PROJECT, flags=flags))
    items = [dict(label=label, project_id=project, state="absent") for project, label in (("1", "old"), ("2", "other"))]
    assert "'other' (id 6) is used by flag 'elsewhere'" in three_times(emulator, run, items)


@pytest.mark.parametrize("kind", ["flag", "experiment"])
def test_flag_that_is_made_while_they_are_listed(emulator, run, kind):
    """What is missing in the first of the two lists and there in the second is in use."""
    emulator.reset(PROJECT)
    create = dict(flag=emulator.create_flag, experiment=emulator.create_experiment)[kind]
    emulator.after("GET", 1, lambda: create(projectId="1", key="brand-new", deployments=[3]), f"/{kind}s$")
    result = run([dict(label="old", state="absent")], project_id="1")
    assert result["failed"] and "'brand-new'" in result["msg"]
    assert writes(emulator) == []


@pytest.mark.parametrize("concurrency", [1, 3])
def test_concurrency(emulator, run, concurrency):
    emulator.reset(rate_limit=0)
    under_way, most = [], []
    at_once = threading.Barrier(concurrency, timeout=FOR_EVER)
    real = Client._send_once

    def send_once(self, verb, *args):
        under_way.append(verb)
        most.append(under_way.count("POST"))
        if verb == "POST":
            at_once.wait()
        try:
            return real(self, verb, *args)
        finally:
            under_way.remove(verb)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "_send_once", send_once)
        assert run(MANY[:12], project_id="1", concurrency=concurrency)["changed"]
    assert max(most) == concurrency


def test_what_is_written_but_not_read_back_is_not_pending(emulator, run):
    emulator.reset(stale_lists=10**6)
    result = run(MANY[:3], project_id="1", retry_timeout=0.2)
    assert result["failed"] and result["pending"] == []
    assert [change["label"] for change in result["changes"]] == [each["label"] for each in MANY[:3]]


def test_warnings_of_a_run_that_fails(emulator, run):
    """A rival's deployment is kept, and this run withdraws its own before another write is refused."""
    emulator.reset(rate_limit=0)
    real = Deployments.create

    def create(self, project_id, label, type):
        if label == "web":
            emulator.create_deployment(projectId=project_id, label=label, type=type)
        return real(self, project_id, label, type)

    emulator.misbehave(method="POST", nth=2, action="status", status=403, times=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Deployments, "create", create)
        result = run(
            [dict(label="web", type="client"), dict(label="api", type="server")], project_id="1", concurrency=1
        )
    assert result["failed"] and "answered 403" in result["msg"]
    assert [change["action"] for change in result["changes"]] == ["create", "rename", "archive"]
    assert any("has withdrawn its own deployment with the id 10002" in warning for warning in result["warnings"])
    assert [change["label"] for change in result["pending"]] == ["api"]


def test_requests_do_not_depend_on_how_many_are_wanted(emulator, run):
    rows = [dict(projectId="1", label=f"label-{number:04d}", type="client") for number in range(1500)]
    emulator.reset({"keys": {"management-key": ["1"]}, "deployments": rows})
    for count in (1, 1500):
        result = run([dict(label=row["label"]) for row in rows[:count]], project_id="1")
        assert not result.get("failed") and not result["changed"]
        assert [request["query"].get("limit") for request in emulator.requests()] == ["1000", "1000"]
