# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blanks, labels that are not text and mistakes in lists, as they come out of variables and templates of a playbook."""

from __future__ import annotations

import base64
import json
import re

import pytest

pytestmark = pytest.mark.core

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars:
    blank: ""
    nothing:
  module_defaults:
    group/community.amplitude.amplitude:
      management_api_key: management-key
      base_url: "{{ lookup('ansible.builtin.env', 'EMULATOR') }}"
  tasks:
"""


@pytest.fixture
def results(run, tmp_path, emulator):
    """Runs tasks, given as YAML, and returns the results of those that register one, by its name."""

    def results(tasks, **environment):
        text = PLAYBOOK + "".join("    " + line + "\n" for line in tasks.strip("\n").splitlines())
        names = re.findall(r"^ +register: (\w+)$", text, re.MULTILINE)
        shown = ", ".join(f"'{name}': {name}" for name in names)
        msg = f"results {{{{ {{{shown}}} | to_json | b64encode }}}}"
        text += f"    - ansible.builtin.debug:\n        msg: {json.dumps(msg)}\n"
        (tmp_path / "playbook.yml").write_text(text, encoding="utf-8")
        done = run("ansible-playbook", tmp_path / "playbook.yml", EMULATOR=emulator.url, **environment)
        assert done.status == 0, done.output
        return json.loads(base64.b64decode(re.search(r'"msg": "results (\S+)"', done.output)[1]))

    return results


def test_blank_is_not_set(results, emulator):
    found = results("""
- community.amplitude.amplitude_deployment:
    project_id: "1"
    label: web
    type: client
    state: "{{ blank }}"
    region: "{{ blank }}"
    ca_path: "{{ blank }}"
    timeout: "{{ blank }}"
    retry_timeout:
    validate_certs: "{{ blank }}"
    force: "{{ nothing }}"
    restore_archived: "{{ blank }}"
    id: "{{ nothing }}"
    previous_label: shop
  register: single
- community.amplitude.amplitude_deployments:
    project_id: "1"
    deployments:
      - {label: web, type: "{{ blank }}", state: "{{ blank }}", id: "{{ nothing }}", previous_label: "", project_id: ""}
    purge: "{{ blank }}"
    purge_limit: "{{ blank }}"
    concurrency:
  register: bulk
- community.amplitude.amplitude_deployment_info:
    project_id: "{{ blank }}"
    type: "{{ blank }}"
  register: info
- community.amplitude.amplitude_deployment_info:
    labels: "{{ blank }}"
  register: filter
  ignore_errors: true
""")
    assert found["single"]["changed"] and not found["bulk"]["changed"]
    assert [row["label"] for row in found["info"]["deployments"]] == ["web"]
    assert "labels is empty; give it a value, or leave it out" in found["filter"]["msg"]


def test_blank_address_does_not_lead_elsewhere(results, emulator):
    """The key must not be sent to the public address because nobody has answered a question of a survey."""
    found = results(
        """
- community.amplitude.amplitude_deployment_info:
    management_api_key: ""
    base_url: ""
    region: "{{ blank }}"
  register: empty
- community.amplitude.amplitude_deployment_info:
    management_api_key: ""
    base_url: "{{ nothing }}"
    region: "{{ blank }}"
  register: nothing_given
""",
        AMPLITUDE_BASE_URL=emulator.url,
        AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY="management-key",
        AMPLITUDE_MANAGEMENT_API_KEY="",
    )
    assert [each["deployments"] for each in found.values()] == [[], []] and len(emulator.requests()) == 2


def test_mistakes(results, emulator):
    """Labels without quotes, options that there are not, and a connection that cannot be used."""
    found = results("""
- community.amplitude.amplitude_deployments:
    project_id: "1"
    deployments:
      - {label: no, type: client}
      - {label: 0123, type: client}
      - {label: 12:30, type: client}
      - {label: "0123", type: client}
      - {label: shop, previous_label: 1.50, type: client}
      - {id: 7, label: x}
  register: literal
  ignore_errors: true
- community.amplitude.amplitude_deployment:
    project_id: 1
    label: no
    type: client
  register: single
  ignore_errors: true
- community.amplitude.amplitude_deployments:
    project_id: "1"
    deployments:
      - {lable: web, type: client}
      - {label: web, typ: client, project_id: 222}
      - api
      - label: app
        type: client
        state: absnt
      - {label: fine, type: client}
  register: mistakes
  ignore_errors: true
- community.amplitude.amplitude_deployment_info:
    management_api_key: short
  register: key
  ignore_errors: true
- community.amplitude.amplitude_deployment:
    base_url: "https://someone:Passw0rd@example.com"
    project_id: 1
    label: web
  register: address
  ignore_errors: true
- community.amplitude.amplitude_deployment_info:
    management_api_key: "{{ blank }}"
  register: no_key
  ignore_errors: true
""")
    assert found["literal"]["failed"] and found["single"]["failed"]
    problems = found["literal"]["problems"]
    assert [each["item"] for each in problems] == [1, 2, 3, 5, 6]
    assert all("put it in quotes where it is defined, or add `| string`" in each["advice"] for each in problems[:4])
    assert "there is no deployment with the id 7" in problems[4]["problem"]
    assert found["literal"]["failure"] == dict(kind="input", status=None, transient=False, retry_after=None)
    assert "label is the boolean false, not text; put it in quotes" in found["single"]["msg"]
    assert [
        (each["item"], each["project_id"], each["problem"], each["advice"]) for each in found["mistakes"]["problems"]
    ] == [
        (1, "1", "lable is not a known option", "perhaps label was meant"),
        (2, "222", "typ is not a known option", "perhaps type was meant"),
        (
            3,
            "1",
            "it is the text 'api', not a dictionary of options",
            "list its options, such as 'label: …' or 'project_id: …'",
        ),
        (4, "1", "state is the text 'absnt'", "perhaps absent was meant"),
    ]
    assert [each["label"] for each in found["mistakes"]["pending"]] == ["fine"]
    assert "has fewer than 8 characters" in found["key"]["msg"] and "short" not in json.dumps(found["key"])
    assert "base_url has a user name" in found["address"]["msg"] and "Passw0rd" not in json.dumps(found["address"])
    words = "management_api_key is not set; set the option, or one of the environment variables AMPLITUDE_MANAGEMENT_API_KEY"
    assert found["no_key"]["failed"] and words in found["no_key"]["msg"]
    assert emulator.deployments() == []
