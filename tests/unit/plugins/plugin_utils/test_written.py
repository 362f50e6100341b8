# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of the reports and of the plan."""

from __future__ import annotations

import json

import pytest

from ansible_collections.community.amplitude.plugins.plugin_utils._pages import About
from ansible_collections.community.amplitude.plugins.plugin_utils._told import counts_of
from ansible_collections.community.amplitude.plugins.plugin_utils._written import audit_files, plan_files

ABOUT = About("https://a.example/x_y", "deployments.yml", "now")


def summary(total, drift, unused=0):
    kinds = dict(missing=drift, archived=0)
    project = dict(project_id="101", total=total, drift=drift, kinds=kinds, unused=unused)
    return dict(total=total, drift=drift, kinds=kinds, unused=unused, projects=[project])


def row(label, drift=None, detail=None, **fields):
    return dict(
        dict.fromkeys(["id", "type", "unused", "default"]),
        project_id="101",
        label=label,
        drift=drift,
        detail=detail,
        **fields,
    )


def test_reports():
    rows = [row("web", "missing", "no 'flag' has the key \"a\" & it | is\nso"), row("api")]
    found = dict(deployments=rows, summary=summary(2, 1), other_projects=[], changed=False, invocation={})
    files = audit_files(found, ABOUT._replace(time="2026-01-02 03:04 UTC"))
    assert json.loads(files["audit.json"]) == dict(
        audited="2026-01-02 03:04 UTC", summary=found["summary"], deployments=rows, other_projects=[]
    )
    lines = files["audit.json"].splitlines()
    assert len(lines) == 9 and [json.loads(each.rstrip(",")) for each in lines[4:6]] == rows
    text = files["audit.md"]
    assert "2026-01-02 03:04 UTC: 1 deployment is missing; 1 is as it should be.\n\n|" in text
    assert (
        r"""| 101 | web |  |  | missing | no 'flag' has the key "a" &amp; it \| is so |""" in text and "&#" not in text
    )


def test_unused():
    found = dict(deployments=[row("web", unused=True)], summary=summary(1, 0, 1), other_projects=[])
    text = audit_files(found, ABOUT)["audit.md"]
    assert "should be. 1 is used by no flag and no experiment.\n\n|" in text and "| 101 | web |  |  |" in text


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "nothing has to be changed."), (1, "**1 change**."), (301, "**301 changes**."), (302, "**302 changes**.")],
)
def test_plan(count, told):
    nothing = dict.fromkeys(["id", "previous_label", "type", "flag", "experiment"])
    changes = [dict(nothing, action="archive", project_id="101", label=f"__{number}__") for number in range(count)]
    options = dict(purge=True, purge_limit=None, restore_archived=True, force=False)
    projects = [dict(project_id="101", changes=changes, problems=[])]
    plan = dict(format=1, base_url="https://a.example/x_y", options=options, projects=projects)
    files = plan_files(plan, [counts_of([], dict(changes=changes))], ABOUT)
    assert json.loads(files["plan.json"]) == plan and "now" not in files["plan.json"]
    assert files == plan_files(plan, [counts_of([], dict(changes=changes))], ABOUT)
    text = files["plan.md"]
    assert f"now, https://a.example/x_y: {told}" in text
    assert "`purge`: true, `purge_limit`: not set, `restore_archived`: true, `force`: false" in text
    assert text.count(r"| 101 | archive |  | \_\_") == min(count, 300)
    more = {301: "There is 1 more change in `plan.json`.", 302: "There are 2 more changes in `plan.json`."}
    assert more.get(count, "") in text and text.count(" more ") == (count > 300)
