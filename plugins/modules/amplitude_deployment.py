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
options:
  project_id:
    description:
      - The ID of the project that the deployment belongs to.
    type: str
    required: true
  label:
    description:
      - The label of the deployment. It may have letters, digits, C(_) and C(-), and upper and lower case differ.
      - It must be text. Put labels such as V(no), V(0123) or V(12:30) in quotes, which YAML takes for something else. Up
        to ansible-core 2.18, a template with nothing but a variable whose text is V(True) or V(False) gives a boolean all
        the same, and one of a number in a loop arrives as text.
      - Required unless O(id) is set.
      - If O(id) is set too and O(state=present), the deployment with that O(id) is renamed to this label.
        With O(state=absent), the label of the deployment with that O(id) does not matter.
    type: str
  type:
    description:
      - The type of the deployment. Required to create one.
      - The API cannot change the type of a deployment. If the key of an existing one shows another type, the task fails.
    type: str
    choices:
      client: For SDKs on the devices of users. The key is public.
      server: For SDKs on servers. The key is secret.
  state:
    description:
      - The state that the deployment must be in.
    type: str
    choices:
      present: The deployment exists and is not archived.
      absent: No active deployment has this O(label) or O(id). An active one is archived.
    default: present
  id:
    description:
      - The ID of the deployment. It says which one is meant where several have the same label.
      - The task fails if O(state=present) and there is no deployment with this ID. Mutually exclusive with
        O(previous_label) and O(replaces).
    type: str
  previous_label:
    description:
      - A label that the deployment used to have. If no active deployment has the O(label) and one has this label, it is
        renamed.
      - Has no meaning if O(state=absent).
    type: str
  flags:
    description:
      - The keys of flags of the project that the deployment serves. It is assigned to those that lack it.
      - If this is not set, flags are not managed, and nothing is read about them. An empty list is a value. It means
        something with O(exclusive).
      - The task fails before it writes anything if a key does not exist, is archived, or belongs to several flags.
    type: list
    elements: str
  experiments:
    description:
      - The keys of experiments of the project that the deployment serves, as O(flags).
    type: list
    elements: str
  exclusive:
    description:
      - Whether the deployment serves nothing else. It is then removed from every flag and experiment that is not listed,
        of the kinds that are set.
      - Flags and experiments that are archived are never touched. Without O(force) none that is enabled is left without
        an active deployment.
    type: bool
    default: false
  replaces:
    description:
      - The ID of a deployment of the same project from which this one takes over, for example because the key of that one
        has leaked. This one gets a new key, and is assigned to every flag and experiment that the other one serves.
      - If the other one has the O(label), it is renamed to C(<label>-superseded-<id>) first. If then no active
        deployment has the label, a new one is created, with the O(type) or else that of the other one. An archived
        deployment is never restored for it.
      - It can stay in the playbook. If nothing is left to be taken over, nothing is done.
      - Mutually exclusive with O(id) and O(previous_label).
    type: str
  retire:
    description:
      - Whether the deployment that this one O(replaces) is removed from all flags and experiments and archived, as soon
        as the lists show this one on all that the other one serves.
      - What somebody assigns the other one to meanwhile is taken over too. If that does not come to an end, nothing is
        archived.
      - The default deployment of a project is only retired, or renamed, with O(force).
    type: bool
    default: false
  restore_archived:
    description:
      - Whether an archived deployment with the O(label) is restored if no active one has it.
      - If V(false), a new deployment with a new key is created instead. Use this after a key has leaked, so that the
        leaked key does not come back. If the O(id) says that an archived one is meant, the task fails.
    type: bool
    default: true
  approved_changes:
    description:
      - The only changes that may be carried out, as RV(changes) was returned in check mode. If anything else would be
        changed, the task fails before the first write, in check mode too. What is decided again while the task runs is held
        to it as well.
      - If it is not set, nothing has to be approved. If it is an empty list, nothing may be changed. It must not be blank.
      - Each entry is approved once. Compared are C(action), C(project_id), C(id), C(label), C(previous_label), C(type),
        C(flag) and C(experiment). One that is missing counts as V(none).
      - Some of them may have been carried out already, so that an interrupted task can be run again with the same approval.
        What is not needed any more is told in a warning.
      - To take back its own deployment after a lost race, a task needs no approval.
    type: list
    elements: dict
  force:
    description:
      - Whether a deployment is archived although that probably does harm.
      - Without it the default deployment of a project is not archived, on which Web Experiments and Guides depend, nor
        is a deployment that a flag or an experiment still uses. Flags and experiments that are archived themselves do
        not count.
      - If it cannot be read which flags and experiments use a deployment, it is not archived either.
      - Nor is an enabled flag or experiment left without an active deployment.
    type: bool
    default: false
notes:
  - In check mode it is not known whether the management API key may write to a project. If no deployment of it is listed,
    not even its default one, a warning says so.
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
