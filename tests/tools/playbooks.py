# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the tables of variables in docs/docsite/rst/playbooks.rst from the table that the playbooks check them with.

Run it after a change of that table: tests/tools/env test python tests/tools/playbooks.py
"""

from __future__ import annotations

import pathlib
import re
import sys
import textwrap
import typing as t

from ansible_collections.community.amplitude.plugins.plugin_utils._variables import CONNECTION, TABLE, Variable, of_step

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/docsite/rst/playbooks.rst"
WIDTH = 125
HEAD = ("Variable", "Type", "Default", "Meaning")
#: The part of the page that is made, by what stands in the comment in front of it.
PART = re.compile(
    r"(^\.\. begin of the variables: (\w+)\n\n).*?(^\.\. end of the variables$)", re.MULTILINE | re.DOTALL
)


def made(text: str) -> str:
    """The page with its tables as they have to be.

    :raises KeyError: there is no such table.
    """
    return PART.sub(lambda found: found[1] + _table(_variables(found[2])) + found[3], text)


def parts(text: str) -> list[str]:
    """Of what the page has tables."""
    return [found[2] for found in PART.finditer(text)]


def _variables(name: str) -> list[Variable]:
    """Those of a playbook without those of the connection, or just these."""
    if name == "connection":
        return [each for each in TABLE if each.option in CONNECTION]
    if not of_step(name):
        raise KeyError(name)
    return [each for each in TABLE if name in each.playbooks and each.option not in CONNECTION]


def _table(variables: t.Iterable[Variable]) -> str:
    rows = [HEAD, *((f"``{each.name}``", _type(each), _default(each), _meaning(each)) for each in variables)]
    lines = [".. list-table::", "  :header-rows: 1", "  :class: variables", ""]
    for row in rows:
        for mark, cell in zip(["  * - ", *["    - "] * len(HEAD)], row):
            lines += textwrap.wrap(mark + cell, WIDTH, subsequent_indent=" " * len(mark), break_on_hyphens=False)
    return "".join(f"{line}\n" for line in [*lines, ""])


def _type(variable: Variable) -> str:
    """The type, as the documentation of a module tells it."""
    elements = variable.spec.get("elements")
    return variable.spec["type"] + (f" / elements={elements}" if elements else "")


def _default(variable: Variable) -> str:
    """Where the value comes from if the variable is not set: from the environment, or else from here.

    :raises ValueError: nobody has said.
    """
    spec = variable.spec
    names = spec["fallback"][1] if "fallback" in spec else []
    found = [f"the environment variable ``{name}``" for name in names]
    if variable.default:
        found.append(variable.default)
    elif spec.get("default") is not None:
        value = spec["default"]
        found.append(f"``{str(value).lower() if isinstance(value, bool) else value}``")
    if not found:
        raise ValueError(f"{variable.name} has no default, and no word on what happens without a value")
    return ", or else ".join(found)


def _meaning(variable: Variable) -> str:
    found = [variable.meaning]
    if variable.if_blank:
        found.append("It must not be blank.")
    if variable.module:
        found.append(f"See :ansopt:`community.amplitude.{variable.module}#module:{variable.option}`.")
    return " ".join(found)


def main() -> int:
    PAGE.write_text(made(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
