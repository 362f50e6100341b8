# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What deployments serve, through the playbooks: write it down, find out what has changed, repair it."""

from __future__ import annotations

import collections
import json
import re

import pytest
import yaml

pytestmark = pytest.mark.core

PROJECTS = ["101", "102"]


def seed():
    """300 deployments and 500 flags and experiments of two projects; each of them serves some, and some serve nothing."""
    rows, served = [], {"flags": [], "experiments": []}
    for project in PROJECTS:
        first = int(project) * 1000
        rows.append(dict(id=first, projectId=project, label="default", type=None))
        for number in range(149):
            kind = ("client", "server")[number % 2]
            rows.append(dict(id=first + 1 + number, projectId=project, label=f"app-{project}-{number:03d}", type=kind))
        for number in range(250):
            kind = "experiments" if number % 5 == 0 else "flags"
            users = {first + 1 + (number * 7 + each * each) % 120 for each in range(1 + number % 3)}
            more = dict(archived=True) if number % 10 == 9 else {}
            row = dict(id=first + number, projectId=project, key=f"key-{number:03d}", enabled=number % 2 == 0, **more)
            served[kind].append(dict(row, deployments=sorted({*users, *([first] if number % 50 == 0 else [])})))
    return dict(keys={"management-key": PROJECTS}, deployments=rows, **served)


@pytest.fixture
def audit(play, tmp_path):
    def audit(**options):
        result = play("audit", "-vvv", state_file="deployments.yml", audit_directory="out", **options)
        assert result.status == 0, result.output
        reports = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
        report = json.loads(reports["audit.json"])
        told = {row["label"]: row["drift"] for row in report["deployments"] if row["drift"]}
        for label, drift in told.items():
            assert re.search(rf"\| {label} \|[^|]*\|[^|]*\| {drift} \|", reports["audit.md"])
            assert re.search(rf"{label} +\S+ +\S+ +{drift} ", result.output)
            assert (
                f'["{drift}","","{label}",' in reports["audit.html"]
                or f'["{drift}","unused","{label}",' in reports["audit.html"]
            )
        return told, {row["label"]: row for row in report["deployments"]}

    return audit


def all_of(emulator):
    return emulator.deployments(), emulator.flags(), emulator.experiments()


def last_line(result):
    [line] = re.findall(r'"msg": "((?:would be )?created .*)"', result.output)
    return line


