# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the archive for Galaxy from the files that git tracks: build.py [DIRECTORY].

They are packed as they are in the checkout, committed or not, without what build_ignore in galaxy.yml leaves out.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import typing as t

import checkout

DIST = ".cache/dist"
#: So many are named of what is left out.
NAMED = 10


def archive_of(version: str, directory: str = DIST) -> pathlib.Path:
    """Where the archive of a version is built."""
    return checkout.ROOT / directory / f"community-amplitude-{version}.tar.gz"


def build(directory: str = DIST, also: t.Collection[str] = ()) -> str | None:
    """Build the archive and say so, or return why it could not be built.

    :param directory: where to, from the root of the checkout.
    :param also: files that git will track once they are committed.
    """
    if not checkout.is_clone():
        return "An archive has the files that git tracks, so it is built in a clone of the repository, and needs git."
    names = sorted({*checkout.tracked(), *also})
    others = [name for name in checkout.untracked() if name not in also]
    with tempfile.TemporaryDirectory() as place:
        stage = pathlib.Path(place, "amplitude")
        checkout.copy(names, stage)
        # The caller's settings for Ansible are of no use here, and nothing is left in his home directory.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment.update(ANSIBLE_HOME=os.path.join(place, "home"), ANSIBLE_CONFIG=os.path.join(place, "none.cfg"))
        target = checkout.ROOT / directory
        print(f"Packing the {len(names)} files that git tracks ...", flush=True)
        command = ["ansible-galaxy", "collection", "build", "--force", "--output-path", str(target), str(stage)]
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    if done.returncode:
        return done.stdout + "The archive could not be built: see above."
    if others:
        named = ", ".join(others[:NAMED]) + (f" and {len(others) - NAMED} more" if len(others) > NAMED else "")
        print(f"Not packed, since git does not track it: {named}")
    return None


def version() -> str:
    """The version of the collection."""
    text = (checkout.ROOT / "galaxy.yml").read_text(encoding="utf-8")
    found = re.search(r"^version: (\S+)$", text, re.MULTILINE)
    assert found
    return found.group(1)


def main(directory: str = DIST) -> int | str:
    """Return an exit status, or a sentence that says why there is no archive."""
    problem = build(directory)
    if problem:
        return problem
    archive = os.path.relpath(archive_of(version(), directory), checkout.ROOT)
    print(f"{archive}\nTo install it: ansible-galaxy collection install --force {archive}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
