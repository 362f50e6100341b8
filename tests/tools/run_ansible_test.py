# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test on a copy of the checkout: run_ansible_test.py sanity|units|integration [ARGUMENT...].

The copy is needed because ansible-test insists on a path that ends in ansible_collections/community/amplitude.
"""

from __future__ import annotations

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable

import ansible_test
import checkout
from pythons import find_pythons

ROOT = checkout.ROOT
CACHE = ROOT / ".cache"
PYTHONS = CACHE / "pythons"

# What ansible-test would download to put pip into an empty environment; ensurepip does the same without a download.
GET_PIP = """\
import subprocess, sys
for arguments in ["ensurepip"], ["pip", "install"] + [a for a in sys.argv[1:] if not a.startswith("--no-")]:
    subprocess.run([sys.executable, "-m"] + arguments, check=True, stdout=subprocess.DEVNULL)
"""

# A test whose program is missing is only skipped with a warning. A Python version that is not on the machine may be.
MISSING = re.compile(r"WARNING: (Required program|Skipping (?!.* because it could not be found))")

# Read by pip besides the caller's configuration: only errors are of interest.
PIP_CONF = "[global]\nquiet = 2\ncache-dir = {0}\n".format(CACHE / "pip")

FLAGS = {
    "sanity": ["--local"],
    "units": ["--venv", "--python", "{}.{}".format(*sys.version_info)],
    "integration": ["--venv"],
}


def copy_checkout(target: pathlib.Path) -> None:
    """Put what somebody works on below target, see :func:`checkout.work`; keep its tests/output."""
    names = checkout.work()
    output, kept = target / "tests" / "output", target.parent / "output"
    if output.exists():
        output.rename(kept)
    shutil.rmtree(target, ignore_errors=True)
    checkout.copy(names, target)
    if kept.exists():
        kept.rename(output)
    subprocess.run(["git", "init", "-q"], cwd=target, check=True)
    subprocess.run(["git", "add", "-A"], cwd=target, check=True)


def link_pythons() -> str:
    """Link every interpreter that works as PYTHONS/pythonX.Y and return a PATH where they come first."""
    shutil.rmtree(PYTHONS, ignore_errors=True)
    PYTHONS.mkdir(parents=True)
    for version, python in find_pythons().items():
        (PYTHONS / ("python" + version)).symlink_to(python)
    path = [entry for entry in os.environ["PATH"].split(os.pathsep) if pathlib.Path(entry).name != "shims"]
    return os.pathsep.join([path[0], str(PYTHONS), *path[1:]])


def prepare_home() -> None:
    """Give the scratch HOME the caller's pip configuration, and ansible-test's cache the script for pip."""
    home = pathlib.Path.home()
    config, caller = home / ".config" / "pip", pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir, ".config", "pip")
    config.parent.mkdir(exist_ok=True)
    if caller.exists() and not config.exists():
        config.symlink_to(caller)
    (home / ".pip").mkdir(exist_ok=True)
    (home / ".pip" / "pip.conf").write_text(PIP_CONF, encoding="utf-8")
    source = pathlib.Path(ansible_test.__file__).parent / "_internal" / "python_requirements.py"
    downloads = home / ".ansible" / "test" / "cache"
    downloads.mkdir(parents=True, exist_ok=True)
    for version in re.findall(r"pip='([\d.]+)'", source.read_text(encoding="utf-8")):
        (downloads / "get_pip_{0}.py".format(version.replace(".", "_"))).write_text(GET_PIP, encoding="utf-8")


def run_and_watch(
    command: list[str], cwd: pathlib.Path, environment: dict[str, str], watch: Callable[[str], object]
) -> int:
    """Run a program, show each line of its output and hand it to watch, and return the exit status."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        for line in run.stdout:
            print(line, end="", flush=True)
            watch(line)
    return run.returncode


def main(command: str, *arguments: str) -> int | str:
    """Run ansible-test and return an exit status, or a sentence that says what it left out."""
    target = CACHE / command / "ansible_collections" / "community" / "amplitude"
    if " " in str(target):
        return f"ansible-test does not work below a path with a space in it: {ROOT}"
    copy_checkout(target)
    prepare_home()
    environment = dict(os.environ, PATH=link_pythons())
    print("Python found:", *sorted(os.listdir(PYTHONS)), flush=True)
    skipped = []

    def watch(line: str) -> None:
        if MISSING.search(line):
            skipped.append(line)

    status = run_and_watch(["ansible-test", command, *FLAGS[command], *arguments], target, environment, watch)
    if skipped:
        return "ansible-test skipped what it should have run:\n" + "".join(skipped)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
