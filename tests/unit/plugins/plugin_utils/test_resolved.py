# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates in a desired state: Ansible gets what has some, and nothing else."""

from __future__ import annotations

import datetime

import pytest
from ansible.errors import AnsibleError

from ansible_collections.community.amplitude.plugins.module_utils._errors import InputError
from ansible_collections.community.amplitude.plugins.plugin_utils._resolved import has_template, resolved


class Tagged(str):
    """A text of which Ansible knows more, such as where it is written."""


class Template:
    """Stands for Ansible: what is between the braces is the name of a variable; omit takes an element out."""

    VARIABLES = {"a": "A", "items": [dict(label="x")], "raw": Tagged("{{ a }}")}

    def __init__(self):
        self.asked = []

    def __call__(self, value):
        self.asked.append(value)
        return self._in(value)

    def _in(self, value):
        if isinstance(value, dict):
            return {key: self._in(each) for key, each in value.items() if each != "{{ omit }}"}
        if isinstance(value, list):
            return [self._in(each) for each in value]
        if not isinstance(value, str) or "{{" not in value or isinstance(value, Tagged):
            return value
        name = value.strip("{} ")
        if name not in self.VARIABLES:
            raise AnsibleError(f"'{name}' is undefined")
        return self.VARIABLES[name]


#: What is given, what comes of it, and what Ansible was asked about.
CASES = {
    "nothing": (None, None, []),
    "no list": (5, 5, []),
    "a variable": ("{{ items }}", [dict(label="x")], ["{{ items }}"]),
    "no template": (
        [dict(project_id=101, deployments=[dict(label="a{b}", exclusive=True, id=None)])],
        [dict(project_id=101, deployments=[dict(label="a{b}", exclusive=True, id=None)])],
        [],
    ),
    "one of two": (
        [dict(project_id="1", deployments=[dict(label="{{ a }}"), dict(label="b")])],
        [dict(project_id="1", deployments=[dict(label="A"), dict(label="b")])],
        [dict(label="{{ a }}")],
    ),
    "one that is omitted": (
        [dict(deployments=[dict(label="a", type="{{ omit }}")])],
        [dict(deployments=[dict(label="a")])],
        [dict(label="a", type="{{ omit }}")],
    ),
    "a list": (
        [dict(deployments="{{ items }}")],
        [dict(deployments=[dict(label="x")])],
        [dict(deployments="{{ items }}")],
    ),
    "keys of flags": ([[dict(flags=["{{ a }}", "b"])]], [[dict(flags=["A", "b"])]], [["{{ a }}", "b"]]),
    "what is not resolved twice": ([["{{ raw }}"]], [["{{ a }}"]], [["{{ raw }}"]]),
    "what JSON does not know": (
        [[datetime.date(2026, 1, 2)]],
        [[datetime.date(2026, 1, 2)]],
        [datetime.date(2026, 1, 2)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_resolved(case):
    value, expected, asked = CASES[case]
    template = Template()
    assert resolved(value, template, "state.yml") == expected
    assert template.asked == asked


def test_what_comes_out_is_plain():
    value = [{Tagged("label"): Tagged("a"), "flags": [Tagged("b")]}, [Tagged("{{ a }}")]]
    (item, [text]) = resolved(value, Template(), "state.yml")
    [(key, label), (_flags, [flag])] = item.items()
    assert {type(each) for each in (key, label, flag, text)} == {str}


@pytest.mark.parametrize(
    ("text", "found"),
    [("a", False), ("{a}", False), ("}}", False), ("{{ a", True), ("{% if", True), ("{#", True), ("#jinja2: x", True)],
)
def test_has_template(text, found):
    assert has_template(text) is found


@pytest.mark.parametrize(
    ("value", "which"), [("{{ b }}", "amplitude_projects"), ([1, [["{{ b }}"]]], "item 2 of amplitude_projects")]
)
def test_template_that_fails(value, which):
    with pytest.raises(InputError) as caught:
        resolved(value, Template(), "state.yml")
    told = f"Could not use the desired state in state.yml: {which} has a template that fails: 'b' is undefined; correct it."
    assert str(caught.value) == told
