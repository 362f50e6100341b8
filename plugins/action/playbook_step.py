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
from ..module_utils._options import BASE_URLS, base_url_from, connection_from_environment
from ..modules.amplitude_deployments import SPEC as OPTIONS_OF_MODULE
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
from ..plugin_utils._plan_file import OPTIONS, different, not_listed, planned, read_plan
from ..plugin_utils._state_file import read_file
from ..plugin_utils._told import counts_of, is_of_one_project, line_of, message, problems_of

CONNECTION = ("management_api_key", "region", "base_url", "validate_certs", "ca_path", "timeout", "retry_timeout")
#: What the modules get as it is given.
RULES = ("purge", "purge_limit", "restore_archived", "force", "concurrency")

TEXT = dict(type="raw")
SPEC = dict(
    step=dict(type="str", required=True, choices=["export", "audit", "plan", "apply", "review", "tell"]),
    state_file=dict(type="path"),
    project_ids=TEXT,
    export_ids=dict(type="bool", default=True),
    export_overwrite=dict(type="bool", default=False),
    export_usage=dict(type="bool", default=False),
    ignore_projects=TEXT,
    audit_directory=dict(type="path", default="."),
    audit_usage=dict(type="bool", default=True),
    fail_on_drift=dict(type="bool", default=False),
    plan_file=dict(type="path"),
    plan_directory=dict(type="path", default="."),
    fail_on_problems=dict(type="bool", default=False),
    source=dict(type="str"),
    project=dict(type="dict"),
    counts=dict(type="list", elements="dict", default=[]),
    **{option: TEXT for option in (*CONNECTION, *RULES)},
)

#: The variables of the playbooks, which a state file cannot set.
VARIABLES = ["amplitude_" + option for option in SPEC if option not in ("step", "source", "project", "counts")]


class Stop(Exception):
    """The step has failed, with these return values."""


def _validated(spec, given):
    """The values of options as the spec has them.

    :raises InputError: one of them cannot be used.
    """
    checked = ArgumentSpecValidator(spec).validate(given)
    for text in checked.error_messages:
        raise InputError("use the variables of the playbook", text, "correct the variable amplitude_… of that name")
    return checked.validated_parameters


