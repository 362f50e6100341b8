# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples to copy: the pipelines do with the account what they say, and nobody sees the management API key."""

from __future__ import annotations

import pathlib
import re
import shutil

import pytest
import yaml

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SEED = yaml.safe_load((ROOT / "tests/emulator/example.yml").read_text(encoding="utf-8"))
KEY = "AMPLITUDE_MANAGEMENT_API_KEY"
SECRET = "${{ secrets." + KEY + " }}"
#: What installs something, which is not done here.
INSTALLERS = {"pip": "install ansible-core requests", "ansible-galaxy": "collection install community.amplitude"}


def read(name):
    # To PyYAML, "on" is a boolean.
    return yaml.load((EXAMPLES / name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def github():
    """For each job the script, the settings of its steps, and what it keeps."""
    workflow = read("github-actions.yml")
    jobs = {}
    for name, job in workflow["jobs"].items():
        assert SECRET not in str(dict(workflow, jobs=0)) + str(dict(job, steps=0))
        settings = dict(workflow["env"])
        for step in job["steps"]:
            assert (SECRET in step.get("env", {}).values()) is ("ansible-playbook" in step.get("run", ""))
            settings.update(step.get("env", {}))
        kept = [step["with"]["path"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
        assert all(step["if"] == "always()" for step in job["steps"] if "upload-artifact" in step.get("uses", ""))
        jobs[name] = ([step["run"] for step in job["steps"] if "run" in step], settings, kept)
    return jobs


def gitlab():
    pipeline = read("gitlab-ci.yml")
    assert KEY not in str(pipeline), "it is a variable of the project, which jobs need not name"
    default = pipeline.pop("default")
    settings = dict(pipeline.pop("variables"), **{KEY: SECRET})
    return {
        name: (default["before_script"] + job["script"], settings, job.get("artifacts", {}).get("paths", []))
        for name, job in pipeline.items()
    }


PIPELINES = {"github": github, "gitlab": gitlab}


@pytest.fixture
def play(run, emulator, tmp_path):
    """Run a job in a checkout with the desired state; how it ended, and the methods of its requests."""
    shutil.copy(EXAMPLES / "deployments.yml", tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in INSTALLERS:
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>installed\n', encoding="utf-8")
        (programs / name).chmod(0o755)

    def play(job):
        script, settings, dummy = job
        emulator.forget_requests()
        settings = {name: value.replace(SECRET, "management-key") for name, value in settings.items()}
        program = 'PATH="$PWD/bin:$PATH"\n' + "\n".join(script)
        result = run("sh", "-ec", program, cwd=tmp_path, AMPLITUDE_BASE_URL=emulator.url, **settings)
        assert "management-key" not in result.output
        assert not [row for row in emulator.deployments() if row["key"] in result.output]
        return result, {request["method"] for request in emulator.requests()}

    return play


@pytest.mark.parametrize("kind", PIPELINES)
def test_pipeline(emulator, play, tmp_path, kind):
    emulator.reset(SEED)
    jobs = PIPELINES[kind]()
    assert set(jobs) == {"check", "apply", "audit"}
    before = emulator.deployments()

    result, methods = play(jobs["check"])
    assert result.status == 0 and re.search("changed=[1-9]", result.output), result.output
    assert methods == {"GET"} and emulator.deployments() == before
    lines = (tmp_path / "installed").read_text(encoding="utf-8").splitlines()
    assert lines == [" ".join(each) for each in INSTALLERS.items()]

    result, methods = play(jobs["apply"])
    assert result.status == 0 and methods == {"GET", "POST", "PATCH"}, result.output
    rows = {(row["projectId"], row["label"]): row for row in emulator.deployments()}
    assert {label for (project, label), row in rows.items() if project == "123456" and not row["deleted"]} == {
        "default",
        "checkout-api",
        "payment-api",
        "storefront",
    }

    result, methods = play(jobs["audit"])
    assert result.status == 0 and methods == {"GET"}, result.output
    (directory,) = jobs["audit"][2]
    shutil.rmtree(str(tmp_path / directory))
    emulator.edit_deployment(rows["123457", "loyalty-app"]["id"], label="by-hand")
    result, methods = play(jobs["audit"])
    assert result.status != 0 and methods == {"GET"}
    assert {path.name for path in (tmp_path / directory).iterdir()} >= {"audit.html", "audit.json", "audit.md"}


def test_first_playbook(run, emulator, tmp_path):
    emulator.reset(SEED)
    environment = {KEY: "management-key", "AMPLITUDE_BASE_URL": emulator.url}
    path = shutil.copy(EXAMPLES / "first-playbook.yml", tmp_path)
    counts = []
    for arguments in (["--check"], ["-v"], ["-v"]):
        result = run("ansible-playbook", path, *arguments, cwd=tmp_path, **environment)
        assert result.status == 0, result.output
        assert not [row for row in emulator.deployments() if row["key"] in result.output]
        counts.append(int(re.search(r"changed=(\d+)", result.output)[1]))
    assert counts == [1, 2, 0]


def test_readme_lists_all():
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| \[(\S+)\]\(\1\)", text, re.MULTILINE)) == sorted(
        path.name for path in EXAMPLES.glob("*.yml")
    )
