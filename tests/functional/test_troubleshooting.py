# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The messages in the guide on troubleshooting are those of the collection."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

from ansible_collections.community.amplitude.tests.support.pages import GUIDES

pytestmark = pytest.mark.once

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"
#: What the collection fills into its messages, and the messages that are Ansible's.
FILLED_IN = {"active", "archived", "deployment", "400", "401", "403", "404", "409", "429", "3xx", "5xx"}
OF_ANSIBLE = {
    "Failed to import the required Python library (requests)",
}


def words(text):
    return set(re.findall(r"[\w-]+", re.sub(r"\{[^}]*\}", " ", text)))


def messages_of_collection():
    for path in PLUGINS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else " " for part in node.values)
                yield words("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
                yield words(node.value)


def messages_of_guide():
    text = (GUIDES / "troubleshooting.rst").read_text(encoding="utf-8")
    terms = re.findall(r"^(``.*)\n  \S", text, re.MULTILINE)
    return [message for term in terms for message in re.findall("``(.*?)``", term)]


def test_guide_has_messages():
    assert len(messages_of_guide()) > 30


@pytest.mark.parametrize("message", messages_of_guide())
def test_message_exists(message):
    known = any(words(message) - FILLED_IN <= words_there for words_there in messages_of_collection())
    assert known or message in OF_ANSIBLE
