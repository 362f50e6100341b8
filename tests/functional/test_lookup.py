# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup deployment_key in templates, through ansible-playbook."""

from __future__ import annotations

import pytest

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


def template(content, **more):
    """A task that has a template, and returns what becomes of it."""
    return {"ansible.builtin.set_fact": dict(found=content), **more}


def found_by(result):
    return result["ansible_facts"]["found"]


@pytest.fixture(autouse=True)
def keys(emulator):
    emulator.reset(SEED)
    return {row["id"]: row["key"] for row in emulator.deployments()}


@pytest.mark.parametrize("way", ["environment", "environment and ini", "variables", "ini", "options"])
def test_connection(outcomes, emulator, tmp_path, keys, way):
    given = dict(management_api_key="management-key", base_url=emulator.url)
    environment, arguments, options = {}, [], {}
    if "environment" in way:
        environment = {"AMPLITUDE_" + name.upper(): value for name, value in given.items()}
        environment.update(AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY="another", AMPLITUDE_REGION="")
    else:
        environment = dict(AMPLITUDE_MANAGEMENT_API_KEY=None, AMPLITUDE_BASE_URL=None)
    if way == "variables":
        arguments = [word for item in given.items() for word in ("-e", "amplitude_{0}={1}".format(*item))]
    elif way == "options":
        options = given
    if "ini" in way:
        values = dict.fromkeys(given, "overridden") if way != "ini" else given
        lines = ["[amplitude]"] + ["{0} = {1}".format(*item) for item in values.items()]
        (tmp_path / "ansible.cfg").write_text("\n".join(lines), encoding="utf-8")
        environment.update(ANSIBLE_CONFIG=tmp_path / "ansible.cfg")
    content = key_lookup("web", "api", project_id="1", function="query", **options)

    (result,) = outcomes([template(content, no_log=True)], *arguments, **environment)

    assert found_by(result) == [keys["1"], keys["2"]]
    assert [request["path"] for request in emulator.requests()] == ["/api/1/deployments"]
    assert not [key for key in [*keys.values(), "management-key"] if key in outcomes.output]


def test_variables_that_do_not_count(outcomes, keys):
    """Blank is not set, one for which there is an option is not evaluated, and lists are lists of labels."""
    content = key_lookup(["web", "api"], project_id="1", function="query", region="", timeout="")
    names = ("management_api_key", "base_url", "region", "validate_certs", "ca_path", "timeout", "retry_timeout")
    tasks = [
        template(
            content, vars={"amplitude_project_id": "{{ nowhere }}", **{"amplitude_" + name: blank for name in names}}
        )
        for blank in (None, "")
    ]
    assert [found_by(each) for each in outcomes(tasks)] == [[keys["1"], keys["2"]]] * 2


def test_errors(outcomes, keys):
    cases = [("old", "strict"), ("nowhere", "strict"), ("twin", "strict"), ("nowhere", "warn"), ("twin", "ignore")]
    contents = ["-" + key_lookup("web", label, project_id="1", errors=errors) for label, errors in cases]

    results = outcomes([template(content, name="Case") for content in contents], "-vvvv", COLUMNS=1000)

    assert [each.get("failed", False) for each in results] == [errors == "strict" for dummy, errors in cases]
    assert [found_by(each) for each in results[3:]] == ["-", "-"]
    told = [text for text in outcomes.output.split("TASK [") if text.startswith("Case")]
    for (label, errors), text in zip(cases, told, strict=True):
        # ansible-core 2.18 breaks the lines of a warning.
        assert (ERRORS[label] in " ".join(text.split())) is (errors != "ignore"), text
    assert not [key for key in [*keys.values(), "management-key"] if key in outcomes.output]


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


def test_what_is_refused(outcomes):
    tasks = [template(key_lookup("web", **options), vars=variables) for options, variables, dummy in REFUSED.values()]
    messages = [message for dummy, dummy, message in REFUSED.values()]
    for label in (None, ""):
        tasks.append(template(key_lookup("web", label, project_id="1", management_api_key="management-key")))
        messages.append("a label is blank; give labels as text")
    tasks.append(
        template(
            "{{ lookup('community.amplitude.deployment_key', 83, project_id='1', management_api_key='management-key') }}"
        )
    )
    messages.append("a label is the number 83, not text; put it in quotes")

    results = outcomes(
        tasks,
        AMPLITUDE_BASE_URL=None,
        AMPLITUDE_MANAGEMENT_API_KEY=None,
        AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY="",
    )

    assert [
        (text, each) for text, each in zip(messages, results) if not each.get("failed") or text not in each["msg"]
    ] == []
