# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the sessions of noxfile.py on a copy of the checkout: run_nox.py [ARGUMENT OF NOX...].

Besides what nox itself reports, a warning of galaxy-importer is a failure.
"""

from __future__ import annotations

import os
import re
import sys

from run_ansible_test import CACHE, copy_checkout, prepare_home, run_and_watch


def main(*arguments: str) -> int | str:
    """Run nox and return an exit status, or a sentence that says what Galaxy would warn of."""
    target = CACHE / "nox" / "ansible_collections" / "community" / "amplitude"
    copy_checkout(target)
    prepare_home()
    # nox copies the collection to a place of its own, where alone it must be found.
    elsewhere = ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    # That place is below what git ignores here.
    environment["GIT_CEILING_DIRECTORIES"] = os.environ["TMPDIR"]
    warnings, program = [], ""

    def watch(line: str) -> None:
        nonlocal program
        if line.startswith("nox > "):
            program = line
        elif "galaxy_importer" in program and re.match("(WARNING|ERROR|CRITICAL)\\b", line):
            warnings.append(line)

    command = ["nox", "--envdir", str(CACHE / "nox" / "environments"), "--reuse-existing-virtualenvs", *arguments]
    status = run_and_watch(command, target, environment, watch)
    if warnings:
        return "galaxy-importer warned:\n" + "".join(warnings)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
