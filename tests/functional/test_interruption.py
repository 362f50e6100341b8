# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed between any two requests is finished by running it again."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER, eventually
from ansible_collections.community.amplitude.tests.support.modules import run_module

pytestmark = pytest.mark.once

SEED = {
    "keys": {"management-key": ["1"]},
    "deployments": [
        {"id": 7, "projectId": "1", "label": "web", "type": "client"},
        {"id": 8, "projectId": "1", "label": "old", "type": "client", "deleted": True},
    ],
}
TASKS = {
    "create": (dict(label="new", type="server"), ("new", False)),
    "rename": (dict(label="shop", previous_label="web"), ("shop", False)),
    "archive": (dict(label="web", state="absent", force=True), ("web", True)),
    "restore and rename": (dict(id="8", label="shop"), ("shop", False)),
}


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("task", TASKS)
def test_kill(emulator, task, nth):
    """The service has carried out the nth request, and the run does not live to learn of it."""
    emulator.reset(SEED)
    emulator.misbehave(action="delay", nth=nth, moment="after", seconds=FOR_EVER)
    options = dict(project_id="1", management_api_key="management-key", base_url=emulator.url, **TASKS[task][0])
    program = f"from {run_module.__module__} import run_module; run_module('amplitude_deployment', **{options!r})"
    with subprocess.Popen([sys.executable, "-c", program]) as process:

        def arrived():
            assert process.poll() is None
            return [request["accepted"] for request in emulator.requests()] == [True] * nth

        eventually(arrived, emulator.requests)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    emulator.behave()

    result = run_module("amplitude_deployment", **options)

    label, deleted = TASKS[task][1]
    assert not result.get("failed"), result["msg"]
    assert (result["deployment"]["label"], result["deployment"]["deleted"]) == (label, deleted)
    rows = [row for row in emulator.deployments() if row["label"] == label]
    assert [row["deleted"] for row in rows] == [deleted]
    assert not run_module("amplitude_deployment", **options)["changed"]
