# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the playbooks find the desired state, and what they say if they cannot use it."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
import yaml

pytestmark = pytest.mark.core

SEED = dict(
    keys={"management-key": ["101", "102", "103", "104"]},
    deployments=[
        dict(projectId="101", label="web", type="client"),
        dict(projectId="101", label="default", type=None),
        dict(projectId="102", label="api", type="server"),
        dict(projectId="102", label="old", type="server", deleted=True),
        dict(projectId="103", label="default", type=None),
        dict(projectId="104", label="gone", type="client", deleted=True),
    ],
)
WEB = dict(project_id="101", deployments=[dict(label="web", type="client")])


@pytest.fixture
def emulator(emulator):
    emulator.reset(SEED)
    return emulator


def write(directory, state, name="state.yml"):
    content = state if isinstance(state, bytes) else yaml.safe_dump(state).encode()
    (directory / name).write_bytes(content)
    return str((directory / name).resolve())


def step(name, variables=None, **options):
    """The step of a playbook that reads the desired state, as the playbook writes it."""
    return {
        "community.amplitude.playbook_step": dict(options, step=name),
        "check_mode": name != "audit",
        "vars": variables or {},
    }


def not_told(found, messages):
    """The results of steps that do not fail with the message that belongs to them."""
    assert len(found) == len(messages)
    return [(text, each) for text, each in zip(messages, found) if not each.get("failed") or text not in each["msg"]]


def labels_told(tmp_path):
    report = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    return {row["label"] for row in report["deployments"] if row["listed"]}


#: What is in a file, and what is said of it. FILE stands for its path.
FILES = {
    "a tab": (
        b"amplitude_projects:\n  - project_id: 101\n\tdeployments: []\n",
        "from FILE, line 3: found a tab character that violates indentation; indent with spaces.",
    ),
    "a bracket": (b"a: [1\nb: 2\n", "from FILE, line 2: did not find expected ',' or ']'; correct the YAML there."),
    "a template without quotes": (
        b"---\na: {{ b }}\n",
        "from FILE, line 2: there is a mapping where text is expected; put",
    ),
    "two documents": (b"a: 1\n---\nb: 2\n", "from FILE, line 2: expected a single document in the stream, but found"),
    "an unknown tag": (b"a: !nope 1\n", "from FILE, line 1: could not determine a constructor for the tag '!nope'"),
    "a text": (b"web-shop\n", "from FILE, line 1: it is text, and defines no variables; write amplitude_projects:"),
    "a list": (b"- project_id: 101\n", "from FILE, line 1: it is a list, and defines no variables"),
    "a number": (b"5\n", "from FILE, line 1: it is a single value, and defines no variables"),
    "binary": (bytes(range(256)), "from FILE: it is not UTF-8 text; set amplitude_state_file to the path of a YAML"),
    "Latin-1": (b'a: "\xfc"\n', "from FILE: it is not UTF-8 text"),
    "empty": (b"", "in FILE: amplitude_projects is missing or empty, and an audit of nothing finds nothing"),
    "a comment": (b"# nothing yet\n---\n", "in FILE: amplitude_projects is missing or empty"),
    "another variable": (dict(projects=[WEB]), "in FILE: amplitude_projects is missing or empty"),
    "nothing": (dict(amplitude_projects=None), "in FILE: amplitude_projects is missing or empty"),
    "no project": (dict(amplitude_projects=[]), "in FILE: amplitude_projects is missing or empty"),
    "a mapping": (dict(amplitude_projects=WEB), "in FILE: amplitude_projects is a mapping instead of a list"),
    "a variable that is not read from it": (
        dict(amplitude_projects=[WEB], amplitude_restore_archived=False),
        "from FILE: it defines amplitude_restore_archived, which cannot be set in this file; set that elsewhere, for",
    ),
    "an undefined variable": (
        dict(amplitude_projects=[WEB, dict(project_id="102", deployments=[dict(label="{{ nope }}")])]),
        "in FILE: item 2 of amplitude_projects has a template that fails: 'nope' is undefined; correct it.",
    ),
    "encrypted, without a password": (
        b"$ANSIBLE_VAULT;1.1;AES256\n3833\n",
        "from FILE: Attempting to decrypt but no vault secrets found; use the right vault password.",
    ),
}
#: Items of the list, and what is said of the second of them.
ITEMS = {
    "a text": ("102", "is not a project; give each its project_id and deployments."),
    "null": (None, "is not a project"),
    "no project_id": (dict(deployments=[]), "has no project_id; give the ID as Amplitude shows it."),
    "a blank project_id": (dict(project_id="", deployments=[]), "has no project_id"),
    "a project_id that is none": (dict(project_id=1.5, deployments=[]), "has the project_id 1.5; give the ID as"),
    "another field": (
        dict(project_id=102, deployment=[], deployments=[]),
        "(project 102) has unknown fields: deployment; give it project_id and deployments, and nothing else.",
    ),
    "no deployments": (
        dict(project_id="102"),
        "(project 102) has no deployments; list them, or write [] if none is wanted there.",
    ),
    "blank deployments": (dict(project_id="102", deployments=None), "(project 102) has deployments that are blank"),
    "deployments that are a text": (
        dict(project_id="102", deployments="web"),
        "(project 102) has deployments that are not a list; begin each deployment with a dash.",
    ),
    "one deployment": (dict(project_id="102", deployments=dict(label="web")), "has deployments that are not a list"),
    "a project twice": (
        dict(project_id=101, deployments=[]),
        "(project 101) is listed already, as item 1; list all its deployments in one place.",
    ),
    "a deployment of another project": (
        dict(project_id="102", deployments="{{ shared.all }}"),
        "(project 102) lists, as deployment 2, one of project 101; list it there.",
    ),
}


