# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``make live`` does at the real service, at services that differ in all that is not documented."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from ansible_collections.community.amplitude.tests.live import live, ours
from ansible_collections.community.amplitude.tests.live.service import Service
from ansible_collections.community.amplitude.tests.support.canaries import Processes, canary
from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER, eventually
from ansible_collections.community.amplitude.tests.support.live import PROJECT, World

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: The request of the playbook that is the first POST of it, where labels are not unique.
FIRST_OF_PLAYBOOK = 7
NOT_SEEN = "not observable: one page holds the whole list."
NAMES = {
    "ids": "IDs of deployments in a list",
    "new id": "ID in the answer to a POST",
    "count": "Whether IDs count up",
    "order": "Order of the list",
    "limit": "Rows of a page with ``limit=1000``",
    "default": "Rows of a page without ``limit``",
    "cursor": "``nextCursor`` of a page that is not the last",
    "end": "``nextCursor`` of the last page",
    "active": "POST with the label of an active deployment of the project",
    "archived": "POST with the label of an archived deployment of the project",
    "both": "PATCH with ``label`` and ``archive: false``",
    "both again": "PATCH with ``label`` and ``archive: true``",
    "label": "Answer to a label with a space in it",
    "type": "Answer to a ``type`` that does not exist",
    "lag": "Time until a list shows a new deployment",
    "lag of archiving": "Time until a list shows that a deployment was archived",
    "fields": "Further fields of a row",
    "deleted": "Whether active deployments have ``deleted: false``",
    "retry": "``Retry-After`` of a 429",
    "post": "Where the fields of a POST are read",
    "patch": "Where the fields of a PATCH are read",
}
#: The parts of the playbook that are run (it takes a while), the switches, and what has to be seen of them.
WORLDS = {
    "as documented": (
        ["one", "new"],
        dict(order="label", default_page_size=5),
        {
            "ids": r"numbers\.",
            "new id": r"numbers\.",
            "count": r"yes: \d+ made one after the other, all above those of older deployments\.",
            "order": r"by label\.",
            "limit": NOT_SEEN,
            "default": r"5\.",
            "cursor": r"not observed\.",
            "end": r"left out\.",
            "active": r"creates a second one\.",
            "archived": r"creates a second one\.",
            "label": r"400, JSON with ``code``, ``error`` sent as ``application/json``\.",
            "lag": r"list number 1 shows it, begun 0\.0 seconds after the answer\.",
            "fields": r"none\.",
            "deleted": r"yes\.",
        },
    ),
    "all that is awkward": (
        ["many"],
        dict(
            opaque_ids=True,
            max_page_size=7,
            last_page="empty_page_with_cursor",
            cursor="opaque",
            order="newest_first",
            unique_labels="active",
            duplicate_status=409,
            error_body="html",
            stale_lists=2,
            extra_fields=True,
            omit_deleted=True,
        ),
        {
            "ids": r"text and text of digits\.",
            "new id": r"text\.",
            "count": r"no: they are not numbers\.",
            "order": r"newest first\.",
            "limit": r"7\.",
            "default": r"7\.",
            "cursor": r"text\.",
            "end": r"there is one on a page without rows\.",
            "active": r"refused: 409, HTML sent as ``text/html``\.",
            "archived": r"creates a second one\.",
            "label": r"400, HTML sent as ``text/html``\.",
            "lag": r"list number 3 shows it, begun \d\.\d seconds after the answer; one begun after \d\.\d seconds .*",
            "fields": r"``_links``, ``revision``\.",
            "deleted": r"no: some have no ``deleted``\.",
        },
    ),
    "unique labels": (
        ["new"],
        dict(
            ids="string",
            unique_labels="all",
            error_body="empty",
            last_page="null",
            fields_of_post="body_alone",
            fields_of_patch="body_alone",
        ),
        {
            "post": r"not observable: fields in the body and in the query are refused: 400, an empty body .*",
            "patch": r"not observable: fields in the body and in the query are refused: 400, an empty body .*",
            "ids": r"text of digits\.",
            "new id": r"text of digits\.",
            "count": r"yes: 2 made one after the other, all above those of older deployments\.",
            "order": r"oldest first and by ascending ID\.",
            "limit": NOT_SEEN,
            "default": NOT_SEEN,
            "cursor": r"not observed\.",
            "end": r"null\.",
            "active": r"refused: 400, an empty body .*",
            "archived": r"refused: 400, an empty body .*",
            "label": r"400, an empty body .*",
            "lag": r"list number 1 .*",
            "fields": r"none\.",
            "deleted": r"yes\.",
        },
    ),
}


