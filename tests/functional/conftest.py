# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests through the programs that users run, against the emulator over a real socket."""

from __future__ import annotations

import json
import os
import pathlib
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
def archive(tmp_path_factory, run):
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("an archive is built in a clone of the repository, with git")
    directory = tmp_path_factory.mktemp("archive")
    built = run(sys.executable, "tests/tools/build.py", directory)
    assert built.status == 0, built.output
    return next(directory.glob("community-amplitude-*.tar.gz"))


@pytest.fixture(scope="session")
def installed(tmp_path_factory, run, archive):
    """The environment in which only the installed collection is found."""
    directory = tmp_path_factory.mktemp("installed")
    environment = dict(ANSIBLE_COLLECTIONS_PATH=directory, PYTHONPATH=None)
    done = run("ansible-galaxy", "collection", "install", "--offline", "-p", directory, archive, **environment)
    assert done.status == 0, done.output
    return environment


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
