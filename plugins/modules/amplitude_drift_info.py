#!/usr/bin/python
# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: amplitude_drift_info
short_description: Report how deployments of Amplitude Experiment differ from the desired state
version_added: 0.1.0
author:
  - The community.amplitude contributors (@ansible-collections)
description:
  - Compares the deployments of projects with the desired state, and reports every difference, including those that
    M(community.amplitude.amplitude_deployments) would refuse to repair.
  - Drift is whatever M(community.amplitude.amplitude_deployments) with
    O(community.amplitude.amplitude_deployments#module:purge=true) would change or refuse.
  - The flags and experiments of a project are read only if one of its deployments lists what it serves, replaces another
    one or has to be archived, or if O(include_usage=true).
  - No key is returned. The playbook C(community.amplitude.audit) turns the result into reports.
extends_documentation_fragment:
  - community.amplitude.connection
  - community.amplitude.attributes
  - community.amplitude.attributes.info
  - community.amplitude.deployment.projects
options:
  projects:
    description:
      - The projects to compare, each with the deployments that it should have.
    type: list
    elements: dict
    required: true
  ignore_projects:
    description:
      - The IDs of unmanaged projects that RV(other_projects) leaves out.
    type: list
    elements: str
    default: []
  restore_archived:
    description:
      - The value to assume for O(community.amplitude.amplitude_deployments#module:restore_archived).
    type: bool
    default: true
  include_usage:
    description:
      - Whether to report which deployments no flag and no experiment uses.
      - This takes at least four more requests per project.
    type: bool
    default: false
seealso:
  - module: community.amplitude.amplitude_deployments
  - module: community.amplitude.amplitude_deployment_info
"""

EXAMPLES = r"""
- name: Compare two projects with the desired state
  community.amplitude.amplitude_drift_info:
    management_api_key: "{{ amplitude_management_api_key }}"
    projects:
      - project_id: "123456"
        deployments:
          - label: web-shop
            type: client
          - label: checkout-api
            type: server
      - project_id: "123457"
        deployments: []
    include_usage: true
  register: result

- name: Show what differs
  ansible.builtin.debug:
    msg: "{{ item.label }}: {{ item.drift }}, {{ item.detail }}"
  loop: "{{ result.deployments | rejectattr('drift', 'none') }}"
  loop_control:
    label: "{{ item.label }}"
"""

RETURN = r"""
deployments:
  description:
    - The deployments that O(projects) lists, those that they replace while these are active, and the other active
      deployments of these projects, sorted by project and label.
  returned: success
  type: list
  elements: dict
  contains:
    project_id:
      description: The ID of the project.
      type: str
      sample: "123456"
    label:
      description: The label that it should have.
      type: str
      sample: checkout-api
    id:
      description: The ID of the deployment. If there is none or several, the ID that O(projects) lists, or V(none).
      type: str
      sample: "4711"
    type:
      description:
        - V(client) or V(server), or V(none) if the key does not show it.
        - If there is no deployment or several, the type that O(projects) lists, or V(none).
      type: str
      sample: server
    deleted:
      description: Whether it is archived, or V(none) if there is none or several.
      type: bool
      sample: true
    listed:
      description: Whether O(projects) lists it, or it is replaced by one that is listed.
      type: bool
      sample: true
    default:
      description: Whether it is the default deployment of the project, which need not be listed.
      type: bool
      sample: false
    drift:
      description:
        - The kind of drift, which is the first of these that applies. V(none) if the deployment is as it should be.
        - V(missing) if it does not exist.
        - V(archived) if it is archived although it should be present.
        - V(renamed) if it has another label.
        - V(type) if it has another type, which cannot be changed.
        - V(duplicate) if several deployments have its label, so it is unclear which one is meant.
        - V(conflict) if something else stands in the way, such as a flag that does not exist.
        - V(active) if it is active although it should be absent.
        - V(replaced) if it has not taken over everything from the deployment that it replaces, or if that one has its
          label, or should be retired and is not. Otherwise that one may stay active.
        - V(unassigned) if it does not serve a flag or an experiment that is listed for it.
        - V(assigned) if it serves something that is not listed, although the list is exclusive.
        - V(unlisted) if it is active and not listed.
      type: str
      sample: archived
    detail:
      description:
        - Everything that is wrong with it in words, with the first 20 keys of flags and experiments. V(none) if nothing
          is wrong.
      type: str
      sample: it is archived instead of active
    changes:
      description:
        - What M(community.amplitude.amplitude_deployments) would change about it, about what it serves and about what it
          replaces, with the elements of RV(community.amplitude.amplitude_deployments#module:changes).
        - Empty if the module would refuse, or would change it only with
          O(community.amplitude.amplitude_deployments#module:purge), that is if it is not listed.
      type: list
      elements: dict
      sample:
        - action: restore
          project_id: "123456"
          id: "4711"
          label: checkout-api
          previous_label:
          type:
          flag:
          experiment:
    unused:
      description:
        - Whether no active flag and no active experiment uses it, which is not drift.
        - V(none) if O(include_usage=false), and for a deployment that is archived, missing or a default one.
      type: bool
      sample: false
other_projects:
  description:
    - The projects that the management API key covers, but that neither O(projects) nor O(ignore_projects) lists, sorted.
      They are not drift.
    - A project is known only by its deployments. Every project has a default deployment.
  returned: success
  type: list
  elements: dict
  contains:
    project_id:
      description: The ID of the project.
      type: str
      sample: "123458"
    active:
      description: The number of its active deployments, including the default one.
      type: int
      sample: 4
    archived:
      description: The number of its archived deployments.
      type: int
      sample: 1
summary:
  description: The numbers of deployments.
  returned: success
  type: dict
  contains:
    total:
      description: The number of RV(deployments).
      type: int
      sample: 12
    drift:
      description: How many of them have drifted.
      type: int
      sample: 1
    kinds:
      description: How many of them have each kind of RV(deployments[].drift).
      type: dict
      sample:
        missing: 0
        archived: 1
        renamed: 0
        type: 0
        duplicate: 0
        conflict: 0
        active: 0
        replaced: 0
        unassigned: 0
        assigned: 0
        unlisted: 0
    unused:
      description: How many of them are known to be unused.
      type: int
      sample: 0
    projects:
      description: The same numbers for each project, with its C(project_id).
      type: list
      elements: dict
      sample:
        - project_id: "123456"
          total: 12
          drift: 1
          kinds:
            missing: 0
            archived: 1
            renamed: 0
            type: 0
            duplicate: 0
            conflict: 0
            active: 0
            replaced: 0
            unassigned: 0
            assigned: 0
            unlisted: 0
          unused: 0
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
      sample: items 1 and 2 have the same label 'checkout-api' in project 123456
    advice:
      description: What to do next.
      type: str
      sample: leave one of them out
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
    KINDS,
    Deployments,
    check_identifier,
    order_of_id,
)
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Usage, reader
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._errors import refusal
from ansible_collections.community.amplitude.plugins.module_utils._module import run
from ansible_collections.community.amplitude.plugins.module_utils._options import deployments_spec
from ansible_collections.community.amplitude.plugins.module_utils._plan.drift import (
    find_drift,
    other_projects,
    summary_of,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.invalid import find_invalid
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import (
    Rules,
    attempt,
    wanted_from,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.whole import read_all

SPEC = dict(
    projects=dict(
        type="list",
        elements="dict",
        required=True,
        options=dict(
            project_id=dict(type="str", required=True),
            deployments=dict(deployments_spec(), default=[]),
        ),
    ),
    ignore_projects=dict(type="list", elements="str", default=[]),
    restore_archived=dict(type="bool", default=True),
    include_usage=dict(type="bool", default=False),
)


def act(client, params, check_mode, problems=()):
    if problems:
        raise refusal(problems)
    problems = []
    projects = params["projects"]
    wanted = [item for each in projects for item in wanted_from(each["deployments"], each["project_id"])]
    numbers = [number for each in projects for number in range(1, len(each["deployments"]) + 1)]
    project_ids = {each["project_id"] for each in projects} | {item.project_id for item in wanted}
    for project_id in sorted(project_ids, key=order_of_id):
        attempt(problems, check_identifier, "project_id", project_id)
    for project_id in params["ignore_projects"]:
        attempt(problems, check_identifier, "ignore_projects", project_id)
    problems += find_invalid(wanted, numbers).problems
    if problems:
        raise refusal(problems)
    observed = Observed(Deployments(client).list())
    read = reader(client)
    usage = None
    if params["include_usage"]:
        usage = Usage(read_all({project_id: KINDS for project_id in project_ids}, read))
    rules = Rules(restore_archived=params["restore_archived"])
    rows = find_drift(wanted, project_ids, observed, rules, read, usage)
    result = dict(
        changed=False,
        deployments=[dict(row._asdict()) for row in rows],
        summary=summary_of(rows, project_ids),
        other_projects=other_projects(observed, {*project_ids, *params["ignore_projects"]}),
    )
    return result, observed.warnings_about(project_ids)


def main(waits=Waits()):
    run(SPEC, act, waits)


if __name__ == "__main__":
    main()
