# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive for Galaxy: built, installed into an empty path, documented and used from there."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import sys
import tarfile

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
needs_git = pytest.mark.skipif(not shutil.which("git") or not (ROOT / ".git").exists(), reason="needs git and a clone")
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("amplitude_*.py"))


def names_in(archive):
    with tarfile.open(str(archive)) as content:
        return {member.name for member in content.getmembers() if member.isfile()}


def packed_of(names):
    """Those of the files that git tracks that belong into an archive, and what each archive has besides."""
    left_out = re.compile(r"\.ci/|\.git|galaxy\.yml$")
    return {name for name in names if not left_out.match(name)} | {"MANIFEST.json", "FILES.json"}


@needs_git
def test_archive_has_the_product_and_nothing_else(archive, tools):
    names = names_in(archive)
    assert names == packed_of(name for name in tools("checkout.py")["tracked"]() if (ROOT / name).exists())
    assert {"plugins", "meta", "README.md", "changelogs", "tests", "docs", "playbooks"} <= {
        name.split("/")[0] for name in names
    }


@pytest.fixture
def clone(tools, run, tmp_path):
    """A copy of the checkout in a path with a space, with its own repository, and no environment."""
    root = tmp_path / "a clone"
    tools("run_ansible_test.py")["copy_checkout"](root)
    return root


@needs_git
def test_build_leaves_out_what_lies_beside(clone, run, tmp_path):
    tracked = run("git", "ls-files", cwd=clone).output.split()
    run(sys.executable, "-m", "venv", "--without-pip", "my-env", cwd=clone)
    for name in (
        "notes.txt",
        "keys/management.env",
        "plugins/modules/draft.py",
        "tests/old.tar.gz",
        "späte notiz\n.md",
    ):
        (clone / name).parent.mkdir(exist_ok=True)
        (clone / name).write_text("a secret", encoding="utf-8")
    (clone / "README.md").write_text("It is as it is in the checkout.\n", encoding="utf-8")
    (clone / "CODE_OF_CONDUCT.md").unlink()
    home = tmp_path / "home"
    home.mkdir()

    built = run("make", "build", cwd=clone, HOME=home, ANSIBLE_HOME=None, ANSIBLE_COLLECTIONS_PATH=None)

    assert built.status == 0, built.output
    said = re.search(r"^Packing the (\d+) files .*\nNot packed, .*: (.*?)\n(\S*.tar.gz)\n", built.output, re.DOTALL)
    assert int(said.group(1)) == len(tracked)
    assert set(said.group(2).split(", ")) >= {"keys/", "notes.txt", "plugins/modules/draft.py", "tests/old.tar.gz"}
    archive = clone / said.group(3)
    assert names_in(archive) == packed_of(tracked) - {"CODE_OF_CONDUCT.md"}
    with tarfile.open(str(archive)) as content:
        assert content.extractfile("README.md").read() == b"It is as it is in the checkout.\n"
    # Nothing was installed for it, and nothing is left elsewhere.
    assert not (clone / ".venv").exists() and not list(home.iterdir())
    assert run("git", "status", "--porcelain", "--ignored", cwd=clone).output.count("!! ") == 1


