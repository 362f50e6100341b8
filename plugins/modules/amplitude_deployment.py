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
  - Makes sure that a deployment of Amplitude Experiment exists, or that it does not, and returns its key.
  - A deployment is found by its O(label) in its project, or by its O(id). Archived deployments are restored, because
    the API only ever archives; it deletes nothing.
  - A task that has nothing to change sends one GET request for each 1,000 deployments that the management API key can
    see. After a write the list is read again, and before an archiving the flags and experiments are read too. Use
    M(community.amplitude.amplitude_deployments) for many deployments at once.
  - If the outcome of a write is not known, such as after a timeout, the list of deployments decides about it. If several
    runs create the same label at the same moment, the deployment with the lowest ID stays. The other runs rename theirs
    to C(<label>-superseded-<id>), archive it, and warn.
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
- name: Make sure that a server deployment exists
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

- name: Rename a deployment, or create it if there is none with either label
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

- name: Make sure that a deployment exists and serves these flags
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

- name: Take over from a deployment whose key has leaked, and archive that
  community.amplitude.amplitude_deployment:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    label: ledger-api
    replaces: "4712"
    retire: true
  register: ledger
  no_log: true

- name: Replace an archived deployment whose key has leaked by a new one with a new key
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
    - V(none) if O(state=absent) and there is none, or there are several archived ones.
  returned: success, and on failure after something has been written
  type: dict
  contains:
    id:
      description: The ID of the deployment. In check mode V(none) if it would be created.
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
        - The deployment key that SDKs use. V(none) if the deployment would be created in check mode, and on failure if it
          was created but could not be read back.
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
    - What has been written, or in check mode would be, in this order.
    - A restore that also renames is two entries, which are carried out by one request.
    - What the deployment takes over from is renamed first and archived last. Between that are what is done about the
      deployment itself, and what it is assigned to and removed from.
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
        - The ID of the deployment. V(none) where there is none before the task, also outside check mode, that is for
          V(create) and for V(assign) of what it creates.
      type: str
      sample: "4711"
    label:
      description: The label of the deployment after this change.
      type: str
      sample: storefront
    previous_label:
      description: The label before a V(rename), otherwise V(none).
      type: str
      sample: web-shop
    type:
      description: The type of what a V(create) makes, otherwise V(none).
      type: str
      sample: server
    flag:
      description: The key of the flag for V(assign) and V(unassign), V(none) where it is an experiment.
      type: str
    experiment:
      description: The key of the experiment for V(assign) and V(unassign), V(none) where it is a flag.
      type: str
  sample:
    - action: create
      project_id: "123456"
      id:
      label: checkout-api
      previous_label:
      type: server
      flag:
      experiment:
pending:
  description:
    - What has not been written because of the failure, or is not known to have been, with the elements of RV(changes).
      Run the task again for them.
  returned: on failure after something has been written
  type: list
  elements: dict
  sample: []
diff:
  description:
    - The managed fields before and after. An absent or an archived deployment is V({}). Keys are never part of it.
    - C(flags) and C(experiments) are there if they are in RV(deployment). With O(replaces) there is also C(replaced),
      with the C(label), C(flags) and C(experiments) of that deployment, V({}) once it is archived.
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
    - Everything that is wrong with what is wanted, or cannot be, with the elements that
      M(community.amplitude.amplitude_deployments) returns. It is mostly one.
    - Nothing has been written then, unless somebody else has changed the deployments while the task was writing.
  returned: if the task is refused
  type: list
  elements: dict
  contains:
    item:
      description: Always V(none) here. M(community.amplitude.amplitude_deployments) numbers its items.
      type: int
      sample: null
    project_id:
      description: The ID of the project, or V(none) where no project is concerned.
      type: str
      sample: "123456"
    label:
      description: The label of the deployment as far as there is one.
      type: str
      sample: checkout-api
    id:
      description: The ID of the deployment as far as there is one.
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
  description: Why the task has failed, for programs.
  returned: failure, unless Ansible itself has refused the options
  type: dict
  contains:
    kind:
      description:
        - V(input) if an option cannot be used or a library is missing, V(refused) if what is wanted cannot be or is
          guarded.
        - V(connection) if a request was not carried to the service, V(answer_lost) if it is not known what became of it,
          V(unexpected_answer) if the answer is not what the API documents, V(api) if the API has refused it.
      type: str
      sample: refused
    status:
      description: The HTTP status of the answer, V(none) if there was none.
      type: int
      sample: 503
    transient:
      description: Whether running the task again can help without anything being changed.
      type: bool
      sample: false
    retry_after:
      description: The seconds after which the service has asked to be called again, otherwise V(none).
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
