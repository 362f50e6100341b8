# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The YAML blocks of the guides, which tests carry out."""

from __future__ import annotations

import pathlib
import re
import textwrap
import typing as t

import yaml

GUIDES = pathlib.Path(__file__).resolve().parents[2] / "docs/docsite/rst"


def blocks_of_guide(name: str) -> dict[str, t.Any]:
    """What the YAML blocks of a guide say, by their names.

    :raises AssertionError: one of them has no name, so that nothing could refer to it.
    """
    text = (GUIDES / (name + ".rst")).read_text(encoding="utf-8")
    blocks = re.findall(r"\.\. code-block:: yaml\n(?:   :name: (\S+)\n)?\n((?:   .*\n|\n)+)", text)
    assert blocks and all(label for label, _content in blocks), name
    return {label: yaml.safe_load(textwrap.dedent(content)) for label, content in blocks}


def commands_of_guide(name: str) -> list[str]:
    """The commands that a guide tells its readers to run, in their order."""
    text = (GUIDES / (name + ".rst")).read_text(encoding="utf-8")
    blocks = re.findall(r"\.\. code-block:: console\n\n((?:  .*\n|\n)+)", text)
    return re.findall(r"^  \$ ((?:.*\\\n)*.*)$", "".join(blocks), re.MULTILINE)


def commands_of_page(path: pathlib.Path) -> list[str]:
    """The same for a page in Markdown; what is said of them is left out."""
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    return [line.partition("  #")[0].strip() for line in "".join(blocks).splitlines()]