def test_files_that_cannot_be_used(outcomes, emulator, tmp_path):
    paths = [write(tmp_path, content, f"{number}.yml") for number, (content, dummy) in enumerate(FILES.values())]
    messages = [message.replace("FILE", path) for path, (dummy, message) in zip(paths, FILES.values())]
    found = outcomes([step("audit", state_file=f"{number}.yml") for number in range(len(FILES))])
    assert not_told(found, messages) == [] and emulator.requests() == []


def test_paths_that_cannot_be_used(outcomes, emulator, tmp_path):
    """A directory, nothing, and what cannot be read; the superuser can read every file on a disk."""
    (tmp_path / "directory").mkdir()
    write(tmp_path, b"")
    (tmp_path / "state.yml").chmod(0)
    locked = "state.yml" if os.geteuid() else "/proc/self/mem"
    cases = {
        "directory": "it is a directory; set amplitude_state_file to the path of a file.",
        "nothing.yml": f"there is no file {tmp_path.resolve()}/nothing.yml; correct amplitude_state_file.",
    }
    if pathlib.Path(locked).exists() or os.geteuid():
        cases[locked] = "let the user who runs ansible-playbook read it."
    found = outcomes([step(name, state_file=path) for name in ("audit", "apply") for path in cases])
    assert not_told(found, [*cases.values()] * 2) == [] and emulator.requests() == []
    assert not_told(found, ["Could not read the desired state from /"] * len(found)) == []


def test_items_that_are_no_projects(outcomes, emulator, tmp_path):
    """In a file each of them, and all of them at once in a variable."""
    shared = dict(all=[dict(label="api", project_id=102), dict(label="web", project_id="101")])
    paths = [
        write(tmp_path, dict(amplitude_projects=[WEB, item], shared=shared), f"{number}.yml")
        for number, (item, dummy) in enumerate(ITEMS.values())
    ]
    items = [item for item, dummy in ITEMS.values() if "{{" not in str(item)]
    tasks = [step("apply", state_file=path, purge=True, force=True) for path in paths]
    *found, last = outcomes([*tasks, step("audit", dict(amplitude_projects=[WEB, *items]))])
    place = "Could not use the desired state in {0}: item 2 of amplitude_projects"
    assert not_told(found, [place.format(path) for path in paths]) == []
    assert not_told(found, [message for dummy, message in ITEMS.values()]) == [] and emulator.requests() == []
    for number in range(2, len(items) + 2):
        assert f"Could not use the desired state in amplitude_projects: item {number} of" in last["msg"]


@pytest.mark.parametrize("name", ["audit", "plan", "apply"])
def test_playbook_without_a_desired_state(play, emulator, name):
    result = play(name, projects="", state_file=None)
    assert result.status == 2 and "neither amplitude_state_file nor amplitude_projects is set" in result.output
    assert emulator.requests() == []