@pytest.fixture
def world(emulator, tmp_path):
    return World(emulator, tmp_path / "observed.rst")


@pytest.mark.parametrize("name", WORLDS)
def test_live(run, emulator, world, name):
    parts, switches, expected = WORLDS[name]
    world.begin(**switches)

    result = run("python", *world.command, *parts, **world.environment)

    assert result.status == 0, result.output
    assert str(world.record) in result.output
    own = world.check_that_it_was_cleaned_up(result.output)
    assert 1 <= len(own) <= 12
    assert len(emulator.requests()) < 200
    assert "failed=0" in result.output
    told = world.told()
    both = dict.fromkeys(["both", "both again"], r"both are carried out\.")
    read = dict.fromkeys(["post", "patch"], r"the body\.")
    always = dict(both, **read, type=expected["label"], retry=r"not observed: what was probed met no 429\.")
    for short, pattern in dict(always, **expected, **{"lag of archiving": expected["lag"]}).items():
        assert re.fullmatch(pattern, told[NAMES[short]]), (short, told[NAMES[short]])


def test_failure_in_the_middle(run, emulator, world):
    """The first create of the playbook is refused, with words that nobody must see."""
    world.begin()
    keys = [row["key"] for row in emulator.deployments()]
    refusal = f"no {world.management_key} for {keys[2]}"
    emulator.misbehave(action="status", method="POST", nth=FIRST_OF_PLAYBOOK, status=403, body=refusal)

    with Processes() as processes:
        result = run("python", *world.command, **world.environment)

    assert world.management_key in processes.environments and "site.yml" in processes.command_lines
    assert world.management_key not in processes.command_lines
    assert result.status == 1
    assert "no ******** for ********" in result.output
    assert "The playbook has failed: see above." in result.output
    assert len(world.check_that_it_was_cleaned_up(result.output)) == 4
    assert "Creates a second one" in world.record.read_text(encoding="utf-8")


def test_interruption(emulator, world):
    """Ctrl-C after the service has carried out the first create of the playbook, and before it has answered."""
    world.begin()
    emulator.misbehave(action="delay", method="POST", nth=FIRST_OF_PLAYBOOK, moment="after", seconds=FOR_EVER)
    command = [sys.executable, *world.command]
    environment = dict(os.environ, **world.environment)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:

        def created():
            posts = [request for request in emulator.requests() if request["method"] == "POST"]
            return len(posts) == FIRST_OF_PLAYBOOK and posts[-1]["committed"]

        eventually(created, emulator.requests)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=FOR_EVER)[0]

    assert process.returncode == 1 and "Interrupted." in output, output
    assert re.search(
        "can be carried out after this. Look later .* begins with ansible-live-[0-9a-f]{8}-, and archive", output
    )
    assert "Traceback" not in output
    assert len(world.check_that_it_was_cleaned_up(output)) == 5


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(AMPLITUDE_MANAGEMENT_API_KEY=""), "Not set: AMPLITUDE_MANAGEMENT_API_KEY. "),
        (dict(AMPLITUDE_TEST_PROJECT_ID=""), "Not set: AMPLITUDE_TEST_PROJECT_ID. "),
        (dict(AMPLITUDE_MANAGEMENT_API_KEY="wrong-management-key"), "answered 401 Unauthorized"),
        (dict(AMPLITUDE_MANAGEMENT_API_KEY="", AMPLITUDE_TEST_PROJECT_ID=""), "_KEY, AMPLITUDE_TEST_PROJECT_ID. "),
        (dict(AMPLITUDE_TEST_PROJECT_ID="770070"), "sees no deployment of such a project"),
        (dict(AMPLITUDE_REGION="mars"), "AMPLITUDE_REGION is 'mars'"),
        (dict(AMPLITUDE_BASE_URL="http://example.com"), "base_url is plain http to another machine"),
    ],
)
def test_what_is_missing_or_wrong(emulator, world, monkeypatch, changes, words):
    world.begin()
    monkeypatch.setattr(live.signal, "signal", lambda *dummy: None)
    for name, value in dict(world.environment, **changes).items():
        monkeypatch.setenv(name, value)
    answer = live.main("--record", str(world.record))
    assert words in answer
    assert {request["method"] for request in emulator.requests()} <= {"GET"}
    assert not world.record.exists()


