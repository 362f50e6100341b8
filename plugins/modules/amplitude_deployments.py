#!/usr/bin/python
# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: amplitude_deployments
short_description: Manage many deployments of Amplitude Experiment at once
version_added: 0.1.0
author:
  - The community.amplitude contributors (@ansible-collections)
description:
  - Makes sure that many deployments of Amplitude Experiment exist, or that they do not, in one task.
  - The deployments are listed once for all of them, and again after the writes. What has to be written is decided for
    all of them before the first write, so that a mistake in one of them writes nothing, and all mistakes are told at
    once. Then the writes are sent, several at a time and below the rate that the API allows.
  - The rules are those of M(community.amplitude.amplitude_deployment), and so is what happens if the network fails or
    other runs write the same. If a task fails half-way, run it again. It goes on from what it finds.
extends_documentation_fragment:
  - community.amplitude.connection
  - community.amplitude.attributes
  - community.amplitude.deployment.deployments
  - community.amplitude.writing
options:
  project_id:
    description:
      - The ID of the project that the deployments belong to.
      - Required unless each of the O(deployments) has its own.
    type: str
  deployments:
    description:
      - The deployments. No two of them may have the same label in a project, the same previous label, or the same ID.
      - Labels can be handed on, such as from V(a) to V(b) while V(b) becomes V(c). The renames are carried out in an
        order that works. Labels cannot be swapped.
    type: list
    elements: dict
    required: true
  purge:
    description:
      - Whether the active deployments that are not listed in O(deployments) are archived, in O(project_id) and in every
        project of O(deployments).
      - The default deployment of a project is never purged.
    type: bool
    default: false
  purge_limit:
    description:
      - The number of deployments that O(purge) may archive at the most in each project. If there are more in one of them,
        nothing at all is written.
      - If it is not set, it is V(10), and the task fails instead of archiving all deployments of a project in which none
        of O(deployments) is to be present, for example because the list is empty.
    type: int
  include_keys:
    description:
      - Whether the keys of the deployments are returned. If V(false), nothing that is returned is a secret.
    type: bool
    default: true
  concurrency:
    description:
      - The number of requests that may be under way at the same time, from V(1) to V(32).
    type: int
    default: 8
seealso:
  - module: community.amplitude.amplitude_deployment
  - module: community.amplitude.amplitude_deployment_info
  - module: community.amplitude.amplitude_drift_info
  - plugin: community.amplitude.deployment_key
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Make sure that these deployments exist
  community.amplitude.amplitude_deployments:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    deployments:
      - label: checkout-api
        type: server
      - label: storefront
        previous_label: web-shop
        type: client
      - label: old-app
        state: absent

- name: Make sure that a project has these deployments and no others
  community.amplitude.amplitude_deployments:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    deployments:
      - label: checkout-api
        type: server
      - label: storefront
        type: client
    purge: true
    purge_limit: 3

- name: Say which flags and experiments deployments serve, and let one take over from another
  community.amplitude.amplitude_deployments:
    management_api_key: "{{ amplitude_management_api_key }}"
    project_id: "123456"
    deployments:
      - label: checkout-api
        flags: [new-checkout, fast-search]
        exclusive: true
      - label: storefront
        replaces: "4711"
        retire: true

- name: Manage the deployments of several projects
  community.amplitude.amplitude_deployments:
    management_api_key: "{{ amplitude_management_api_key }}"
    deployments:
      - project_id: "123456"
        label: checkout-api
        type: server
      - project_id: "123457"
        label: checkout-api
        type: server
