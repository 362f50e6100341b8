# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive for Galaxy: built, installed into an empty path, documented and used from there."""

from __future__ import annotations

import json
import pathlib
import re
import tarfile

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("amplitude_*.py"))


def test_archive_has_the_product_and_nothing_else(archive):
    with tarfile.open(str(archive)) as content:
        names = {name.split("/")[0] for name in content.getnames()}
    assert {
        "plugins",
        "meta",
        "README.md",
        "LICENSES",
        "changelogs",
        "tests",
        "docs",
        "playbooks",
        "MANIFEST.json",
    } <= names
    assert not names & {".git", ".venv", ".cache", ".github", "__pycache__"}


def test_archive_has_no_machine_path_and_no_cache(archive):
    with tarfile.open(str(archive)) as content:
        for member in content.getmembers():
            assert not re.search(r"__pycache__|\.pyc$|\.retry$|tests/output", member.name)
            if member.isfile():
                assert str(ROOT).encode() not in content.extractfile(member).read(), member.name


@pytest.mark.parametrize("module", MODULES)
def test_installed_module_is_documented(run, installed, module):
    text = run("ansible-doc", "community.amplitude." + module, **installed)
    document = run("ansible-doc", "-j", "community.amplitude." + module, **installed)

    assert text.status == 0 and "management_api_key" in text.output
    assert "WARNING" not in text.output and "ERROR" not in text.output
    shown = json.loads(document.output)["community.amplitude." + module]
    assert shown["doc"]["filename"].startswith(str(installed["ANSIBLE_COLLECTIONS_PATH"]))
    assert shown["examples"].strip() and shown["return"]
    for name in ("check_mode", "diff_mode", "idempotent", "action_group", "platform"):
        assert shown["doc"]["attributes"][name]["description"]


def test_every_module_is_in_the_action_group():
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert sorted(runtime["action_groups"]["amplitude"]) == MODULES


def test_readme_lists_the_content():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    content = text[text.index("## Content") : text.index("## Installation")]
    lookups = [path.stem for path in (ROOT / "plugins/lookup").glob("*.py")]
    playbooks = [path.stem for path in (ROOT / "playbooks").glob("*.yml")]
    listed = re.findall(r"^\| `community\.amplitude\.(\w+)` \|", content, re.MULTILINE)
    assert sorted(listed) == sorted(MODULES + lookups + playbooks)


def test_guides_are_in_the_table_of_contents():
    sections = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    guides = [path.stem for path in (ROOT / "docs/docsite/rst").glob("*.rst")]
    assert sorted(name for section in sections for name in section["toctree"]) == sorted(guides)


def test_installed_lookup_is_documented(run, installed):
    text = run("ansible-doc", "-t", "lookup", "community.amplitude.deployment_key", **installed)
    assert text.status == 0 and "amplitude_management_api_key" in text.output
    assert "WARNING" not in text.output and "ERROR" not in text.output


def test_installed_playbooks_work(run, emulator, installed, tmp_path):
    emulator.create_deployment(projectId="1", label="web", type="client")
    environment = dict(installed, AMPLITUDE_BASE_URL=emulator.url, AMPLITUDE_MANAGEMENT_API_KEY="management-key")
    for name in ("export", "audit", "apply"):
        command = ["ansible-playbook", "community.amplitude." + name, "-e", "amplitude_state_file=deployments.yml"]
        result = run(*command, "-e", "amplitude_export_ids=false", cwd=tmp_path, **environment)
        assert result.status == 0, result.output
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
            "ansible.builtin.assert": {"that": ["created.changed", "listed.deployments == [created.deployment]"]},
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