def test_story(play, audit, emulator, tmp_path):
    emulator.reset(seed(), max_page_size=100, order="shuffled", ids="string")
    before = all_of(emulator)
    assert [len(before[0]), len(before[1]) + len(before[2])] == [300, 500]

    # Adopt the account: nothing differs, and nothing is to be done.
    assert play("export", export_usage=True).status == 0
    assert audit()[0] == {}
    result = play("apply", state_file="deployments.yml", purge=True)
    assert result.status == 0 and "changed=0 " in result.output, result.output
    assert last_line(result).endswith("unchanged 298") and all_of(emulator) == before
    # Nor if nothing else may be served.
    state = yaml.safe_load((tmp_path / "deployments.yml").read_text(encoding="utf-8"))
    items = {item["label"]: item for project in state["amplitude_projects"][:1] for item in project["deployments"]}
    served = collections.Counter(len(item["flags"]) + len(item["experiments"]) for item in items.values())
    assert len(items) == 149 and len(served) > 3 and served[0] >= 29
    for item in items.values():
        item["exclusive"] = True

    def write():
        (tmp_path / "deployments.yml").write_text(yaml.safe_dump(state), encoding="utf-8")

    write()
    assert audit(audit_usage=False)[0] == {}
    result = play("apply", state_file="deployments.yml", purge=True)
    assert "changed=0 " in result.output and all_of(emulator) == before

    # Somebody attaches and detaches in Amplitude, and a key has leaked.
    flags = {flag["key"]: flag for flag in emulator.flags() if flag["projectId"] == "101" and not flag["archived"]}
    [lost, more, *_others] = [flag for flag in flags.values() if len(flag["deployments"]) == 3]
    labels = {row["id"]: row["label"] for row in emulator.deployments()}
    detached, *rest = lost["deployments"]
    emulator.edit_flag(lost["id"], deployments=rest)
    idle = next(row["id"] for row in emulator.deployments() if row["label"] == "app-101-140")
    emulator.edit_flag(more["id"], deployments=[*more["deployments"], idle])
    [leaked] = [row for row in emulator.deployments() if row["label"] == "app-101-000" and row["projectId"] == "101"]
    for option in ("id", "flags", "experiments", "exclusive"):
        del items["app-101-000"][option]
    items["app-101-000"].update(replaces=leaked["id"], retire=True)
    items["app-101-141"]["flags"] = ["nothing"]
    write()
    told, rows = audit()
    assert told == {
        labels[detached]: "unassigned",
        "app-101-140": "assigned",
        "app-101-000": "missing",
        "app-101-141": "conflict",
    }
    assert f"the flag '{lost['key']}'" in rows[labels[detached]]["detail"]
    assert f"the flag '{more['key']}'" in rows["app-101-140"]["detail"]
    assert "no flag with the key 'nothing'" in rows["app-101-141"]["detail"]
    assert rows["app-101-000-superseded-" + leaked["id"]]["listed"]

    # What is refused writes nothing, and the rest is what the audit has told.
    refused = play("apply", state_file="deployments.yml", purge=True)
    assert refused.status == 2 and "no flag with the key 'nothing'" in refused.output
    items["app-101-141"]["flags"] = []
    write()
    told, rows = audit()
    changes = [change for row in rows.values() for change in row["changes"]]
    result = play("apply", "-vvv", state_file="deployments.yml", purge=True)
    assert result.status == 0, result.output
    assert sum(request["committed"] for request in emulator.requests()) == len(changes)
    assert audit()[0] == {}
    assert not [row for row in emulator.deployments() if row["key"] in result.output]
    assert [row["deleted"] for row in emulator.deployments() if row["id"] == leaked["id"]] == [True]


def test_keys_of_any_kind(play, audit, emulator, tmp_path):
    """A key is text, whatever is in it; one that cannot be told from another is left out."""
    keys = [
        "plain",
        "0123",
        "no",
        "{{ lookup('pipe', 'false') }}",
        "a: b # c",
        "ü \"'\\ \n",
        "twin",
        "twin",
        "gone",
    ]
    flags = [dict(id=n, projectId="101", key=key, enabled=True, deployments=[1]) for n, key in enumerate(keys, 10)]
    flags[-1]["archived"] = True
    rows = [
        dict(id=1, projectId="101", label="web", type="client"),
        dict(id=2, projectId="101", label="web", type="client"),
        dict(id=3, projectId="101", label="not needed", type="client"),
        dict(id=4, projectId="102", label="other", type="client"),
    ]
    emulator.reset(dict(keys={"management-key": ["101", "102"]}, deployments=rows, flags=flags))
    result = play("export", export_usage=True, project_ids="101", export_ids=False)
    assert result.status == 0, result.output
    assert {request["query"].get("projectId", "101") for request in emulator.requests()} == {"101"}
    text = (tmp_path / "deployments.yml").read_text(encoding="utf-8")
    assert len(re.findall("# One of the flags is left out, .*", text)) == 1 and "gone" not in text
    assert len(re.findall("flags: \\[\\]", text)) == 2 and len(re.findall("experiments: \\[\\]", text)) == 3
    assert audit(audit_usage=False)[0] == {}
    result = play("apply", state_file="deployments.yml", purge=True)
    assert result.status == 0 and "changed=0 " in result.output, result.output


def test_without_usage(play, emulator, tmp_path):
    """Nothing is read of flags and experiments, and nothing is written of them."""
    emulator.reset(seed())
    assert play("export").status == 0
    assert {request["path"] for request in emulator.requests()} == {"/api/1/deployments"}
    assert "flags" not in (tmp_path / "deployments.yml").read_text(encoding="utf-8")
