# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layers are as the page about the architecture shows them: imports only point downwards in its table."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins/module_utils"


def rows():
    """For each row of the table the modules of ``module_utils`` that it names."""
    page = (ROOT / "docs/docsite/rst/architecture.rst").read_text(encoding="utf-8")
    table = page.split("Layers\n------")[1].split("How a task runs\n----")[0]
    for row in re.findall(r"^  \* - (.*)$", table, re.MULTILINE):
        found, folder = [], ""
        for name in re.findall(r"``(?:module_utils/)?([\w/]+\.py)``", row):
            # After a comma, the folder is the one that was named before.
            folder = name.rpartition("/")[0] if "/" in name else folder
            found.append(f"{folder}/{name.rpartition('/')[2]}".lstrip("/"))
        if "module_utils" in row:
            yield found


ORDER = {name: number for number, names in enumerate(rows()) for name in names}
MODULES = sorted(str(path.relative_to(UTILS)) for path in UTILS.rglob("*.py"))


def imports(name):
    """The modules of ``module_utils`` that one of them imports, wherever in it, but for its types only."""
    path = UTILS / name
    waiting = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and getattr(node.test, "attr", None) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            target = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            yield str(target.relative_to(UTILS)) + ".py"
        waiting += ast.iter_child_nodes(node)


def test_each_module_has_its_place():
    assert sorted(ORDER) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_downwards(name):
    assert {each for each in imports(name) if ORDER[each] < ORDER[name]} == set()
