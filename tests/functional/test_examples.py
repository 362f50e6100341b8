# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example in the documentation runs, does what it says, and has nothing to do when it runs again."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from ansible_collections.community.amplitude.tests.support.pages import GUIDES, blocks_of_guide

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("amplitude_*.py"))

#: What the examples suppose to exist: what "make emulator" has, and more.
EMULATOR = yaml.safe_load((ROOT / "tests/emulator/example.yml").read_text(encoding="utf-8"))
SEED = {
    **EMULATOR,
    "deployments": [
        *EMULATOR["deployments"],
        {"projectId": "123456", "label": "checkout-api", "type": "server"},
        {"projectId": "123456", "id": 4712, "label": "ledger-api", "type": "server"},
        {"projectId": "123456", "id": 4713, "label": "fraud-api", "type": "server"},
        {"projectId": "123456", "id": 4711, "label": "storefront-de", "type": "client", "deleted": True},
    ],
    "flags": [
        {"projectId": "123456", "key": "new-checkout", "enabled": True},
        {"projectId": "123456", "key": "fast-search", "enabled": True},
    ],
    "experiments": [{"projectId": "123456", "key": "button-colour", "enabled": True}],
}


def plays_of_plugin(path):
    # To import a lookup would turn this process into a controller, in which modules behave differently.
    text = (ROOT / "plugins" / path).read_text(encoding="utf-8")
    tasks = yaml.safe_load(re.search(r'^EXAMPLES = r"""(.*?)^"""', text, re.DOTALL | re.MULTILINE).group(1))
    return [dict(hosts="localhost", gather_facts=False, tasks=tasks)]


def plays_of_page(path):
    blocks = re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    return [play for block in blocks for play in yaml.safe_load(block) if block.startswith("- ")]


def plays_of_guide(name, *labels):
    blocks = blocks_of_guide(name)
    return [play for label in labels for play in blocks[label]]


#: The guides with plays, and the blocks of each that are run together.
BLOCKS = [
    ("audits", "lookup"),
    ("bulk", "many", "purge"),
    ("connection", "defaults", "lookup"),
    ("flags", "serve"),
    ("flags", "exclusive"),
    ("getting_started", "see", "first"),
    ("rotation", "begin"),
    ("rotation", "end"),
    ("rotation", "leak"),
]
#: Blocks that are no plays, or not plays for themselves: see test_awx.py, test_first_steps.py and test_served.py.
TRIED_ELSEWHERE = [
    ("without_an_account", "seed"),
    ("audits", "desired-state"),
    ("rotation", "exported", "replaces"),
    ("awx", "execution-environment", "credential-inputs", "credential-injectors", "scheduled-audit"),
]
#: Those that have to work also where the API refuses the label of an archived deployment.
STRICT = {source: dict(unique_labels="all") for source in ("rotation begin", "rotation end", "rotation leak")}
EXAMPLES = dict(
    {name: plays_of_plugin(f"modules/{name}.py") for name in MODULES},
    README=plays_of_page(ROOT / "README.md"),
    lookup=plays_of_plugin("lookup/deployment_key.py"),
    **{" ".join(blocks): plays_of_guide(*blocks) for blocks in BLOCKS},
)


def test_every_block_of_a_guide_is_tried():
    names = [path.stem for path in GUIDES.glob("*.rst") if "code-block:: yaml" in path.read_text(encoding="utf-8")]
    tried = {(name, label) for name, *labels in [*BLOCKS, *TRIED_ELSEWHERE] for label in labels}
    assert {(name, label) for name in names for label in blocks_of_guide(name)} == tried


@pytest.mark.parametrize("source", sorted(EXAMPLES))
def test_examples(run, emulator, tmp_path, source):
    emulator.reset(SEED, **STRICT.get(source, {}))
    playbook = tmp_path / "playbook.yml"
    # An example writes to /etc; here it must not.
    text = yaml.safe_dump(EXAMPLES[source], sort_keys=False).replace("dest: /etc/", f"dest: {tmp_path}/")
    playbook.write_text(text, encoding="utf-8")

    def play():
        emulator.forget_requests()
        result = run(
            "ansible-playbook",
            playbook,
            "-e",
            "amplitude_management_api_key=management-key",
            cwd=tmp_path,
            AMPLITUDE_BASE_URL=emulator.url,
            AMPLITUDE_MANAGEMENT_API_KEY="management-key",
        )
        return result, {request["method"] for request in emulator.requests()}

    result, methods = play()
    assert result.status == 0, result.output
    assert methods, "the examples use the module"
    result, methods = play()
    assert result.status == 0, result.output
    assert "changed=0 " in result.output
    assert methods == {"GET"}
