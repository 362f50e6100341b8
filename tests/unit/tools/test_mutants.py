# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tool that sees whether the tests notice: what it changes, what it leaves alone, and whom it finds guilty."""

from __future__ import annotations

import pathlib
import runpy

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = ROOT / "tests" / "tools"
FLOOR = "plugins/module_utils/_plan"


@pytest.fixture(scope="module")
def mutants_of():
    return runpy.run_path(str(TOOLS / "mutations.py"))["mutants_of"]


@pytest.fixture
def tool(monkeypatch):
    # What copies the checkout is a part of what runs ansible-test, which has none of it in its own environment.
    pytest.importorskip("ansible_test")
    monkeypatch.syspath_prepend(str(TOOLS))
    return runpy.run_path(str(TOOLS / "mutants.py"))


@pytest.mark.parametrize(
    "line, operator, changed",
    [
        ("a < b", "comparison", ["a <= b"]),
        ("a <= b < c", "comparison", ["a < b < c", "a <= b <= c"]),
        ("a == b", "comparison", ["a != b"]),
        ("a not in b", "comparison", ["a in b"]),
        ("a is b", "comparison", ["a is not b"]),
        ("a and b and c", "and/or", ["a or b or c"]),
        ("a or (b and c)", "and/or", ["a and (b and c)", "a or (b or c)"]),
        ("a - b", "arithmetic", ["a + b"]),
        ("not a", "dropped not", ["a"]),
        ("x = 1", "off by one", ["x = 2"]),
        ("x = True", "flipped boolean", ["x = False"]),
        ("x = 'word'", "emptied string", ['x = ""']),
        ("min(a, b)", "swapped function", ["max(a, b)"]),
        ("f(a, b, c=d)", "dropped argument", ["f(a, b, )", "f(a, c=d)"]),
        ("if a < b: pass", "negated condition", ["if not (a < b): pass"]),
        ("if a == b: pass", "negated condition", []),
        ("c if a else b", "negated condition", ["c if not (a) else b"]),
        ("raise a", "removed statement", ["pass"]),
        ("a.b = c", "removed statement", ["pass"]),
        ("f(a)", "removed statement", ["pass"]),
        ("while a: break", "removed statement", ["while a: pass"]),
        ("def f(): return a", "returned None", ["def f(): return None"]),
        ("def f(): return None", "returned None", []),
    ],
)
def test_operators(mutants_of, line, operator, changed):
    found = mutants_of("room.py", line.encode() + b"\n")
    assert [mutant.after for mutant in found if mutant.operator == operator] == changed
    assert all(mutant.before == line and mutant.source.decode() == mutant.after + "\n" for mutant in found)


@pytest.mark.parametrize(
    "text",
    [
        '"""A docstring"""',
        '"word"',
        "import a",
        "def f(a: 'B' | None) -> t.Literal['word', True]: pass",
        "a: t.Literal['word']",
        "if t.TYPE_CHECKING:\n    from a import b\n    c = 1",
        "x = f'{a + b} words'",
        "x = 'two words'",
        "Json = t.Union[str, 'list']",
    ],
)
def test_what_stays_as_it_is(mutants_of, text):
    assert mutants_of("room.py", text.encode()) == []


def test_lines_of_a_mutant(mutants_of):
    source = "x = (\n    'é',\n    a\n    <  # more\n    b,\n)\n"
    [mutant] = [mutant for mutant in mutants_of("room.py", source.encode()) if mutant.operator == "comparison"]
    assert (mutant.first_line, mutant.last_line) == (4, 4)
    assert mutant.identity == ("room.py", "< # more", "<= # more")
    assert mutant.source.decode() == source.replace("<", "<=")


def test_equivalent_ones_are_there(tool):
    """What is on the list, and is not made any more, would be of no use."""
    rooms = {file for file, _before, _after in tool["equivalents"]()}
    made = {mutant.identity for mutant in tool["all_mutants"](ROOT, rooms)}
    assert [identity for identity in tool["equivalents"]() if identity not in made] == []
    assert all(tool["equivalents"]().values())


@pytest.fixture
def sample(tool, tmp_path, monkeypatch):
    """A tree with one room and its tests, and the function that judges a mutant of it."""
    files = {
        f"{FLOOR}/sample.py": "def least(a, b):\n    return a if a < b else b\n\n\ndef unused():\n    return 1\n",
        f"tests/unit/{FLOOR}/test_sample.py": (
            "from ansible_collections.community.amplitude.plugins.module_utils._plan.sample import least\n\n"
            "def test_least():\n    assert least(1, 2) == 1\n\ndef test_fails():\n    assert least(1, 1) == 2\n"
        ),
        "tests/unit/histories/test_histories.py": "def test_history():\n    pass\n",
        "tests/tools/mutants_plugin.py": (TOOLS / "mutants_plugin.py").read_text(encoding="utf-8"),
        "pytest.ini": (ROOT / "pytest.ini").read_text(encoding="utf-8"),
    }

    def copy_sample(target):
        for name, text in files.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(text, encoding="utf-8")

    pytest.importorskip("coverage")
    (tmp_path / "work").mkdir()
    tool["Tests"].__init__.__globals__["copy_checkout"] = copy_sample
    tests = tool["Tests"](tmp_path / "work", tmp_path / "kept.json")
    with tool["concurrent"].futures.ThreadPoolExecutor(2) as threads:
        assert tests.observe(threads) == [f"tests/unit/{FLOOR}/test_sample.py::test_fails"]
    return tests, {mutant.after: mutant for mutant in tool["all_mutants"](tests.original)}


def test_judgement(tool, sample, capsys):
    tests, mutants = sample
    results = {
        mutants["return a if not (a < b) else b"]: tool["KILLED"],
        mutants["return a if a <= b else b"]: tool["SURVIVED"],
        mutants["return 2"]: tool["SURVIVED"],
    }

    judged = {mutant: tests.judge(mutant) for mutant in results}

    assert {mutant: result for mutant, (result, _by) in judged.items()} == results
    assert [by for _result, by in judged.values()][1:] == ["1 tests", "no test executes it"]
    assert b"a < b" in (tests.original / FLOOR / "sample.py").read_bytes()
    assert not tool["report"](judged, equivalent=0)
    assert "1 of 3 killed, which is 33.3 %" in capsys.readouterr().out
