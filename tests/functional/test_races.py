# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many hosts of one play that ask for the same missing label at once."""

from __future__ import annotations

import json

import pytest
import yaml

#: How long rivals take decides what becomes of a race: on a busy machine one of them can be later than any run waits.
pytestmark = pytest.mark.timing

#: How many hosts, and the switches.
WORLDS = {
    "labels not unique, stale lists": (20, dict(stale_seconds=1.5, order="newest_first")),
    "labels unique, ids as strings": (8, dict(unique_labels="active", duplicate_status=409, ids="string", latency=0.3)),
    "ids in no order, stale lists": (8, dict(opaque_ids=True, order="shuffled", stale_seconds=0.7, latency=0.2)),
}


def playbook(results):
    ask = dict(project_id="1", label="web", type="client")
    return [
        dict(
            hosts="all",
            gather_facts=False,
            strategy="free",
            tasks=[{"community.amplitude.amplitude_deployment": ask, "register": "result"}],
        ),
        dict(
            hosts="host01",
            gather_facts=False,
            tasks=[
                {
                    "ansible.builtin.copy": dict(
                        dest=str(results),
                        content="{{ groups.all | map('extract', hostvars, 'result') | to_json }}",
                    )
                },
                {"community.amplitude.amplitude_deployment": dict(ask, state="absent"), "register": "archived"},
                {"community.amplitude.amplitude_deployment": ask, "register": "restored"},
                {
                    "ansible.builtin.assert": {
                        "that": [
                            "archived.changed and restored.changed",
                            "restored.deployment.id == result.deployment.id == archived.deployment.id",
                            "restored.deployment.key == result.deployment.key",
                        ]
                    }
                },
            ],
        ),
    ]


@pytest.mark.parametrize("world", WORLDS)
def test_one_remains(run, emulator, tmp_path, world):
    count, switches = WORLDS[world]
    emulator.reset(**switches)
    inventory = tmp_path / "inventory"
    hosts = [f"host{number:02d} ansible_connection=local" for number in range(1, count + 1)]
    inventory.write_text("\n".join(hosts), encoding="utf-8")
    (tmp_path / "playbook.yml").write_text(yaml.safe_dump(playbook(tmp_path / "results.json")), encoding="utf-8")

    result = run(
        "ansible-playbook",
        tmp_path / "playbook.yml",
        "-i",
        inventory,
        "--forks",
        count,
        AMPLITUDE_BASE_URL=emulator.url,
        AMPLITUDE_MANAGEMENT_API_KEY="management-key",
    )

    assert result.status == 0, result.output[-6000:]
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert len(results) == count
    winner = results[0]["deployment"]
    assert all(each["deployment"] == winner for each in results)
    assert winner["key"].startswith("client-") and not winner["deleted"]
    rows = {row["id"]: row for row in emulator.deployments()}
    assert [row["id"] for row in rows.values() if not row["deleted"]] == [winner["id"]]
    assert rows[winner["id"]]["key"] == winner["key"]
    for row in rows.values():
        if row["id"] != winner["id"]:
            assert row["label"] == "web-superseded-" + row["id"]
    created = [request for request in emulator.requests() if request["method"] == "POST" and request["committed"]]
    assert len(rows) == len(created)
    withdrawn = [each for each in results if len(each["changes"]) > 1]
    assert len(withdrawn) == len(rows) - 1
    for each in withdrawn:
        assert [change["action"] for change in each["changes"]] == ["create", "rename", "archive"]
    assert sum(each["changed"] for each in results) == len(created)
    assert result.output.count("has withdrawn its own deployment") >= len(withdrawn)
