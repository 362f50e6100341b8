# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the templates of the reports are filled in."""

from __future__ import annotations

import base64
import hashlib

import pytest

jinja2 = pytest.importorskip("jinja2", reason="reports are made where ansible-core is")

from ansible_collections.community.amplitude.plugins.plugin_utils import _reports  # noqa: E402


@pytest.fixture
def template(monkeypatch, tmp_path):
    """Renders a text as if it were a file of the templates."""
    monkeypatch.setattr(_reports, "TEMPLATES", tmp_path)

    def template(name, text, **values):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return _reports.render(name, values)

    return template


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.html.j2", "&lt;b&gt; &amp; &#34;x&#34;\n"), ("a.md.j2", '<b> & "x"\n'), ("a.txt.j2", '<b> & "x"\n')],
)
def test_only_pages_are_escaped(template, name, expected):
    assert template(name, "{{ told }}\n", told='<b> & "x"') == expected


def test_tags_leave_no_lines(template):
    text = "{% for each in rows %}\n  {% if each %}\n{{ each }}\n  {% endif %}\n{% endfor %}\n"
    assert template("a.txt.j2", text, rows=[1, 0, 2]) == "1\n2\n"


def test_a_value_that_is_missing_is_no_empty_text(template):
    with pytest.raises(jinja2.UndefinedError, match="nothing"):
        template("a.txt.j2", "{{ nothing }}")


def test_what_is_rendered_can_be_written(template):
    assert template("a.txt.j2", "{{ label }}", label="a\ud83db") == "a?b"


@pytest.mark.parametrize(
    ("value", "line", "cell"),
    [
        (None, "", ""),
        (0, "0", "0"),
        ("a\n\n b\t|", "a b |", r"a b \|"),
        ("__beta__ my_app", "__beta__ my_app", r"\_\_beta\_\_ my_app"),
        ("`c` [d](e) *f* ~~g~~ \\", "`c` [d](e) *f* ~~g~~ \\", r"\`c\` \[d](e) \*f\* \~\~g\~\~ \\"),
        ('<i> & it\'s "x"', '<i> & it\'s "x"', '&lt;i&gt; &amp; it\'s "x"'),
    ],
)
def test_text_and_markdown(template, value, line, cell):
    assert template("a.md.j2", "{{ value | line }}", value=value) == line
    assert template("a.md.j2", "{{ value | cell }}", value=value) == cell


def test_what_is_inlined_has_the_hash_of_what_stands_there(template, tmp_path):
    script = "if (1 < 2 && 'ä') {}\n"
    (tmp_path / "a.js").write_text(script, encoding="utf-8")
    text = "{% set script = inlined('a.js') %}{{ script.source | safe }}<script>{{ script.text }}</script>"
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
    assert template("a.html.j2", text) == f"'sha256-{digest}'<script>{script}</script>"