def test_no_desired_state(outcomes, emulator):
    """Neither of the two, or a list without a project."""
    blank = [
        (dict(), dict()),
        (dict(amplitude_projects=None), dict(state_file=None)),
        (dict(amplitude_projects=""), dict(state_file="")),
        (dict(amplitude_projects=[]), dict()),
    ]
    steps = ("audit", "plan", "apply")
    found = outcomes([step(name, variables, **options) for name in steps for variables, options in blank])
    message = "neither amplitude_state_file nor amplitude_projects is set"
    empty = "in amplitude_projects: amplitude_projects is missing or empty, and an audit of nothing"
    assert not_told(found, [message, message, message, empty] * len(steps)) == [] and emulator.requests() == []


def test_file_wins(play, emulator, tmp_path):
    write(tmp_path, dict(amplitude_projects=[WEB]))
    result = play(
        "audit",
        state_file="state.yml",
        projects=[dict(project_id="102", deployments=[dict(label="api")])],
        ignore_projects="102\n103\n104",
    )
    assert result.status == 0 and labels_told(tmp_path) == {"web"}, result.output
    words = " ".join(result.output.split())
    assert "amplitude_state_file is set, so the variable amplitude_projects is ignored." in words
    assert "ot listed" not in result.output


def test_encrypted_file_with_templates(run, play, emulator, tmp_path):
    """Ansible Vault, variables of the file itself, of the inventory, and of the command line, which win; and !unsafe."""
    state = b"""
team: file
region: file
amplitude_projects:
  - project_id: "{{ projects.web }}"
    deployments:
      - {label: "{{ team }}-{{ region }}-{{ tier }}", type: client}
      - {id: !unsafe "{{nothing}}", type: client, state: absent}
      - "{{ one }}"
  - project_id: "102"
    deployments: "{{ [one] + [{'label': 'api'}] }}"
projects: {web: "101"}
one: {label: "one", type: "{{ 'client' if true else 'server' }}"}
"""
    write(tmp_path, state)
    write(tmp_path, b"a password", "password")
    write(tmp_path, b"localhost ansible_connection=local tier=inventory region=inventory\n", "hosts")
    done = run("ansible-vault", "encrypt", "--vault-password-file", tmp_path / "password", tmp_path / "state.yml")
    assert done.status == 0 and b"amplitude" not in (tmp_path / "state.yml").read_bytes(), done.output
    flags = ["--vault-password-file", "password", "-i", "hosts", "-e", "team=line"]
    result = play("audit", *flags, state_file="state.yml")
    assert result.status == 0, result.output
    assert labels_told(tmp_path) == {"line-file-inventory", "one", "api", None}
    report = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in report["deployments"] if row["listed"] and row["label"] is None] == ["{{nothing}}"]
    # Nothing is said before what matters, and not a line for each project or deployment.
    before = result.output.split("TASK [Show what differs]")[0]
    assert (
        "item" not in before and before.count("changed: ") == 1 and "ok: " not in before and "is ignored" not in before
    )


def test_projects_that_are_not_listed(play, emulator, tmp_path):
    """They are told with their counts, and are no drift."""
    result = play("audit", projects=[WEB], fail_on_drift=True)
    assert result.status == 0, result.output
    assert "Not listed in the desired state: 3 projects" in result.output
    assert '"102           1         1"' in result.output and '"104           0         1"' in result.output
    assert "audited 2 deployments of 1 project, with drift 0, other projects 3: " in result.output
    others = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["other_projects"]
    assert others == [
        dict(project_id="102", active=1, archived=1),
        dict(project_id="103", active=1, archived=0),
        dict(project_id="104", active=0, archived=1),
    ]
    assert "| 102 | 1 | 1 |" in (tmp_path / "audit.md").read_text(encoding="utf-8")
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "3 other projects of this account are not in the desired state" in page
    assert '<tr><td>102</td><td class="count">1</td><td class="count">1</td></tr>' in page


def test_projects_that_are_ignored(outcomes):
    ways = [["102", 103, "104"], "102,103 104", "102\n103\n104", "[102, 103, 104]", ["102", None]]
    variables = dict(amplitude_projects=[WEB])
    *found, last = outcomes([step("audit", variables, ignore_projects=ignored) for ignored in ways])
    assert [(each["other_projects"], "other projects" in each["msg"]) for each in found] == [([], False)] * 4
    assert last["failed"] and "Could not use amplitude_ignore_projects: " in last["msg"]
