# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The one frame of all modules: from the options to a client, an action, and what Ansible is told."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ._api.client import Client
from ._api.deployments import without_keys
from ._api.waits import Waits
from ._errors import AmplitudeError, InputError, Problem, Refused
from ._options import client_from, connection_spec

Params = t.Mapping[str, t.Any]
#: Return values, and warnings.
Answer = t.Tuple[t.Mapping[str, t.Any], t.Sequence[str]]


def run(
    spec: t.Mapping[str, t.Any],
    action: t.Callable[[Client, Params, bool], Answer],
    waits: Waits,
    **constraints: t.Any,
) -> None:
    """Run a module, and end the process as Ansible expects it.

    :param spec: the argument spec without the options for the connection.
    :param action: what the module does, with a client, its options, and whether it only checks.
    :param waits: how long is waited for what.
    :param constraints: those of AnsibleModule, such as ``required_one_of``.
    """
    module = AnsibleModule(dict(connection_spec(), **spec), supports_check_mode=True, **constraints)
    shown: t.Callable[..., dict[str, t.Any]] = dict if module.params.get("include_keys", True) else without_keys
    try:
        with client_from(module.params, waits) as client:
            result, warnings = action(client, module.params, module.check_mode)
    except AmplitudeError as error:
        for warning in error.warnings:
            module.warn(warning)
        told = error.problems or [Problem(error)] * isinstance(error, (InputError, Refused))
        result = dict(
            error.result, failure=error.failure(), **({"problems": [each.as_result() for each in told]} if told else {})
        )
        module.fail_json(msg=str(error), **shown(result))
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**shown(result))


def _why(error: AmplitudeError) -> dict[str, t.Any]:
    """The documented return values ``failure`` and, if something is wrong with what is wanted, ``problems``."""
    problems = error.problems
    if not problems and isinstance(error, (InputError, Refused)):
        problems = [Problem(error)]
    told = dict(problems=[each.as_result() for each in problems]) if problems else {}
    return dict(told, failure=error.failure())
