# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the playbook ``apply`` goes through the projects: it plans all of them before it writes in the first."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.core

PROJECTS = ["101", "102", "103"]


def seed(extra=()):
    rows = [dict(projectId=project, label="web", type="client") for project in PROJECTS]
    rows += [dict(projectId=project, label="default", type=None) for project in PROJECTS]
    return dict(keys={"management-key": PROJECTS}, deployments=[*rows, *extra])


def project(project_id, *items):
    return dict(project_id=project_id, deployments=list(items))


def item(label, type="client", **options):
    return dict(label=label, type=type, **options)


def labels(emulator, project_id):
    return sorted(
        row["label"] for row in emulator.deployments() if row["projectId"] == project_id and not row["deleted"]
    )


def written(emulator):
    return [request for request in emulator.requests() if request["method"] != "GET"]


def last_line(result):
    """What the last line of the playbook says, without that of the recap."""
    [line] = re.findall(r'"msg": "((?:would be )?created .*)"', result.output)
    return line


@pytest.mark.parametrize("flags", [["--check"], []])
def test_refusals_write_nothing_anywhere(play, emulator, flags):
    emulator.reset(seed())
    projects = [
        project("101", item("web"), item("new")),
        project("102", item("web", "server"), item("new")),
        project("103", item("a b")),
    ]
    result = play("apply", *flags, projects=projects)
    assert result.status == 2, result.output
    for number, message in (("102", "is a client deployment, and the API cannot change"), ("103", "'a b'")):
        assert re.search(f"amplitude_projects, project {number}.*{message}", result.output), result.output
    assert "Nothing was written in any project." in result.output
    assert "TASK [Say what was done]" in result.output and "created " not in result.output
    assert written(emulator) == []


def test_a_failure_does_not_stop_the_other_projects(play, emulator):
    """Here because the management key has no access to a project, which only a write can show."""
    emulator.reset(seed())
    projects = [project("101", item("new")), project("999", item("new"), item("new-2")), project("103", item("new"))]
    result = play("apply", projects=projects)
    assert result.status == 2, result.output
    assert labels(emulator, "101") == labels(emulator, "103") == ["default", "new", "web"]
    assert re.search(r"fatal: .*amplitude_projects, project 999: Could not create.*403", result.output)
    assert last_line(result) == "created 2, renamed 0, restored 0, archived 0, unchanged 0, not done 2"
    again = play("apply", projects=[projects[0], projects[2]])
    assert again.status == 0 and "changed=0 " in again.output
    assert last_line(again) == "created 0, renamed 0, restored 0, archived 0, unchanged 2"


def test_a_service_that_is_down_is_asked_once(play, emulator):
    """Not once for each project."""
    emulator.reset(seed())
    emulator.misbehave(action="status", status=503, times=0)
    result = play("apply", projects=[project(each) for each in PROJECTS], retry_timeout=0)
    assert result.status == 2 and "Nothing was written in any project." in result.output, result.output
    assert written(emulator) == []


def test_last_line(play, emulator):
    """Check mode foresees it; what has nothing to do is not written to, and not asked for twice."""
    extra = [
        dict(projectId="101", label="old", type="client"),
        dict(projectId="101", label="retired", type="client", deleted=True),
        dict(projectId="102", label="not-listed", type="server"),
    ]
    emulator.reset(seed(extra))
    projects = [
        project("101", item("web"), item("new", previous_label="old"), item("retired"), item("more"), item("and-more")),
        project("102", item("web", state="absent"), item("never", state="absent"), item("kept", "server")),
        project("103", item("web")),
    ]
    counts = "created 3, renamed 1, restored 1, archived 2, unchanged 3"
    foreseen = play("apply", "--check", "--diff", projects=projects, purge=True)
    assert written(emulator) == [] and foreseen.status == 0, foreseen.output
    assert last_line(foreseen) == "would be " + counts
    assert "+++ after: project 101" in foreseen.output and "project 103" not in foreseen.output
    done = play("apply", "--diff", projects=projects, purge=True)
    assert done.status == 0 and last_line(done) == counts, done.output
    assert "changed=1 " in foreseen.output and "changed=1 " in done.output
    assert (
        re.findall(r"\+\+\+ after: (.*)", done.output) == ["project 101", "project 102"] and "item=" not in done.output
    )
    assert labels(emulator, "101") == ["and-more", "default", "more", "new", "retired", "web"]
    again = play("apply", projects=projects, purge=True)
    assert written(emulator) == [] and "changed=0 " in again.output
    assert last_line(again) == "created 0, renamed 0, restored 0, archived 0, unchanged 9"


def test_purge_limit_counts_per_project(play, emulator):
    extra = [dict(projectId=each, label=f"old-{n}", type="client") for each in ("101", "102") for n in range(3)]
    emulator.reset(seed(extra))
    projects = [project("101", item("web")), project("102", item("web"))]
    refused = play("apply", projects=projects, purge=True, purge_limit=2)
    assert refused.status == 2 and written(emulator) == [], refused.output
    for number in ("101", "102"):
        assert f"project {number}: " in refused.output
    result = play("apply", projects=projects, purge=True, purge_limit=3)
    assert result.status == 0, result.output
    assert last_line(result) == "created 0, renamed 0, restored 0, archived 6, unchanged 2"


def test_options_that_are_values(play, emulator):
    """``false`` and ``0`` are not blank."""
    extra = [dict(projectId="101", label="old", type="client", deleted=True)]
    emulator.reset(seed(extra))
    projects = [project("101", item("web"), item("old"))]
    result = play("apply", projects=projects, restore_archived=False, purge=False, purge_limit=0, force=False)
    assert last_line(result) == "created 1, renamed 0, restored 0, archived 0, unchanged 1"
    result = play("apply", projects=[project("101", item("web"))], purge=True, purge_limit=0)
    assert result.status == 2 and "purge_limit is 0" in result.output, result.output