"""

RETURN = r"""
deployments:
  description:
    - The deployments as they are after the task, or in check mode as they would be, in the order of the option
      O(deployments).
    - An element is V(none) if the deployment is to be absent and there is none, or there are several archived ones, and
      after a failure also if it has not been created.
  returned: success, and on failure after something has been written
  type: list
  elements: dict
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
        - The deployment key that SDKs use. V(none) without O(include_keys), in check mode if the deployment would be
          created, and on failure if it was created but could not be read back.
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
        - The keys of the flags that it serves after the task, sorted, without archived ones. V(none) unless
          O(deployments[].flags) or O(deployments[].replaces) is set.
      type: list
      elements: str
      sample:
        - new-checkout
    experiments:
      description:
        - The keys of the experiments that it serves after the task, sorted, without archived ones. V(none) unless
          O(deployments[].experiments) or O(deployments[].replaces) is set.
      type: list
      elements: str
changes:
  description:
    - What has been written, or in check mode would be, first for the O(deployments) in their order, then by O(purge).
    - Of each of the O(deployments), what it takes over from is renamed first and archived last. Between that are what is
      done about the deployment itself, and what it is assigned to and removed from.
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
pending:
  description:
    - What has not been written because of the failure, or is not known to have been, with the elements of RV(changes).
      Run the task again for them.
    - If the task is refused, what would be written for that which is not refused.
  returned: on failure after the first write was begun, and if the task is refused
  type: list
  elements: dict
  sample:
    - action: create
      project_id: "123456"
      id:
      label: checkout-api
      previous_label:
      type: server
      flag:
      experiment:
diff:
  description:
    - The managed fields of all deployments before and after. Absent and archived ones are left out. Keys are never part
      of it.
    - C(flags) and C(experiments) are there if they are in RV(deployments). With O(deployments[].replaces) there is also
      C(replaced), with the C(label), C(flags) and C(experiments) of that deployment, V({}) once it is archived.
  returned: success, and on failure after something has been written
  type: dict
  contains:
    before:
      description: The C(deployments), each with its C(project_id), C(label) and C(type), before the task.
      type: dict
      sample:
        deployments: []
    after:
      description: The C(deployments), each with its C(project_id), C(label) and C(type), after the task.
      type: dict
      sample:
        deployments:
          - project_id: "123456"
            label: checkout-api
            type: server
problems:
  description:
    - Everything that is wrong with what is wanted, or cannot be, in the order of the items, then of purged projects.
      RV(ignore:msg) has a sentence for each of the first 20.
    - Nothing has been written then, unless somebody else has changed the deployments while the task was writing.
  returned: if the task is refused
  type: list
  elements: dict
  contains:
    item:
      description:
        - The number of the item in O(deployments), counted from 1. V(none) for O(purge), and for the other options of the
          task.
      type: int
      sample: 2
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
from ansible_collections.community.amplitude.plugins.module_utils._apply.ensure import ensure_all
from ansible_collections.community.amplitude.plugins.module_utils._module import run
from ansible_collections.community.amplitude.plugins.module_utils._options import (
    approval_in,
    approval_spec,
    deployments_spec,
    rules_spec,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.invalid import find_invalid
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import (
    attempt,
    check_concurrency,
    purge_from,
    rules_from,
    wanted_from,
)

SPEC = dict(
    rules_spec(),
    **approval_spec(),
    project_id=dict(type="str"),
    deployments=dict(deployments_spec(), required=True),
    purge=dict(type="bool", default=False),
    purge_limit=dict(type="int"),
    include_keys=dict(type="bool", default=True),
    concurrency=dict(type="int", default=8),
)


def act(client, params, check_mode, problems=()):
    problems = list(problems)
    concurrency = attempt(problems, check_concurrency, params["concurrency"]) or 1
    wanted = wanted_from(params["deployments"], params["project_id"])
    purge = attempt(problems, purge_from, params, wanted)
    approval = attempt(problems, approval_in, params)
    outcomes = ensure_all(
        Deployments(client),
        wanted,
        rules_from(params),
        purge,
        check_mode,
        concurrency,
        find_invalid(wanted, known=problems),
        approval,
    )
    return outcomes.as_result(), outcomes.warnings


def main(waits=Waits()):
    run(SPEC, act, waits, never_blank=("approved_changes",))


if __name__ == "__main__":
    main()
