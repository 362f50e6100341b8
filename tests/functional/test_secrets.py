# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the keys are after a run: the management key nowhere, deployment keys only in the documented return values.

One playbook uses the modules in every way that shows something. It also shows a word and a deployment key in the open,
on purpose: each place that is searched has to have those, so that a search which finds nothing there is known to work.
"""

from __future__ import annotations

import html
import importlib.metadata
import os
import pathlib
import tempfile

import pytest
import yaml

from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.emulator.control import World
from ansible_collections.community.amplitude.tests.support.canaries import Processes, canary, without_documented_keys
from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER, eventually

pytestmark = pytest.mark.core

MANAGEMENT_KEY = canary()
IN_THE_OPEN = canary("in-the-open-")
KEY_IN_THE_OPEN = canary("client-")
KEYS = [canary("client-"), canary("server-"), canary()]
SEED = dict(
    keys={MANAGEMENT_KEY: [1]},
    deployments=[
        dict(id=1, projectId=1, label="web", key=KEYS[0]),
        dict(id=2, projectId=1, label="api", key=KEYS[1]),
        dict(id=3, projectId=1, label="default", key=KEYS[2]),
        dict(id=4, projectId=1, label=IN_THE_OPEN, key=KEY_IN_THE_OPEN, deleted=True),
    ],
)
#: What a service could say when it refuses a request. What becomes of all else that it could say is a unit test.
REFUSAL = "no Authorization: Bearer {0} for {1} and {2}".format(MANAGEMENT_KEY, *KEYS)

MODULE = "community.amplitude.amplitude_deployment"
INFO = MODULE + "_info"
PLAYBOOK = [
    dict(
        name="Use the modules",
        hosts="localhost",
        gather_facts=False,
        module_defaults={"group/community.amplitude.amplitude": "{{ amplitude }}"},
        tasks=[
            {
                "name": "List in the background",
                INFO: dict(include_archived=True),
                "async": int(FOR_EVER),
                "poll": 0,
                "register": "job",
            },
            {
                "name": "Show a word to everybody",
                "ansible.builtin.shell": (
                    "until [ -e {{ seen | quote }} ]; do sleep 0.1; done;"
                    " echo {{ in_the_open }} | tee {{ leftovers | map('quote') | join(' ') }}"
                ),
            },
            {"name": "Show a key to everybody", "ansible.builtin.debug": dict(msg="{{ key_in_the_open }}")},
            {"name": "Create", MODULE: dict(project_id="1", label="new", type="server"), "register": "created"},
            {"name": "List", INFO: dict(include_archived=True), "register": "listed"},
            {"name": "Show what was created", "ansible.builtin.debug": dict(var="created")},
            {"name": "Show what was listed", "ansible.builtin.debug": dict(var="listed")},
            {
                "name": "Remember what is no secret",
                "ansible.builtin.set_fact": dict(
                    cacheable=True, created_id="{{ created.deployment.id }}", remark="{{ in_the_open }}"
                ),
            },
            {
                "name": "Fail",
                MODULE: dict(base_url="{{ item }}", project_id="1", label="web", type="client", retry_timeout=0),
                "loop": "{{ bad_addresses }}",
                "ignore_errors": True,
            },
            {
                "name": "Rename, and fail to read that back",
                MODULE: dict(
                    base_url="{{ half_working }}", project_id="1", id="1", state="absent", force=True, retry_timeout=0
                ),
            },
            {
                "name": "Wait for the list",
                "ansible.builtin.debug": dict(msg="There it is."),
                "until": "in_the_open in lookup('ansible.builtin.file', job.results_file)",
                "retries": int(FOR_EVER * 10),
                "delay": 0.1,
            },
        ],
    ),
    dict(
        name="Fail",
        hosts=IN_THE_OPEN,
        gather_facts=False,
        tasks=[{"name": "Fail", "ansible.builtin.fail": dict(msg="{{ in_the_open }}")}],
    ),
]

#: Where a run is told to leave what it can leave behind, below one directory.
WHERE = dict(
    ANSIBLE_LOG_PATH="log",
    ANSIBLE_RETRY_FILES_SAVE_PATH="retry",
    ANSIBLE_CACHE_PLUGIN_CONNECTION="facts",
    EVERYTHING_FILE="everything",
    JUNIT_OUTPUT_DIR="junit",
    HOME="home",
    ANSIBLE_HOME="home/.ansible",
    ANSIBLE_ASYNC_DIR="home/.ansible_async",
    TMPDIR="tmp",
    ANSIBLE_LOCAL_TEMP="local",
    ANSIBLE_REMOTE_TMP="remote",
)
LEFTOVERS = ["home/leftover", "tmp/leftover", "local/leftover", "remote/leftover"]
SETTINGS = dict(
    ANSIBLE_CACHE_PLUGIN="jsonfile",
    ANSIBLE_CALLBACK_PLUGINS=pathlib.Path(__file__).parents[1] / "support/callbacks",
    ANSIBLE_CALLBACKS_ENABLED="everything,ansible.builtin.junit",
    ANSIBLE_DISPLAY_TRACEBACK="always",
    ANSIBLE_INJECT_INVOCATION=1,
    ANSIBLE_KEEP_REMOTE_FILES=0,
    ANSIBLE_NOCOLOR=1,
    ANSIBLE_RETRY_FILES_ENABLED=1,
)
#: What a run shows that is told to show as much as it can.
SHOWN = [
    "+++ after",
    '"management_api_key": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"',
    "no Authorization: Bearer ******** for",
    # ansible-core 2.18 shows tracebacks of its own only.
    *([] if importlib.metadata.version("ansible-core").startswith("2.18.") else ["Traceback (most recent call last)"]),
    "The change was accepted, but could not be read back.",
    "unreachable=0    failed=0",
]
#: Files that show what results are, thus keys; and files that show no result.
RESULTS = ["output", "log", "everything", "junit/*.xml", "home/.ansible_async/*"]
OTHERS = ["processes"] + LEFTOVERS
OF_PROGRAM = {
    "ansible-playbook": ([], ["retry/*.retry", "facts/*"]),
    "ansible-runner": (["artifacts/*/stdout", "artifacts/*/job_events/*"], ["artifacts/*/fact_cache/*"]),
}


@pytest.fixture
def variables(emulator):
    """The variables of the playbook, while emulators run: one that works, one that refuses, one that half works."""
    emulator.reset(SEED, latency=0.1)
    with Emulator(SEED) as refusing, Emulator(SEED) as half_working:
        refusing.misbehave(action="status", status=400, body=REFUSAL, times=0)
        half_working.misbehave(action="status", method="GET", nth=2, times=0, status=400, body=REFUSAL)
        yield dict(
            amplitude=dict(base_url=emulator.url),
            bad_addresses=[refusing.url],
            half_working=half_working.url,
            in_the_open=IN_THE_OPEN,
            key_in_the_open=KEY_IN_THE_OPEN,
        )


@pytest.fixture
def plain_path():
    """A directory with a plain path, below that of the checkout unless that has a space.

    It is short, since ansible-core cannot make a socket whose path has more than 107 characters. And it has no space, since
    ansible-core does not quote the path of a module that it starts in the background.
    """
    temporary = os.environ.get("TMPDIR", "")
    with tempfile.TemporaryDirectory(prefix="", dir="/tmp" if " " in temporary else temporary or None) as directory:
        yield pathlib.Path(directory)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    return path


def read(path):
    text = path.read_text(encoding="utf-8", errors="replace")
    return html.unescape(text) if path.suffix == ".xml" else text


def wait_for_background(left):
    """Wait until Ansible has removed the files of the task in the background, after which it looks every five seconds."""
    eventually(lambda: not list(left.glob("remote/ansible-tmp-*")), lambda: list(left.rglob("*")))


def leaks(directory, secrets):
    """The files of the directory that have one of the secrets, with the words around it."""
    for path in sorted(directory.rglob("*")):
        text = without_documented_keys(read(path)) if path.is_file() else ""
        for secret in secrets:
            if secret in text:
                at = text.index(secret)
                yield str(path.relative_to(directory)), text[max(0, at - 200) : at + 100]


@pytest.mark.parametrize(
    "program, given_as, pipelining",
    [("ansible-playbook", "environment variable", 1), ("ansible-runner", "option", 0)],
)
def test_secrets(run, monkeypatch, tmp_path, plain_path, emulator, variables, program, given_as, pipelining):
    given, left = tmp_path / "given", tmp_path / "left"
    environment = dict(SETTINGS, ANSIBLE_PIPELINING=pipelining)
    environment.update((name, left / place) for name, place in WHERE.items())
    for name in ("TMPDIR", "ANSIBLE_REMOTE_TMP"):
        environment[name] = plain_path / WHERE[name]
        environment[name].symlink_to(left / WHERE[name])
    variables["seen"] = str(tmp_path / "seen")
    variables["leftovers"] = [str(write(left / place, "")) for place in LEFTOVERS]
    if given_as == "option":
        variables["amplitude"]["management_api_key"] = MANAGEMENT_KEY
    else:
        environment["AMPLITUDE_MANAGEMENT_API_KEY"] = MANAGEMENT_KEY
    inventory = write(given / "inventory/hosts", "localhost ansible_connection=local\n" + IN_THE_OPEN)
    playbook = write(given / "project/playbook.yml", PLAYBOOK)
    extravars = write(given / "env/extravars", variables)
    if program == "ansible-playbook":
        arguments = ["-i", inventory, "-e", f"@{extravars}", "-vvvv", "--diff", playbook]
    else:
        arguments = ["run", given, "-p", playbook, "--artifact-dir", left / "artifacts", "-vvvv", "--cmdline=--diff"]

    with Processes(awaited=(IN_THE_OPEN, tmp_path / "seen")) as processes:
        # A request is answered after somebody has looked who sends it.
        monkeypatch.setattr(World, "wait", lambda *dummy: processes.look())
        result = run(program, *arguments, **environment)
    wait_for_background(left)
    write(left / "output", result.output)
    write(left / "processes", processes.command_lines)

    keys = [deployment["key"] for deployment in emulator.deployments() if deployment["label"] != IN_THE_OPEN]
    assert list(leaks(left, [MANAGEMENT_KEY] + keys)) == []

    # It was a run in which a key could have been found.
    assert [len(keys), result.status] == [4, 2], result.output
    # ansible-runner now and then loses a line that Ansible has written to stderr; the log has it.
    for words in SHOWN:
        assert words in result.output + read(left / "log")
    assert (MANAGEMENT_KEY in processes.environments) is (given_as != "option")
    assert ("AnsiballZ_amplitude_deployment.py" in processes.command_lines) is not pipelining
    results, others = RESULTS + OF_PROGRAM[program][0], OTHERS + OF_PROGRAM[program][1]
    elsewhere = [left / name for name, dummy in leaks(left, [KEY_IN_THE_OPEN])]
    for place in results + others:
        paths = list(left.glob(place))
        text = "".join(map(read, paths))
        assert IN_THE_OPEN in text, place
        assert (keys[0] in text) is (place in results), place
        assert bool(set(paths) & set(elsewhere)) is (place in results and not place.startswith("home")), place
