# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks know of nothing but their own variables: not of other plays, and not of each other."""

from __future__ import annotations

import json
import pathlib
import re

import jinja2.meta
import pytest
import yaml

from ansible_collections.community.amplitude.plugins.plugin_utils._variables import TABLE

pytestmark = pytest.mark.core

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
PROJECTS = ["101", "102"]
SEED = dict(
    keys={"management-key": PROJECTS},
    deployments=[dict(projectId=project, label="web", type="client") for project in PROJECTS],
)
VARIABLES = {each.name for each in TABLE}


@pytest.fixture
def emulator(emulator):
    emulator.reset(SEED)
    return emulator


@pytest.fixture
def site(play, tmp_path):
    """Runs plays as one playbook: a name stands for that playbook of the collection, with variables."""

    def site(plays, *flags, **options):
        content = [
            {"import_playbook": "community.amplitude." + each[0], "vars": each[1]} if isinstance(each, tuple) else each
            for each in plays
        ]
        (tmp_path / "site.yml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return play("site.yml", *flags, **options)

    return site


def project(project_id, *labels):
    return dict(project_id=project_id, deployments=[dict(label=label, type="client") for label in labels])


def state(tmp_path, content, name="state.yml"):
    (tmp_path / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return name


def audited(directory):
    summary = json.loads((directory / "audit.json").read_text(encoding="utf-8"))["summary"]
    return [each["project_id"] for each in summary["projects"]]


def test_two_imports_know_nothing_of_each_other(site, emulator, tmp_path):
    """The first has a file and an option, the second a list of its own, the third a file of its own."""
    first = state(tmp_path, dict(amplitude_projects=[project("101", "a")]))
    third = state(tmp_path, dict(amplitude_projects=[project("102", "web", "b")]), "third.yml")
    result = site(
        [
            ("apply", dict(amplitude_state_file=first, amplitude_purge=True)),
            ("apply", dict(amplitude_projects=[project("102", "b")])),
            ("audit", dict(amplitude_state_file=third, amplitude_fail_on_drift=True)),
        ]
    )
    assert result.status == 0, result.output
    active = {(row["projectId"], row["label"]) for row in emulator.deployments() if not row["deleted"]}
    assert active == {("101", "a"), ("102", "web"), ("102", "b")}
    assert audited(tmp_path) == ["102"] and "is ignored" not in result.output


@pytest.mark.parametrize("name", ["audit", "plan", "apply"])
def test_second_import_without_a_desired_state(site, emulator, tmp_path, name):
    """It says so, and does not use that of the first."""
    first = state(tmp_path, dict(amplitude_projects=[project("101", "web")]))
    result = site([(name, dict(amplitude_state_file=first)), (name, {})])
    assert result.status == 2 and "neither amplitude_state_file nor amplitude_projects" in result.output, result.output


@pytest.mark.parametrize(
    "name, defined", [("audit", {}), ("plan", dict(amplitude_projects=None)), ("apply", dict(team="web"))]
)
def test_second_import_with_a_file_without_one(site, emulator, tmp_path, name, defined):
    first = state(tmp_path, dict(amplitude_projects=[project("101", "web")]))
    second = state(tmp_path, defined, "second.yml")
    result = site([("apply", dict(amplitude_state_file=first)), (name, dict(amplitude_state_file=second))])
    assert result.status == 2 and "second.yml: amplitude_projects is missing or empty" in result.output, result.output


#: What the templates of the playbooks and other people's plays may call something.
WORDS = "audit audit_time audit_directory export export_file export_project_ids unknown project kind row rows same"


def test_variables_of_others_do_not_matter(site, emulator, tmp_path):
    """Extra variables win over all that a play could set, be it a fact or what it registers."""
    precious = tmp_path / "precious"
    precious.write_text("a file of somebody", encoding="utf-8")
    others = {word: str(precious) for word in WORDS.split()}
    others.update(
        audit=True, export=True, unknown=1, told=1, project_ids=["9"], state_file="x", source=1, counts=1, step=1
    )
    plays = [
        ("export", dict(amplitude_state_file="state.yml")),
        ("audit", dict(amplitude_state_file="state.yml", amplitude_fail_on_drift=True)),
        ("apply", dict(amplitude_state_file="state.yml")),
    ]
    result = site(plays, "-e", json.dumps(others))
    assert result.status == 0, result.output
    assert precious.read_text(encoding="utf-8") == "a file of somebody"
    assert sorted(path.name for path in tmp_path.glob("*.*") if path.name != ".ansible") == [
        "audit.html",
        "audit.json",
        "audit.md",
        "site.yml",
        "state.yml",
    ]
    assert "created 0, renamed 0, restored 0, archived 0, unchanged 2" in result.output


#: Those of them that the playbooks take blank. A plan that is blank would approve everything.
BLANK = sorted(name[len("amplitude_") :] for name in VARIABLES - {"amplitude_projects", "amplitude_plan_file"})


def test_blank_is_not_set(play, emulator, tmp_path):
    """The address, the key and all others come from the environment or have their defaults."""
    assert len(BLANK) > 15
    blank = [
        {name: (None, "")[(number + turn) % 2] for number, name in enumerate(BLANK)}
        # The playbook that is run has each of both kinds, and another one the other way round.
        for turn in range(2)
    ]
    result = play("export", **blank[0])
    assert result.status == 0, result.output
    text = (tmp_path / "deployments.yml").read_text(encoding="utf-8")
    assert "id:" in text.replace("project_id:", "")
    projects = yaml.safe_load(text)["amplitude_projects"]
    result = play("audit", **blank[1], projects=projects)
    assert result.status == 0 and audited(tmp_path) == PROJECTS, result.output
    assert {request["path"] for request in emulator.requests()} >= {"/api/1/flags", "/api/1/experiments"}
    for name, variables in zip(("plan", "apply"), blank):
        result = play(name, **variables, projects=projects)
        assert result.status == 0 and "unchanged 2" in result.output, result.output


def test_blank_option_of_a_step(outcomes, emulator):
    """What is blank in one way in a playbook above is so in both ways here."""
    wanted = dict(amplitude_projects=[project("101", "web")])
    tasks = [
        {"community.amplitude.playbook_step": dict(dict.fromkeys(BLANK, blank), step="audit"), "vars": wanted}
        for blank in (None, "")
    ]
    for found in outcomes(tasks):
        assert not found.get("failed") and len(found["deployments"]) == 1, found


def test_false_is_a_value(play, emulator, tmp_path):
    result = play("export", export_ids=False, export_overwrite=False)
    assert result.status == 0 and "id:" not in (tmp_path / "deployments.yml").read_text(encoding="utf-8").replace(
        "project_id:", ""
    )
    result = play("audit", state_file="deployments.yml", audit_usage=False, fail_on_drift=False)
    assert result.status == 0, result.output
    assert {request["path"] for request in emulator.requests()} == {"/api/1/deployments"}


def texts_of(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for each in value for text in texts_of(each)]
    return [value] if isinstance(value, str) else []


def test_variables_that_are_read():
    """All begin with ``amplitude_``, but those that Ansible sets itself; and what is registered does too."""
    environment = jinja2.Environment()
    used, registered = set(), set()
    for path in PLAYBOOKS:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        registered |= set(re.findall(r"register: (\S+)", path.read_text(encoding="utf-8")))
        for text in texts_of(content):
            used |= jinja2.meta.find_undeclared_variables(environment.parse(text))
        for text in re.findall(r"(?:when|that): (.*)|^ +- (amplitude_.* .*)", path.read_text(encoding="utf-8"), re.M):
            used |= jinja2.meta.find_undeclared_variables(environment.parse("{{ " + "".join(text) + " }}"))
    of_ansible = {"omit", "item", "lookup", "query", "undef", "ansible_limit", "loop"}
    assert {name for name in used if not name.startswith("amplitude_")} <= of_ansible
    assert registered and {name for name in registered if not name.startswith("amplitude_")} == set()
    # The others are in the table; amplitude_projects is read where no template is needed.
    assert used - registered - of_ansible == VARIABLES - {"amplitude_projects"}


def test_key_is_not_shown(site, emulator, tmp_path):
    """The management key is an option of a step."""
    key = "canary-" + "3f9a" * 8
    emulator.reset(dict(SEED, keys={key: PROJECTS}))
    projects = [project("101", "web", "new"), project("999", "new")]
    environment = dict(
        ANSIBLE_DISPLAY_ARGS_TO_STDOUT="1", ANSIBLE_INJECT_INVOCATION="1", ANSIBLE_LOG_PATH=tmp_path / "log"
    )
    # Ansible shows what is on its command line itself.
    given = state(tmp_path, dict(amplitude_management_api_key=key, amplitude_projects=projects), "given.yml")
    # A playbook that fails is the last one.
    for names in (["export", "plan", "audit"], ["apply"]):
        result = site([(name, {}) for name in names], "-vvvv", "-e", "@" + given, environment=environment)
        assert result.status == 2 and result.output.count("PLAY [") == len(names), result.output
        assert "TASK" in result.output and key not in result.output
    assert key not in (tmp_path / "log").read_text(encoding="utf-8")


def test_module_that_does_not_run_to_its_end(play, emulator, tmp_path):
    """What Ansible knows of that is shown: here that there is no Python."""
    result = play("audit", "-e", "ansible_python_interpreter=/bin/false", projects=[project("101", "web")])
    assert result.status == 2 and re.search("MODULE FAILURE|Module result deserialization failed", result.output), (
        result.output
    )


#: Whether the audit begins; here it then ends because there is no desired state.
LIMITS = {
    "another host": ("web1", False),
    "another group": ("web", False),
    "all but localhost": ("all,!localhost", False),
    "localhost": ("localhost", True),
    "localhost and another": ("web1,localhost", True),
    "its group": ("controllers", True),
    "all": ("all", True),
}


@pytest.mark.parametrize("case", LIMITS)
def test_limit_that_leaves_localhost_out(play, emulator, tmp_path, case):
    """Ansible would skip the play, and end well."""
    limit, begins = LIMITS[case]
    (tmp_path / "hosts").write_text(
        "[web]\nweb1\n[controllers]\nlocalhost ansible_connection=local\n", encoding="utf-8"
    )
    result = play("audit", "-i", "hosts", "--limit", limit)
    assert result.status == (2 if begins else 4), result.output
    told = "the audit runs on localhost, which --limit leaves out: add localhost to it, or leave --limit out"
    assert (told in result.output) is not begins
    assert ("neither amplitude_state_file nor amplitude_projects is set" in result.output) is begins


@pytest.mark.parametrize("task", ["Show what differs", "Say what was done", "Fail if there is drift"])
def test_start_in_the_middle(play, emulator, tmp_path, task):
    result = play("audit", "--start-at-task", task, projects=[project("101", "web")])
    assert result.status != 0 and emulator.requests() == [], result.output
