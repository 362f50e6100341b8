# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks of the collection, as a team uses them: adopt an account, audit it, repair it."""

from __future__ import annotations

import collections
import json
import re

import pytest
import yaml

pytestmark = pytest.mark.core

PROJECTS = ["101", "102", "103", "104"]
EACH = 73
UNUSED = ["101-app-10", "102-app-10"]


def seed():
    """300 deployments over 4 projects: twins, an archived one, default ones, and flags that use nearly all of them."""
    rows, flags = [], []
    for project in PROJECTS:
        labels = [f"{project}-app-{number:02d}" for number in range(EACH)]
        for number, label in enumerate(labels):
            rows.append(dict(projectId=project, label=label, type=("client", "server")[number % 2]))
        rows.append(dict(projectId=project, label="default", type=None))
    rows += [dict(projectId="102", label="twin", type="client") for dummy in range(2)]
    rows.append(dict(projectId="103", label="retired", type="server", deleted=True))
    rows.append(dict(projectId="104", label="not needed", type="server"))
    for number, row in enumerate(rows):
        row["id"] = 5000 + number
    for project in PROJECTS:
        used = [row["id"] for row in rows if row["projectId"] == project and row["label"] not in UNUSED + ["retired"]]
        flags.append(dict(id=project + "0", projectId=project, key="flag-" + project, deployments=used))
    return dict(keys={"management-key": PROJECTS}, deployments=rows, flags=flags)


@pytest.fixture
def audit(play, tmp_path, emulator):
    def audit():
        result = play("audit", "-vvv", state_file="state.yml", audit_directory="out", fail_on_drift=True)
        reports = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
        assert sorted(reports) == ["audit.html", "audit.json", "audit.md"]
        for text in [result.output, *reports.values()]:
            assert not [row for row in emulator.deployments() if row["key"] in text]
        return result, json.loads(reports["audit.json"]), reports

    return audit


def by_label(emulator):
    return {row["label"]: row for row in emulator.deployments()}


