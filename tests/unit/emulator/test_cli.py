# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator as a program."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import typing as t

import pytest
import requests
import yaml

from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.emulator.cli import SEED_HELP, main
from ansible_collections.community.amplitude.tests.unit.emulator.api import KEY, PATH, SEED

EMULATOR = pathlib.Path(__file__).resolve().parents[2] / "emulator"


class Program:
    def __init__(self, *arguments: t.Any, how: t.Any = (str(EMULATOR),), cwd: t.Any = None) -> None:
        command = [sys.executable, *how, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd)
        self.line = self.process.stdout.readline() if self.process.stdout else ""
        self.url = self.line.rpartition(" ")[2].strip()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exc_info: t.Any) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def test_program(session: requests.Session, tmp_path: pathlib.Path) -> None:
    seed, port_file = tmp_path / "seed.json", tmp_path / "port"
    seed.write_text(json.dumps({**SEED, "switches": {"ids": "string"}}))
    arguments = ["--seed", seed, "--port-file", port_file, "--switch", "order=label", "--switch", "gzip=yes"]
    with Program(*arguments) as program:
        assert re.fullmatch(r"Amplitude Experiment emulator listening on http://127.0.0.1:\d+\n", program.line)
        assert program.url.endswith(f":{int(port_file.read_text())}")
        assert sorted(os.listdir(tmp_path)) == ["port", "seed.json"]
        rows = session.get(program.url + PATH, headers={"Authorization": "Bearer " + KEY}, timeout=60).json()
        assert [row["id"] for row in rows["deployments"]] == ["10001", "10002", "10003", "7"]
        program.process.send_signal(signal.SIGTERM)
        assert program.process.stdout and program.process.stderr
        hint, errors = program.process.stdout.read(), program.process.stderr.read()
        assert re.findall("^  export (.*)$", hint, re.MULTILINE) == [
            "AMPLITUDE_BASE_URL=" + program.url,
            "AMPLITUDE_MANAGEMENT_API_KEY=" + KEY,
        ]
        assert (errors, program.process.wait(60)) == ("", 0)


@pytest.mark.parametrize("end", [signal.SIGINT, "parent"])
def test_program_as_module_with_parent(session: requests.Session, tmp_path: pathlib.Path, end: t.Any) -> None:
    yaml = pytest.importorskip("yaml")
    seed = tmp_path / "seed.yml"
    seed.write_text(yaml.safe_dump(SEED))
    with subprocess.Popen(["sleep", "60"]) as parent:
        try:
            arguments = ["--seed", seed, "--parent-pid", parent.pid]
            with Program(*arguments, how=("-m", "tests.emulator"), cwd=EMULATOR.parents[1]) as program:
                assert session.get(program.url + "/_emulator/deployments", timeout=60).status_code == 200
                if end == "parent":
                    parent.kill()  # and is a zombie until it is waited for
                else:
                    program.process.send_signal(end)
                assert program.process.wait(timeout=60) == 0
        finally:
            parent.kill()


def test_program_over_tls(certificate: pathlib.Path) -> None:
    with Program("--tls-cert", certificate, "--tls-key", certificate) as program:
        assert program.url.startswith("https://127.0.0.1:")
        assert requests.get(program.url + "/_emulator/switches", verify=str(certificate), timeout=60).status_code == 200


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["--switch", "idz=1"], "idz"),
        (["--switch", "ids"], "NAME=VALUE"),
        (["--seed", "/nonexistent"], "nonexistent"),
        (["--seed", "/dev/null"], "/dev/null does not contain a seed: see --help"),
        (["--port", "99999"], "number from 0 to 65535"),
        (["--tls-cert", "/nonexistent"], "--tls-key"),
    ],
)
def test_program_that_is_misused(capsys: t.Any, arguments: list[str], word: str) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2 and word in capsys.readouterr().err


def test_port_that_is_taken(capsys: t.Any, emulator: Emulator) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["--port", str(emulator.port)])
    assert exit.value.code and "in use" in capsys.readouterr().err


def test_program_without_flask(tmp_path: pathlib.Path) -> None:
    (tmp_path / "flask.py").write_text("raise ModuleNotFoundError(name='flask')", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, EMULATOR], env=environment, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        f"The emulator needs Flask: {sys.executable} -m pip install flask\n",
    )


def test_program_explains_every_switch(capsys: t.Any, emulator: Emulator) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert set(emulator.switches()) <= set(capsys.readouterr().out.split())


def test_seed_of_the_help() -> None:
    with Emulator(yaml.safe_load(SEED_HELP.partition("\n")[2])) as emulator:
        assert [(row["label"], row["type"]) for row in emulator.deployments()] == [("web", "client")]
        assert [flag["deployments"] for flag in emulator.flags()] == [[emulator.deployments()[0]["id"]]]


def test_state_that_it_begins_with() -> None:
    """As in Amplitude, each project has a default deployment. Something is in use, something is archived."""
    seed = yaml.safe_load((EMULATOR / "example.yml").read_text(encoding="utf-8"))
    with Emulator(seed) as emulator:
        rows = emulator.deployments()
        default = [row["projectId"] for row in rows if row["type"] is None]
        assert default == seed["keys"]["management-key"] == sorted({row["projectId"] for row in rows})
        assert {row["deleted"] for row in rows} == {True, False}
        assert set(emulator.flags()[0]["deployments"]) <= {row["id"] for row in rows}
