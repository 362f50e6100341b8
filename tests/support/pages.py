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