def test_story(play, audit, emulator, tmp_path):
    emulator.reset(seed(), max_page_size=100, order="shuffled")
    before = emulator.deployments()
    assert len(before) == 300

    # Adopt the account.
    assert play("export", state_file="state.yml").status == 0
    text = (tmp_path / "state.yml").read_text(encoding="utf-8")
    assert len(re.findall(r'# "twin" is active 2 times \(IDs 5296, 5297\): the label cannot', text)) == 2
    assert len(re.findall(r'# "default" \(ID \d+\) is left out: its key has neither', text)) == 4
    assert '# "not needed" is a label that can no longer be written' in text
    assert "retired" not in text
    assert play("export", state_file="state.yml").status == 2
    result, report, _reports = audit()
    assert result.status == 0, result.output
    # The archived one is not listed, and does not have to be.
    assert (report["summary"]["drift"], report["summary"]["total"]) == (0, 299)
    assert sorted(row["label"] for row in report["deployments"] if row["unused"]) == UNUSED
    result = play("apply", state_file="state.yml", purge=True)
    assert re.search(r"changed=0 .*failed=0", result.output)
    assert emulator.deployments() == before

    # Twelve changes by hand: some in Amplitude, some in the file.
    rows = by_label(emulator)
    expected = collections.Counter()

    def drift(label, kind):
        expected[(label, kind)] += 1

    emulator.edit_deployment(rows["101-app-01"]["id"], deleted=True)
    drift("101-app-01", "archived")
    emulator.edit_deployment(rows["101-app-02"]["id"], label="renamed")
    drift("101-app-02", "renamed")
    emulator.edit_deployment(rows["103-app-02"]["id"], label="103-app-02-new")
    drift("103-app-02", "renamed")
    emulator.create_deployment(projectId="102", label="experiment-of-somebody", type="client")
    drift("experiment-of-somebody", "unlisted")
    emulator.create_deployment(projectId="102", label="102-app-03", type="client")
    drift("102-app-03", "duplicate")
    emulator.edit_deployment(rows["retired"]["id"], deleted=False)
    drift("retired", "active")
    second = emulator.create_deployment(projectId="104", label="104-app-04", type="client")
    drift("104-app-04", "duplicate")
    state = yaml.safe_load(text)
    items = {
        item["label"]: item
        for project in state["amplitude_projects"]
        for item in project["deployments"]
        if "label" in item
    }
    items["101-app-10"]["state"] = "absent"
    drift("101-app-10", "active")
    items["104-app-05"]["type"] = "client"
    drift("104-app-05", "type")
    del items["104-app-04"]["id"]
    projects = {project["project_id"]: project["deployments"] for project in state["amplitude_projects"]}
    projects["103"] += [dict(label="retired", state="absent"), dict(label="wanted-1", type="client")]
    drift("wanted-1", "missing")
    projects["104"].append(dict(label="wanted-2", type="server"))
    drift("wanted-2", "missing")
    projects["104"].append(dict(id=items["104-app-06"].pop("id")))
    drift("104-app-06", "conflict")
    assert sum(expected.values()) == 12
    (tmp_path / "state.yml").write_text(yaml.safe_dump(state), encoding="utf-8")

    # The audit names exactly those.
    result, report, reports = audit()
    assert result.status == 2
    assert (
        "2 deployments are missing, and 10 differ from the desired state; 293 are as they should be." in result.output
    ), result.output[-3000:]
    told = collections.Counter((row["label"], row["drift"]) for row in report["deployments"] if row["drift"])
    assert told == expected
    for label, kind in expected:
        assert re.search(rf"\| {label} \|[^|]*\|[^|]*\| {kind} \|", reports["audit.md"])
        assert re.search(rf"{label} +\S+ +\S+ +{kind} ", result.output)
    check_page(tmp_path / "out/audit.html", emulator.url, 2, 10, 293)

    # What nobody but a person can decide is decided, and the playbook repairs the rest.
    emulator.edit_deployment(second["id"], deleted=True)
    items["104-app-05"]["type"] = "server"
    projects["104"].pop()
    (tmp_path / "state.yml").write_text(yaml.safe_dump(state), encoding="utf-8")
    apply = dict(state_file="state.yml", purge=True)
    keys = {row["id"]: row["key"] for row in emulator.deployments()}
    foreseen = play("apply", "--check", "--diff", **apply)
    assert {request["method"] for request in emulator.requests()} == {"GET"}
    done = play("apply", "--diff", "-vvv", **apply)
    assert done.status == 0, done.output
    assert not [key for key in keys.values() if key in done.output + foreseen.output]
    assert sum(request["committed"] for request in emulator.requests()) == 9
    for line in ("+++ after", '"label": "wanted-1"'):
        assert line in foreseen.output and line in done.output
    result, report, _reports = audit()
    assert result.status == 0, result.output
    assert report["summary"]["drift"] == 0
    assert {row["id"]: row["key"] for row in emulator.deployments() if row["id"] in keys} == keys


def test_export_of_some_projects(play, emulator, tmp_path):
    emulator.reset(seed())
    result = play("export", project_ids="101, 103,", export_ids=False)
    assert result.status == 0, result.output
    state = yaml.safe_load((tmp_path / "deployments.yml").read_text(encoding="utf-8"))
    assert [project["project_id"] for project in state["amplitude_projects"]] == ["101", "103"]
    assert state["amplitude_projects"][0]["deployments"][0] == dict(label="101-app-00", type="client")


