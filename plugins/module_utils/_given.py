# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What was given as options, before Ansible converts it: blanks, what is not text, and mistakes in the items of a list.

Ansible makes ``False`` of a label ``no``, takes a variable that is empty for a value, and says of a mistake in a list
neither where it is nor what it was taken for.
"""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.validation import check_type_dict

from ._errors import InputError, Problem

#: Options whose values, or elements, have to be text: what YAML takes for something else was not meant to be that.
TEXT = frozenset(["label", "labels", "previous_label", "flags", "experiments"])
#: Options that are ids: numbers are fine, and the rest is not.
IDS = frozenset(["id", "ids", "project_id", "replaces"])

Options = t.MutableMapping[str, t.Any]
Spec = t.Mapping[str, t.Mapping[str, t.Any]]


def is_blank(value: t.Any) -> bool:
    """Whether a value means the same as none. ``false``, ``0`` and an empty list are values."""
    return value is None or (isinstance(value, str) and not value)


def kind_of(value: t.Any) -> str:
    """What a value is, in the words of YAML."""
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}"
    if value is None:
        return "blank"
    return "a list" if isinstance(value, list) else "a dictionary"


def check_text(option: str, value: t.Any) -> None:
    """Make sure that what has to be text is text.

    :raises InputError: saying what it is instead, and how to make it text.
    """
    if isinstance(value, str):
        return
    advice = "put it in quotes where it is defined, or add `| string`"
    if isinstance(value, (list, dict)):
        advice = "give a text"
    raise InputError("use the options", f"{option} is {kind_of(value)}, not text", advice)


def look(options: Options, spec: Spec, never_blank: t.Container[str] = ()) -> list[Problem]:
    """Take out what is blank, and find what is wrong with the rest.

    :param options: as they were given; changed in place. An item of a list with something wrong becomes an empty one.
    :param never_blank: options that must not be blank if they are given.
    """
    problems = []
    for error in _look_at(options, spec, never_blank):
        problems.append(Problem(error, None, _project(options)))
    for option, each in spec.items():
        if "options" in each and isinstance(options.get(option), list):
            problems += _look_at_items(option, options, each, _project(options))
    return problems


def _look_at(options: Options, spec: Spec, never_blank: t.Container[str] = ()) -> t.Iterator[InputError]:
    """What is wrong with options, without the items of lists."""
    for option, value in list(options.items()):
        each = spec.get(option)
        if each is None:
            continue
        if is_blank(value):
            del options[option]
            if option in never_blank or (each.get("required") and "fallback" not in each):
                how = "give it as Amplitude shows it" if option in IDS and each.get("required") else "give it a value"
                yield _unusable(f"{option} is empty", how + ("" if each.get("required") else ", or leave it out"))
            continue
        try:
            _check(option, value, each, options)
        except InputError as error:
            yield error


def _check(option: str, value: t.Any, spec: t.Mapping[str, t.Any], options: Options) -> None:
    """Make sure that the value of an option is what it has to be, as far as Ansible does not say that better.

    :raises InputError: naming it.
    """
    if spec.get("type") == "list":
        if isinstance(value, str) and spec.get("elements") != "dict":
            value = options[option] = value.split(",")
        if not isinstance(value, list):
            if spec.get("elements") == "dict":
                raise _unusable(
                    f"{option} is {kind_of(value)}, not a list", "give a list, in which each item has its options"
                )
            value = [value]
        for number, element in enumerate(value, 1):
            if is_blank(element) and "options" not in spec:
                raise _unusable(f"{option} has a blank element (number {number})", "give it a value, or leave it out")
            if spec.get("elements") == "dict" and "options" not in spec and not isinstance(element, dict):
                raise _unusable(
                    f"entry {number} of {option} is {kind_of(element)}, not a dictionary", "give a dictionary"
                )
            _check_one(f"element {number} of {option}", option, element)
    elif "options" not in spec:
        _check_one(option, option, value)


def _check_one(name: str, option: str, value: t.Any) -> None:
    if option in TEXT:
        check_text(name, value)
    elif option in IDS and (isinstance(value, bool) or not isinstance(value, (str, int))):
        raise _unusable(f"{name} is {kind_of(value)}", "give an id as Amplitude shows it")


def _look_at_items(option: str, options: Options, spec: t.Mapping[str, t.Any], project_id: str | None) -> list[Problem]:
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
            error = _unusable(
                f"it is {kind_of(given)}, not a dictionary of options", f"give its options, such as {known}"
            )
            problems.append(_told(error, option, number, {}, project_id))
            items[place] = {}
            continue
        own = _project(item) or project_id
        errors = [*_unknown(item, spec["options"]), *_look_at(item, spec["options"]), *_mistakes(item, spec["options"])]
        problems += [_told(error, option, number, item, own) for error in errors]
        if errors:
            items[place] = dict(project_id=own) if own and "project_id" in spec["options"] else {}
            continue
        for nested, each in spec["options"].items():
            if "options" in each and isinstance(item.get(nested), list):
                problems += _look_at_items(nested, item, each, own)
    return problems


def _dictionary(given: t.Any) -> t.Mapping[str, t.Any]:
    """An item as a dictionary, which Ansible takes as text too (``label=web type=client``)."""
    return given if isinstance(given, dict) else check_type_dict(given)


def _unknown(item: t.Mapping[t.Any, t.Any], spec: Spec) -> t.Iterator[InputError]:
    for option in [each for each in item if each not in spec]:
        close = difflib.get_close_matches(str(option), list(spec), 1)
        advice = f"perhaps {close[0]} was meant" if close else f"the options are {', '.join(spec)}"
        yield _unusable(f"{option} is not an option of it", advice)


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
            yield _unusable(f"{option} is {kind_of(value)}", advice)
    if doubtful:
        known = {option: dict(spec[option], required=False) for option in doubtful}
        for message in ArgumentSpecValidator(known).validate(doubtful).error_messages:
            yield _unusable(message[:1].lower() + message[1:].rstrip("."), "correct it")


def _told(error: InputError, option: str, number: int, item: t.Mapping[str, t.Any], project_id: str | None) -> Problem:
    if option == "projects":
        which = f"project {project_id}" if project_id else f"element {number} of projects"
        return Problem(InputError(f"use {which}", error.problem, error.advice), None, project_id)
    where = f"item {number}" + (f" in project {project_id}" if project_id else "")
    label = item.get("label") if isinstance(item.get("label"), str) else None
    identifier = _text(item.get("id"))
    return Problem(InputError(f"use {where}", error.problem, error.advice), number, project_id, label, identifier)


def _project(options: t.Mapping[str, t.Any]) -> str | None:
    return _text(options.get("project_id"))


def _text(value: t.Any) -> str | None:
    """An id for a sentence, if it is one."""
    if isinstance(value, (str, int)) and not isinstance(value, bool) and re.fullmatch("[!-~]{1,100}", str(value)):
        return str(value)
    return None


def _unusable(problem: str, advice: str) -> InputError:
    return InputError("use the options", problem, advice)
