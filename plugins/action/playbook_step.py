# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A step of the playbooks of this collection. What it takes and returns is in plugins/modules/playbook_step.yml."""

from __future__ import annotations

import datetime
import os

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ..module_utils._api.deployments import order_of_id
from ..module_utils._errors import InputError
from ..plugin_utils._desired_state import (
    VARIABLE,
    State,
    Unusable,
    absolute,
    identifiers,
    is_blank,
    projects_from,
)
from ..plugin_utils._exported import with_served
from ..plugin_utils._state_file import read_file
from ..plugin_utils._told import counts_of, is_of_one_project, line_of, message, problems_of

CONNECTION = ("management_api_key", "region", "base_url", "validate_certs", "ca_path", "timeout", "retry_timeout")
#: What the modules get as it is given.
RULES = ("purge", "purge_limit", "restore_archived", "force", "concurrency")

TEXT = dict(type="raw")
SPEC = dict(
    step=dict(type="str", required=True, choices=["export", "audit", "plan", "apply", "tell"]),
    state_file=dict(type="path"),
    project_ids=TEXT,
    export_ids=dict(type="bool", default=True),
    export_overwrite=dict(type="bool", default=False),
    export_usage=dict(type="bool", default=False),
    ignore_projects=TEXT,
    audit_directory=dict(type="path", default="."),
    audit_usage=dict(type="bool", default=True),
    fail_on_drift=dict(type="bool", default=False),
    source=dict(type="str"),
    project=dict(type="dict"),
    counts=dict(type="list", elements="dict", default=[]),
    **{option: TEXT for option in (*CONNECTION, *RULES)},
)

#: The variables of the playbooks, which a state file cannot set.
VARIABLES = ["amplitude_" + option for option in SPEC if option not in ("step", "source", "project", "counts")]


class Stop(Exception):
    """The step has failed, with these return values."""


