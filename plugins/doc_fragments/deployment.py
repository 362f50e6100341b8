# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that describe one deployment, and the same as suboptions of lists of deployments."""

from __future__ import annotations

import json
import re

from ansible.module_utils.common.yaml import yaml_load

PROJECT_ID = """
project_id:
  description:
    - The ID of the project that the deployment belongs to, if it is not that of the whole list.
  type: str
"""


def suboptions_of(option: str, documentation: str, paragraphs: int | None = None) -> str:
    """Documented options as suboptions of another one, and ``project_id``, in a spelling of YAML that fits on one line.

    :param paragraphs: how many there are of each description. The first one says what the option is, and is true of
        modules that only compare, too.
    """
    options = dict(yaml_load(documentation)["options"], **yaml_load(PROJECT_ID))
    for each in options.values():
        each["description"] = each["description"][:paragraphs]
    names = "|".join(options)
    return re.sub(rf"\bO\((?=(?:{names})\b)", f"O({option}[].", json.dumps(options))


class ModuleDocFragment:
    # The module amplitude_deployment adds project_id, which it requires.
    DOCUMENTATION = r"""
options:
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
"""

    # With a type, since ansible-test takes whatever is assigned without one for text that it can check as it stands.
    DEPLOYMENTS: str = f"""
options:
  deployments:
    suboptions: {suboptions_of("deployments", DOCUMENTATION)}
"""

    PROJECTS: str = f"""
options:
  projects:
    suboptions:
      project_id:
        description:
          - The ID of the project.
        type: str
        required: true
      deployments:
        description:
          - The deployments, as M(community.amplitude.amplitude_deployments) takes them.
        type: list
        elements: dict
        default: []
        suboptions: {suboptions_of("projects[].deployments", DOCUMENTATION, paragraphs=1)}
"""
