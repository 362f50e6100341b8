# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The messages in the guide on troubleshooting are those of the collection, word for word."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest
from ansible.module_utils.basic import missing_required_lib

from ansible_collections.community.amplitude.tests.support.pages import GUIDES

pytestmark = pytest.mark.once

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"
#: Words that the guide spells out and the code fills in.
FILLED_IN = {"active", "archived", "deployment", "400", "401", "403", "404", "409", "429", "3xx", "5xx"}
#: Stands for a value that the code fills in.
HOLE = "\0"


def text_of(node):
    """The text of a string in the code, with holes; None of anything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or HOLE for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{\w[^{}]*\}", HOLE, node.value)
    return None


def texts_of_collection():
    """The sentences in the code and their parts. Docstrings, documentation and parts of other texts do not count."""
    for path in PLUGINS.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        passed_over = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = None if id(node) in passed_over else text_of(node)
            if isinstance(node, ast.JoinedStr):
                passed_over.update(map(id, node.values))
            if text and " " in text and "\n" not in text:
                yield text


TEXTS = sorted({missing_required_lib("requests"), *texts_of_collection()})


def pattern_of(token):
    if token == "…":
        return f"{HOLE}(?:\\W*{HOLE})*s?"
    return f"(?:{token}|{HOLE})" if token in FILLED_IN else re.escape(token)


def is_in_the_code(message):
    """Whether one text of the code has all words of a message, in their order and with nothing else between them.

    An ellipsis between words is one or more values that the code fills in, with the "s" of a plural; one at the beginning
    or the end is anything.
    """
    tokens = re.findall(r"…|[\w-]+|[^\w…-]+", message.strip("… "))
    pattern = re.compile(rf"(?<!\w){''.join(map(pattern_of, tokens))}(?!\w)")
    return any(pattern.search(text) for text in TEXTS)


def messages_of_guide():
    text = (GUIDES / "troubleshooting.rst").read_text(encoding="utf-8")
    terms = re.findall(r"^(``.*)\n  \S", text, re.MULTILINE)
    return [message for term in terms for message in re.findall("``(.*?)``", term)]


def misquotations(message):
    """The message with one of its words changed, or with two neighbours swapped."""
    for word in re.finditer(r"[\w-]+", message):
        yield f"{message[: word.start()]}otherwise{message[word.end() :]}"
    for pair in re.finditer(r"(?=\b([\w-]+)( )([\w-]+))", message):
        first, space, second = pair.groups()
        if first != second and not {first, second} & FILLED_IN:
            yield f"{message[: pair.start()]}{second}{space}{first}{message[pair.end(3) :]}"


def test_guide_has_messages():
    assert len(messages_of_guide()) > 80


@pytest.mark.parametrize("message", messages_of_guide())
def test_message_exists(message):
    assert is_in_the_code(message)
    assert [wrong for wrong in misquotations(message) if is_in_the_code(wrong)] == []
