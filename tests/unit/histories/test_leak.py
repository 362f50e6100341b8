# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The story of a key that leaks: one task moves everything, is killed, is run again, and ends."""

from __future__ import annotations

import collections
import random

import pytest

from ansible_collections.community.amplitude.tests.unit.histories.story import History, Kill
from ansible_collections.community.amplitude.tests.unit.histories.world import World

LEAKED, FLAGS, EXPERIMENTS = "11", 200, 20
ROWS = [
    dict(id=LEAKED, projectId="1", label="web", type="client"),
    dict(id="12", projectId="1", label="api", type="server"),
    dict(id="13", projectId="1", label="job", type="server"),
]


def users(what, count, first):
    """Flags or experiments which all use what has leaked, each third one ``api`` too, and some are not enabled."""
    return [
        dict(
            id=str(first + number),
            projectId="1",
            key=f"{what}-{number:03}",
            enabled=number % 4 != 0,
            deployments=[LEAKED, *["12"] * (number % 3 == 0)],
        )
        for number in range(count)
    ]


def history(seed=0, **switches):
    return History(
        [],
        rows=ROWS,
        flags=[
            *users("flag", FLAGS, 1000),
            dict(id="1900", projectId="1", key="gone", enabled=True, archived=True, deployments=[LEAKED]),
            dict(id="1901", projectId="1", key="other", enabled=True, deployments=["13"]),
        ],
        experiments=users("experiment", EXPERIMENTS, 2000),
        seed=seed,
        switches=switches,
    )


ITEM = dict(project_id="1", label="web", replaces=LEAKED, retire=True)
TASKS = {"single": ITEM, "bulk": dict(deployments=[ITEM], concurrency=4)}
#: rename, create, archive; and what is assigned, and removed.
WRITES = 3 + 2 * (FLAGS + EXPERIMENTS)
GETS = 20


def written(*runs):
    """What was changed, and how often."""
    return collections.Counter(
        (write["method"], write["path"], str(write["body"]))
        for run in runs
        for write in run.writes
        if write["committed"]
    )


def told(world, changes):
    """The same, as changes tell it."""
    ids = {(row["kind"], row["key"]): row["id"] for row in world.ledger.flags()}
    [new] = [row["id"] for row in world.emulator.deployments() if row["label"] == "web"]

    def request(change):
        if change["action"] in ("assign", "unassign"):
            kind = "flags" if change["flag"] else "experiments"
            path = "/api/1/{0}/{1}/deployments".format(kind, ids[kind, change["flag"] or change["experiment"]])
            if change["action"] == "assign":
                return ("POST", path, str({"deployments": [change["id"] or new]}))
            return ("DELETE", path + "/" + change["id"], "None")
        if change["action"] == "create":
            body = {"projectId": change["project_id"], "label": change["label"], "type": change["type"]}
            return ("POST", "/api/1/deployments", str(body))
        body = {"archive": True} if change["action"] == "archive" else {"label": change["label"]}
        return ("PATCH", "/api/1/deployments/" + change["id"], str(body))

    return collections.Counter(map(request, changes))


def answers(world, new):
    """What each deployment is answered: the flags and experiments that it has, with the new one in the place of the old."""
    served = collections.defaultdict(set)
    for row in world.ledger.flags():
        for each in row["deployments"]:
            if not row["archived"]:
                served[LEAKED if each == new else each].add(row["key"])
    return dict(served)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seed", range(2))
def test_killed_and_run_again(_emulator, task, seed):
    chance = random.Random(f"{task} {seed}")
    world = World(_emulator, history(seed))
    with world.begun():
        before = answers(world, None)
        check = world._play("check", TASKS[task], check_mode=True)
        kill = Kill(chance.choice(["before", "after"]), chance.randrange(6, WRITES))
        killed = world._play("killed", TASKS[task], kill=kill)
        assert killed.killed and killed.committed
        again = world._play("again", TASKS[task])
        assert again.succeeded, again.result

        [new] = [row for row in _emulator.deployments() if row["label"] == "web"]
        [old] = [row for row in _emulator.deployments() if row["id"] == LEAKED]
        assert (new["deleted"], old["deleted"], old["label"]) == (False, True, "web-superseded-11")
        assert answers(world, new["id"]) == before
        assert [row["key"] for row in world.ledger.flags() if LEAKED in row["deployments"]] == ["gone"]
        assert len(check.result["changes"]) == WRITES
        assert written(killed, again) == told(world, check.result["changes"])
        [found] = again.found
        assert (found["id"], found["key"]) == (new["id"], new["key"])
        rerun = world._play("re-run", TASKS[task])
        assert rerun.succeeded and not rerun.changed and not rerun.writes


@pytest.mark.parametrize("task", TASKS)
def test_requests(_emulator, task):
    """The number of lists does not depend on the number of flags, where each list is one page."""
    world = World(_emulator, history())
    with world.begun():
        run = world._play("run", TASKS[task])
        assert run.succeeded, run.result
        methods = collections.Counter(request["method"] for request in run.requests)
        assert methods.pop("GET") < GETS
        assert methods == dict(PATCH=2, POST=1 + FLAGS + EXPERIMENTS, DELETE=FLAGS + EXPERIMENTS)
        assert len(run.writes) == WRITES == sum(written(run).values())