def _time():
    """What time it is, for the reports."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


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
        """The options of the task. What is blank is not set, but for the plan: without one, all would be approved."""
        if "plan_file" in self._task.args and is_blank(self._task.args["plan_file"]):
            raise InputError(
                "use the plan",
                "amplitude_plan_file is blank, and without a plan every change would be made",
                "set it to the path of the plan.json that was approved, or leave it out",
            )
        given = {option: value for option, value in self._task.args.items() if not is_blank(value)}
        return _validated(SPEC, given)

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
            audited=_time(),
            directory=directory,
            fail_on_drift=options["fail_on_drift"],
            msg=told + (f", other projects {len(others)}" if others else "") + f": {directory}/audit.html",
        )

    def _plan(self, options):
        """Plan all projects; the task is in check mode."""
        approved = self._approved(options)
        state = self._state(options)
        if approved is not None:
            self._warnings += not_listed(approved, [each.project_id for each in state.projects])
        checking = bool(self._vars.get("ansible_check_mode"))
        problems, projects, counts, diffs = [], {}, [], []
        for each, found in self._each_planned(state, options, approved):
            if found.get("failed"):
                problems += problems_of(found, state.source, each["project_id"])
                continue
            if found["changed"]:
                projects[each["project_id"]] = each
                diffs += self._headed(found, each["project_id"])
            if checking or not found["changed"]:
                counts.append(counts_of(each["deployments"], found))
        if problems:
            left = self._left(state, found, each)
            raise Stop(
                dict(msg=message(problems + left, "Nothing was written in any project."), problems=problems + left)
            )
        return dict(
            changed=checking and bool(projects),
            source=state.source,
            projects=projects,
            counts=counts,
            to_write=[] if checking else list(projects),
            **(dict(diff=diffs) if checking else {}),
        )

    def _review(self, options):
        """Plan all projects, for people who look at it before it is carried out; the task is in check mode."""
        options = dict(options, base_url=self._base_url(options))
        rules = self._rules(options, defaults=True)
        state = self._state(options)
        projects, counts, told = [], [], []
        for each, found in self._each_planned(state, options):
            if found.get("failed") and not is_of_one_project(found):
                # Nobody knows what would be done.
                problems = [*problems_of(found, state.source, each["project_id"]), *self._left(state, found, each)]
                raise Stop(self._shortened(found, msg=message(problems), problems=problems))
            projects.append((each["project_id"], found))
            told += problems_of(found, state.source, each["project_id"]) if found.get("failed") else []
            # What is not refused is told as what would be done.
            would = dict(found, changes=found.get("pending") or [], pending=[]) if found.get("failed") else found
            counts.append(counts_of(each["deployments"], would))
        plan = planned(options["base_url"], rules, projects)
        rows = [change for project in plan["projects"] for change in project["changes"]]
        directory = absolute(options["plan_directory"])
        return dict(
            plan=plan,
            changes=rows,
            problems=told,
            counts=[
                dict(
                    each,
                    project_id=project["project_id"],
                    problems=len(project["problems"]),
                    same=not (project["changes"] or project["problems"]),
                )
                for project, each in zip(plan["projects"], counts)
            ],
            planned=_time(),
            directory=directory,
            fail_on_problems=options["fail_on_problems"],
            msg=line_of(counts, True) + (f", problems {len(told)}" if told else "") + f": {directory}/plan.json",
        )

    def _each_planned(self, state, options, approved=None):
        """Each project, as the step ``apply`` takes it, and what the module says of it.

        It ends with a failure that the other projects would have too.
        """
        for each in state.projects:
            project = dict(each._asdict(), rules={rule: options[rule] for rule in RULES})
            if approved is not None:
                # The address too, so that nothing can be sent elsewhere.
                project["rules"].update(approved.options, base_url=approved.base_url)
                project["approved_changes"] = approved.changes.get(each.project_id, [])
            found = self._deployments(project, options)
            yield project, found
            if found.get("failed") and not is_of_one_project(found):
                return

    @staticmethod
    def _left(state, found, project):
        """The problem that some projects were not looked at, if the last one that was has failed."""
        left = len(state.projects) - project["number"]
        if not left or is_of_one_project(found):
            return []
        return [dict(item=None, project_id=None, told=f"{left} more projects were not looked at.")]

    def _approved(self, options):
        """The plan that is to be carried out, if there is one."""
        if options["plan_file"] is None:
            return None
        approved = read_plan(absolute(options["plan_file"]), self._base_url(options))
        self._warnings += different(approved.options, self._rules(options))
        return approved

    def _base_url(self, options):
        """The address of the account. The modules find the same one, and are the ones that say what is wrong with it."""
        values = {option: value for option, (value, dummy) in connection_from_environment().items()}
        values.update({option: options[option] for option in CONNECTION if options[option] is not None})
        region = str(values.get("region", "us"))
        return base_url_from(values.get("base_url"), region if region in BASE_URLS else "us")

    def _rules(self, options, defaults=False):
        """The options that a plan has, as the module understands them: those that are set or, with the defaults, all."""
        given = {option: options[option] for option in OPTIONS if options[option] is not None}
        checked = _validated({option: OPTIONS_OF_MODULE[option] for option in OPTIONS}, given)
        return {option: checked[option] for option in (OPTIONS if defaults else given)}

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
        approval = dict(approved_changes=project["approved_changes"]) if "approved_changes" in project else {}
        return self._module(
            "amplitude_deployments",
            dict(options, **project["rules"]),
            *RULES,
            project_id=project["project_id"],
            deployments=project["deployments"],
            include_keys=False,
            **approval,
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
        return dict(told, failure=found["failure"]) if found.get("failure") else told
