# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said about the supported versions agrees with tests/matrix.yml, and that with what ansible-core says."""

from __future__ import annotations

import importlib.metadata
import pathlib
import re
import runpy

import ansible_test
import pytest
import yaml

pytestmark = pytest.mark.core

ROOT = pathlib.Path(__file__).resolve().parents[2]
MATRIX = yaml.safe_load((ROOT / "tests/matrix.yml").read_text(encoding="utf-8"))
ROWS = MATRIX["ansible_core"]
OLDEST_CORE = next(iter(ROWS))
OLDEST_CONTROLLER = ROWS[OLDEST_CORE]["controller"][0]


def supported_versions():
    text = (ROOT / "docs/docsite/rst/getting_started.rst").read_text(encoding="utf-8")
    return text[text.index("Supported versions\n---") :]


def minor(version):
    return int(version.split(".")[1])


def test_rows_are_in_order():
    assert list(ROWS) == sorted(ROWS, key=minor)
    for row in ROWS.values():
        assert minor(row["target"][0]) <= minor(row["controller"][0]) < minor(row["controller"][1])
        assert row["controller"][1] == row["target"][1]


def test_runtime_requires_the_oldest():
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">={OLDEST_CORE}.0"


def test_guide_has_the_rows():
    row = r"^  \* - (\d\S+)\n    - (\S+) to (\S+)\n    - (\S+) to (\S+)$"
    rows = re.findall(row, supported_versions(), re.MULTILINE)
    assert rows == [(core, *row["controller"], *row["target"]) for core, row in ROWS.items()]


def test_guide_names_the_oldest_libraries():
    assert MATRIX["oldest_libraries"].keys() == {"requests", "urllib3"}
    for name, version in MATRIX["oldest_libraries"].items():
        assert f"``{name}`` {version}" in supported_versions()


def test_readme_names_the_ends_of_the_range():
    cores, oldest = list(ROWS), min((row["target"][0] for row in ROWS.values()), key=minor)
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"ansible-core {cores[0]} to {cores[-1]}" in text and f"Python {oldest} or newer" in text
    assert "`requests` {requests} or newer".format(**MATRIX["oldest_libraries"]) in text


@pytest.mark.parametrize("file", ["meta/ee-requirements.txt", "plugins/doc_fragments/connection.py"])
def test_requirements_name_the_oldest(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.findall(r"^(?:  - )?requests >= (.+)$", text, re.MULTILINE) == [MATRIX["oldest_libraries"]["requests"]]


@pytest.mark.parametrize("name", ["test", "lint"])
def test_environments_of_the_tests_take_the_oldest(name):
    text = (ROOT / f"tests/requirements/{name}.txt").read_text(encoding="utf-8")
    assert f"ansible-core >= {OLDEST_CORE}\n" in text
    assert re.findall("^requests.*", text, re.MULTILINE) in (
        [],
        ["requests >= {0}".format(MATRIX["oldest_libraries"]["requests"])],
    )


@pytest.mark.parametrize("file", ["README.md", "tests/tools/env"])
def test_checkout_works_on_the_oldest_controller(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert OLDEST_CONTROLLER in text or OLDEST_CONTROLLER.replace(".", ",") in text


def test_oldest_target_is_what_the_linter_knows():
    oldest = min((row["target"][0] for row in ROWS.values()), key=minor)
    text = (ROOT / "ruff.toml").read_text(encoding="utf-8")
    assert 'target-version = "py{0}"'.format(oldest.replace(".", "")) in text


@pytest.mark.skipif(not (ROOT / ".github").exists(), reason="not a checkout of the repository")
def test_workflow_has_all_versions():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["matrix"]["strategy"]["matrix"]["core"] == list(ROWS)
    named = [minor(version) for row in ROWS.values() for version in (*row["controller"], *row["target"])]
    pythons = [f"3.{number}" for number in range(min(named), max(named) + 1)]
    assert workflow["env"]["PYTHONS"].split() == pythons


def test_row_of_the_ansible_core_that_is_installed():
    distribution = importlib.metadata.distribution("ansible-core")
    row = ROWS[".".join(distribution.version.split(".")[:2])]
    directory = pathlib.Path(ansible_test.__file__).parent
    constants = runpy.run_path(str(directory / "_util/target/common/constants.py"))
    controllers, others = constants["CONTROLLER_PYTHON_VERSIONS"], constants["REMOTE_ONLY_PYTHON_VERSIONS"]
    assert [controllers[0], controllers[-1]] == row["controller"]
    assert [others[0], controllers[-1]] == row["target"]
    assert distribution.metadata["Requires-Python"] == ">=" + row["controller"][0]


@pytest.fixture
def tool(tools):
    return tools("matrix.py")


@pytest.mark.parametrize(
    "only, names",
    [
        ("oldest", ["2.18-on-3.12", "2.18-to-3.9-oldest"]),
        ("newest,oldest", ["2.18-on-3.12", "2.18-to-3.9-oldest", "2.21-on-3.13"]),
        ("2.19-sanity,2.20-on-*", ["2.19-sanity", "2.20-on-3.12", "2.20-on-3.13", "2.20-on-3.14"]),
    ],
)
def test_selection_of_cells(tool, only, names):
    pythons = dict.fromkeys(["3.9", "3.12", "3.13"], "python")
    every = tool["cells"](pythons)
    chosen = tool["select"](every, pythons, only)
    assert [cell.name for cell in chosen] == names
    assert [cell.name for cell in chosen if cell.missing(pythons)] == [name for name in names if "3.14" in name]
    assert tool["select"](every, pythons, "") == list(every.values())
    with pytest.raises(SystemExit, match="no cell 2.17-on-3.11: "):
        tool["select"](every, pythons, only + ",2.17-on-3.11")


def test_without_a_python_every_cell_has_one_that_is_missing(tool):
    every = tool["cells"]({})
    assert all(cell.missing({}) for cell in every.values())
    assert [cell.name for cell in tool["select"](every, {}, "newest")] == ["2.21-on-3.14"]


def test_sanity_has_no_ignored_errors():
    assert not list((ROOT / "tests").glob("sanity/ignore*"))
