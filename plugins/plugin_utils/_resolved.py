# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Resolves the templates of a desired state.

Most of its thousands of deployments have none. Ansible takes its time over each of them anyway, and what it returns
from ansible-core 2.19 on is slow to copy and to write down. So it only gets those with a template, and what comes out is
plain.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError

from ..module_utils._errors import InputError
from ._desired_state import VARIABLE

#: What begins a template in Jinja2, as Ansible sets it up.
_STARTS = ("{{", "{%", "{#")
#: What begins a text that changes these.
_HEADER = "#jinja2:"

Template = t.Callable[[t.Any], t.Any]


def resolved(value: t.Any, template: Template, source: str) -> t.Any:
    """The value of the variable :data:`VARIABLE` with its templates resolved.

    :param template: resolves the templates in a value, with ``AnsibleError`` if it cannot.
    :param source: what to call the place where it is written.
    :raises InputError: naming the project in which there is a template that fails.
    """
    number = None
    try:
        if isinstance(value, str):
            value = template(value)
        if not isinstance(value, (list, tuple)):
            return plain(value, template)
        items = []
        for number, item in enumerate(value, 1):
            items.append(plain(item, template))
        return items
    except AnsibleError as error:
        which = VARIABLE if number is None else f"item {number} of {VARIABLE}"
        text = " ".join(str(getattr(error, "message", None) or error).split()).rstrip(".")
        raise InputError(
            f"use the desired state in {source}", f"{which} has a template that fails: {text}", "correct it"
        ) from None


def plain(value: t.Any, template: Template) -> t.Any:
    """A value with its templates resolved, made of the types that JSON knows, as far as it knows them."""
    if isinstance(value, str):
        return untagged(template(value) if has_template(value) else value)
    if isinstance(value, (dict, list, tuple)):
        elements = value.values() if isinstance(value, dict) else value
        # An element that a template says to omit is only omitted together with what it is in.
        if any(isinstance(each, str) and has_template(each) for each in elements):
            return untagged(template(value))
        if isinstance(value, dict):
            return {untagged(key): plain(each, template) for key, each in value.items()}
        return [plain(each, template) for each in value]
    if value is None or isinstance(value, (bool, int)):
        return untagged(value)
    # Such as what is encrypted by itself, or a date.
    return untagged(template(value))


def untagged(value: t.Any) -> t.Any:
    """A value without what Ansible knows about it, such as where it is written."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dict):
        return {untagged(key): untagged(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [untagged(each) for each in value]
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def has_template(text: str) -> bool:
    """Whether Ansible may find a template in a text."""
    return ("{" in text and any(start in text for start in _STARTS)) or text.startswith(_HEADER)