class ActionModule(ActionBase):
    """Reads what is wanted, hands it to a module of the collection, and tells what that says."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self._vars = task_vars or {}
        self._warnings: list[str] = []
        try:
            options = self._options()
            done = getattr(self, "_" + options["step"])(options)
        except (InputError, Unusable) as error:
            errors = error.errors if isinstance(error, Unusable) else [error]
            problems = [dict(problem=each.problem, advice=each.advice, told=str(each)) for each in errors]
            done = dict(failed=True, msg=message(problems), problems=problems)
        except Stop as error:
            done = dict(error.args[0], failed=True)
        result.update(done)
        if self._warnings:
            result["warnings"] = self._warnings
        return result

    def _options(self):
        """The options of the task. What is blank is not set."""
        given = {option: value for option, value in self._task.args.items() if not is_blank(value)}
        checked = ArgumentSpecValidator(SPEC).validate(given)
        for text in checked.error_messages:
            raise InputError("use the variables of the playbook", text, "correct the variable amplitude_… of that name")
        return checked.validated_parameters

    def _export(self, options):
        path = absolute(options["state_file"] or "deployments.yml")
        doing = f"write the desired state to {path}"
        wanted = self._ids("project_ids", options, least=1)
        if os.path.isdir(path):
            raise InputError(doing, "it is a directory", "set amplitude_state_file to the path of a file")
        if os.path.lexists(path) and not options["export_overwrite"]:
            raise InputError(
                doing, "it exists", "set amplitude_state_file to another path, or amplitude_export_overwrite to true"
            )
        rows = self._rows(options, None)
        unknown = sorted(set(wanted) - {row["project_id"] for row in rows})
        if unknown:
            raise InputError(
                doing,
                f"no deployment of project {', '.join(unknown)} is listed, not even its default one",
                "correct amplitude_project_ids, or give the management API key access to the project",
            )
        rows = [row for row in rows if not wanted or row["project_id"] in wanted]
        if options["export_usage"]:
            # Not for all at once, since nothing has to be read of the projects that are left out.
            of = sorted({row["project_id"] for row in rows}, key=order_of_id)
            rows = with_served([row for each in of for row in self._rows(options, each)])
        listed = sum(1 for row in rows if row["type"])
        projects = len({row["project_id"] for row in rows})
        return dict(
            deployments=rows,
            file=path,
            directory=os.path.dirname(path),
            with_ids=options["export_ids"],
            msg=f"listed {listed} deployments of {projects} projects, left out {len(rows) - listed}: {path}",
        )

    def _rows(self, options, project_id):
        """The active deployments of all projects or, with what uses them, of one."""
        of_project = {} if project_id is None else dict(project_id=project_id, include_usage=True)
        found = self._module("amplitude_deployment_info", options, include_keys=False, **of_project)
        if found.get("failed"):
            raise Stop(self._shortened(found, msg=found.get("msg")))
        return found["deployments"]

    def _audit(self, options):
        ignored = self._ids("ignore_projects", options)
        state = self._state(options)
        found = self._module(
            "amplitude_drift_info",
            options,
            "restore_archived",
            projects=[dict(project_id=each.project_id, deployments=each.deployments) for each in state.projects],
            ignore_projects=ignored,
            include_usage=options["audit_usage"],
        )
        if found.get("failed"):
            problems = problems_of(found, state.source)
            raise Stop(self._shortened(found, msg=message(problems), problems=problems))
        others = found["other_projects"]
        told = "audited {total} deployments of {0} projects, with drift {drift}".format(
            len(state.projects), **found["summary"]
        )
        directory = absolute(options["audit_directory"])
        return dict(
            {field: found[field] for field in ("deployments", "summary", "other_projects")},
            source=state.source,
            audited=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            directory=directory,
            fail_on_drift=options["fail_on_drift"],
            msg=told + (f", other projects {len(others)}" if others else "") + f": {directory}/audit.html",
        )

    def _plan(self, options):
        """Plan all projects; the task is in check mode."""
        state = self._state(options)
        checking = bool(self._vars.get("ansible_check_mode"))
        problems, projects, counts, diffs = [], {}, [], []
        for number, each in enumerate(state.projects, 1):
            found = self._deployments(each._asdict(), options)
            if found.get("failed"):
                problems += problems_of(found, state.source, each.project_id)
                if number < len(state.projects) and not is_of_one_project(found):
                    left = f"{len(state.projects) - number} more projects were not looked at."
                    problems.append(dict(item=None, project_id=None, told=left))
                    break
                continue
            if found["changed"]:
                projects[each.project_id] = dict(each._asdict())
                diffs += self._headed(found, each.project_id)
            if checking or not found["changed"]:
                counts.append(counts_of(each.deployments, found))
        if problems:
            raise Stop(dict(msg=message(problems, "Nothing was written in any project."), problems=problems))
        return dict(
            changed=checking and bool(projects),
            source=state.source,
            projects=projects,
            counts=counts,
            to_write=[] if checking else list(projects),
            **(dict(diff=diffs) if checking else {}),
        )

    def _apply(self, options):
        """Make one project as it should be."""
        project = options["project"]
        project_id = str(project["project_id"])
        found = self._deployments(project, options)
        told = dict(
            changed=bool(found.get("changed")),
            project_id=project_id,
            counts=counts_of(project["deployments"], found),
        )
        if found.get("failed"):
            problems = problems_of(found, options["source"], project_id)
            raise Stop(self._shortened(found, msg=message(problems), problems=problems, **told))
        return dict(told, changes=found["changes"], diff=self._headed(found, project_id))

    def _tell(self, options):
        """Show in one line what was done."""
        return dict(
            msg=line_of(options["counts"], bool(self._vars.get("ansible_check_mode"))), _ansible_verbose_always=True
        )

    def _state(self, options):
        """The desired state, read and checked.

        :raises InputError, Unusable: there is none, or there is something wrong with it.
        """
        elsewhere = self._vars.get(VARIABLE)
        if options["state_file"] is None:
            if is_blank(elsewhere):
                raise InputError(
                    "find the desired state",
                    "neither amplitude_state_file nor amplitude_projects is set",
                    f"set amplitude_state_file to the path of a file that defines {VARIABLE}, as community.amplitude.export "
                    f"writes it, or define {VARIABLE} elsewhere",
                )
            return State(VARIABLE, projects_from(self._templated(elsewhere, VARIABLE, self._vars), VARIABLE))
        path = absolute(options["state_file"])
        if not is_blank(elsewhere):
            self._warnings.append(f"amplitude_state_file is set, so that the variable {VARIABLE} is ignored.")
        defined = read_file(path, self._loader, VARIABLES)
        known = dict(self._vars)
        known.update(defined)
        # As everywhere, what is given with --extra-vars wins over what a file defines.
        known.update((name, value) for name, value in load_extra_vars(self._loader).items() if name != VARIABLE)
        return State(path, projects_from(self._templated(defined.get(VARIABLE), path, known), path))

    def _templated(self, value, source, known):
        """A value with its templates resolved, and an error that says in which project one of them cannot be.

        :param known: the variables that templates can use.
        """
        templar = self._templar.copy_with_new_env(available_variables=known)
        number = None
        try:
            if not isinstance(value, list):
                value = templar.template(value)
            if isinstance(value, list):
                templated = []
                for number, item in enumerate(value, 1):
                    templated.append(templar.template(item))
                value = templated
        except AnsibleError as error:
            which = VARIABLE if number is None else f"item {number} of {VARIABLE}"
            text = " ".join(str(error.message or error).split()).rstrip(".")
            raise InputError(
                f"use the desired state in {source}", f"{which} has a template that fails: {text}", "correct it"
            ) from None
        return value

    def _ids(self, option, options, least=0):
        """The IDs that an option lists, if it is set; then there must be so many."""
        try:
            return identifiers(options[option], least)
        except ValueError as error:
            raise InputError(f"use amplitude_{option}", f"{options[option]!r} is no list of IDs", str(error)) from None

    def _deployments(self, project, options):
        return self._module(
            "amplitude_deployments",
            options,
            *RULES,
            project_id=project["project_id"],
            deployments=project["deployments"],
            include_keys=False,
        )

    def _module(self, name, options, *passed, **arguments):
        """Run a module of the collection with the options for the connection, and those that are passed on."""
        arguments.update({each: options[each] for each in (*CONNECTION, *passed) if options[each] is not None})
        found = self._execute_module("community.amplitude." + name, arguments, task_vars=self._vars)
        if found.get("failed") and ("module_stderr" in found or not found.get("msg")):
            # It has not run to its end, and what Ansible knows of that is more than can be said here.
            raise Stop(found)
        self._warnings += found.get("warnings") or ()
        return found

    @staticmethod
    def _headed(found, project_id):
        """The diff of a module, that says of which project it is."""
        diff = found.get("diff")
        if not diff:
            return []
        return [dict(diff, before_header=f"project {project_id}", after_header=f"project {project_id}")]

    @staticmethod
    def _shortened(found, **told):
        """What is left of the result of a module that has failed: not the deployments and all that was given to it."""
        return dict({field: found[field] for field in ("failure",) if found.get(field)}, **told)
