# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the projects of a desired state are planned: with one start of a module, and alone where there is more to say."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.plugin_utils._desired_state import Project
from ansible_collections.community.amplitude.plugins.plugin_utils._plan_file import Approved
from ansible_collections.community.amplitude.plugins.plugin_utils._planned import Whole, plan_each

RULES = dict(purge=None, force=None)


def project(number, *labels):
    return Project(number, str(100 + number), [dict(label=each) for each in labels])


def change(project_id, label="new"):
    return dict(action="create", project_id=project_id, label=label)


class Module:
    """Answers as the module does: what is new is a change, what is bad a problem."""

    def __init__(self, whole=None, unknown=None):
        self.calls = []
        self.whole = whole
        self.unknown = unknown

    def __call__(self, arguments):
        self.calls.append(arguments)
        if self.whole == len(self.calls):
            return dict(failed=True, msg="no", failure=dict(kind="api"))
        items = arguments["deployments"]
        texts = [each for each in items if isinstance(each, str)]
        rows = [
            (each.get("project_id") or arguments["project_id"], each["label"]) for each in items if each not in texts
        ]
        changes = [change(*each) for each in rows if each[1] == "new"]
        problems = [
            dict(item=number, project_id=each[0], problem="bad")
            for number, each in enumerate(rows, 1)
            if each[1] == "bad"
        ]
        if problems:
            found = dict(failed=True, msg="bad", failure=dict(kind="refused"), problems=problems, pending=changes)
            if len(self.calls) == 1:
                for each in [found, *problems]:
                    each.pop(self.unknown, None)
            return found
        return dict(changed=bool(changes), changes=changes, diff=dict(before={}, after={}))


def asked(module):
    return [(each["project_id"], len(each["deployments"])) for each in module.calls]


def test_all_with_one_start():
    module = Module()
    found = list(plan_each(module, [project(1, "a", "new"), project(2, "b"), project(3)], RULES))
    assert asked(module) == [("103", 3)]
    assert [(each.project_id, result["changes"]) for each, result in found] == [
        ("101", [change("101")]),
        ("102", []),
        ("103", []),
    ]
    assert [each["project_id"] for each in module.calls[0]["deployments"]] == ["101", "101", "102"]
    assert module.calls[0]["include_keys"] is False


def test_only_one_project():
    module = Module()
    list(plan_each(module, [project(1, "a")], RULES))
    assert asked(module) == [("101", 1)]


def test_what_is_refused_is_asked_about_alone():
    """So that the numbers of items are those in its project."""
    module = Module()
    found = list(plan_each(module, [project(1, "a", "new"), project(2, "new", "bad"), project(3, "a")], RULES))
    assert asked(module) == [("101", 5), ("102", 2)]
    assert [bool(result.get("failed")) for _project, result in found] == [False, True, False]
    assert found[0][1]["changes"] == [change("101")] and found[1][1]["problems"][0]["item"] == 2


@pytest.mark.parametrize("unknown", ["project_id", "pending"])
def test_all_alone_if_it_is_not_known_who_is_refused_and_what_is_not(unknown):
    module = Module(unknown=unknown)
    list(plan_each(module, [project(1, "a"), project(2, "bad")], RULES))
    assert asked(module) == [("101", 2), ("101", 1), ("102", 1)]


def test_text_instead_of_options_is_asked_about_alone():
    module = Module()
    odd = Project(2, "102", ["label=a"])
    list(plan_each(module, [project(1, "a"), odd, project(3, "b")], RULES))
    assert asked(module) == [("101", 2), ("102", 1)]


@pytest.mark.parametrize(
    ("purge", "more"), [(None, []), (False, []), ("no", []), (True, [("103", 0)]), ("yes", [("103", 0)])]
)
def test_projects_without_deployments(purge, more):
    """They matter if they are purged; one of them can be the project of the task."""
    module = Module()
    list(plan_each(module, [project(1, "a"), project(2), project(3)], dict(RULES, purge=purge)))
    assert asked(module) == [("102", 1), *more]


def test_diff_is_of_one_project():
    module = Module()
    found = list(plan_each(module, [project(1, "new"), project(2, "a"), project(3, "new")], RULES, diff=True))
    assert asked(module) == [("101", 3), ("101", 1), ("103", 1)]
    assert ["diff" in result for _project, result in found] == [True, False, True]


@pytest.mark.parametrize(("whole", "which"), [(1, None), (2, "102")])
def test_failure_that_all_share(whole, which):
    module = Module(whole)
    with pytest.raises(Whole) as caught:
        list(plan_each(module, [project(1, "a"), project(2, "bad")], RULES))
    assert (caught.value.project and caught.value.project.project_id) == which and caught.value.found["msg"] == "no"


def test_what_was_approved():
    """The options and the address of the plan win, and only the changes of the listed projects count."""
    plan = Approved("http://there", dict(purge=True), {"101": [change("101")], "109": [change("109")]})
    module = Module()
    list(plan_each(module, [project(1, "new"), project(2, "bad")], dict(RULES, purge=False), plan))
    together, alone = module.calls
    assert together["approved_changes"] == [change("101")] and alone["approved_changes"] == []
    assert {each["base_url"] for each in module.calls} == {"http://there"}
    assert together["purge"] is alone["purge"] is True
