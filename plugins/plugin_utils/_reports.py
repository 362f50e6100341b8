# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Renders the templates of the playbooks' reports.

What an account has may have any characters in it. In a page (``*.html.j2``) everything is escaped; in the others the
filters ``line`` and ``cell`` do that for a line of text and a cell of a Markdown table.
"""

from __future__ import annotations

import base64
import hashlib
import pathlib
import re
import typing as t

import jinja2
import markupsafe

TEMPLATES = pathlib.Path(__file__).resolve().parents[2] / "playbooks/templates"
#: What Markdown, or HTML in it, takes for something else: an underscore only at the beginning or the end of a word.
_MEANS_SOMETHING = re.compile(r"[|`[*~\\<>&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


class Inlined(t.NamedTuple):
    """A style sheet or a script as it is put into a page, and what the page's policy calls it."""

    text: markupsafe.Markup
    source: str


def render(template: str, values: t.Mapping[str, t.Any]) -> str:
    """Fill in a template.

    :param template: the name of a file in ``playbooks/templates``.
    :raises jinja2.UndefinedError: it uses a value that was not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.filters.update(line=line, cell=cell)
    environment.globals.update(inlined=inlined)
    # Half of a surrogate pair, which JSON can have, cannot be written to a file.
    return environment.get_template(template).render(values).encode("utf-8", "replace").decode("utf-8")


def line(value: object) -> str:
    """A value as text without line breaks, empty for None."""
    return "" if value is None else " ".join(str(value).split())


def cell(value: object) -> str:
    """A value as text for a cell of a Markdown table, which shows it as it is."""
    return _MEANS_SOMETHING.sub(lambda found: _ENTITIES.get(found[0], "\\" + found[0]), line(value))


def inlined(name: str) -> Inlined:
    """A file of ``playbooks/templates`` to put between ``<style>`` or ``<script>`` tags.

    The policy of a page allows it by its hash, and nothing else that somebody may have got into the page.
    """
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return Inlined(markupsafe.Markup(text), f"'sha256-{digest}'")