def test_projects_that_are_asked_for(outcomes, emulator, tmp_path):
    """In the ways in which Ansible, JSON and people write a list; if there is one, it must have something to export."""
    emulator.reset(dict(keys=seed()["keys"], deployments=[dict(projectId=each, label="web") for each in PROJECTS]))
    ways = [["101", 103], '["101", "103"]', "101\n103", " 103 101\n", "[101,103]"]
    none = [[], ["101", ""], [["101"]], {"101": 1}, True, ","]
    asked = [*ways, *none, "101,999,998"]
    steps = [dict(step="export", project_ids=each, state_file=f"{number}.yml") for number, each in enumerate(asked)]
    found = outcomes([{"community.amplitude.playbook_step": each} for each in steps])
    written = [path.read_text(encoding="utf-8") for path in sorted(tmp_path.glob("[0-9]*.yml"))]
    projects = [[each["project_id"] for each in yaml.safe_load(text)["amplitude_projects"]] for text in written]
    assert projects == [["101", "103"]] * len(ways)
    for each in found[len(ways) : -1]:
        assert each["failed"] and "Could not use amplitude_project_ids: " in each["msg"]
    assert found[-1]["failed"] and "no deployment of project 998, 999 is listed" in found[-1]["msg"]


def test_export_into_a_directory_that_is_not_there(play, emulator, tmp_path):
    """Check mode ends well, as the real run does, and makes nothing."""
    emulator.reset(seed())
    file = tmp_path / "a/b/state.yml"
    for flags, made in ((["--check"], False), ([], True)):
        result = play("export", *flags, state_file="a/b/state.yml")
        assert result.status == 0, result.output
        assert "changed=1 " in result.output
        assert f"listed 295 deployments of 4 projects, left out 4: {file}" in result.output
        assert file.exists() is made and file.parent.exists() is made
    result = play("export", state_file="a/b", export_overwrite=True)
    assert result.status == 2 and "it is a directory; set amplitude_state_file to the path of a file" in result.output


@pytest.mark.parametrize("flags", [["--check"], []])
def test_audit_with_a_directory_that_is_not_there(play, emulator, tmp_path, flags):
    emulator.reset(dict(keys=seed()["keys"]))
    result = play("audit", *flags, projects=[dict(project_id="101", deployments=[])], audit_directory="a/b")
    assert result.status == 0, result.output
    assert (tmp_path / "a/b/audit.html").exists() is not flags


def test_files_of_the_playbooks(play, emulator, tmp_path):
    labels = ["__beta__", "my_app", "a|b `c` [d](e) *f* ~~g~~ <i> \\"]
    rows = [dict(projectId="101", label=label, type="client") for label in labels]
    emulator.reset(dict(keys={"management-key": ["101"]}, deployments=rows))
    assert play("export", state_file="~/state.yml", project_ids="").status == 0
    again = play("export", state_file="~/state.yml", export_overwrite=True)
    assert "changed=0 " in again.output, again.output
    (tmp_path / "state.yml").write_text("amplitude_projects: [{project_id: 101, deployments: []}]", encoding="utf-8")
    (tmp_path / "private").mkdir(mode=0o700)
    result = play("audit", state_file="~/state.yml", audit_directory="~/private")
    assert result.status == 0, result.output
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700
    text = (tmp_path / "private/audit.md").read_text(encoding="utf-8")
    assert r"| \_\_beta\_\_ |" in text and "| my_app |" in text
    assert r"| a\|b \`c\` \[d](e) \*f\* \~\~g\~\~ &lt;i&gt; \\ |" in text


def check_page(page, base_url, missing, others, fine):
    """The page says whose account it is and what is wrong; tests/functional/test_reports.py looks at it in a browser."""
    text = page.read_text(encoding="utf-8")
    for told in (
        f"<dt>Account</dt><dd>{base_url}</dd>",
        "<dt>Projects</dt><dd>101, 102, 103, 104</dd>",
        f"<dt>Desired state</dt><dd>{page.parents[1]}/state.yml</dd>",
        f"{missing} deployments are missing, and {others} differ from the desired state; {fine} are as they should be.",
    ):
        assert told in text
    assert text.count('<td class="kind" role="cell">') == missing + others
