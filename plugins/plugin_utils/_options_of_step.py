# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The options of a step of the playbooks, and what is made of them before a module is run."""

from __future__ import annotations

import datetime
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._errors import InputError
from ..module_utils._options import BASE_URLS, base_url_from, connection_from_environment
from ..modules.amplitude_deployments import SPEC as OPTIONS_OF_MODULE
from ._desired_state import identifiers, is_blank
from ._plan_file import OPTIONS

CONNECTION = ("management_api_key", "region", "base_url", "validate_certs", "ca_path", "timeout", "retry_timeout")
#: What the modules get as it is given.
RULES = ("purge", "purge_limit", "restore_archived", "force", "concurrency")

_TEXT = dict(type="raw")
SPEC: dict[str, dict[str, t.Any]] = dict(
    step=dict(type="str", required=True, choices=["export", "audit", "plan", "apply"]),
    state_file=dict(type="path"),
    project_ids=_TEXT,
    export_ids=dict(type="bool", default=True),
    export_overwrite=dict(type="bool", default=False),
    export_usage=dict(type="bool", default=False),
    ignore_projects=_TEXT,
    audit_directory=dict(type="path", default="."),
    audit_usage=dict(type="bool", default=True),
    fail_on_drift=dict(type="bool", default=False),
    plan_file=dict(type="path"),
    plan_directory=dict(type="path", default="."),
    fail_on_problems=dict(type="bool", default=False),
    **{option: _TEXT for option in (*CONNECTION, *RULES)},
)

#: The variables of the playbooks, which a state file cannot set.
VARIABLES = ["amplitude_" + option for option in SPEC if option != "step"]

Options = t.Mapping[str, t.Any]


def options_from(given: Options) -> dict[str, t.Any]:
    """The options of the task. What is blank is not set, but for the plan: without one, all would be approved.

    :raises InputError: one of them cannot be used.
    """
    if "plan_file" in given and is_blank(given["plan_file"]):
        raise InputError(
            "use the plan",
            "amplitude_plan_file is blank, and without a plan every change would be made",
            "set it to the path of the plan.json that was approved, or leave it out",
        )
    return _validated(SPEC, {option: value for option, value in given.items() if not is_blank(value)})


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

    :raises InputError: it is no such list.
    """
    try:
        return identifiers(options[option], least)
    except ValueError as error:
        raise InputError(f"use amplitude_{option}", f"{options[option]!r} is no list of IDs", str(error)) from None


def time_now() -> str:
    """What time it is, for the reports."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _validated(spec: t.Mapping[str, t.Any], given: Options) -> dict[str, t.Any]:
    checked = ArgumentSpecValidator(spec).validate(given)
    for text in checked.error_messages:
        raise InputError("use the variables of the playbook", text, "correct the variable amplitude_… of that name")
    return t.cast("dict[str, t.Any]", checked.validated_parameters)
