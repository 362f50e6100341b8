# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit finds just what ``plan`` would change or refuse, in projects that are all different."""

from __future__ import annotations

import json
import random

import pytest
import yaml

PROJECTS = ["97", "98", "99", *(str(number) for number in range(101, 125))]
LABELS = ["web", "api", "job", "old"]
FLAGS = ["cart", "pay"]


def rows_of(chance, project):
    """Deployments of a project: some archived, some with one label, one of them the default one."""
    first = int(project) * 100
    rows = [dict(id=first, projectId=project, label="default", type=None)]
    for number in range(1, chance.randint(2, 5)):
        label, kind = chance.choice(LABELS), chance.choice(["client", "server"])
        rows.append(dict(id=first + number, projectId=project, label=label, type=kind, deleted=chance.random() < 0.3))
    return rows


def flags_of(chance, project, rows):
    first = int(project) * 100
    ids = [row["id"] for row in rows[:2]]
    return [
        dict(id=first + number, projectId=project, key=key, enabled=True, deployments=chance.sample(ids, 1))
        for number, key in enumerate(FLAGS)
    ]


def item_of(chance, label, rows):
    """What is wanted of a label, in one of the ways in which it can be said."""
    item = dict(label=label)
    way = chance.choice(["plain", "typed", "id", "flags", "flags", "flags", "absent", "replaces"])
    if way == "absent":
        return dict(item, state="absent")
    if way == "id":
        item["id"] = str(chance.choice(rows[1:])["id"])
    if way == "replaces":
        item.update(replaces=str(chance.choice(rows[1:])["id"]), retire=chance.random() < 0.7)
    if way == "flags":
        item.update(flags=chance.sample(FLAGS, chance.randint(0, 1)), exclusive=chance.random() < 0.7)
    return item if way in ("plain", "flags") else dict(item, type=chance.choice(["client", "server"]))


@pytest.fixture
def wanted(emulator):
    """The desired state of projects, of which one in four is as it should be."""
    chance = random.Random(27)
    rows, flags, state = [], [], []
    for project in PROJECTS[3:]:
        own = rows_of(chance, project)
        rows += own
        flags += flags_of(chance, project, own)
        if int(project) % 4 == 0:
            items = [dict(id=str(row["id"])) for row in own if not row.get("deleted")]
        else:
            items, ids = [], set()
            for label in chance.sample(LABELS, chance.randint(1, 3)):
                item = item_of(chance, label, own)
                named = item.get("id") or item.get("replaces")
                if named not in ids:
                    items.append(item)
                ids.add(named or label)
        state.append(dict(project_id=project, deployments=items))
    # Three that chance seldom makes.
    for project, serves, more in (
        ("97", 2, dict(id="9701", flags=["pay"])),
        ("98", 1, dict(id="9801", flags=[], exclusive=True)),
        ("99", 1, dict(label="app-2", replaces="9901", retire=True)),
    ):
        rows += [
            dict(id=f"{project}0{number}", projectId=project, label=f"app-{number}", type="client") for number in (1, 2)
        ]
        flags.append(
            dict(id=f"{project}03", projectId=project, key="pay", enabled=True, deployments=[f"{project}0{serves}"])
        )
        if project == "98":
            flags[-1]["deployments"].append("9802")
        state.append(dict(project_id=project, deployments=[more, *([dict(id=f"{project}02")] if "id" in more else [])]))
    emulator.reset(dict(keys={"management-key": PROJECTS}, deployments=rows, flags=flags))
    return state


def test_plan_and_audit_agree(play, wanted, tmp_path):
    names = ["plan", "audit"]
    imports = [{"import_playbook": f"community.amplitude.{name}"} for name in names]
    (tmp_path / "both.yml").write_text(yaml.safe_dump(imports), encoding="utf-8")
    result = play("both.yml", projects=wanted, purge=True, purge_limit=100, audit_directory=".")
    assert result.status == 0, result.output
    plan, audit = (json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")) for name in names)

    successors = {
        item["replaces"]: item["label"] for each in wanted for item in each["deployments"] if "replaces" in item
    }
    told = {project: [] for project in PROJECTS}
    for row in audit["deployments"]:
        if row["drift"]:
            told[row["project_id"]].append(row)
    kinds, refused = set(), 0
    for project in plan["projects"]:
        rows, changes = told[project["project_id"]], project["changes"]
        kinds |= {row["drift"] for row in rows}
        refused += bool(project["problems"])
        assert bool(rows) is bool(changes or project["problems"]), (project, rows)
        # Of the items and the deployments that are not listed, just those are told that would be changed or are refused.
        # What becomes of the one that is replaced is told with the one that takes over.
        planned = [
            {change["id"], change["label"], change["previous_label"], successors.get(change["id"])} - {None}
            for change in changes
        ]
        problems = [{problem["id"], problem["label"]} for problem in project["problems"]]
        for row in rows:
            own = {row["id"], row["label"]} - {None}
            assert any(own & each for each in [*planned, *problems]), row
        for change, named in zip(changes, planned):
            assert any(named & {row["id"], row["label"]} for row in rows), change
    assert refused >= 5 and kinds >= {"missing", "unlisted", "replaced", "unassigned", "assigned", "conflict"}
    assert sum(not rows for rows in told.values()) >= len(PROJECTS) // 4
