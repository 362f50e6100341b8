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
    - The ID of the project that the deployment belongs to, if it is not the one of the whole list.
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
      - The label of the deployment. It consists of letters, digits, C(_) and C(-), and is case-sensitive.
      - It must be text. Put labels such as V(no), V(0123) or V(12:30) in quotes, because YAML reads them as something
        else. Up to ansible-core 2.18, a template that is nothing but a variable becomes a boolean anyway if its text is
        V(True) or V(False), and becomes text if it is a number in a loop.
      - Required unless O(id) is set.
      - If O(id) is set too, the deployment with that ID is renamed to this label. With O(state=absent), the label is
        then ignored.
    type: str
  type:
    description:
      - The type of the deployment, which is required to create one.
      - The API cannot change the type of a deployment. If the key of an existing one shows another type, the task fails.
    type: str
    choices:
      client: For SDKs on users' devices. The key is public.
      server: For SDKs on servers. The key is secret.
  state:
    description:
      - The desired state of the deployment.
    type: str
    choices:
      present: The deployment exists and is not archived.
      absent: No active deployment has this O(label) or O(id). If one does, it is archived.
    default: present
  id:
    description:
      - The ID of the deployment. Use it to choose between deployments with the same label.
      - If O(state=present) and no deployment has this ID, the task fails.
      - Mutually exclusive with O(previous_label) and O(replaces).
    type: str
  previous_label:
    description:
      - A former label of the deployment.
      - If no active deployment has the O(label), but one has this label, that one is renamed. Ignored with
        O(state=absent).
    type: str
  flags:
    description:
      - The keys of the flags of the project that the deployment must serve. An empty list is a value, which matters with
        O(exclusive).
      - The deployment is assigned to the flags that it does not serve yet. If this option is not set, flags are not
        managed, and nothing is read about them.
      - If a key does not exist, is archived, or belongs to several flags, the task fails before it writes anything.
    type: list
    elements: str
  experiments:
    description:
      - The keys of the experiments of the project that the deployment must serve, in the same way as O(flags).
    type: list
    elements: str
  exclusive:
    description:
      - Whether the deployment must serve nothing else. This applies to flags if O(flags) is set, and to experiments if
        O(experiments) is set.
      - The deployment is removed from everything that is not listed, except from archived flags and experiments. If that
        would leave an enabled one without an active deployment, the task fails unless O(force=true).
    type: bool
    default: false
  replaces:
    description:
      - The ID of a deployment in the same project from which this one takes over, for example because its key has leaked.
      - The new deployment, which has a key of its own, is assigned to every flag and experiment that the old one serves.
      - If the old one has the O(label), it is renamed to C(<label>-superseded-<id>) first. If no active deployment has
        the label then, one is created, with the type of the old one unless O(type) is set. An archived deployment is
        never restored for this.
      - The option can stay in the playbook. Once everything has been taken over, nothing is changed.
      - Mutually exclusive with O(id) and O(previous_label).
    type: str
  retire:
    description:
      - Whether to archive the deployment that this one O(replaces) once this one has taken over.
      - As soon as the lists show the new deployment on everything that the old one serves, the old one is removed from all
        flags and experiments and archived. Whatever it is assigned to in the meantime is taken over too. If there is no
        end to that, nothing is archived.
      - The default deployment of a project is only retired, or renamed, with O(force=true).
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
          - The deployments that the project should have, as M(community.amplitude.amplitude_deployments) takes them.
        type: list
        elements: dict
        default: []
        suboptions: {suboptions_of("projects[].deployments", DOCUMENTATION, paragraphs=1)}
"""
