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
  - Lists the deployments that the management API key can see, filtered by the options.
  - A deployment is returned if it passes all the filters. A filter that is not set lets everything pass, one that is an
    empty list lets nothing pass. O(labels) and O(ids) must not be given and blank.
extends_documentation_fragment:
  - community.amplitude.connection
  - community.amplitude.attributes
  - community.amplitude.attributes.info
options:
  project_id:
    description:
      - Only the deployments of the project with this ID.
    type: str
  labels:
    description:
      - Only the deployments with one of these labels, upper and lower case being different. They must be text.
    type: list
    elements: str
  ids:
    description:
      - Only the deployments with one of these IDs.
    type: list
    elements: str
  type:
    description:
      - Only the deployments whose key shows this type.
    type: str
    choices:
      client: For SDKs on the devices of users. The key is public.
      server: For SDKs on servers. The key is secret.
  include_archived:
    description:
      - Whether archived deployments are returned too.
    type: bool
    default: false
  include_keys:
    description:
      - Whether the keys of the deployments are returned. If V(false), nothing that is returned is a secret.
    type: bool
    default: true
  include_usage:
    description:
      - Whether the flags and experiments that use a deployment are returned with it.
      - This takes at least four more requests for each project.
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
    - The deployments that pass the filters, sorted by project, label and ID. Empty if there are none.
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
        - The deployment key that SDKs use. V(none) without O(include_keys).
        - The key of a server deployment is a secret. Use C(no_log) for tasks that show it.
      type: str
      sample: server-Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy
    type:
      description: V(client) or V(server), known from the key, or V(none) if the key does not tell.
      type: str
      sample: server
    deleted:
      description: Whether it is archived.
      type: bool
      sample: false
    used_by:
      description: The flags and experiments that use it, those that are archived last.
      type: dict
      returned: O(include_usage=true)
      contains:
        flags:
          description: The flags, each with its C(id), C(key) and C(name), and whether it is C(enabled) and C(archived).
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
