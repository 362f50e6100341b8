# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python interpreters of this machine."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

#: Says what an interpreter is if it can make virtual environments.
PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"


def find_pythons() -> dict[str, str]:
    """Return the path of an interpreter for each version, as in ``{"3.11": "/usr/bin/python3.11"}``.

    Those on PATH come first, then those of pyenv. Its shims are left out: they are there even for a version that does
    not run. For the same reason each candidate has to prove itself.
    """
    path, directories = [], []
    for entry in map(pathlib.Path, os.environ["PATH"].split(os.pathsep)):
        if entry.name == "shims":
            directories += sorted((entry.parent / "versions").glob("*/bin"))
        else:
            path.append(entry)
    pythons: dict[str, str] = {}
    for python in (python for directory in path + directories for python in sorted(directory.glob("python3.*"))):
        version = python.name[len("python") :]
        if re.fullmatch(r"3\.\d+", version) and version not in pythons:
            try:
                found = subprocess.run(
                    [python, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
                )
            except OSError:
                continue
            if found.returncode == 0 and found.stdout.split(None, 1)[:1] == [version]:
                pythons[version] = found.stdout.split(None, 1)[1].strip()
    return pythons
