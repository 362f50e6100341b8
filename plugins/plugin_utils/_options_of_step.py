# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The options of a step of the playbooks, and what is made of them before a module is run."""

from __future__ import annotations

import datetime
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._errors import InputError
from ..module_utils._given import is_blank
from ..module_utils._options import BASE_URLS, base_url_from, connection_from_environment
from ..modules.amplitude_deployments import SPEC as OPTIONS_OF_MODULE
from ._desired_state import identifiers
from ._plan_file import OPTIONS
from ._variables import CONNECTION, PLAYBOOKS, PREFIX, of_step

_STEP = dict(step=dict(type="str", required=True, choices=list(PLAYBOOKS)))

Options = t.Mapping[str, t.Any]


def options_from(given: Options) -> dict[str, t.Any]:
    """The options of the task. What is blank is not set, unless the table of variables says that this is an error.

    :raises InputError: one of them cannot be used.
    """
    step = _validated(_STEP, {option: given[option] for option in _STEP if option in given})["step"]
    variables = of_step(step)
    for each in variables:
        if each.if_blank and each.option in given and is_blank(given[each.option]):
            raise InputError(*each.if_blank)
    spec = dict(_STEP, **{each.option: each.checked for each in variables})
    return _validated(spec, {option: value for option, value in given.items() if not is_blank(value)})


def base_url_of(options: Options) -> str:
    """The address of the account. The modules find the same one, and are the ones that say what is wrong with it."""
    values: dict[str, t.Any] = {option: value for option, (value, dummy) in connection_from_environment().items()}
    values.update({option: options[option] for option in CONNECTION if options[option] is not None})
    region = str(values.get("region", "us"))
    return base_url_from(values.get("base_url"), region if region in BASE_URLS else "us")


def rules_of(options: Options, defaults: bool = False) -> dict[str, t.Any]:
    """The options that a plan has, as the module understands them: those that are set or, with the defaults, all.

    :raises InputError: one of them cannot be used.
    """
    given = {option: options[option] for option in OPTIONS if options[option] is not None}
    checked = _validated({option: OPTIONS_OF_MODULE[option] for option in OPTIONS}, given)
    return {option: checked[option] for option in (OPTIONS if defaults else given)}


def project_ids_of(options: Options, option: str, least: int = 0) -> list[str]:
    """The IDs of projects that an option lists, if it is set; then there must be so many.

    :raises InputError: it is not such a list.
    """
    try:
        return identifiers(options[option], least)
    except ValueError as error:
        raise InputError(f"use {PREFIX}{option}", f"{options[option]!r} is not a list of IDs", str(error)) from None


def time_now() -> str:
    """What time it is, for the reports."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _validated(spec: t.Mapping[str, t.Any], given: Options) -> dict[str, t.Any]:
    checked = ArgumentSpecValidator(spec).validate(given)
    for text in checked.error_messages:
        raise InputError("use the variables of the playbook", text, "correct the amplitude_… variable of that name")
    return t.cast("dict[str, t.Any]", checked.validated_parameters)
