# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests through the programs that users run, against the emulator over a real socket."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pathlib
import re
import runpy
import shutil
import subprocess
import sys
import typing as t

import pytest
import yaml

from ansible_collections.community.amplitude.tests.emulator import Emulator

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Run(t.NamedTuple):
    """How a program ended, and all that it printed."""

    status: int
    output: str


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


def execute(*command: str | pathlib.Path, cwd: pathlib.Path = ROOT, **environment: t.Any) -> Run:
    """Run a program with some environment variables changed (None: unset)."""
    changed = dict(os.environ, **environment)
    done = subprocess.run(
        [str(word) for word in command],
        cwd=str(cwd),
        env={name: str(value) for name, value in changed.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout)


@pytest.fixture(scope="session")
def run():
    """The function :func:`execute`."""
    return execute


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Makes the content of a directory, once for all processes that run tests at the same time."""

    def once(name: str, make: t.Callable[[pathlib.Path], None]) -> pathlib.Path:
        root = tmp_path_factory.getbasetemp()
        directory = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / name
        with open(f"{directory}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not directory.exists():
                # What was not made to its end is not taken for it.
                begun = directory.with_suffix(".begun")
                shutil.rmtree(begun, ignore_errors=True)
                begun.mkdir()
                make(begun)
                begun.rename(directory)
        return directory

    return once


@pytest.fixture(scope="session")
def archive(once, run):
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("an archive is built in a clone of the repository, with git")

    def build(directory):
        built = run(sys.executable, "tests/tools/build.py", directory)
        assert built.status == 0, built.output

    return next(once("archive", build).glob("community-amplitude-*.tar.gz"))


@pytest.fixture(scope="session")
def installed(once, run, archive):
    """The environment in which only the installed collection is found."""

    def install(directory):
        place = dict(ANSIBLE_COLLECTIONS_PATH=directory, PYTHONPATH=None)
        done = run("ansible-galaxy", "collection", "install", "--offline", "-p", directory, archive, **place)
        assert done.status == 0, done.output

    return dict(ANSIBLE_COLLECTIONS_PATH=once("installed", install), PYTHONPATH=None)


@pytest.fixture
def ansible_playbook(run, tmp_path):
    """Runs tasks on localhost through ansible-playbook."""

    def ansible_playbook(tasks: list[dict[str, t.Any]], *arguments: str, **environment: t.Any) -> Run:
        playbook = tmp_path / "playbook.yml"
        play = dict(hosts="localhost", gather_facts=False, tasks=tasks)
        playbook.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
        return run("ansible-playbook", playbook, *arguments, **environment)

    return ansible_playbook


@pytest.fixture
def outcomes(run, emulator, tmp_path):
    """Runs tasks on localhost in one playbook, each whatever came of the others, and returns the result of each of them.

    The results leave the playbook encoded, so that what is seen of a key on the way is seen in ``outcomes.output``.
    """
    show = {"ansible.builtin.debug": {"msg": "outcome {{ outcome | to_json | b64encode }}"}}

    def outcomes(tasks: list[dict[str, t.Any]], *arguments: str | pathlib.Path, **environment: t.Any) -> list[t.Any]:
        shown = [each for task in tasks for each in (dict(task, register="outcome", ignore_errors=True), show)]
        playbook = tmp_path / "outcomes.yml"
        content = [dict(hosts="localhost", gather_facts=False, tasks=shown)]
        playbook.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        environment = dict(
            dict(HOME=tmp_path, AMPLITUDE_BASE_URL=emulator.url, AMPLITUDE_MANAGEMENT_API_KEY="management-key"),
            **environment,
        )
        done = run("ansible-playbook", playbook, *arguments, cwd=tmp_path, **environment)
        assert done.status == 0, done.output
        outcomes.output = done.output
        found = [json.loads(base64.b64decode(text)) for text in re.findall(r'"msg": "outcome (\S+)"', done.output)]
        assert len(found) == len(tasks), done.output
        return found

    return outcomes


@pytest.fixture
def play(run, emulator, tmp_path):
    """Runs one of the playbooks in an empty directory, with variables without the ``amplitude_`` in front of them."""

    def play(name: str, *flags: str, environment: dict[str, t.Any] | None = None, **variables: t.Any) -> Run:
        emulator.forget_requests()
        result = run(
            "ansible-playbook",
            name if name.endswith(".yml") else "community.amplitude." + name,
            "--extra-vars",
            json.dumps({"amplitude_" + variable: value for variable, value in variables.items()}),
            *flags,
            cwd=tmp_path,
            HOME=tmp_path,
            AMPLITUDE_BASE_URL=emulator.url,
            AMPLITUDE_MANAGEMENT_API_KEY="management-key",
            **(environment or {}),
        )
        if name in ("audit", "export", "plan"):
            assert {request["method"] for request in emulator.requests()} <= {"GET"}
        return result

    return play


@pytest.fixture
def tools(monkeypatch):
    """Maps the name of a file in tests/tools to what it defines."""
    monkeypatch.syspath_prepend(str(ROOT / "tests/tools"))
    return lambda name: runpy.run_path(str(ROOT / "tests/tools" / name))
