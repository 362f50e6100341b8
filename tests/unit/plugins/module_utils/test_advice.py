# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""No advice undoes a protection: none brings back what may have leaked, and none switches a guard off without a word."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

from ansible_collections.community.amplitude.plugins import module_utils

ROOM = pathlib.Path(module_utils.__path__[0])


def sentences(path):
    """All texts of a file but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | parts:
            yield node.value


EVERY_SENTENCE = [each for path in sorted(ROOM.rglob("*.py")) for each in sentences(path)]
#: What an advice would say that switches a guard off, and what it then has to say too.
GUARDS = {
    "force": ("set force", r"\bif (you are sure that nothing|it is fine that)"),
    "purge_limit": ("raise purge_limit|set purge_limit", r"\bif "),
    "validate_certs": ("validate_certs", "never"),
}


def test_there_are_sentences():
    assert len(EVERY_SENTENCE) > 300 and any("give the management API key" in each for each in EVERY_SENTENCE)


@pytest.mark.parametrize("guard", GUARDS)
def test_advice_to_switch_a_guard_off_says_what_it_risks(guard):
    pattern, condition = GUARDS[guard]
    found = [each for each in EVERY_SENTENCE if re.search(pattern, each) and " " in each]
    assert found or guard == "validate_certs"
    assert [each for each in found if not re.search(condition, each)] == []


def test_no_advice_restores():
    advises = r"restore_archived( to|:|=) ?true|\brestore (it|that|this|one)\b(?! would)|rename it with its id"
    assert [each for each in EVERY_SENTENCE if re.search(advises, each)] == []
    assert re.search(
        advises, "use another label, restore that one, or first rename it with its id, which restores it too"
    )
