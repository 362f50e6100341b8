# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook ``plan``, and ``apply`` of what was approved: that is done, or nothing is."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from ansible_collections.community.amplitude.tests.support.processes import CAN_KILL, kill_marked

pytestmark = pytest.mark.core

PROJECTS = ["101", "102"]
NOTHING_DONE = "Nothing was written in any project."


@pytest.fixture
def emulator(emulator):
    rows = [dict(projectId=project, label="web", type="client") for project in PROJECTS]
    rows += [dict(projectId=project, label="default", type=None) for project in PROJECTS]
    rows += [
        dict(projectId="101", label="old", type="client", id=11),
        dict(projectId="102", label="stray", type="server", id=12),
        dict(projectId="102", label="twin", type="server", id=21),
        dict(projectId="102", label="twin", type="server", id=22),
    ]
    flags = [dict(projectId="101", key="cart", enabled=True, deployments=[11])]
    emulator.reset(dict(keys={"management-key": PROJECTS}, deployments=rows, flags=flags))
    return emulator


def item(label, type="client", **options):
    return dict(label=label, type=type, **options)


def project(project_id, *items):
    return dict(project_id=project_id, deployments=list(items))


def wanted(*more):
    """A rename, a create with an assignment, and another create."""
    return [
        project("101", item("web"), item("new", previous_label="old"), item("api", "server", flags=["cart"])),
        project("102", item("web"), item("app"), item(None, "server", id="21"), item(None, "server", id="22"), *more),
    ]


def written(emulator):
    return [request for request in emulator.requests() if request["method"] != "GET"]


def active(emulator):
    return sorted((row["projectId"], row["label"]) for row in emulator.deployments() if not row["deleted"])


def short(plan):
    return [
        f"{change['action']} {change['id'] or '-'} {change['label']}"
        for each in plan["projects"]
        for change in each["changes"]
    ]


@pytest.fixture
def plan(play, emulator, tmp_path):
    """Runs ``plan``: how it ended, and what it wrote."""

    def plan(projects, directory=".", **variables):
        result = play("plan", projects=projects, plan_directory=directory, **variables)
        names = ("plan.json", "plan.md", "plan.html")
        files = {name: (tmp_path / directory / name).read_text(encoding="utf-8") for name in names}
        for text in [result.output, *files.values()]:
            assert not [row for row in emulator.deployments() if row["key"] in text] and "management-key" not in text
        return result, json.loads(files["plan.json"]), files

    return plan


def last_line(result):
    return re.findall(r'"msg": "((?:would be )?created .*)"', result.output)[-1]


def test_what_is_written_down(plan, emulator, tmp_path):
    result, written_down, files = plan(wanted(), "out/there", purge=True)
    assert result.status == 0, result.output
    counts = "would be created 2, renamed 1, restored 0, archived 1, assigned 1, unchanged 4"
    assert last_line(result) == f"{counts}: {tmp_path.resolve()}/out/there/plan.json"
    assert {field: written_down[field] for field in ("format", "base_url", "options")} == dict(
        format=1,
        base_url=emulator.url,
        options=dict(purge=True, purge_limit=None, restore_archived=True, force=False),
    )
    assert short(written_down) == ["rename 11 new", "create - api", "assign - api", "create - app", "archive 12 stray"]
    assert [(each["project_id"], each["problems"]) for each in written_down["projects"]] == [("101", []), ("102", [])]
    for line in (
        r"^101 +rename +11 +new +from old$",
        r"^101 +assign +- +api +to flag cart$",
        r"^102 +archive +12 +stray$",
        r"^102 +1 +0 +0 +1 +0 +0 +3 +0$",
    ):
        shown = "\n".join(re.findall(r'^ +"(.*?) *",?$', result.output, re.M))
        assert re.search(line, shown, re.M), result.output
    for row in ("| 101 | rename | 11 | new | from old |", "| 101 | create |  | api | server |"):
        assert row in files["plan.md"]
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC, .*: \*\*5 changes\*\*\.", files["plan.md"])
    for told in (f"<dt>Account</dt><dd>{emulator.url}</dd>", "5 changes in 2 projects.", '["rename","","new",'):
        assert told in files["plan.html"]
    dummy, dummy, again = plan(wanted(), "again", purge="yes", force="")
    assert again["plan.json"] == files["plan.json"]


def test_nothing_to_do(plan, play, emulator):
    result, written_down, files = plan([project("101", item("web"))])
    assert result.status == 0 and "Nothing has to be changed." in result.output
    assert short(written_down) == [] and "nothing has to be changed." in files["plan.md"]
    result = play("apply", projects=[project("101", item("web"))], plan_file="plan.json")
    assert result.status == 0 and written(emulator) == [], result.output


def test_a_thousand_changes(plan, emulator):
    """On screen and in a comment there is no room for all."""
    result, written_down, files = plan([project("101", *[item(f"app-{number:04d}") for number in range(1000)])])
    assert len(short(written_down)) == 1000
    assert "… and 970 more changes, see " in result.output and len(result.output.splitlines()) < 80, result.output
    assert "There are 700 more changes in `plan.json`." in files["plan.md"] and len(files["plan.md"]) < 60000


def test_problems(plan, play, emulator):
    """They are beside what could be done, and nothing of it is."""
    projects = wanted(item("twin", "server"))
    result, written_down, files = plan(projects)
    assert result.status == 0, result.output
    assert short(written_down) == ["rename 11 new", "create - api", "assign - api", "create - app"]
    (problem,) = written_down["projects"][1]["problems"]
    assert problem["label"] == "twin" and set(problem) == {"item", "project_id", "label", "id", "problem", "advice"}
    assert "amplitude_projects, project 102, item" in result.output
    assert "## Problems" in files["plan.md"] and "**1 problem**" in files["plan.md"]
    assert "1 problem: this plan cannot be carried out." in files["plan.html"]
    assert plan(projects, fail_on_problems=True)[0].status == 2
    result = play("apply", projects=wanted(), plan_file="plan.json")
    assert result.status == 2 and "it has 1 problem, so none of it can be carried out" in result.output
    assert emulator.requests() == []


