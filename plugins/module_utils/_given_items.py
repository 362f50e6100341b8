# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What is wrong with the items of a list, where Ansible says neither where it is nor what it was taken for."""

from __future__ import annotations

import difflib
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.validation import check_type_dict

from ._errors import InputError, Problem
from ._given import IDS, TEXT, Options, Spec, kind_of, look_at, project_of, text_of, unusable


def look_at_items(option: str, options: Options, spec: t.Mapping[str, t.Any], project_id: str | None) -> list[Problem]:
    """What is wrong with the items of a list, which are replaced if that is so.

    :param project_id: that of the items without one of their own.
    """
    problems: list[Problem] = []
    items = options[option] = list(options[option])
    for place, given in enumerate(items):
        number = place + 1
        try:
            item = items[place] = dict(_dictionary(given))
        except TypeError:
            known = " or ".join(f"'{each}: …'" for each in ("label", "project_id") if each in spec["options"])
            error = unusable(
                f"it is {kind_of(given)}, not a dictionary of options", f"list its options, such as {known}"
            )
            problems.append(_told(error, option, number, {}, project_id))
            items[place] = {}
            continue
        own = project_of(item) or project_id
        errors = [*_unknown(item, spec["options"]), *look_at(item, spec["options"]), *_mistakes(item, spec["options"])]
        problems += [_told(error, option, number, item, own) for error in errors]
        if errors:
            items[place] = dict(project_id=own) if own and "project_id" in spec["options"] else {}
            continue
        for nested, each in spec["options"].items():
            if "options" in each and isinstance(item.get(nested), list):
                problems += look_at_items(nested, item, each, own)
    return problems


def _dictionary(given: t.Any) -> t.Mapping[str, t.Any]:
    """An item as a dictionary, which Ansible takes as text too (``label=web type=client``)."""
    return given if isinstance(given, dict) else check_type_dict(given)


def _unknown(item: t.Mapping[t.Any, t.Any], spec: Spec) -> t.Iterator[InputError]:
    for option in [each for each in item if each not in spec]:
        close = difflib.get_close_matches(str(option), list(spec), 1)
        advice = f"perhaps {close[0]} was meant" if close else f"the options are {', '.join(spec)}"
        yield unusable(f"{option} is not a known option", advice)


def _mistakes(item: Options, spec: Spec) -> t.Iterator[InputError]:
    """Values that Ansible would refuse, without a word about where they are."""
    doubtful: dict[str, t.Any] = {}
    for option, value in item.items():
        each = spec.get(option)
        if each is None or "options" in each or option in TEXT or option in IDS:
            continue
        choices = each.get("choices")
        if choices is None:
            doubtful[option] = value
        elif value not in choices:
            close = difflib.get_close_matches(value, choices, 1) if isinstance(value, str) else []
            advice = f"perhaps {close[0]} was meant" if close else f"use {' or '.join(choices)}"
            yield unusable(f"{option} is {kind_of(value)}", advice)
    if doubtful:
        known = {option: dict(spec[option], required=False) for option in doubtful}
        for message in ArgumentSpecValidator(known).validate(doubtful).error_messages:
            yield unusable(message[:1].lower() + message[1:].rstrip("."), "correct it")


def _told(error: InputError, option: str, number: int, item: t.Mapping[str, t.Any], project_id: str | None) -> Problem:
    if option == "projects":
        which = f"project {project_id}" if project_id else f"element {number} of projects"
        return Problem(InputError(f"use {which}", error.problem, error.advice), None, project_id)
    where = f"item {number}" + (f" in project {project_id}" if project_id else "")
    label = item.get("label") if isinstance(item.get("label"), str) else None
    identifier = text_of(item.get("id"))
    return Problem(InputError(f"use {where}", error.problem, error.advice), number, project_id, label, identifier)
