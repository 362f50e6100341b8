# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks, their page and the guides have the variables of the table that the steps check with."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from ansible_collections.community.amplitude.plugins.plugin_utils._variables import PLAYBOOKS, PREFIX, TABLE, of_step
from ansible_collections.community.amplitude.tests.support.pages import GUIDES, commands_of_guide

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEP = "community.amplitude.playbook_step"
PAGE = GUIDES / "playbooks.rst"


def steps_in(value):
    """The options of the tasks of the playbook that are steps."""
    if isinstance(value, list):
        return [step for each in value for step in steps_in(each)]
    if not isinstance(value, dict):
        return []
    own = [dict(value[STEP])] if STEP in value else []
    return own + [step for key in ("tasks", "block", "always") for step in steps_in(value.get(key))]


def content_of(name):
    return yaml.safe_load((ROOT / f"playbooks/{name}.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_playbook_passes_its_variables_and_no_other(name):
    plays = content_of(name)
    (step,) = steps_in(plays)
    assert step.pop("step") == name
    passed = dict(plays[0]["module_defaults"][STEP], **step)
    assert passed == {each.option: f"{{{{ {each.name} | default(omit) }}}}" for each in of_step(name)}


def test_every_playbook_is_in_the_table():
    assert sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml")) == sorted(PLAYBOOKS)


def test_page_has_the_table(tools):
    """If it has not: tests/tools/env test python tests/tools/playbooks.py"""
    tool, text = tools("playbooks.py"), PAGE.read_text(encoding="utf-8")
    assert tool["parts"](text) == [*PLAYBOOKS, "connection"]
    assert tool["made"](text) == text
    assert set(re.findall(rf"^  \* - ``({PREFIX}\w+)``$", text, re.MULTILINE)) == {each.name for each in TABLE}


def test_page_is_made_anew(tools):
    text = PAGE.read_text(encoding="utf-8")
    assert tools("playbooks.py")["made"](text.replace("``deployments.yml``\n", "``state.yml``\n")) == text


def test_pages_name_variables_that_there_are():
    pages = [ROOT / "README.md", *GUIDES.glob("*.rst"), *(ROOT / "examples").rglob("*.*")]
    named = {
        name
        for page in pages
        for name in re.findall(r"(?<![\w.])amplitude_\w+", page.read_text(encoding="utf-8").replace("\\_", "_"))
    }
    registered = {
        name
        for playbook in PLAYBOOKS
        for name in re.findall(r"register: (\S+)", (ROOT / f"playbooks/{playbook}.yml").read_text(encoding="utf-8"))
    }
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("amplitude_*.py")}
    assert named - modules - registered <= {each.name for each in TABLE}
    assert len(named) > 20


def test_commands_of_the_page(run, emulator, tmp_path):
    """They run as they stand, one after another, and write what the page says."""
    emulator.reset(
        dict(keys={"management-key": ["101"]}, deployments=[dict(projectId="101", label="web", type="client")])
    )
    commands = commands_of_guide("playbooks")
    assert [re.search(r"amplitude\.(\w+)", command)[1] for command in commands] == list(PLAYBOOKS)
    environment = dict(HOME=tmp_path, AMPLITUDE_BASE_URL=emulator.url, AMPLITUDE_MANAGEMENT_API_KEY="management-key")
    for command in commands:
        result = run("sh", "-c", command, cwd=tmp_path, **environment)
        assert result.status == 0 and "failed=0" in result.output, result.output
    named = re.findall(r"``((?:audit|plan)\.\w+)``", PAGE.read_text(encoding="utf-8"))
    written = [path for directory in ("reports", "plan") for path in (tmp_path / directory).iterdir()]
    assert {path.name for path in written} == set(named)
    assert (tmp_path / "deployments.yml").is_file()
    assert {request["method"] for request in emulator.requests()} == {"GET"}
