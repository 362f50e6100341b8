# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX needs: the guide's credential type and scheduled audit, carried out, and the execution environment."""

from __future__ import annotations

import json
import pathlib

import jinja2
import pytest
import yaml

from ansible_collections.community.amplitude.tests.support.pages import blocks_of_guide

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCKS = blocks_of_guide("awx")


def test_scheduled_audit(run, emulator, tmp_path):
    state = blocks_of_guide("audits")["desired-state"]
    emulator.reset(
        dict(
            keys={"the-management-key": ["123456", "123457"]},
            deployments=[
                dict(projectId="123456", label="checkout-api", type="server", id=4710),
                dict(projectId="123456", label="storefront", type="client", id=4711),
                dict(projectId="123457", label="somebody-elses", type="client"),
            ],
            flags=[dict(projectId="123456", key=key, deployments=[4710]) for key in ("fast-search", "new-checkout")],
        )
    )
    inputs = {field["id"]: "us" for field in BLOCKS["credential-inputs"]["fields"]}
    assert set(BLOCKS["credential-inputs"]["required"]) <= set(inputs)
    secret = [field["id"] for field in BLOCKS["credential-inputs"]["fields"] if field.get("secret")]
    assert secret == ["management_api_key"]
    inputs["management_api_key"] = "the-management-key"
    environment = {
        name: jinja2.Template(value, undefined=jinja2.StrictUndefined).render(inputs)
        for name, value in BLOCKS["credential-injectors"]["env"].items()
    }
    for name, content in {
        "env/envvars": dict(environment, AMPLITUDE_BASE_URL=emulator.url),
        "project/site.yml": BLOCKS["scheduled-audit"],
        "project/deployments.yml": state,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    result = run("ansible-runner", "run", tmp_path, "-p", "site.yml")

    assert result.status == 2, result.output
    assert "1 deployment differs from the desired state; 3 are as they should be." in result.output
    report = json.loads((tmp_path / "project/reports/audit.json").read_text(encoding="utf-8"))
    assert [row["label"] for row in report["deployments"] if row["drift"]] == ["somebody-elses"]
    assert {request["method"] for request in emulator.requests()} == {"GET"}
    # ansible-runner itself leaves the environment of the job in the file "command".
    given = list((tmp_path / "env").iterdir()) + list(tmp_path.glob("artifacts/*/command"))
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path not in given]
    assert len(left) > 20
    for key in ["the-management-key"] + [row["key"] for row in emulator.deployments()]:
        assert not [str(path) for path in left if key in path.read_text(encoding="utf-8", errors="replace")]


def test_execution_environment(run, installed, tmp_path):
    found = run("ansible-builder", "introspect", installed["ANSIBLE_COLLECTIONS_PATH"])

    assert found.status == 0, found.output
    document = yaml.safe_load(found.output)
    required = (ROOT / "meta/ee-requirements.txt").read_text(encoding="utf-8").splitlines()[-1]
    assert [line.split() for line in document["python"]] == [
        [*required.split(), "#", "from", "collection", "community.amplitude"]
    ]
    definition = tmp_path / "execution-environment.yml"
    definition.write_text(yaml.safe_dump(BLOCKS["execution-environment"]), encoding="utf-8")
    arguments = ["-f", definition, "-c", tmp_path / "context", "--output-filename", "Containerfile"]
    made = run("ansible-builder", "create", *arguments)
    assert made.status == 0, made.output
    assert "requirements.yml" in (tmp_path / "context/Containerfile").read_text(encoding="utf-8")
    galaxy = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text(encoding="utf-8"))
    assert galaxy == {"collections": [{"name": "community.amplitude"}]}