@needs_git
def test_build_installs_only_what_it_needs(clone, run, tmp_path):
    """Where there is no ansible-galaxy, and one that does not work."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "python3"):
        (programs / name).symlink_to(shutil.which(name))
    broken = clone / ".venv/test/bin/ansible-galaxy"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/nowhere/python\n", encoding="utf-8")
    broken.chmod(0o755)
    (clone / "tests/tools/env").write_text('#!/bin/sh\necho "env $*"\n', encoding="utf-8")

    asked = run(clone / "tests/tools/build", "elsewhere", cwd=tmp_path, PATH=programs)

    assert asked == (0, "env build python tests/tools/build.py elsewhere\n")
    listed = (ROOT / "tests/requirements/build.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in listed if line and not line.startswith("#")] == ["ansible-core"]


@needs_git
def test_build_without_a_clone_refuses(clone, run, tmp_path):
    """A repository around the files knows nothing of them."""
    (clone / ".git").rename(tmp_path / ".git")
    refused = run(sys.executable, "tests/tools/build.py", cwd=clone)
    assert refused.status == 1 and "so it is built in a clone of the repository, and needs git" in refused.output
    assert not (clone / ".cache").exists()


@needs_git
def test_copies_of_the_checkout_leave_out_environments(clone, run, tmp_path):
    """For ansible-test and nox. With git and without."""
    before = set(run("git", "ls-files", cwd=clone).output.split())
    run(sys.executable, "-m", "venv", "--without-pip", "deep/my-env", cwd=clone)
    run("git", "init", "-q", "another", cwd=clone)
    (clone / "new.py").write_text("", encoding="utf-8")
    program = (
        "import checkout; print('\\n'.join(checkout.work())); checkout.copy(checkout.work(), checkout.ROOT / '.cache')"
    )
    for hidden in (False, True):
        if hidden:
            (clone / ".git").rename(tmp_path / ".git")
        done = run(sys.executable, "-c", program, cwd=clone, PYTHONPATH=clone / "tests/tools")
        assert done.status == 0, done.output
        listed = {name for name in done.output.splitlines() if not name.startswith("another/")}
        assert listed == before | {"new.py"}
        assert (clone / ".cache/new.py").exists() and not (clone / ".cache/deep").exists()


def test_archive_has_no_machine_path_and_no_cache(archive):
    with tarfile.open(str(archive)) as content:
        for member in content.getmembers():
            assert not re.search(r"__pycache__|\.pyc$|\.retry$|tests/output", member.name)
            if member.isfile():
                assert str(ROOT).encode() not in content.extractfile(member).read(), member.name


def test_what_is_installed_is_documented(run, installed):
    modules = ["community.amplitude." + module for module in MODULES]
    text = run("ansible-doc", *modules, **installed)
    document = run("ansible-doc", "-j", *modules, **installed)

    assert text.status == 0 and text.output.count("management_api_key") >= len(modules)
    assert "WARNING" not in text.output and "ERROR" not in text.output
    documents = json.loads(document.output)
    assert sorted(documents) == modules
    for module, shown in documents.items():
        assert shown["doc"]["filename"].startswith(str(installed["ANSIBLE_COLLECTIONS_PATH"])), module
        assert shown["examples"].strip() and shown["return"], module
        for name in ("check_mode", "diff_mode", "idempotent", "action_group", "platform"):
            assert shown["doc"]["attributes"][name]["description"], module
    text = run("ansible-doc", "-t", "lookup", "community.amplitude.deployment_key", **installed)
    assert text.status == 0 and "amplitude_management_api_key" in text.output
    assert "WARNING" not in text.output and "ERROR" not in text.output


def test_every_module_is_in_the_action_group():
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert sorted(runtime["action_groups"]["amplitude"]) == MODULES


def test_readme_lists_the_content():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    content = text[text.index("## Documentation") : text.index("are documented by")]
    lookups = [path.stem for path in (ROOT / "plugins/lookup").glob("*.py")]
    playbooks = [path.stem for path in (ROOT / "playbooks").glob("*.yml")]
    assert sorted(re.findall(r"`(\w+)`", content)) == sorted(MODULES + lookups + playbooks)
    guides = re.findall(r"\(docs/docsite/rst/(\w+)\.rst\)", text[text.index("## Documentation") :])
    assert sorted(guides) == sorted(path.stem for path in (ROOT / "docs/docsite/rst").glob("*.rst"))


def test_guides_are_in_the_table_of_contents():
    sections = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    guides = [path.stem for path in (ROOT / "docs/docsite/rst").glob("*.rst")]
    listed = [name for section in sections for name in section["toctree"]]
    assert sorted(listed) == sorted(guides)
    index = (ROOT / "docs/site/index.rst").read_text(encoding="utf-8")
    assert re.findall(r"^  docsite/(\w+)$", index, re.MULTILINE) == listed
    assert sorted(re.findall(r"^  .+ <(\w+)_(?:module|lookup)>$", index, re.MULTILINE)) == sorted(
        [*MODULES, "deployment_key"]
    )


def test_links_to_files_of_the_repository_lead_somewhere():
    links = re.compile(r"github\.com/ansible-collections/community\.amplitude/(?:blob|tree)/main/([\w./-]*\w)")
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "plugins").rglob("*.py")]
    linked = {path for text in texts for path in links.findall(text)}
    assert linked and not [path for path in linked if not (ROOT / path).exists()]


def test_installed_playbooks_work(run, emulator, installed, tmp_path):
    emulator.create_deployment(projectId="1", label="web", type="client")
    environment = dict(installed, AMPLITUDE_BASE_URL=emulator.url, AMPLITUDE_MANAGEMENT_API_KEY="management-key")
    playbooks = ["community.amplitude." + name for name in ("export", "audit", "plan", "apply")]
    variables = ["-e", "amplitude_state_file=deployments.yml", "-e", "amplitude_export_ids=false"]
    result = run("ansible-playbook", *playbooks, *variables, cwd=tmp_path, **environment)
    assert result.status == 0 and result.output.count("PLAY [") == len(playbooks), result.output
    assert {request["method"] for request in emulator.requests()} == {"GET"}


def test_installed_modules_work(ansible_playbook, emulator, installed):
    connection = dict(base_url=emulator.url, management_api_key="management-key")
    tasks = [
        {
            "name": "Create",
            "community.amplitude.amplitude_deployment": dict(connection, project_id="1", label="web", type="client"),
            "register": "created",
        },
        {
            "name": "List",
            "community.amplitude.amplitude_deployment_info": dict(connection, project_id="1"),
            "register": "listed",
        },
        {
            "name": "Compare",
            "ansible.builtin.assert": {
                "that": ["created.changed", "listed.deployments | map(attribute='key') == [created.deployment.key]"]
            },
        },
    ]

    result = ansible_playbook(tasks, **installed)

    assert result.status == 0, result.output
    assert [row["label"] for row in emulator.deployments()] == ["web"]


def test_version_is_the_same_everywhere(archive):
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    constant = (ROOT / "plugins/module_utils/_version.py").read_text(encoding="utf-8")
    assert f'VERSION = "{version}"' in constant
    assert archive.name == f"community-amplitude-{version}.tar.gz"
