# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup deployment_key in templates, through ansible-playbook."""

from __future__ import annotations

import pytest
import yaml

pytestmark = pytest.mark.core

SEED = dict(
    keys={"management-key": ["1", "2"]},
    deployments=[
        dict(id=1, projectId="1", label="web", type="client"),
        dict(id=2, projectId="1", label="api", type="server"),
        dict(id=3, projectId="2", label="web", type="server"),
        dict(id=4, projectId="1", label="old", type="server", deleted=True),
        dict(id=5, projectId="1", label="twin", type="client"),
        dict(id=6, projectId="1", label="twin", type="client"),
    ],
)
ERRORS = {
    "old": "it is archived (id 4); restore it",
    "nowhere": "there is no deployment with this label",
    "twin": "several active deployments have this label, with the ids 5, 6",
}


def key_lookup(*labels, function="lookup", **options):
    words = [repr(word) for word in ("community.amplitude.deployment_key", *labels)]
    words += ["{0}={1!r}".format(*option) for option in options.items()]
    return "{{ " + "{0}({1})".format(function, ", ".join(words)) + " }}"


def write(tmp_path, content):
    return {"ansible.builtin.copy": dict(content=content, dest=str(tmp_path / "found"), mode="0600"), "no_log": True}


@pytest.fixture(autouse=True)
def keys(emulator):
    emulator.reset(SEED)
    return {row["id"]: row["key"] for row in emulator.deployments()}


@pytest.mark.parametrize("way", ["environment", "environment and ini", "variables", "ini", "options"])
def test_connection(ansible_playbook, emulator, tmp_path, keys, way):
    given = dict(management_api_key="management-key", base_url=emulator.url)
    environment, arguments, options = {}, [], {}
    if "environment" in way:
        environment = {"AMPLITUDE_" + name.upper(): value for name, value in given.items()}
        environment.update(AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY="another", AMPLITUDE_REGION="")
    elif way == "variables":
        arguments = [word for item in given.items() for word in ("-e", "amplitude_{0}={1}".format(*item))]
    elif way == "options":
        options = given
    if "ini" in way:
        values = dict.fromkeys(given, "overridden") if environment else given
        lines = ["[amplitude]"] + ["{0} = {1}".format(*item) for item in values.items()]
        (tmp_path / "ansible.cfg").write_text("\n".join(lines), encoding="utf-8")
        environment.update(ANSIBLE_CONFIG=tmp_path / "ansible.cfg")
    content = key_lookup("web", "api", project_id="1", function="query", **options)

    result = ansible_playbook([write(tmp_path, content)], *arguments, **environment)

    assert result.status == 0, result.output
    assert yaml.safe_load((tmp_path / "found").read_text(encoding="utf-8")) == [keys["1"], keys["2"]]
    assert [request["path"] for request in emulator.requests()] == ["/api/1/deployments"]
    assert not [key for key in [*keys.values(), "management-key"] if key in result.output]


def test_variables_that_do_not_count(ansible_playbook, emulator, tmp_path, keys):
    """One that is null is not set, and one for which there is an option is not evaluated; lists are lists of labels."""
    content = key_lookup(["web", "api"], project_id="1", function="query")
    variables = dict(amplitude_management_api_key=None, amplitude_base_url=None, amplitude_project_id="{{ nowhere }}")

    result = ansible_playbook(
        [dict(write(tmp_path, content), vars=variables)],
        AMPLITUDE_BASE_URL=emulator.url,
        AMPLITUDE_MANAGEMENT_API_KEY="management-key",
    )

    assert result.status == 0, result.output
    assert yaml.safe_load((tmp_path / "found").read_text(encoding="utf-8")) == [keys["1"], keys["2"]]


@pytest.mark.parametrize(
    "label, errors",
    [("old", "strict"), ("nowhere", "strict"), ("twin", "strict"), ("nowhere", "warn"), ("twin", "ignore")],
)
def test_errors(ansible_playbook, emulator, tmp_path, keys, label, errors):
    content = "-" + key_lookup("web", label, project_id="1", errors=errors)

    result = ansible_playbook(
        [dict(write(tmp_path, content), no_log=False)],
        "-vvvv",
        AMPLITUDE_BASE_URL=emulator.url,
        AMPLITUDE_MANAGEMENT_API_KEY="management-key",
        COLUMNS=1000,
    )

    assert (result.status == 0) is (errors != "strict")
    # ansible-core 2.18 breaks the lines of a warning.
    assert (ERRORS[label] in " ".join(result.output.split())) is (errors != "ignore")
    assert not [key for key in [*keys.values(), "management-key"] if key in result.output]
    if errors != "strict":
        assert (tmp_path / "found").read_text(encoding="utf-8") == "-"


def test_options_are_checked(ansible_playbook, tmp_path):
    contents = [
        key_lookup("web", project_id="1"),
        key_lookup("web", management_api_key="k"),
        key_lookup("web", project_id="1", management_api_key="k", base_url="http://example.com"),
        key_lookup("web", None, project_id="1", management_api_key="k"),
    ]
    tasks = [dict(write(tmp_path, content), no_log=False, ignore_errors=True) for content in contents]

    result = ansible_playbook(tasks)

    assert "ignored=4" in result.output
    for words in ("management_api_key", "project_id", "is plain http to another machine", "a label is null"):
        assert words in result.output
