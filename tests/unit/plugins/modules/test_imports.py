# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task does not need it does not import, since a module is compiled anew in each task on each host."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from ansible_collections.community.amplitude.tests.support import modules

pytestmark = pytest.mark.core

# Above ansible_collections, as it is imported here: the directory itself can have another name.
COLLECTIONS = pathlib.Path(modules.__file__).parents[5]
PROGRAM = """
import json, sys
from ansible_collections.community.amplitude.tests.support.modules import run_module
result = run_module(sys.argv[1], **json.loads(sys.argv[2]))
rooms = [name.split(".module_utils.")[1] for name in sys.modules if ".amplitude.plugins.module_utils." in name]
json.dump([result, rooms], sys.stdout)
"""
#: Rooms that not every task needs, by what it needs them for.
NEEDED_FOR = {
    "write": {"_apply.execution", "_apply.rounds", "_apply.task", "_apply.settle", "_apply.writes", "_apply.assign"},
    "serve": {"_api.flags", "_plan.serving"},
    "flags": {"_api.flags"},
    "approve": {"_plan.approval"},
    "purge": {"_plan.purge"},
    "list": {"_plan.invalid", "_given_items"},
    "plan": {"_plan.many", "_plan.single", "_plan.wanted", "_plan.whole", "_plan.guards", "_plan.served"},
    "fail": {"_api.failures", "_api.quotes"},
}
WEB = dict(project_id="1", label="web", type="client")
ITEMS = dict(project_id="1", deployments=[dict(label="web")])
#: Writing imports all that it may come to need.
WRITE = {"write", "serve", "flags", "plan"}
TASKS = {
    "there": ("amplitude_deployment", WEB, {"plan"}),
    "there, with words for nothing": ("amplitude_deployment", dict(WEB, flags=None, replaces=""), {"plan"}),
    "missing": ("amplitude_deployment", dict(WEB, label="api"), WRITE),
    "missing, in check mode": ("amplitude_deployment", dict(WEB, label="api", check_mode=True), {"plan"}),
    "serving": ("amplitude_deployment", dict(WEB, flags=[]), {"plan", "serve", "flags"}),
    "approved": ("amplitude_deployment", dict(WEB, approved_changes=[]), {"plan", "approve"}),
    "archived by force": (
        "amplitude_deployment", dict(WEB, state="absent", force=True, check_mode=True), {"plan"}
    ),
    "archived": ("amplitude_deployment", dict(WEB, state="absent", check_mode=True), {"plan", "flags"}),
    "refused": ("amplitude_deployment", dict(WEB, type="server"), {"plan"}),
    "the key is wrong": ("amplitude_deployment", dict(WEB, management_api_key="another-key"), {"plan", "fail"}),
    "several, there": ("amplitude_deployments", ITEMS, {"plan", "list"}),
    "several, purged": ("amplitude_deployments", dict(ITEMS, purge=True), {"plan", "list", "purge"}),
    "listed": ("amplitude_deployment_info", dict(project_id="1"), set()),
    "listed with what uses them": ("amplitude_deployment_info", dict(project_id="1", include_usage=True), {"flags"}),
}  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
def test_imports(task, emulator, connection):
    module, options, needs = TASKS[task]
    emulator.reset(dict(keys={"management-key": ["1"]}, deployments=[dict(projectId="1", label="web", type="client")]))
    given = dict(connection, **options)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, module, json.dumps(given)],
        env=dict(os.environ, PYTHONPATH=os.pathsep.join([str(COLLECTIONS), *sys.path])),
        stdout=subprocess.PIPE,
        check=True,
    )
    result, rooms = json.loads(run.stdout)
    assert result.get("failed", False) is (task in ("refused", "the key is wrong")), result
    optional = set().union(*NEEDED_FOR.values())
    assert optional.intersection(rooms) == set().union(*(NEEDED_FOR[each] for each in needs))


def test_rooms_are_there():
    utils = pathlib.Path(modules.__file__).parents[2] / "plugins" / "module_utils"
    for room in set().union(*NEEDED_FOR.values()):
        assert (utils / (room.replace(".", "/") + ".py")).is_file(), room
