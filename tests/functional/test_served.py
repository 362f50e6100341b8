# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides tell about flags and experiments and the rotation of keys, with what the services notice."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.community.amplitude.tests.support.pages import blocks_of_guide

pytestmark = pytest.mark.core

BLOCKS = blocks_of_guide("rotation")
SEED = dict(
    keys={"management-key": ["123456"]},
    deployments=[
        dict(projectId="123456", id=1, label="default", type=None),
        dict(projectId="123456", id=4712, label="ledger-api", type="server"),
        dict(projectId="123456", id=4713, label="fraud-api", type="server"),
    ],
    flags=[
        dict(projectId="123456", id=21, key="rounding", enabled=True, deployments=[4712]),
        dict(projectId="123456", id=22, key="limits", enabled=True, deployments=[4712, 4713]),
        dict(projectId="123456", id=23, key="gone", enabled=True, archived=True, deployments=[4712]),
    ],
    experiments=[dict(projectId="123456", id=31, key="scores", enabled=True, deployments=[4713])],
)


@pytest.fixture
def service(emulator):
    """What a service with the key of a deployment gets: the keys of the flags and experiments that have it."""

    def service(identifier):
        [row] = [row for row in emulator.deployments() if row["id"] == identifier]
        users = [*emulator.flags(), *emulator.experiments()]
        served = sorted(user["key"] for user in users if identifier in user["deployments"] and not user["archived"])
        return (row["label"], row["deleted"], served)

    return service


def test_flags(play, emulator, service, tmp_path):
    """First one deployment serves all, then another one gets a part of that."""
    flags = [dict(projectId="123456", key=key, enabled=True) for key in ("fast-search", "new-checkout")]
    experiments = [dict(projectId="123456", key="button-colour", enabled=True)]
    emulator.reset(dict(keys=SEED["keys"], deployments=SEED["deployments"][:1], flags=flags, experiments=experiments))
    expected = {
        "serve": {"checkout-api": ["button-colour", "fast-search", "new-checkout"]},
        "exclusive": {"checkout-api": ["new-checkout"], "search-api": ["button-colour", "fast-search"]},
    }
    for name, block in blocks_of_guide("flags").items():
        (tmp_path / (name + ".yml")).write_text(yaml.safe_dump(block), encoding="utf-8")
        result = play(name + ".yml")
        assert result.status == 0, result.output
        found = {row["label"]: service(row["id"])[2] for row in emulator.deployments() if row["label"] != "default"}
        assert found == expected[name]


def test_as_planned(play, emulator, service, tmp_path):
    emulator.reset(SEED, unique_labels="all")
    for name in ("begin", "end"):
        (tmp_path / (name + ".yml")).write_text(yaml.safe_dump(BLOCKS[name]), encoding="utf-8")
    served = ["limits", "rounding"]

    assert play("begin.yml", "--check").status == 0
    assert service("4712") == ("ledger-api", False, served)
    for dummy in range(2):
        assert play("begin.yml").status == 0
        assert service("4712") == ("ledger-api-superseded-4712", False, served)
        [new] = [row for row in emulator.deployments() if row["label"] == "ledger-api"]
        assert service(new["id"]) == ("ledger-api", False, served)
        handed_on = (tmp_path / "ledger-api.env").read_text(encoding="utf-8")
        assert handed_on == f"AMPLITUDE_DEPLOYMENT_KEY={new['key']}\n"
    # Somebody assigns the old one once more, before it is retired.
    emulator.create_flag(projectId="123456", key="later", deployments=["4712"])
    for dummy in range(2):
        result = play("end.yml", "-v")
        assert result.status == 0, result.output
        assert service("4712") == ("ledger-api-superseded-4712", True, [])
        assert service(new["id"]) == ("ledger-api", False, ["later", *served])
        assert new["key"] not in result.output
    assert "changed=0 " in result.output


@pytest.mark.parametrize("archived", [False, True])
def test_after_a_leak(play, emulator, service, tmp_path, archived):
    emulator.reset(SEED, unique_labels="all")
    emulator.edit_deployment("4713", deleted=archived)
    (tmp_path / "leak.yml").write_text(yaml.safe_dump(BLOCKS["leak"]), encoding="utf-8")
    result = play("leak.yml", "-v")
    assert result.status == 0, result.output
    # What is archived is left where it is: nothing is served by it.
    assert service("4713") == ("fraud-api-superseded-4713", True, ["limits", "scores"] if archived else [])
    [new] = [row for row in emulator.deployments() if row["label"] == "fraud-api"]
    assert service(new["id"]) == ("fraud-api", False, ["limits", "scores"])
    assert not [row for row in emulator.deployments() if row["key"] in result.output]
    assert "changed=0 " in play("leak.yml").output


def test_in_the_desired_state(play, emulator, service, tmp_path):
    """An exported ``id`` becomes ``replaces``, and the audit follows."""
    emulator.reset(SEED)

    def drift(block):
        (tmp_path / "deployments.yml").write_text(yaml.safe_dump(BLOCKS[block]), encoding="utf-8")
        result = play("audit", "-vvv", state_file="deployments.yml")
        assert result.status == 0, result.output
        report = yaml.safe_load((tmp_path / "audit.json").read_text(encoding="utf-8"))
        return {row["label"]: row["drift"] for row in report["deployments"] if row["drift"]}

    assert drift("exported") == {"fraud-api": "unlisted"}
    assert drift("replaces") == {"ledger-api": "missing", "fraud-api": "unlisted"}
    # Cut off in the middle of it.
    emulator.misbehave(action="status", status=403, path="/api/1/flags/21", times=0)
    assert play("apply", state_file="deployments.yml").status == 2
    assert drift("replaces") == {"ledger-api": "replaced", "fraud-api": "unlisted"}
    emulator.behave()
    assert play("apply", state_file="deployments.yml").status == 0
    assert drift("replaces") == {"fraud-api": "unlisted"}
    assert service("4712") == ("ledger-api-superseded-4712", True, [])
