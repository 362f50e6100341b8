# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first steps of the README and the guides, as they stand there, against what make emulator serves."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest
import requests
import yaml

from ansible_collections.community.amplitude.tests.support.pages import (
    GUIDES,
    blocks_of_guide,
    commands_of_guide,
    commands_of_page,
)

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


@contextlib.contextmanager
def serving(*command):
    """What an emulator says to set, while it runs."""
    process = subprocess.Popen(
        [str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        said = "".join(
            iter(process.stdout.readline, "Ctrl-C ends it, and discards everything that was created in it.\n")
        )
        yield dict(re.findall(r"^  export (\w+)=(\S+)$", said, re.MULTILINE))
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate()


@pytest.fixture
def settings():
    with serving("make", "emulator", "PORT=0") as settings:
        yield settings


def deployments(settings):
    rows = requests.get(settings["AMPLITUDE_BASE_URL"] + "/_emulator/deployments", timeout=60).json()["deployments"]
    return {(row["projectId"], row["label"]): row for row in rows}


@pytest.fixture
def follow(run, settings, tmp_path):
    """Run a command as it stands; the number of changes, and the output, which has no key."""

    def follow(command):
        result = run("sh", "-c", command, cwd=tmp_path, **settings)
        assert result.status == 0, result.output
        for row in deployments(settings).values():
            assert row["key"] not in result.output
        return int(re.search(r"changed=(\d+)", result.output)[1]), result.output

    return follow


def test_readme(follow, settings, tmp_path):
    text = README.read_text(encoding="utf-8")
    state, command, shown = re.search(
        r"```yaml\n(amplitude_projects:.*?)```.*?`(ansible-playbook .*?)`:\n\n```text\n(.*?)```", text, re.DOTALL
    ).groups()
    (tmp_path / "deployments.yml").write_text(state, encoding="utf-8")
    assert [row["label"] for row in deployments(settings).values() if row["id"] == "20003"] == ["web-shop"]
    output = [line.strip().strip('",') for line in follow(command)[1].splitlines()]
    begin = output.index(shown.splitlines()[0])
    assert output[begin:][: len(shown.splitlines())] == shown.splitlines()

    first = re.search(r"## A first playbook\n\nPut this into `site.yml`.*?```yaml\n(.*?)```", text, re.DOTALL)[1]
    (tmp_path / "site.yml").write_text(first, encoding="utf-8")
    check, apply = [each for each in commands_of_page(README) if each.startswith("ansible-playbook site.yml")]
    assert ("123456", "checkout-api") not in deployments(settings)
    assert follow(check)[0] == 1
    assert follow(apply + " -v")[0] == 2
    assert follow(apply + " -vvv")[0] == 0
    key = deployments(settings)["123456", "checkout-api"]["key"]
    assert (tmp_path / "checkout-api.env").read_text() == f"AMPLITUDE_DEPLOYMENT_KEY={key}\n"


def test_getting_started(follow, settings, tmp_path):
    text = (GUIDES / "getting_started.rst").read_text(encoding="utf-8")
    blocks = blocks_of_guide("getting_started")
    for name, block in (("see.yml", blocks["see"]), ("site.yml", blocks["first"])):
        assert f"Put this into ``{name}``" in text
        (tmp_path / name).write_text(yaml.safe_dump(block, sort_keys=False), encoding="utf-8")
    assert "run ``ansible-playbook see.yml``" in text
    changed, output = follow("ansible-playbook see.yml")
    assert changed == 0 and "web-shop" in output and "123456" in output
    commands = [each for each in commands_of_guide("getting_started") if each.startswith("ansible-playbook")]
    assert [follow(command)[0] for command in commands] == [1, 2, 0]


def test_cheat_sheet(follow, run, settings, tmp_path):
    text = README.read_text(encoding="utf-8")
    sheet = text[text.index("## Cheat sheet") : text.index("## Documentation")]
    tasks = re.findall(r"^\| (.+) \| `(amplitude_\w+): (\{.*\})` \|$", sheet, re.MULTILINE)
    assert [words for words, *dummy in tasks][:4] == ["create", "rename", "archive", "restore"]
    play = dict(hosts="localhost", gather_facts=False)
    play["tasks"] = [
        {"community.amplitude." + module: yaml.safe_load(options), "no_log": True} for dummy, module, options in tasks
    ]
    (tmp_path / "tasks.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    assert follow("ansible-playbook tasks.yml")[0] == len(tasks) - 1, "a list changes nothing"
    rows = deployments(settings)
    assert [label for (project, label), row in rows.items() if project == "123456" and not row["deleted"]] == [
        "default",
        "storefront",
        "ledger-api",
    ]
    suffix = re.search(r"run `ansible-playbook community.amplitude.` … `(.*)` \|", sheet)[1]
    commands = re.findall(r"^\| .+ \| `((?:export|plan|apply|audit).*)` \|$", sheet, re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        follow(f"ansible-playbook community.amplitude.{command} {suffix}")
    assert deployments(settings) == rows and (tmp_path / "audit.html").exists()


def test_guide_without_an_account(run, follow, settings, tmp_path, installed):
    commands = commands_of_guide("without_an_account")
    exports = dict(re.findall(r"export (\w+)=(\S+)", "\n".join(commands)))
    assert exports == dict(settings, AMPLITUDE_BASE_URL="http://127.0.0.1:8080")

    # A create whose answer is lost.
    curl = shlex.split(next(command for command in commands if command.startswith("curl")).replace("\\\n", " "))
    url = curl[1].replace(exports["AMPLITUDE_BASE_URL"], settings["AMPLITUDE_BASE_URL"])
    assert curl[2:5] == ["-H", "Content-Type: application/json", "-d"]
    assert requests.post(url, json=json.loads(curl[5]), timeout=60).ok
    shutil.copy(ROOT / "examples/first-playbook.yml", tmp_path)
    assert follow("ansible-playbook first-playbook.yml")[0] == 2

    # Another seed, and switches.
    seed = tmp_path / "account.yml"
    seed.write_text(yaml.safe_dump(blocks_of_guide("without_an_account")["seed"]), encoding="utf-8")
    assert "make emulator SEED=account.yml" in commands
    with serving("make", "emulator", "PORT=0", f"SEED={seed}") as other:
        assert {label for dummy, label in deployments(other)} == {"default", "web", "old"}
    switched = next(shlex.split(command)[3] for command in commands if "SWITCHES" in command)
    with serving("make", "emulator", "PORT=0", switched) as other:
        switches = requests.get(other["AMPLITUDE_BASE_URL"] + "/_emulator/switches", timeout=60).json()
    assert (switches["unique_labels"], switches["stale_seconds"], switches["rate_limit"]) == ("active", 2, 5)

    # From the archive.
    program = next(command for command in commands if "python3" in command)
    path = re.fullmatch("python3 ~/.ansible/collections/(.*) --port 8080", program)[1]
    with serving(sys.executable, installed["ANSIBLE_COLLECTIONS_PATH"] / path, "--port", "0") as other:
        assert set(deployments(other)) >= {("123456", "web-shop"), ("123457", "default")}


def test_what_is_not_released_is_installed(run, tools, tmp_path):
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("an archive is built in a clone of the repository, with git")
    # The README and the guide say the same.
    commands = [*commands_of_page(README), *commands_of_guide("getting_started")]
    command, same = [each for each in commands if each.startswith("make build")]
    assert command == same
    clone = tmp_path / "a clone"
    tools("run_ansible_test.py")["copy_checkout"](clone)
    place = dict(HOME=tmp_path / "home", ANSIBLE_COLLECTIONS_PATH=tmp_path / "collections", ANSIBLE_HOME=None)
    done = run("sh", "-c", command, cwd=clone, PYTHONPATH=None, **place)
    assert done.status == 0, done.output
    assert (tmp_path / "collections/ansible_collections/community/amplitude/plugins/modules").is_dir()
