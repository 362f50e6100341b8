# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key has leaked: one task moves everything, ansible-playbook is killed on its way, is run again, and ends."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml

from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER, eventually
from ansible_collections.community.amplitude.tests.support.processes import CAN_KILL, kill_marked

pytestmark = [pytest.mark.once, pytest.mark.skipif(not CAN_KILL, reason="finds what it has started in /proc")]

OLD = 7
SEED = {
    "keys": {"management-key": ["1"]},
    "deployments": [
        {"id": OLD, "projectId": "1", "label": "web", "type": "client"},
        {"id": 8, "projectId": "1", "label": "api", "type": "server"},
        {"id": 9, "projectId": "1", "label": "job", "type": "server"},
    ],
    "flags": [
        {"id": 1000 + number, "projectId": "1", "key": f"flag-{number:03}", "enabled": True, "deployments": [OLD, 8]}
        for number in range(200)
    ],
    "experiments": [
        {"id": 2000 + number, "projectId": "1", "key": f"experiment-{number:02}", "enabled": True, "deployments": [OLD]}
        for number in range(20)
    ],
}
TASK = dict(project_id="1", label="web", replaces=OLD, retire=True)
#: The POST in which it is killed; the first of them is the create.
NTH = 88


@pytest.fixture
def playbook(emulator, tmp_path):
    """The command that runs the task, and what it has returned."""
    results = tmp_path / "results.json"
    tasks = [
        {"community.amplitude.amplitude_deployment": TASK, "register": "result"},
        {"ansible.builtin.copy": dict(dest=str(results), content="{{ result | to_json }}"), "check_mode": False},
    ]
    play = [dict(hosts="localhost", gather_facts=False, tasks=tasks)]
    (tmp_path / "playbook.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    environment = dict(
        os.environ, AMPLITUDE_BASE_URL=emulator.url, AMPLITUDE_MANAGEMENT_API_KEY="management-key", MARK=str(tmp_path)
    )

    def start(*arguments):
        command = ["ansible-playbook", str(tmp_path / "playbook.yml"), *arguments]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(*arguments):
        with start(*arguments) as process:
            output, _errors = process.communicate()
        assert process.returncode == 0, output
        return json.loads(results.read_text(encoding="utf-8"))

    return start, finish


def served(emulator, new):
    """By deployment, what it serves; the new one counts as the old one."""
    rows = [*emulator.flags(), *emulator.experiments()]
    return {
        each: sorted(
            row["key"] for row in rows if each in row["deployments"] or (each == str(OLD) and new in row["deployments"])
        )
        for each in (str(OLD), "8", "9")
    }


def writes(emulator):
    return [request for request in emulator.requests() if request["committed"]]


def test_killed_and_run_again(emulator, playbook, tmp_path):
    start, finish = playbook
    emulator.reset(SEED)
    before = served(emulator, None)
    check = finish("--check")
    assert check["changed"] and not writes(emulator)

    emulator.misbehave(action="delay", method="POST", nth=NTH, moment="after", seconds=FOR_EVER)
    with start() as process:

        def arrived():
            assert process.poll() is None
            return sum(request["method"] == "POST" and request["accepted"] for request in emulator.requests()) >= NTH

        eventually(arrived, emulator.requests)
        kill_marked(tmp_path)
        process.communicate()
    assert process.returncode != 0
    emulator.behave()

    again = finish()
    done = writes(emulator)
    rows = {row["id"]: row for row in emulator.deployments()}
    new = again["deployment"]["id"]
    assert (rows[new]["label"], rows[new]["deleted"], rows[new]["key"]) == ("web", False, again["deployment"]["key"])
    assert rows[str(OLD)]["deleted"] and rows[str(OLD)]["label"] == f"web-superseded-{OLD}"
    assert served(emulator, new) == before
    assert not any(str(OLD) in row["deployments"] for row in [*emulator.flags(), *emulator.experiments()])
    # Each of them changes something, and there are as many as were foreseen.
    assert len(done) == len(check["changes"]) == 3 + 2 * 220
    foreseen = [change for change in check["changes"] if change not in again["changes"]]
    assert foreseen and all(change["action"] in ("rename", "create", "assign") for change in foreseen)
    emulator.forget_requests()
    assert not finish()["changed"] and not writes(emulator)
