# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What was given as options, before Ansible converts it: blanks, what is not text, and mistakes in the items of a list.

Ansible makes ``False`` of a label ``no``, takes a variable that is empty for a value, and says of a mistake in a list
neither where it is nor what it was taken for.
"""

from __future__ import annotations

import re
import typing as t

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
        advice = "use text"
    raise InputError("use the options", f"{option} is {kind_of(value)}, not text", advice)


def look(options: Options, spec: Spec, never_blank: t.Container[str] = ()) -> list[Problem]:
    """Take out what is blank, and find what is wrong with the rest.

    :param options: as they were given; changed in place. An item of a list with something wrong becomes an empty one.
    :param never_blank: options that must not be blank if they are given.
    """
    problems = []
    for error in look_at(options, spec, never_blank):
        problems.append(Problem(error, None, project_of(options)))
    for option, each in spec.items():
        if "options" in each and isinstance(options.get(option), list):
            # Imported here since most tasks have no such list: see _module.
            from ._given_items import look_at_items

            problems += look_at_items(option, options, each, project_of(options))
    return problems


def look_at(options: Options, spec: Spec, never_blank: t.Container[str] = ()) -> t.Iterator[InputError]:
    """What is wrong with options, without the items of lists."""
    for option, value in list(options.items()):
        each = spec.get(option)
        if each is None:
            continue
        if is_blank(value):
            del options[option]
            if option in never_blank or (each.get("required") and "fallback" not in each):
                how = "give it as Amplitude shows it" if option in IDS and each.get("required") else "give it a value"
                yield unusable(f"{option} is empty", how + ("" if each.get("required") else ", or leave it out"))
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
                raise unusable(
                    f"{option} is {kind_of(value)}, not a list",
                    "pass a list in which each item is a dictionary of options",
                )
            value = [value]
        for number, element in enumerate(value, 1):
            if is_blank(element) and "options" not in spec:
                raise unusable(f"{option} has a blank element (number {number})", "give it a value, or leave it out")
            if spec.get("elements") == "dict" and "options" not in spec and not isinstance(element, dict):
                raise unusable(
                    f"entry {number} of {option} is {kind_of(element)}, not a dictionary", "pass a dictionary"
                )
            _check_one(f"element {number} of {option}", option, element)
    elif "options" not in spec:
        _check_one(option, option, value)


def _check_one(name: str, option: str, value: t.Any) -> None:
    if option in TEXT:
        check_text(name, value)
    elif option in IDS and (isinstance(value, bool) or not isinstance(value, (str, int))):
        raise unusable(f"{name} is {kind_of(value)}", "use an id as Amplitude shows it")


def project_of(options: t.Mapping[str, t.Any]) -> str | None:
    """The project that options name, for a sentence."""
    return text_of(options.get("project_id"))


def text_of(value: t.Any) -> str | None:
    """An id for a sentence, if it is one."""
    if isinstance(value, (str, int)) and not isinstance(value, bool) and re.fullmatch("[!-~]{1,100}", str(value)):
        return str(value)
    return None


def unusable(problem: str, advice: str) -> InputError:
    """The error about an option."""
    return InputError("use the options", problem, advice)
