# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that changes to the product since the last release come with a changelog fragment.

Before the first release everything is new, and only its summary is needed.
"""

from __future__ import annotations

import re
import subprocess
import sys

import yaml
from checkout import ROOT, git

#: What users get to see.
PRODUCT = ["plugins", "playbooks", "meta"]
FRAGMENTS = "changelogs/fragments"
#: A release changes this file.
CHANGELOG = "changelogs/changelog.yaml"


def uncommitted(*paths: str) -> list[str]:
    """The files below the paths that differ from the last commit, each with what git says of it."""
    return git("status", "--porcelain", "--untracked-files=all", "--", *paths).splitlines()


def releases() -> list[str]:
    """The versions that were released."""
    return list(yaml.safe_load((ROOT / CHANGELOG).read_text(encoding="utf-8"))["releases"])


def unexplained() -> list[str]:
    """The commits and the uncommitted files that change the product, and no change to a fragment comes with or after."""
    if not releases() or uncommitted(FRAGMENTS, CHANGELOG):
        return []
    explaining = git("rev-list", "--full-history", "HEAD", "--", FRAGMENTS, CHANGELOG).split()
    # On standard input, because there can be more of them than fit in a command.
    commits = subprocess.run(
        ["git", "-c", "safe.directory=*", "log", "--no-merges", "--format=%h %s", "HEAD", "--stdin", "--", *PRODUCT],
        cwd=ROOT,
        check=True,
        input="".join(f"^{commit}\n" for commit in explaining),
        stdout=subprocess.PIPE,
        text=True,
    )
    return commits.stdout.splitlines() + uncommitted(*PRODUCT)


def marked_up() -> list[str]:
    """Where fragments use the markup of modules, which the changelog shows as it is; it wants ``like this``."""
    return [
        f"{path.name}: {text}"
        for path in sorted((ROOT / FRAGMENTS).glob("*.yml"))
        for text in re.findall(r"\b(?:[OVCEMPIBL]|RV)\([^)]*\)", path.read_text(encoding="utf-8"))
    ]


def main() -> int | str:
    """Return an exit status, or a sentence that says what lacks a fragment."""
    if marked_up():
        return "The markup of modules means nothing in a changelog, use ``…``:\n{0}".format("\n".join(marked_up()))
    if not (ROOT / ".git").exists():
        print("Without git, nobody can tell what has changed since the last release.")
        return 0
    changes = unexplained()
    if changes:
        return "{0} has no fragment for these changes ('trivial:' is for those that no user can notice):\n{1}".format(
            FRAGMENTS, "\n".join(changes)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
