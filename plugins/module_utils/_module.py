# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The one frame of all modules: from what was given to a client, an action, and what Ansible is told.

Python compiles a module and everything that it imports again in each task on each host, which takes longer than the
requests. So what most tasks do not need is imported inside the function that needs it, and nothing else is.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ._api.deployments import without_keys
from ._api.waits import Waits
from ._errors import AmplitudeError, InputError, Problem, Refused, refusal
from ._given import is_blank, look
from ._options import SHORTEST_KEY, client_from, connection_problems, connection_spec

Params = t.Mapping[str, t.Any]
#: Return values, and warnings.
Answer = t.Tuple[t.Mapping[str, t.Any], t.Sequence[str]]


class _Module(AnsibleModule):  # type: ignore[misc]
    """A module that looks at what was given before Ansible converts it.

    ``problems``: what is wrong with it. If something is that is not about a single item, Ansible gets no options at all, so
    that it cannot fail before that is told, and what cannot be used is not shown.
    """

    #: Options that must not be blank if they are given.
    never_blank: t.Collection[str] = ()

    params: dict[str, t.Any]
    argument_spec: t.Mapping[str, t.Any]
    required_one_of: t.Any

    def _load_params(self) -> None:
        super()._load_params()
        internal = {name: value for name, value in self.params.items() if name.startswith("_ansible_")}
        given = {name: value for name, value in self.params.items() if name not in internal}
        blank = {name for name in given if is_blank(given[name])}
        self.problems = look(given, self.argument_spec, self.never_blank) + connection_problems(given)
        self.params = dict(internal, **given)
        if any(blank.intersection(names) for names in self.required_one_of or ()):
            # What is missing because it is blank is told better by whoever needs it.
            self.required_one_of = None
        if any(each.item is None for each in self.problems):
            key = str(given.get("management_api_key", ""))
            self.no_log_values.update([key] if len(key) >= SHORTEST_KEY else [])
            self.params, self.argument_spec = internal, {}
            self.mutually_exclusive = self.required_one_of = None


def run(
    spec: t.Mapping[str, t.Any],
    action: t.Callable[..., Answer],
    waits: Waits,
    never_blank: t.Collection[str] = (),
    **constraints: t.Any,
) -> None:
    """Run a module, and end the process as Ansible expects it.

    :param spec: the argument spec without the options for the connection.
    :param action: what the module does, with a client, its options, and whether it only checks; and, if there are any, the
        ``problems`` of the items of a list, which are empty then.
    :param waits: how long is waited for what.
    :param never_blank: options that must not be blank if they are given.
    :param constraints: those of AnsibleModule, such as ``required_one_of``.
    """
    _Module.never_blank = never_blank
    module = _Module(dict(connection_spec(), **spec), supports_check_mode=True, **constraints)
    shown: t.Callable[..., dict[str, t.Any]] = dict if module.params.get("include_keys", True) else without_keys
    try:
        result, warnings = _act(module, action, waits)
    except AmplitudeError as error:
        for warning in error.warnings:
            module.warn(warning)
        module.fail_json(msg=str(error), **shown(dict(error.result, **_why(error))))
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**shown(result))


def _act(module: _Module, action: t.Callable[..., Answer], waits: Waits) -> Answer:
    problems = module.problems
    if any(each.item is None for each in problems):
        raise refusal(problems)
    try:
        client = client_from(module.params, waits)
    except InputError as error:
        raise refusal([Problem(error), *problems]) from None
    with client:
        return action(client, module.params, module.check_mode, **(dict(problems=problems) if problems else {}))


def _why(error: AmplitudeError) -> dict[str, t.Any]:
    """The documented return values ``failure`` and, if something is wrong with what is wanted, ``problems``."""
    problems = error.problems
    if not problems and isinstance(error, (InputError, Refused)):
        problems = [Problem(error)]
    told = dict(problems=[each.as_result() for each in problems]) if problems else {}
    return dict(told, failure=error.failure())
