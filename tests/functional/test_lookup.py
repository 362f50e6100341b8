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
    "old": "it is archived (id 4); use another label, or create a new one",
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


@pytest.mark.parametrize("blank", [None, ""])
def test_variables_that_do_not_count(ansible_playbook, emulator, tmp_path, keys, blank):
    """Blank is not set, one for which there is an option is not evaluated, and lists are lists of labels."""
    content = key_lookup(["web", "api"], project_id="1", function="query", region="", timeout="")
    names = ("management_api_key", "base_url", "region", "validate_certs", "ca_path", "timeout", "retry_timeout")
    variables = {"amplitude_" + name: blank for name in names}

    result = ansible_playbook(
        [dict(write(tmp_path, content), vars=dict(variables, amplitude_project_id="{{ nowhere }}"))],
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


#: The options of a lookup, variables, and the words that are told.
REFUSED = {
    "no key": (
        dict(project_id="1"),
        dict(),
        "management_api_key is not set; module_defaults do not reach lookups: set the option, the variable "
        "amplitude_management_api_key, management_api_key in the section amplitude of ansible.cfg, or one of the",
    ),
    "blank key": (dict(project_id="1", management_api_key=""), dict(), "management_api_key is not set"),
    "no project": (
        dict(management_api_key="management-key"),
        dict(),
        "project_id is not set; module_defaults do not reach lookups: set the option, or the variable amplitude_project_id",
    ),
    "blank project": (
        dict(management_api_key="management-key"),
        dict(amplitude_project_id=""),
        "project_id is not set; module_defaults do not reach lookups",
    ),
    "short key": (dict(project_id="1", management_api_key="k"), dict(), "has fewer than 8 characters"),
    "plain http": (
        dict(project_id="1", management_api_key="management-key", base_url="http://example.com"),
        dict(),
        "base_url is plain http to another machine",
    ),
    "plain http of a variable": (
        dict(project_id="1", management_api_key="management-key"),
        dict(amplitude_base_url="http://example.com"),
        "base_url (from the variable amplitude_base_url) is plain http to another machine",
    ),
    "region of a variable": (
        dict(project_id="1", management_api_key="management-key"),
        dict(amplitude_region="EU"),
        "region (from the variable amplitude_region) is the text 'EU'; set it to us or eu",
    ),
}


def test_what_is_refused(ansible_playbook, tmp_path):
    tasks = []
    for options, variables, dummy in REFUSED.values():
        content = key_lookup("web", **options)
        tasks.append(dict(write(tmp_path, content), no_log=False, ignore_errors=True, vars=variables))
    for label in (None, ""):
        content = key_lookup("web", label, project_id="1", management_api_key="management-key")
        tasks.append(dict(write(tmp_path, content), no_log=False, ignore_errors=True))
    content = (
        "{{ lookup('community.amplitude.deployment_key', 83, project_id='1', management_api_key='management-key') }}"
    )
    tasks.append(dict(write(tmp_path, content), no_log=False, ignore_errors=True))

    result = ansible_playbook(
        tasks, "-v", COLUMNS=1000, AMPLITUDE_MANAGEMENT_API_KEY=None, AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY=""
    )

    assert f"ignored={len(tasks)}" in result.output, result.output
    output = " ".join(result.output.split())
    for dummy, dummy, words in REFUSED.values():
        assert words in output
    assert "a label is blank; give labels as text" in output
    assert "a label is the number 83, not text; put it in quotes" in output
