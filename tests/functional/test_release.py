# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release is prepared from a clean checkout in which every change has a fragment, or nothing is changed."""

from __future__ import annotations

import os
import shutil
import sys
import tarfile

import pytest
import yaml

pytestmark = pytest.mark.once

IDENTITY = ["-c", "user.name=The contributors", "-c", "user.email=contributors@example.com"]
MODULE = "plugins/modules/amplitude_deployment_info.py"


@pytest.mark.parametrize(
    "last, contents, least",
    [
        ("1.2.3", {"release_summary", "bugfixes", "trivial", "security_fixes"}, "1.2.4"),
        ("1.2.3", {"bugfixes", "minor_changes"}, "1.3.0"),
        ("1.2.3", {"modules"}, "1.3.0"),
        ("1.2.3", {"deprecated_features"}, "1.3.0"),
        ("1.2.3", {"minor_changes", "breaking_changes"}, "2.0.0"),
        ("1.9.3", {"removed_features"}, "2.0.0"),
        ("0.9.3", {"breaking_changes"}, "0.10.0"),
    ],
)
def test_least_version(tools, last, contents, least):
    assert tools("release.py")["least_version"](last, contents) == least


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_releases(tools, run, tmp_path):
    tools("run_ansible_test.py")["copy_checkout"](tmp_path)
    # What was released of the checkout is not released in its copy.
    (tmp_path / "changelogs/changelog.yaml").write_text("---\nancestor: null\nreleases: {}\n")
    fragments = tmp_path / "changelogs/fragments"
    shutil.rmtree(str(fragments), ignore_errors=True)

    def git(*arguments):
        done = run("git", *IDENTITY, *arguments, cwd=tmp_path)
        assert done.status == 0, done.output
        return done.output

    def commit(subject):
        git("add", "--all")
        git("commit", "-q", "-m", subject)

    def fragment(name, **sections):
        fragments.mkdir(exist_ok=True)
        (fragments / name).write_text(yaml.safe_dump(sections))

    def release(version, *, says):
        """Prepare a release, which changes nothing if it says that it cannot."""
        before = git("status", "--porcelain")
        done = run(sys.executable, "tests/tools/release.py", version, cwd=tmp_path)
        assert says in done.output
        assert (done.status == 0) == says.startswith("Now")
        if done.status:
            assert git("status", "--porcelain") == before

    def check_fragments():
        return run(sys.executable, "tests/tools/fragments.py", cwd=tmp_path)

    commit("Begin")
    release("0.1", says="needs a version such as 1.2.3")
    release("0.1.0", says="No fragment in changelogs/fragments has a release_summary")
    fragment("0.1.0.yml", release_summary="The first.")
    release("0.1.0", says="?? changelogs/fragments/0.1.0.yml")
    commit("Tell of the first release")
    release("1.0.0", says="version_added has to be 1.0.0 for what is new, and is another one in: plugins/lookup/deploy")
    (tmp_path / ".git/info/exclude").write_text("secret.env\n")
    (tmp_path / "secret.env").write_text("a key")
    earlier = tmp_path / ".cache/dist/community-amplitude-0.0.9.tar.gz"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("an archive")
    fake = tmp_path / ".cache/bin/antsibull-changelog"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nrm -r changelogs/fragments\nkill -TERM $PPID\nsleep 0.5\nkill -TERM $PPID\n")
    fake.chmod(0o755)
    search = os.pathsep.join([str(fake.parent), os.environ["PATH"]])
    assert run(sys.executable, "tests/tools/release.py", "0.1.0", cwd=tmp_path, PATH=search).status != 0
    assert git("status", "--porcelain") == "" and list(earlier.parent.iterdir()) == [earlier]
    release("0.1.0", says="Now read CHANGELOG.md")

    assert 'VERSION = "0.1.0"' in (tmp_path / "plugins/module_utils/_version.py").read_text()
    with tarfile.open(str(tmp_path / ".cache/dist/community-amplitude-0.1.0.tar.gz")) as archive:
        changelog = archive.extractfile("CHANGELOG.md").read().decode()
        assert "secret.env" not in archive.getnames()
    assert "The first" in changelog and "amplitude\\_drift\\_info" in changelog
    assert check_fragments().status == 0
    commit("Release 0.1.0")
    release("0.1.0", says="The last release is 0.1.0")

    module = tmp_path / MODULE
    module.write_text(module.read_text() + "\n# A change.\n")
    assert check_fragments().output.splitlines()[1:] == [" M " + MODULE]
    commit("Change a module")
    done = check_fragments()
    assert done.status == 1 and done.output.endswith("Change a module\n")
    release("0.1.1", says="Write a fragment for these changes first:")
    fragment("feature.yml", minor_changes=["amplitude_deployment_info - can do more."], release_summary="More.")
    assert check_fragments().status == 0
    commit("Explain it")
    assert check_fragments().status == 0
    release("0.1.1", says="the version has to be 0.2.0 or more")
    fragment("empty.yml")
    (fragments / "empty.yml").write_text("")
    commit("Add a fragment in which nothing is")
    release("0.2.0", says="antsibull-changelog release failed: see above")
    (fragments / "empty.yml").unlink()
    commit("Remove it")
    release("0.2.0", says="Now read CHANGELOG.md")
    assert "can do more" in (tmp_path / "CHANGELOG.md").read_text()
    assert not list(fragments.glob("*.yml"))
