# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The variables of the playbooks: the one place that has their types, their defaults and what they mean.

The steps check what they are given with it, and the page of the documentation on the playbooks is made from it. The texts
are therefore reStructuredText.
"""

from __future__ import annotations

import typing as t

from ..module_utils._options import BASE_URLS, connection_spec
from ..module_utils._plan.purge import USUAL_LIMIT
from ..modules.amplitude_deployments import SPEC as OPTIONS_OF_MODULE
from ._desired_state import VARIABLE

PREFIX = "amplitude_"
PLAYBOOKS = ("export", "audit", "plan", "apply")


class Variable(t.NamedTuple):
    """A variable of some of the playbooks.

    ``option`` is its name without :data:`PREFIX`, and the option of the step that it is passed as. ``spec`` has its type and
    its default as in an argument spec of Ansible, and ``default`` says in words what that cannot say. If ``module`` is set,
    it is also an option of that module, which checks the value as it was given, with the same spec. ``if_blank`` has the
    parts of the error that a blank value is. Without them, blank means not set.
    """

    option: str
    playbooks: tuple[str, ...]
    spec: t.Mapping[str, t.Any]
    meaning: str
    default: str = ""
    module: str = ""
    if_blank: tuple[str, str, str] | None = None

    @property
    def name(self) -> str:
        """What users set."""
        return PREFIX + self.option

    @property
    def checked(self) -> t.Mapping[str, t.Any]:
        """What the step checks: lists of IDs can be text too, and what a module gets is left for it to convert."""
        return dict(type="raw") if self.module or self.spec["type"] == "list" else self.spec


_WANTING = ("audit", "plan", "apply")
_WRITING = ("plan", "apply")
_IDS = dict(type="list", elements="str")
_AS_IDS = "as a list, or as a string with commas, spaces or newlines between them"
_CURRENT = "the current directory"
_MADE = "Missing directories are created."
_READS = "This takes at least four more requests per project."


def _of_module(option: str, playbooks: tuple[str, ...], meaning: str, default: str = "") -> Variable:
    return Variable(option, playbooks, OPTIONS_OF_MODULE[option], meaning, default, "amplitude_deployments")


def _of_connection(option: str, meaning: str, default: str = "") -> Variable:
    return Variable(option, PLAYBOOKS, connection_spec()[option], meaning, default, "amplitude_deployments")


#: All of them, in the order in which they are documented.
TABLE = (
    Variable(
        "state_file",
        ("export",),
        dict(type="path", default="deployments.yml"),
        f"The path of the file to write. {_MADE}",
    ),
    Variable(
        "project_ids",
        ("export",),
        _IDS,
        f"The IDs of the projects to write, {_AS_IDS}.",
        "all projects that the management API key covers",
    ),
    Variable(
        "export_ids", ("export",), dict(type="bool", default=True), "Whether to list each deployment with its ID."
    ),
    Variable(
        "export_overwrite", ("export",), dict(type="bool", default=False), "Whether to overwrite a file that exists."
    ),
    Variable(
        "export_usage",
        ("export",),
        dict(type="bool", default=False),
        f"Whether to list each deployment with the flags and experiments that it serves. {_READS}",
    ),
    Variable(
        "state_file",
        _WANTING,
        dict(type="path"),
        f"The path of the file with the desired state, which defines ``{VARIABLE}``.",
        f"none; ``{VARIABLE}`` is then read from elsewhere",
    ),
    Variable(
        VARIABLE[len(PREFIX) :],
        _WANTING,
        dict(type="list", elements="dict"),
        "The desired state, if it is not in a file.",
        f"none; required without ``{PREFIX}state_file``",
    ),
    _of_module("purge", _WRITING, "Whether to archive the active deployments that the desired state does not list."),
    _of_module(
        "purge_limit",
        _WRITING,
        f"The maximum number of deployments that ``{PREFIX}purge`` may archive in each project.",
        f"``{USUAL_LIMIT}``",
    ),
    _of_module(
        "restore_archived",
        _WANTING,
        "Whether an archived deployment with the desired label is restored if no active one has it. If ``false``, a new "
        "one is created.",
    ),
    _of_module(
        "force",
        _WRITING,
        "Whether to allow changes that are likely to do harm, such as archiving a deployment that a flag or an experiment "
        "still uses.",
    ),
    _of_module("concurrency", _WRITING, "The maximum number of requests that are under way at the same time."),
    Variable(
        "ignore_projects",
        ("audit",),
        _IDS,
        f"The IDs of projects that you do not manage, and that the audit therefore does not report as unlisted, {_AS_IDS}.",
        "none",
    ),
    Variable(
        "audit_usage",
        ("audit",),
        dict(type="bool", default=True),
        f"Whether to report deployments that no flag and no experiment uses. {_READS}",
    ),
    Variable(
        "audit_directory",
        ("audit",),
        dict(type="path", default="."),
        f"The directory for the reports. {_MADE}",
        _CURRENT,
    ),
    Variable(
        "fail_on_drift",
        ("audit",),
        dict(type="bool", default=False),
        "Whether the playbook fails if there is drift, after it has written the reports.",
    ),
    Variable(
        "plan_directory",
        ("plan",),
        dict(type="path", default="."),
        f"The directory for the files of the plan. {_MADE}",
        _CURRENT,
    ),
    Variable(
        "fail_on_problems",
        ("plan",),
        dict(type="bool", default=False),
        "Whether the playbook fails if something is refused, after it has written the files of the plan.",
    ),
    Variable(
        "plan_file",
        ("apply",),
        dict(type="path"),
        "The path of the approved ``plan.json``. Only its changes may be made, and its options take precedence.",
        "none; no approval is required",
        if_blank=(
            "use the plan",
            f"{PREFIX}plan_file is blank, and without a plan every change would be made",
            "set it to the path of the plan.json that was approved, or leave it out",
        ),
    ),
    _of_connection("management_api_key", "The management API key of Amplitude Experiment."),
    _of_connection(
        "region",
        f"The data region of the Amplitude organisation, {' or '.join(f'``{region}``' for region in BASE_URLS)}, which "
        "determines the address of the API.",
    ),
    _of_connection(
        "base_url",
        f"The address of the API, if it is not that of a region. It overrides ``{PREFIX}region``.",
        "the address of the region",
    ),
    _of_connection("validate_certs", "Whether to verify the TLS certificate of the API."),
    _of_connection(
        "ca_path",
        "The path of a file or directory with the certificates of trusted authorities.",
        "the authorities that ``requests`` trusts",
    ),
    _of_connection("timeout", "The number of seconds that one request may take."),
    _of_connection(
        "retry_timeout", "The number of seconds that each run of a module may spend on waiting and retrying."
    ),
)

#: What a state file cannot set, since nothing reads it from there.
NOT_IN_STATE_FILE = frozenset(each.name for each in TABLE if each.name != VARIABLE)
#: The options of the connection, which every module takes.
CONNECTION = tuple(connection_spec())
#: What ``plan`` and ``apply`` hand to their module as it is given.
RULES = tuple(
    each.option for each in TABLE if each.module and each.option not in CONNECTION and "apply" in each.playbooks
)


def of_step(step: str) -> list[Variable]:
    """The variables that are options of a step. The desired state is none: it can use other variables."""
    return [each for each in TABLE if step in each.playbooks and each.name != VARIABLE]