def test_plan_that_was_not_made(play, emulator, tmp_path):
    """Nobody knows what would be done: there is no plan."""
    emulator.misbehave(action="status", status=503, times=0)
    result = play("plan", projects=wanted(), retry_timeout=0)
    assert result.status == 2 and "amplitude_projects: Could not list" in result.output, result.output
    assert not (tmp_path / "plan.json").exists()


def test_story(plan, play, emulator, tmp_path):
    """Others change the file and the account: what was not approved is named, and nothing is written."""
    assert plan(wanted(), purge=True)[0].status == 0
    approved = dict(plan_file="plan.json")

    sneaked = [*wanted(item("sneaked-in")), project("103", item("more"))]
    for flags in (["--check"], []):
        result = play("apply", *flags, projects=sneaked, **approved)
        assert result.status == 2 and written(emulator) == [], result.output
        assert "create the client deployment 'sneaked-in' in project 102" in result.output
        assert "create the client deployment 'more' in project 103" in result.output
        assert NOTHING_DONE in result.output and "'app'" not in result.output

    by_hand = emulator.create_deployment(projectId="102", label="by-hand", type="client")["id"]
    result = play("apply", projects=wanted(), **approved)
    assert result.status == 2 and f"archive 'by-hand' (id {by_hand}) in project 102" in result.output, result.output
    assert written(emulator) == []
    emulator.edit_deployment(by_hand, deleted=True)

    # It fails half-way, is killed half-way, and goes on with the same approval.
    emulator.misbehave(method="POST", action="status", status=400, nth=2, times=0)
    result = play("apply", projects=wanted(), **approved)
    assert result.status == 2 and written(emulator), result.output
    assert ("101", "new") in active(emulator) and ("102", "app") not in active(emulator)
    emulator.behave()
    if CAN_KILL:
        emulator.after("POST", 1, lambda: kill_marked(tmp_path))
        result = play("apply", projects=wanted(), environment=dict(MARK=str(tmp_path)), **approved)
        assert result.status not in (0, 2) and written(emulator), result.output
    result = play("apply", projects=wanted(), **approved)
    assert result.status == 0, result.output
    assert active(emulator) == sorted(
        [("101", each) for each in ("api", "default", "new", "web")]
        + [("102", each) for each in ("app", "default", "twin", "twin", "web")]
    )
    result = play("apply", projects=wanted(), **approved)
    assert result.status == 0 and "changed=0 " in result.output and written(emulator) == [], result.output


def test_options_of_the_plan_win(plan, play, emulator):
    plan(wanted(), purge=True, purge_limit=1)
    result = play("apply", projects=wanted(), plan_file="plan.json", purge=False, force="no")
    assert result.status == 0, result.output
    assert "The plan was made with amplitude_purge true, which takes precedence over false." in " ".join(
        result.output.split()
    )
    assert "amplitude_force" not in result.output and ("102", "stray") not in active(emulator)


def test_project_that_the_desired_state_lists_no_more(plan, play, emulator):
    plan(wanted())
    result = play("apply", projects=wanted()[:1], plan_file="plan.json")
    assert result.status == 0 and ("102", "app") not in active(emulator), result.output
    assert "The plan has changes to project 102" in result.output


@pytest.mark.parametrize("blank", [None, ""])
def test_blank_approves_nothing(play, emulator, blank):
    result = play("apply", projects=wanted(), plan_file=blank)
    assert result.status == 2 and "amplitude_plan_file is blank" in result.output and emulator.requests() == []


#: How a plan is changed, and what is said of it; the unit test of the file has more.
BROKEN = {
    "missing": (lambda path: path.unlink(), "there is no such file"),
    "cut off": (lambda path: path.write_text(path.read_text(encoding="utf-8")[:400]), "it is cut off in line"),
    "of another account": (
        lambda path: path.write_text(path.read_text(encoding="utf-8").replace("127.0.0.1", "localhost")),
        "it was made for http://localhost",
    ),
    "an action": (
        lambda path: path.write_text(path.read_text(encoding="utf-8").replace('"rename"', '"remove"')),
        "in the changes of project 101, entry 1 has the action 'remove'",
    ),
}


def test_files_that_cannot_be_used(plan, outcomes, emulator, tmp_path):
    """In the step with which the playbook begins."""
    plan(wanted())
    tasks = []
    for number, (change, dummy) in enumerate(BROKEN.values()):
        shutil.copy(tmp_path / "plan.json", tmp_path / f"plan-{number}.json")
        change(tmp_path / f"plan-{number}.json")
        step = dict(step="apply", plan_file=f"plan-{number}.json")
        variables = dict(amplitude_projects=wanted())
        tasks.append({"community.amplitude.playbook_step": step, "check_mode": True, "vars": variables})
    emulator.forget_requests()
    for number, (found, (dummy, message)) in enumerate(zip(outcomes(tasks), BROKEN.values())):
        words = f"Could not use the plan in {tmp_path.resolve()}/plan-{number}.json: {message}"
        assert found["failed"] and words in found["msg"], found["msg"]
    assert emulator.requests() == []


def test_limit_that_leaves_localhost_out(play, emulator, tmp_path):
    """Else an old plan would be taken for this one."""
    result = play("plan", "-i", "web1,", "--limit", "web1", projects=wanted())
    assert result.status == 4 and "the plan is made on localhost, which --limit leaves out" in result.output
