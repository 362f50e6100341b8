# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples to copy: the pipelines do with the account what they say, and nobody sees the management API key."""

from __future__ import annotations

import pathlib
import re
import shutil
import textwrap

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
        name: (
            default["before_script"] + job["script"] + job.get("after_script", []),
            settings,
            job.get("artifacts", {}).get("paths", []),
        )
        for name, job in pipeline.items()
    }


PIPELINES = {"github": github, "gitlab": gitlab}

#: The services, as far as the pipelines use them: they keep the comment, and hand out the plan that was kept.
SERVICES = {
    "gh": """
        case "$1 $2" in
        "pr comment") while [ "$1" != --body-file ]; do shift; done; cp "$2" comment ;;
        "api "*) echo 1234abcd ;;
        "run list") case " $* " in *" --commit 1234abcd "*) echo 17 ;; esac ;;
        "run download") [ "$3" = 17 ] && cp -r kept plan ;;
        *) exit 1 ;;
        esac
    """,
    "curl": """
        for last; do :; done
        case "$last" in
        */notes) cp plan/plan.md comment ;;
        */merge_requests) echo '[{"iid": 7}]' >merge_requests.json ;;
        */refs%2Fmerge-requests%2F7%2Fhead/download*) cp -r kept plan && python3 -m zipfile -c plan.zip plan && rm -r plan ;;
        *) exit 1 ;;
        esac
    """,
}


@pytest.fixture
def play(run, emulator, tmp_path):
    """Run a job in a checkout with the desired state; how it ended, and the methods of its requests."""
    shutil.copy(EXAMPLES / "deployments.yml", tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in INSTALLERS:
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>installed\n', encoding="utf-8")
    for name, program in SERVICES.items():
        (programs / name).write_text("#!/bin/sh" + textwrap.dedent(program), encoding="utf-8")
    for path in programs.iterdir():
        path.chmod(0o755)

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
    assert set(jobs) == {"plan", "apply", "audit"}
    before = emulator.deployments()

    result, methods = play(jobs["plan"])
    assert result.status == 0 and "would be created" in result.output, result.output
    assert methods == {"GET"} and emulator.deployments() == before
    assert (tmp_path / "comment").read_text(encoding="utf-8").startswith("# Plan for Amplitude Experiment deployments")
    assert jobs["plan"][2] == ["plan/"]
    (tmp_path / "plan").rename(tmp_path / "kept")
    lines = (tmp_path / "installed").read_text(encoding="utf-8").splitlines()
    assert lines == [" ".join(each) for each in INSTALLERS.items()]

    # What is not in the plan is not done.
    approved = (tmp_path / "deployments.yml").read_text(encoding="utf-8")
    sneaked = approved.replace(
        "      - label: payment-api", "      - {label: sneaked-in, type: client}\n      - label: payment-api"
    )
    (tmp_path / "deployments.yml").write_text(sneaked, encoding="utf-8")
    result, methods = play(jobs["apply"])
    assert result.status == 2 and "'sneaked-in'" in result.output and methods == {"GET"}, result.output
    (tmp_path / "deployments.yml").write_text(approved, encoding="utf-8")
    shutil.rmtree(str(tmp_path / "plan"))
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
