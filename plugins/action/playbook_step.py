# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A step of the playbooks of this collection. What it takes and returns is in plugins/modules/playbook_step.yml."""

from __future__ import annotations

import os

from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ..module_utils._api.deployments import order_of_id
from ..module_utils._errors import InputError
from ..module_utils._given import is_blank
from ..plugin_utils import _screen
from ..plugin_utils._desired_state import VARIABLE, State, Unusable, absolute, projects_from
from ..plugin_utils._exported import desired_state, with_served
from ..plugin_utils._files import write_files
from ..plugin_utils._options_of_step import base_url_of, options_from, project_ids_of, rules_of, time_now
from ..plugin_utils._pages import About
from ..plugin_utils._plan_file import different, not_listed, planned, read_plan
from ..plugin_utils._planned import Whole, arguments_of, plan_each
from ..plugin_utils._resolved import resolved
from ..plugin_utils._state_file import read_file
from ..plugin_utils._told import counted, counts_of, line_of, message, problems_of, verdict
from ..plugin_utils._variables import CONNECTION, NOT_IN_STATE_FILE, RULES
from ..plugin_utils._written import audit_files, plan_files


class Stop(Exception):
    """The step has failed, with these return values."""


class ActionModule(ActionBase):
    """Reads what is wanted, passes it to a module of the collection, and tells what that says.

    What goes back to Ansible is small: it takes its time over everything that a task returns or a template reads.
    """

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self._vars = task_vars or {}
        self._warnings: list[str] = []
        try:
            options = options_from(self._task.args)
            done = getattr(self, "_" + options["step"])(options)
        except (InputError, Unusable) as error:
            errors = error.errors if isinstance(error, Unusable) else [error]
            problems = [dict(problem=each.problem, advice=each.advice, told=str(each)) for each in errors]
            done = dict(failed=True, msg=message(problems), problems=problems)
        except Stop as error:
            done = dict(error.args[0], failed=True)
        result.update(done)
        if self._warnings:
            result["warnings"] = list(dict.fromkeys(self._warnings))
        return result

    def _export(self, options):
        path = absolute(options["state_file"])
        rows = self._to_export(options, path)
        of = sorted({row["project_id"] for row in rows}, key=order_of_id)
        if options["export_usage"]:
            # Not for all at once, since nothing has to be read of the projects that are left out.
            rows = with_served([row for each in of for row in self._rows(options, project_id=each, include_usage=True)])
        listed = sum(1 for row in rows if row["type"])
        told = f"listed {counted(listed, 'deployment')} of {counted(len(of), 'project')}, left out {len(rows) - listed}"
        text = desired_state(rows, options["export_ids"])
        return dict(
            changed=self._write(os.path.dirname(path), {os.path.basename(path): text}, "amplitude_state_file"),
            file=path,
            msg=f"{told}: {path}",
        )

    def _to_export(self, options, path):
        """The active deployments of the projects that are chosen, if the file may be written."""
        doing = f"write the desired state to {path}"
        chosen = set(project_ids_of(options, "project_ids", least=1))
        if os.path.isdir(path):
            raise InputError(doing, "it is a directory", "set amplitude_state_file to the path of a file")
        if os.path.lexists(path) and not options["export_overwrite"]:
            raise InputError(
                doing, "it exists", "set amplitude_state_file to another path, or amplitude_export_overwrite to true"
            )
        rows = self._rows(options)
        unknown = sorted(chosen - {row["project_id"] for row in rows})
        if unknown:
            raise InputError(
                doing,
                f"no deployment of project {', '.join(unknown)} is listed, not even its default one",
                "correct amplitude_project_ids, or give the management API key access to the project",
            )
        return [row for row in rows if not chosen or row["project_id"] in chosen]

    def _rows(self, options, **chosen):
        """The active deployments of all projects or, with what uses them, of one."""
        found = self._module("amplitude_deployment_info", options, dict(chosen, include_keys=False))
        if found.get("failed"):
            raise Stop(_shortened(found, msg=found.get("msg")))
        return found["deployments"]

    def _audit(self, options):
        ignored = project_ids_of(options, "ignore_projects")
        state = self._state(options)
        given = dict(
            projects=[dict(project_id=each.project_id, deployments=each.deployments) for each in state.projects],
            ignore_projects=ignored,
            restore_archived=options["restore_archived"],
            include_usage=options["audit_usage"],
        )
        found = self._module("amplitude_drift_info", options, given)
        if found.get("failed"):
            problems = problems_of(found, state.source)
            raise Stop(_shortened(found, msg=message(problems), problems=problems))
        directory = absolute(options["audit_directory"])
        about = About(base_url_of(options), state.source, time_now())
        page = os.path.join(directory, "audit.html")
        summary, others = found["summary"], len(found["other_projects"])
        told = (
            f"audited {counted(summary['total'], 'deployment')} of {counted(len(state.projects), 'project')}, with drift "
            f"{summary['drift']}" + (f", other projects {others}" if others else "")
        )
        return dict(
            {field: found[field] for field in ("deployments", "summary", "other_projects")},
            changed=self._write(directory, audit_files(found, about), "amplitude_audit_directory"),
            source=state.source,
            audited=about.time,
            directory=directory,
            screen=_screen.audited(found, page),
            msg=f"{told}: {page}",
            fails=f"{verdict(summary)} See {page}." if summary["drift"] and options["fail_on_drift"] else "",
        )

    def _plan(self, options):
        """Plan all projects, for people who look at it before it is carried out."""
        options = dict(options, base_url=base_url_of(options))
        rules = rules_of(options, defaults=True)
        state = self._state(options)
        projects, counts, problems = [], [], []
        for project, found in self._each_planned(state, options):
            projects.append((project.project_id, found))
            told = problems_of(found, state.source, project.project_id) if found.get("failed") else []
            problems += told
            # What is not refused is told as what would be done.
            would = dict(found, changes=found.get("pending") or [], pending=[]) if told else found
            counts.append(counts_of(project.deployments, would))
        plan = planned(options["base_url"], rules, projects)
        directory = absolute(options["plan_directory"])
        about = About(plan["base_url"], state.source, time_now())
        file = os.path.join(directory, "plan.json")
        line = line_of(counts, True) + (f", problems {len(problems)}" if problems else "")
        fails = (
            f"The plan cannot be carried out, problems: {len(problems)}, see {os.path.join(directory, 'plan.md')}."
            if problems and options["fail_on_problems"]
            else ""
        )
        return dict(
            changed=self._write(directory, plan_files(plan, counts, about), "amplitude_plan_directory"),
            plan=plan,
            directory=directory,
            screen=_screen.planned(plan, counts, problems, file),
            msg=f"{line}: {file}",
            fails=fails,
        )

    def _apply(self, options):
        """Plan all projects and, unless anything is refused in one of them, bring them to the desired state."""
        approved = None
        if options["plan_file"] is not None:
            approved = read_plan(absolute(options["plan_file"]), base_url_of(options))
            self._warnings += different(approved.options, rules_of(options))
        state = self._state(options)
        if approved is not None:
            self._warnings += not_listed(approved, [each.project_id for each in state.projects])
        checking = bool(self._task.check_mode)
        problems, counts, diffs, to_write = [], [], [], []
        for project, found in self._each_planned(state, options, approved, diff=checking and bool(self._task.diff)):
            if found.get("failed"):
                problems += problems_of(found, state.source, project.project_id)
            elif found["changed"]:
                to_write.append(project)
                diffs += _headed(found, project)
            if checking or not (found.get("failed") or found["changed"]):
                counts.append(counts_of(project.deployments, found))
        if problems:
            raise Stop(dict(msg=message(problems, "Nothing was written in any project."), problems=problems))
        if checking:
            return dict(changed=bool(to_write), told=line_of(counts, True), diff=diffs)
        return self._make(to_write, state.source, options, approved, counts)

    def _make(self, projects, source, options, approved, counts):
        """Bring projects to the desired state, one after another, even if one of them fails.

        :param counts: those of the other projects.
        """
        problems, diffs, failure, changed = [], [], None, False
        for project in projects:
            found = self._module("amplitude_deployments", options, arguments_of(project, _rules(options), approved))
            changed = changed or bool(found.get("changed") or found.get("changes"))
            counts.append(counts_of(project.deployments, found))
            diffs += _headed(found, project)
            if found.get("failed"):
                problems += problems_of(found, source, project.project_id)
                failure = failure or found.get("failure")
        result = dict(changed=changed, told=line_of(counts))
        if problems:
            why = dict(failure=failure) if failure else {}
            raise Stop(dict(result, msg=message(problems), problems=problems, **why))
        return dict(result, diff=diffs)

    def _each_planned(self, state, options, approved=None, diff=False):
        """Each project, and what the module says of it in check mode."""

        def ask(arguments):
            return self._module("amplitude_deployments", options, arguments, check_mode=True)

        try:
            yield from plan_each(ask, state.projects, _rules(options), approved, diff)
        except Whole as error:
            # It is unknown what would be done.
            project_id = error.project.project_id if error.project else None
            problems = problems_of(error.found, state.source, project_id)
            told = message(problems, "Nothing was written in any project." if options["step"] == "apply" else "")
            raise Stop(_shortened(error.found, msg=told, problems=problems)) from None

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
            return State(VARIABLE, projects_from(self._resolved(elsewhere, VARIABLE, self._vars), VARIABLE))
        path = absolute(options["state_file"])
        if not is_blank(elsewhere):
            self._warnings.append(f"amplitude_state_file is set, so the variable {VARIABLE} is ignored.")
        defined = read_file(path, self._loader, NOT_IN_STATE_FILE)
        known = dict(self._vars)
        known.update(defined)
        # As everywhere, what is given with --extra-vars wins over what a file defines.
        known.update((name, value) for name, value in load_extra_vars(self._loader).items() if name != VARIABLE)
        return State(path, projects_from(self._resolved(defined.get(VARIABLE), path, known), path))

    def _resolved(self, value, source, known):
        """The value of the variable with its templates resolved, which can use the variables that are known."""
        return resolved(value, self._templar.copy_with_new_env(available_variables=known).template, source)

    def _module(self, name, options, arguments, check_mode=False):
        """Run a module of the collection with the options for the connection; what is None is not set."""
        given = dict({option: options[option] for option in CONNECTION}, **arguments)
        given = {option: value for option, value in given.items() if value is not None}
        checking, self._task.check_mode = self._task.check_mode, check_mode
        try:
            found = self._execute_module("community.amplitude." + name, given, task_vars=self._vars)
        finally:
            self._task.check_mode = checking
        if found.get("failed") and ("module_stderr" in found or not found.get("msg")):
            # It has not run to its end, and what Ansible knows of that is more than can be said here.
            raise Stop(found)
        self._warnings += found.get("warnings") or ()
        return found

    def _write(self, directory, texts, variable):
        return write_files(directory, texts, bool(self._task.check_mode), variable)


def _rules(options):
    return {rule: options[rule] for rule in RULES}


def _headed(found, project):
    """The diff of a module, that says of which project it is."""
    header = f"project {project.project_id}"
    return [dict(found["diff"], before_header=header, after_header=header)] if found.get("diff") else []


def _shortened(found, **told):
    """What is left of the result of a module that has failed: not the deployments and all that was given to it."""
    return dict(told, failure=found["failure"]) if found.get("failure") else told
