#!/usr/bin/python
# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: amplitude_deployment
short_description: Manage a deployment of Amplitude Experiment
version_added: 0.1.0
author:
  - The community.amplitude contributors (@ansible-collections)
description:
  - Ensures that a deployment of Amplitude Experiment exists or is archived, and returns its key.
  - A deployment is identified by its O(label) in its project, or by its O(id). The API archives deployments and never
    deletes them, so an archived one is restored when it has to exist again.
  - A task that changes nothing sends one GET request per 1,000 deployments that the management API key can see. After a
    write it reads the list again, and before it archives anything it reads the flags and experiments. To manage many
    deployments at once, use M(community.amplitude.amplitude_deployments).
  - If the outcome of a write is unknown, for example after a timeout, the task finds it out from the list of deployments.
    If several runs create the same label at the same time, the deployment with the lowest ID stays. The other runs rename
    theirs to C(<label>-superseded-<id>), archive it, and give a warning.
extends_documentation_fragment:
  - community.amplitude.connection
  - community.amplitude.attributes
  - community.amplitude.deployment
  - community.amplitude.writing
options:
  project_id:
    description:
      - The ID of the project that the deployment belongs to.
    type: str
    required: true
seealso:
  - module: community.amplitude.amplitude_deployments
  - module: community.amplitude.amplitude_deployment_info
  - module: community.amplitude.amplitude_drift_info
  - plugin: community.amplitude.deployment_key
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Ensure that a server deployment exists
  community.amplitude.amplitude_deployment:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    label: checkout-api
    type: server
  register: checkout
  no_log: true

- name: Hand its key to the service
  ansible.builtin.copy:
    content: "AMPLITUDE_DEPLOYMENT_KEY={{ checkout.deployment.key }}\n"
    dest: /etc/checkout-api.env
    mode: "0600"
  no_log: true

- name: Rename a deployment, or create it if neither label exists
  community.amplitude.amplitude_deployment:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    label: storefront
    previous_label: web-shop
    type: client

- name: Rename the deployment with this ID, and restore it if it is archived
  community.amplitude.amplitude_deployment:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    id: "4711"
    label: storefront-eu

- name: Archive a deployment, or fail if it is not a client deployment
  community.amplitude.amplitude_deployment:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    label: old-app
    type: client
    state: absent

- name: Ensure that a deployment exists and serves these flags
  community.amplitude.amplitude_deployment:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    label: search-api
    type: server
    flags:
      - new-checkout
      - fast-search
    experiments:
      - button-colour

- name: Replace a deployment whose key has leaked, and archive it
  community.amplitude.amplitude_deployment:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    label: ledger-api
    replaces: "4712"
    retire: true
  register: ledger
  no_log: true

- name: Create a new deployment rather than restore an archived one whose key has leaked
  community.amplitude.amplitude_deployment:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    label: payment-api
    type: server
    restore_archived: false
"""

RETURN = r"""
deployment:
  description:
    - The deployment as it is after the task, or in check mode as it would be.
    - V(none) if O(state=absent) and there is no such deployment, or there are several archived ones.
  returned: success, and on failure after something has been written
  type: dict
  contains:
    id:
      description:
        - The ID of the deployment.
        - V(none) in check mode if the deployment would be created.
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
        - V(none) in check mode if the deployment would be created, and on failure if it was created but could not be
          read back.
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
    flags:
      description:
        - The keys of the flags that it serves after the task, sorted, without archived ones. V(none) unless O(flags) or
          O(replaces) is set.
      type: list
      elements: str
      sample:
        - new-checkout
    experiments:
      description:
        - The keys of the experiments that it serves after the task, sorted, without archived ones. V(none) unless
          O(experiments) or O(replaces) is set.
      type: list
      elements: str
changes:
  description:
    - What was written, or in check mode would be, in this order.
    - For each deployment, what it takes over from is renamed first and archived last. In between come the changes to
      the deployment itself and to what it serves.
    - A restore that also renames is two entries, although one request makes both changes.
  returned: success, and on failure after something has been written
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create), V(restore), V(rename), V(archive), V(assign) and V(unassign).
      type: str
      sample: rename
    project_id:
      description: The ID of the project.
      type: str
      sample: "123456"
    id:
      description:
        - The ID of the deployment. V(none) for V(create), and for each V(assign) of a deployment that the task creates, even
          outside check mode.
      type: str
      sample: "4711"
    label:
      description: The label of the deployment after the change.
      type: str
      sample: storefront
    previous_label:
      description: The label before a V(rename), otherwise V(none).
      type: str
      sample: web-shop
    type:
      description: The type of a deployment that V(create) creates, otherwise V(none).
      type: str
      sample: server
    flag:
      description: The key of the flag that V(assign) or V(unassign) is about, otherwise V(none).
      type: str
    experiment:
      description: The key of the experiment that V(assign) or V(unassign) is about, otherwise V(none).
      type: str
pending:
  description:
    - What was not written because of the failure, or may not have been, with the elements of RV(changes). Run the task
      again to make these changes.
  returned: on failure after something has been written
  type: list
  elements: dict
diff:
  description:
    - The managed fields before and after the task, without keys. An absent or archived deployment is V({}).
    - C(flags) and C(experiments) are included if RV(deployment) has them. With O(replaces), C(replaced) has the C(label),
      C(flags) and C(experiments) of that deployment, or is V({}) once it is archived.
  returned: success, and on failure after something has been written
  type: dict
  contains:
    before:
      description: The C(project_id), C(label) and C(type) before the task.
      type: dict
      sample: {}
    after:
      description: The C(project_id), C(label) and C(type) after the task.
      type: dict
      sample:
        project_id: "123456"
        label: checkout-api
        type: server
problems:
  description:
    - Everything that is wrong with the options, or that rules out what they ask for.
    - Nothing has been written in this case, unless somebody else changed the deployments while the task was writing.
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
      sample: "123456"
    label:
      description: The label of the deployment, or V(none) if there is none.
      type: str
      sample: checkout-api
    id:
      description: The ID of the deployment, or V(none) if it is not known.
      type: str
      sample: "4711"
    problem:
      description: What stands in the way.
      type: str
      sample: it does not exist, and type is missing
    advice:
      description: What to do next.
      type: str
      sample: set type to client or server to create it
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

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._apply.ensure import ensure
from ansible_collections.community.amplitude.plugins.module_utils._module import run
from ansible_collections.community.amplitude.plugins.module_utils._options import (
    TOGETHER,
    approval_in,
    approval_spec,
    rules_spec,
    wanted_spec,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import rules_from, wanted_one

SPEC = dict(rules_spec(), **approval_spec(), **dict(wanted_spec(), project_id=dict(type="str", required=True)))


def act(client, params, check_mode):
    approval = approval_in(params)
    outcome = ensure(Deployments(client), wanted_one(params), rules_from(params), check_mode, approval)
    return outcome.as_result(), outcome.warnings


def main(waits=Waits()):
    run(SPEC, act, waits, never_blank=("approved_changes",), **TOGETHER)


if __name__ == "__main__":
    main()
