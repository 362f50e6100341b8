# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of a Python file: for each small change that a test should notice, the file with that change."""

from __future__ import annotations

import ast
import re
import typing as t

SWAPPED_OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: (r"<", "<="),
    ast.LtE: (r"<=", "<"),
    ast.Gt: (r">", ">="),
    ast.GtE: (r">=", ">"),
    ast.Eq: (r"==", "!="),
    ast.NotEq: (r"!=", "=="),
    ast.In: (r"\bin\b", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "in"),
    ast.Is: (r"\bis\b", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "is"),
    ast.And: (r"\band\b", "or"),
    ast.Or: (r"\bor\b", "and"),
    ast.Add: (r"\+", "-"),
    ast.Sub: (r"-", "+"),
    ast.Mult: (r"\*", "+"),
}
SWAPPED_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
#: Comparisons that are negated by another operator.
NEGATED_BY_SWAP = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)


class Edit(t.NamedTuple):
    """A part of a file, in bytes, and what replaces it."""

    start: int
    end: int
    text: str


class Mutant(t.NamedTuple):
    """A file with one change. ``before`` and ``after`` are the lines that differ, without their indentation."""

    file: str
    operator: str
    first_line: int
    last_line: int
    before: str
    after: str
    source: bytes

    @property
    def identity(self) -> tuple[str, str, str]:
        """What the list of equivalent ones knows it by: it stays the same if other lines are added or removed."""
        return self.file, self.before, self.after


def mutants_of(file: str, source: bytes) -> list[Mutant]:
    """All mutants of a file, in its order, without those that are the same code."""
    found: dict[bytes, Mutant] = {}
    for operator, edits in _Finder(source).find():
        mutant = _apply(file, operator, source, sorted(edits))
        try:
            compile(mutant.source, file, "exec")
        except SyntaxError:
            continue
        found.setdefault(mutant.source, mutant)
    return sorted(found.values(), key=lambda mutant: (mutant.first_line, mutant.operator, mutant.after))


def _apply(file: str, operator: str, source: bytes, edits: t.Sequence[Edit]) -> Mutant:
    start, end = source.rfind(b"\n", 0, edits[0].start) + 1, source.find(b"\n", edits[-1].end)
    changed, at = b"", start
    for edit in edits:
        changed += source[at : edit.start] + edit.text.encode()
        at = edit.end
    changed += source[at:end]
    before, after = (" ".join(text.decode().split()) for text in (source[start:end], changed))
    first = source.count(b"\n", 0, start) + 1
    last = source.count(b"\n", 0, end) + 1
    return Mutant(file, operator, first, last, before, after, source[:start] + changed + source[end:])


class _Finder:
    """Finds what can be changed. Annotations, docstrings, sentences and f-strings stay as they are."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def find(self) -> t.Iterator[tuple[str, list[Edit]]]:
        """Each change: the name of the operator, and the edits that make it."""
        waiting: list[ast.AST] = [ast.parse(self._source)]
        while waiting:
            node = waiting.pop()
            if _is_fixed(node):
                continue
            for mutate in (self._expression, self._condition, self._call, self._statement):
                yield from mutate(node)
            for name, value in ast.iter_fields(node):
                if name not in ("annotation", "returns", "decorator_list", "bases"):
                    waiting += [each for each in (value if isinstance(value, list) else [value]) if _is_node(each)]

    def _expression(self, node: ast.AST) -> t.Iterator[tuple[str, list[Edit]]]:
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            for operator, pair in zip(node.ops, zip(operands, operands[1:])):
                yield from self._swapped("comparison", operator, [pair])
        elif isinstance(node, ast.BoolOp):
            yield from self._swapped("and/or", node.op, list(zip(node.values, node.values[1:])))
        elif isinstance(node, ast.BinOp):
            yield from self._swapped("arithmetic", node.op, [(node.left, node.right)])
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield "dropped not", [Edit(self._start(node), self._start(node.operand), "")]
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, bool):
                yield "flipped boolean", [self._instead(node, repr(not node.value))]
            elif isinstance(node.value, (int, float)):
                yield "off by one", [self._instead(node, repr(node.value + 1))]
            elif isinstance(node.value, str) and not re.search(r"\s", node.value):
                yield "emptied string", [self._instead(node, '""' if node.value else '"x"')]

    def _condition(self, node: ast.AST) -> t.Iterator[tuple[str, list[Edit]]]:
        tests = [node.test] if isinstance(node, (ast.If, ast.IfExp, ast.While)) else getattr(node, "ifs", [])
        for test in tests:
            swapped = isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], NEGATED_BY_SWAP)
            if not swapped and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
                start, end = self._start(test), self._end(test)
                yield "negated condition", [Edit(start, start, "not ("), Edit(end, end, ")")]

    def _call(self, node: ast.AST) -> t.Iterator[tuple[str, list[Edit]]]:
        if isinstance(node, ast.Name) and node.id in SWAPPED_NAMES:
            yield "swapped function", [self._instead(node, SWAPPED_NAMES[node.id])]
        if isinstance(node, ast.Call) and ast.unparse(node.func) != "t.cast":
            arguments: list[ast.AST] = [*node.args[1:][-1:], *(each for each in node.keywords if each.arg)]
            for argument in arguments:
                end = self._end(argument)
                comma = re.compile(rb"\s*,\s*").match(self._source, end)
                yield "dropped argument", [Edit(self._start(argument), comma.end() if comma else end, "")]

    def _statement(self, node: ast.AST) -> t.Iterator[tuple[str, list[Edit]]]:
        if isinstance(node, ast.Return):
            if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
                yield "returned None", [self._instead(node, "return None")]
        elif isinstance(node, (ast.Raise, ast.Break, ast.Continue, ast.Delete, ast.AugAssign)) or (
            isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
        ):
            yield "removed statement", [self._instead(node, "pass")]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], (ast.Attribute, ast.Subscript)):
            yield "removed statement", [self._instead(node, "pass")]

    def _swapped(
        self, name: str, operator: ast.AST, pairs: t.Sequence[tuple[ast.AST, ast.AST]]
    ) -> t.Iterator[tuple[str, list[Edit]]]:
        if type(operator) in SWAPPED_OPERATORS:
            pattern, other = SWAPPED_OPERATORS[type(operator)]
            edits = []
            for left, right in pairs:
                found = re.compile(pattern.encode()).search(self._source, self._end(left), self._start(right))
                if found:
                    edits.append(Edit(*found.span(), other))
            if edits:
                yield name, edits

    def _instead(self, node: ast.AST, text: str) -> Edit:
        return Edit(self._start(node), self._end(node), text)

    def _start(self, node: t.Any) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def _end(self, node: t.Any) -> int:
        return self._lines[node.end_lineno - 1] + node.end_col_offset


def _is_node(value: object) -> bool:
    return isinstance(value, ast.AST)


def _is_fixed(node: ast.AST) -> bool:
    """Whether nothing in it is changed."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "t.TYPE_CHECKING"
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        # A name for a type.
        return ast.unparse(node.value).startswith(("t.Union[", "t.Callable[", "t.Mapping[", "t.TypeVar("))
    return isinstance(node, (ast.JoinedStr, ast.Import, ast.ImportFrom))
