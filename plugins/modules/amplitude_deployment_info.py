#!/usr/bin/python
# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: amplitude_deployment_info
short_description: List deployments of Amplitude Experiment
version_added: 0.1.0
author:
  - The community.amplitude contributors (@ansible-collections)
description:
  - Lists the deployments that the management API key can see and that match all filters.
  - A filter that is not set matches everything. An empty list matches nothing. O(labels) and O(ids) must not be blank.
extends_documentation_fragment:
  - community.amplitude.connection
  - community.amplitude.attributes
  - community.amplitude.attributes.info
options:
  project_id:
    description:
      - The ID of the project whose deployments are returned.
    type: str
  labels:
    description:
      - The labels of the deployments that are returned. They must be text, and are case-sensitive.
    type: list
    elements: str
  ids:
    description:
      - The IDs of the deployments that are returned.
    type: list
    elements: str
  type:
    description:
      - The type of the deployments that are returned, as their keys show it.
    type: str
    choices:
      client: For SDKs on users' devices. The key is public.
      server: For SDKs on servers. The key is secret.
  include_archived:
    description:
      - Whether to return archived deployments too.
    type: bool
    default: false
  include_keys:
    description:
      - Whether to return the keys of the deployments. If V(false), nothing that is returned is a secret.
    type: bool
    default: true
  include_usage:
    description:
      - Whether to return the flags and experiments that use each deployment.
      - This takes at least four more requests per project.
    type: bool
    default: false
seealso:
  - module: community.amplitude.amplitude_deployment
  - module: community.amplitude.amplitude_deployments
  - module: community.amplitude.amplitude_drift_info
  - plugin: community.amplitude.deployment_key
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: List the active deployments of a project
  community.amplitude.amplitude_deployment_info:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    include_keys: false
  register: result

- name: Show their labels
  ansible.builtin.debug:
    msg: "{{ result.deployments | map(attribute='label') }}"

- name: Look up two deployments in all projects, archived or not
  community.amplitude.amplitude_deployment_info:
    management_api_key: "{{ amplitude_management_api_key }}"
    labels:
      - checkout-api
      - storefront
    include_archived: true
  no_log: true
"""

RETURN = r"""
deployments:
  description:
    - The deployments that match the filters, sorted by project, label and ID. Empty if there are none.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The ID of the deployment.
      type: str
      sample: "4711"
    project_id:
      description: The ID of its project.
      type: str
      sample: "123456"
    label:
      description: Its label.
      type: str
      sample: checkout-api
    key:
      description:
        - The deployment key that SDKs use. That of a server deployment is a secret, so use C(no_log) for tasks that
          show it.
        - V(none) if O(include_keys=false).
      type: str
      sample: server-Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy
    type:
      description: V(client) or V(server), or V(none) if the key does not show it.
      type: str
      sample: server
    deleted:
      description: Whether it is archived.
      type: bool
      sample: false
    used_by:
      description: The flags and experiments that use it, archived ones last.
      type: dict
      returned: O(include_usage=true)
      contains:
        flags:
          description: The flags, each with its C(id), C(key) and C(name), and with whether it is C(enabled) and C(archived).
          type: list
          elements: dict
          sample:
            - id: "815"
              key: new-checkout
              name: New checkout
              enabled: true
              archived: false
        experiments:
          description: The experiments, with the same fields.
          type: list
          elements: dict
          sample: []
problems:
  description: Everything that is wrong with the options, or that rules out what they ask for.
  returned: if the task is refused
  type: list
  elements: dict
  contains:
    item:
      description: The number of the item in its list of deployments, counted from 1. V(none) if it is not about one.
      type: int
    project_id:
      description: The ID of the project, or V(none) if it is not about one.
      type: str
    label:
      description: The label of the deployment, or V(none) if there is none.
      type: str
    id:
      description: The ID of the deployment, or V(none) if it is not known.
      type: str
    problem:
      description: What stands in the way.
      type: str
      sample: labels is empty
    advice:
      description: What to do next.
      type: str
      sample: give it a value, or leave it out
failure:
  description: Why the task failed, for programs.
  returned: failure, unless Ansible itself has refused the options
  type: dict
  contains:
    kind:
      description:
        - V(input) if an option cannot be used or a library is missing. V(refused) if what the options ask for is impossible
          or likely to do harm.
        - V(connection) if a request never reached the service. V(answer_lost) if it is unknown whether a request was carried
          out. V(unexpected_answer) if an answer is not what the API documents. V(api) if the API refused a request.
      type: str
      sample: refused
    status:
      description: The HTTP status of the answer, or V(none) if there was none.
      type: int
      sample: 503
    transient:
      description: Whether running the task again may help even if nothing is changed.
      type: bool
      sample: false
    retry_after:
      description: How many seconds the service asked to wait before the next request, or V(none) if it did not.
      type: float
      sample: 30.0
"""

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import (
    Deployments,
    check_identifier,
    select,
)
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._module import run

FILTERS = dict(
    project_id=dict(type="str"),
    labels=dict(type="list", elements="str"),
    ids=dict(type="list", elements="str"),
    type=dict(type="str", choices=["client", "server"]),
    include_archived=dict(type="bool", default=False),
)
SPEC = dict(FILTERS, include_keys=dict(type="bool", default=True), include_usage=dict(type="bool", default=False))


def act(client, params, check_mode):
    check_identifier("project_id", params["project_id"])
    found = select(Deployments(client).list(), **{option: params[option] for option in FILTERS})
    deployments = [deployment.as_result() for deployment in found]
    if params["include_usage"]:
        # Imported here since most tasks do not ask for it: see _module.
        from ansible_collections.community.amplitude.plugins.module_utils._api.flags import read_usage

        usage = read_usage(client, {deployment.project_id for deployment in found})
        for deployment in deployments:
            deployment["used_by"] = usage.as_result(deployment["id"])
    return dict(changed=False, deployments=deployments), ()


def main(waits=Waits()):
    run(SPEC, act, waits, never_blank=("labels", "ids"))


if __name__ == "__main__":
    main()
