# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare a release: release.py VERSION.

Sets the version, writes the changelog from its fragments, and builds the archive. What comes next is in the output. If
anything is wrong, the checkout is left as it was.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys

import build
import fragments
import yaml

ROOT = fragments.ROOT
#: The files with the version, and the line that it is in.
VERSIONS = {"galaxy.yml": "version: {0}", "plugins/module_utils/_version.py": 'VERSION = "{0}"'}
#: What a release writes that git tracks, and what it may leave that git does not.
WRITTEN = [*VERSIONS, "changelogs"]
MADE = ["CHANGELOG.md", "changelogs"]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BREAKING = {"breaking_changes", "removed_features"}
FEATURES = {"major_changes", "minor_changes", "deprecated_features", "modules", "plugins", "objects"}


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers: ``(1, 2, 3)``."""
    return tuple(map(int, version.split(".")))


def least_version(last: str, contents: set[str]) -> str:
    """The first version after the last that semantic versioning allows for a release with these contents.

    :param contents: sections of the changelog, and kinds of new plugins.
    """
    major, minor, patch = numbers(last)
    if contents & BREAKING and major:
        following = (major + 1, 0, 0)
    elif contents & (BREAKING | FEATURES):
        following = (major, minor + 1, 0)
    else:
        following = (major, minor, patch + 1)
    return ".".join(map(str, following))


def objection(version: str) -> str | None:
    """Say why there can be no release now."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        return "A release needs a version such as 1.2.3: make release VERSION=1.2.3"
    if not shutil.which("git") or not (ROOT / ".git").exists():
        return "A release is made from a checkout of the repository, with git."
    if fragments.uncommitted():
        return "Commit or remove these changes first:\n" + "\n".join(fragments.uncommitted())
    without = fragments.unexplained()
    if without:
        return "Write a fragment for these changes first:\n" + "\n".join(without)
    last = max(fragments.releases(), key=numbers, default=None)
    if last and numbers(version) <= numbers(last):
        return f"The last release is {last}, so that {version} cannot be the next."
    files = (ROOT / fragments.FRAGMENTS).glob("*.y*ml")
    if not any("release_summary" in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) for file in files):
        return f"No fragment in {fragments.FRAGMENTS} has a release_summary."
    return None


def write_versions(version: str) -> None:
    """Set the version wherever it is."""
    for name, line in VERSIONS.items():
        file = ROOT / name
        text, count = re.subn(
            "^" + re.escape(line).replace(r"\{0\}", ".*") + "$",
            line.format(version),
            file.read_text(encoding="utf-8"),
            flags=re.MULTILINE,
        )
        assert count == 1, name
        file.write_text(text, encoding="utf-8")


def release(version: str, last: str | None) -> str | None:
    """Change the files and build the archive; say why it cannot be released."""
    write_versions(version)
    for command in (["release", "--reload-plugins"], ["lint"]):
        if subprocess.run(["antsibull-changelog", *command], cwd=ROOT, check=False).returncode:
            return f"antsibull-changelog {command[0]} failed: see above."
    entry = yaml.safe_load((ROOT / fragments.CHANGELOG).read_text(encoding="utf-8"))["releases"][version]
    unknown = unreleased_plugins()
    if unknown:
        return "version_added has to be {0} for what is new, and is another one in: {1}".format(
            version, ", ".join(unknown)
        )
    least = least_version(last, {*entry, *entry["changes"]}) if last else version
    if numbers(version) < numbers(least):
        return f"With these changes, the version has to be {least} or more."
    return build.build(also=["CHANGELOG.md"])


def unreleased_plugins() -> list[str]:
    """The files of plugins in which a version_added is not that of a release, so that the changelog never tells of it."""
    released = set(fragments.releases())
    return [
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / "plugins").rglob("*.py"))
        if set(re.findall(r"^\s*version_added: *['\"]?([\d.]+)", file.read_text(encoding="utf-8"), re.MULTILINE))
        - released
    ]


def restore(version: str) -> None:
    """Undo what a release has written, and nothing else."""
    fragments.git("checkout", "--quiet", "HEAD", "--", *WRITTEN)
    fragments.git("clean", "--quiet", "-d", "--force", "--", *MADE)
    if fragments.git("ls-files", "CHANGELOG.md"):
        fragments.git("checkout", "--quiet", "HEAD", "--", "CHANGELOG.md")
    build.archive_of(version).unlink(missing_ok=True)


def main(version: str = "") -> int | str:
    """Return an exit status, or a sentence that says why there is no release."""
    problem = objection(version)
    if problem:
        return problem
    last = max(fragments.releases(), key=numbers, default=None)
    problem = "Interrupted."
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        problem = release(version, last)
    finally:
        if problem:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            restore(version)
    if problem:
        return problem
    print(
        "Now read CHANGELOG.md, run .ci/run, and then:\n"
        f"  git add --all && git commit -m 'Release {version}' && git tag {version} && git push origin HEAD {version}\n"
        f"  ansible-galaxy collection publish {build.DIST}/community-amplitude-{version}.tar.gz"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
