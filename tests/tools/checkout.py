# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of this checkout, as git knows them."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: Every file in a checkout without git.
FIND = "find . ( -name .cache -o -name .venv ) -prune -o ! -type d -print0".split()


def is_clone() -> bool:
    """Whether git can tell which files belong to the checkout. A repository around it cannot."""
    return (ROOT / ".git").exists() and shutil.which("git") is not None


def git(*arguments: str) -> str:
    """Run git on the checkout and return its output."""
    command = ["git", "-c", "safe.directory=*", *arguments]
    return os.fsdecode(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def _listed(*arguments: str) -> list[str]:
    return [name for name in git("ls-files", "-z", *arguments).split("\0") if name]


def tracked() -> list[str]:
    """The files that git tracks."""
    return _listed("--cached")


def untracked() -> list[str]:
    """What git neither tracks nor ignores; a directory without any tracked file stands for all that is in it."""
    return _listed("--others", "--exclude-standard", "--directory")


def work() -> list[str]:
    """What somebody works on: the files that git does not ignore (without git: all), without virtual environments."""
    if is_clone():
        names = _listed("--cached", "--others", "--exclude-standard")
    else:
        found = subprocess.run(FIND, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        names = [name[len("./") :] for name in os.fsdecode(found).split("\0") if name]
    environments = tuple(name[: -len("pyvenv.cfg")] for name in names if name.endswith("/pyvenv.cfg"))
    return [name for name in names if not name.startswith(environments)]


def copy(names: t.Iterable[str], target: pathlib.Path) -> None:
    """Put these files below a directory, as they are in the checkout; those that are not there are left out."""
    for name in names:
        source = ROOT / name
        if source.is_symlink() or source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