def test_nothing_but_our_own_is_written_to():
    run = ours.Ours(PROJECT)
    mine, other = (ours.Deployment(id, PROJECT, run.prefix + "a", None, None, False) for id in ("1", "2"))
    run.before = {"2": other}
    strangers = [mine._replace(id="3", label="web"), mine._replace(id="4", project_id="770078")]
    assert run.found([mine, other, *strangers]) == [mine]
    run.claim("2")
    label = run.prefix + "b"
    run.allow(dict(archive=True), "1")
    run.allow(dict(label=label, archive=False), "1")
    run.allow(dict(projectId=PROJECT, label=label))
    for refused in [
        (dict(archive=True), "2"),
        (dict(archive=True), "3"),
        (dict(archive=True), "4"),
        (dict(label="web"), "1"),
        (dict(projectId=PROJECT, label="web"),),
        (dict(projectId="770078", label=label),),
    ]:
        with pytest.raises(ours.Stopped):
            run.allow(*refused)
    run.claim("5")
    assert run.found([mine, mine._replace(id="5", label="api")]) == [mine, mine._replace(id="5", label="api")]

    flag = ours.Flag("flag", "9", PROJECT, "f", None, True, False, ())
    run.flags = [flag]
    run.allow_serving("/api/1/flags/9/deployments", ["1", "5"])
    for refused in [
        ("/api/1/flags/9/deployments", ["1", "2"]),
        ("/api/1/flags/9/deployments", []),
        ("/api/1/flags/8/deployments", ["1"]),
        ("/api/1/experiments/9/deployments", ["1"]),
    ]:
        with pytest.raises(ours.Stopped):
            run.allow_serving(*refused)
    run.check_alone(flag._replace(deployments=("1", "5")))
    with pytest.raises(ours.Stopped):
        run.check_alone(flag._replace(deployments=("1", "2")))


def checkout(tmp_path):
    """A checkout with nothing in it but tests/tools/env, which finds the virtual environment that it wants."""
    root = tmp_path / "check out"
    (root / "tests/tools").mkdir(parents=True)
    shutil.copy2(ROOT / "tests/tools/env", root / "tests/tools/env")
    (root / "tests/requirements").mkdir()
    (root / "tests/requirements/test.txt").write_text("none\n", encoding="utf-8")
    (root / ".venv/test/bin").mkdir(parents=True)
    (root / ".venv/test/bin/python").symlink_to(sys.executable)
    (root / ".venv/test/complete").write_text(f"{root.resolve()} \nnone\n", encoding="utf-8")
    return root


@pytest.mark.parametrize("flags", [["--live"], []])
def test_settings_of_the_caller(run, tmp_path, flags):
    """Only ``make live`` sees the caller's settings, and nobody else can read them off the arguments."""
    root, key = checkout(tmp_path), canary() + " $HOME `id` \\n '\""
    settings = dict(
        AMPLITUDE_MANAGEMENT_API_KEY=key,
        AMPLITUDE_TEST_PROJECT_ID="1",
        AMPLITUDE_TEST_FLAG="f",
        AMPLITUDE_TEST_EXPERIMENT="e",
        no_proxy="*",
        ANSIBLE_FORKS="1",
    )
    program = "import os, sys, time; time.sleep(0.3); print(dict(os.environ), sys.argv[1:])"

    with Processes() as processes:
        result = run(root / "tests/tools/env", *flags, "test", "python", "-c", program, "a b", **settings, PYTHON=None)

    assert result.status == 0, result.output
    seen = ast.literal_eval(result.output.splitlines()[-1].rpartition(" [")[0])
    assert result.output.endswith("['a b']\n")
    del settings["ANSIBLE_FORKS"]
    assert {name: seen[name] for name in seen if name in settings} == (settings if flags else {})
    assert "ANSIBLE_FORKS" not in seen
    assert key[:32] not in processes.command_lines


def test_no_key_is_told():
    service = Service(dict(base_url="http://127.0.0.1", management_api_key="management-key"), PROJECT)
    told = service.redact(f"management-key and server-{'a1' * 16} and web")
    assert told == "******** and ******** and web"
