# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the pages refer to is there: files and targets of the Makefile."""

from __future__ import annotations

import pathlib
import re

import pytest

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted(
    path for pattern in ("*.md", "docs/*.md", "examples/*.md", "docs/docsite/rst/*.rst") for path in ROOT.glob(pattern)
)
TARGETS = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_targets(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    paths = re.findall(r"`((?:plugins|tests|docs|examples|demo|changelogs|playbooks|meta|\.ci)/[\w./-]*)`", text)
    made_by_the_reader = {"changelogs/fragments/ambiguous-label.yml"}
    assert [path for path in paths if not (ROOT / path).exists() and path not in made_by_the_reader] == []
    commands = re.findall(r"(?:`|^\s*)make (?:-\w+ )*([a-z]+(?: [a-z]+)*)", text, re.MULTILINE)
    assert {name for words in commands for name in words.split()} <= TARGETS


def test_pages_name_targets():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {name for name in TARGETS if "make " + name in text} == TARGETS - {"units"}
