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
  - Ensures in one task that many deployments of Amplitude Experiment exist or are archived.
  - The task lists all deployments once, and again after its writes. It decides everything before the first write, so if
    one item has a mistake, nothing is written, and all mistakes are reported at once. Then it sends the writes, several
    at a time and within the rate that the API allows.
  - The rules of M(community.amplitude.amplitude_deployment) apply to each deployment, including what happens if the
    network fails or several runs write the same. If a task fails partway through, run it again. It continues from what
    it finds.
extends_documentation_fragment:
  - community.amplitude.connection
  - community.amplitude.attributes
  - community.amplitude.deployment.deployments
  - community.amplitude.writing
options:
  project_id:
    description:
      - The ID of the project that the deployments belong to.
      - Required unless every item of O(deployments) has its own.
    type: str
  deployments:
    description:
      - The desired deployments. No two of them may have the same ID, or the same label or previous label in a project.
      - Labels can be handed on. For example, V(a) can be renamed to V(b) while V(b) is renamed to V(c), since the renames
        are sent in an order that works. Labels cannot be swapped.
    type: list
    elements: dict
    required: true
  purge:
    description:
      - Whether to archive the active deployments that O(deployments) does not list. This applies to O(project_id) and to
        every project of O(deployments).
      - The default deployment of a project is never purged.
    type: bool
    default: false
  purge_limit:
    description:
      - The maximum number of deployments that O(purge) may archive in each project. If one project has more, nothing at
        all is written.
      - If this option is not set, the limit is V(10). The task also fails then rather than archive every deployment of a
        project for which O(deployments) has none that is present, for example because the list is empty.
    type: int
  include_keys:
    description:
      - Whether to return the keys of the deployments. If V(false), nothing that is returned is a secret.
    type: bool
    default: true
  concurrency:
    description:
      - The most requests that are under way at the same time, from V(1) to V(32).
      - There are never more of them than the pace needs, which is the 100 requests a second that the API allows. The default
        is enough for that where an answer takes up to 200 milliseconds.
    type: int
    default: 20
seealso:
  - module: community.amplitude.amplitude_deployment
  - module: community.amplitude.amplitude_deployment_info
  - module: community.amplitude.amplitude_drift_info
  - plugin: community.amplitude.deployment_key
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Ensure that these deployments exist, and that one does not
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

- name: Ensure that a project has these deployments and no others
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

- name: Manage what a deployment serves, and let another one take over from an old one
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
    - The deployments as they are after the task, or in check mode as they would be, in the order of O(deployments).
    - An element is V(none) if O(deployments[].state=absent) and there is no such deployment, or there are several archived
      ones. After a failure, it is also V(none) if the deployment was not created.
  returned: success, and on failure after something has been written
  type: list
  elements: dict
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
    - What was written, or in check mode would be, in this order.
    - The changes for O(deployments) come first, in the order of the items, and those for O(purge) last.
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
    - If the task is refused, what it would have written for the rest of O(deployments) and O(purge).
  returned: on failure after the first write was begun, and if the task is refused
  type: list
  elements: dict
diff:
  description:
    - The managed fields of all deployments before and after the task, without keys. Absent and archived ones are left out.
    - C(flags) and C(experiments) are included if RV(deployments) has them. With O(deployments[].replaces), C(replaced) has
      the C(label), C(flags) and C(experiments) of that deployment, or is V({}) once it is archived.
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
    - Everything that is wrong with the options, or that rules out what they ask for.
    - In the order of O(deployments), then of the purged projects. RV(ignore:msg) has a sentence for each of the first
      20.
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
    USUAL_CONCURRENCY,
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
    concurrency=dict(type="int", default=USUAL_CONCURRENCY),
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
