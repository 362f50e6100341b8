# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of drift are those of the planner wherever they are listed, so that a new one is missing nowhere."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from ansible_collections.community.amplitude.plugins.module_utils._plan.drift import KINDS

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULE = ROOT / "plugins/modules/amplitude_drift_info.py"
#: How an element of a list is written in Python, and in a style sheet.
ELEMENTS = (r"^ +[\"'](\w+)[\"'][,:]", r"\.(\w+) \{")
#: Kinds that no other list has.
OWN = {"duplicate", "unassigned", "unlisted"}


def lists_of_kinds():
    """Every list below plugins/ and playbooks/: where it is, and which kinds it has."""
    for path in sorted([*ROOT.glob("plugins/**/*.py"), *ROOT.glob("playbooks/**/*.*")]):
        for element in ELEMENTS:
            found = re.findall(element, path.read_text(encoding="utf-8"), re.MULTILINE)
            if OWN & set(found):
                yield pytest.param([kind for kind in found if kind in KINDS], id=str(path.relative_to(ROOT)))


@pytest.mark.parametrize("listed", list(lists_of_kinds()))
def test_list_has_all_kinds(listed):
    assert sorted(listed) == sorted(KINDS)


def test_module_documents_all_kinds():
    text = re.search(r'^RETURN = r"""(.*?)^"""', MODULE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[1]
    returned = yaml.safe_load(text)
    drift = returned["deployments"]["contains"]["drift"]
    dummy, *lines = drift["description"]
    assert tuple(re.match(r"V\((\w+)\) if ", line)[1] for line in lines) == KINDS
    assert drift["sample"] in KINDS
    summary = returned["summary"]["contains"]
    samples = [summary["kinds"]["sample"], *(project["kinds"] for project in summary["projects"]["sample"])]
    assert [tuple(sample) for sample in samples] == [KINDS, KINDS]


def test_guides_name_kinds_that_there_are():
    text = " ".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/docsite/rst").glob("*.rst")))
    named = re.findall(r"\bdrift\s+of\s+the\s+kinds?\s+((?:``\w+``(?:,\s+|\s+and\s+)?)+)", text, re.IGNORECASE)
    kinds = re.findall(r"\w+", " ".join(named).replace(" and ", " "))
    assert len(kinds) > 4 and set(kinds) <= set(KINDS)
