# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: deployment_key
short_description: Look up the keys of deployments of Amplitude Experiment
version_added: 0.1.0
author:
  - The community.amplitude contributors (@ansible-collections)
description:
  - Returns the keys of active deployments by label, for example to write them to a configuration file.
  - The deployments are listed once for all labels of a lookup.
  - If no active deployment of the project has a label, or several have it, the lookup fails.
extends_documentation_fragment:
  - community.amplitude.connection
  - community.amplitude.connection.lookup
options:
  _terms:
    description:
      - The labels of the deployments whose keys are returned. They are case-sensitive.
    type: list
    elements: str
    required: true
  project_id:
    description:
      - The ID of the project that the deployments belong to.
    type: str
    required: true
    vars:
      - name: amplitude_project_id
notes:
  - In check mode, a deployment that an earlier task would create does not exist, so looking it up fails.
  - The keys of server deployments are secrets. Use C(no_log) for tasks that show them.
  - The environment variables of the options are read on the controller. They override the configuration file, but not
    Ansible variables.
seealso:
  - module: community.amplitude.amplitude_deployment
  - module: community.amplitude.amplitude_deployment_info
"""

EXAMPLES = r"""
- name: Write the key of a deployment to the configuration of the service
  ansible.builtin.copy:
    content: |
      AMPLITUDE_DEPLOYMENT_KEY={{ lookup('community.amplitude.deployment_key', 'checkout-api', project_id='123456') }}
    dest: ./checkout-api.env
    mode: "0600"
  no_log: true

- name: Look up two keys with one request
  ansible.builtin.set_fact:
    deployment_keys: >-
      {{ query('community.amplitude.deployment_key', 'checkout-api', 'web-shop', project_id='123456') }}
  no_log: true

- name: Continue if a deployment does not exist
  ansible.builtin.debug:
    msg: >-
      {{ query('community.amplitude.deployment_key', 'beta', project_id='123456', errors='ignore') | length }} found
"""

RETURN = r"""
_raw:
  description:
    - The keys, in the order of the labels.
  type: list
  elements: str
  sample:
    - server-Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy
"""

from ansible.errors import AnsibleLookupError, AnsibleRequiredOptionError
from ansible.plugins.lookup import LookupBase

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments, check_identifier
from ansible_collections.community.amplitude.plugins.module_utils._errors import AmplitudeError, InputError
from ansible_collections.community.amplitude.plugins.module_utils._given import check_text, is_blank
from ansible_collections.community.amplitude.plugins.module_utils._options import (
    check_region,
    client_from,
    connection_from_environment,
    connection_spec,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed, active_with_key
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Wanted

OPTIONS = ("project_id", *connection_spec())
#: What is told about a required option that is not set anywhere.
MISSING = {
    "management_api_key": "module_defaults do not reach lookups: set the option, the variable amplitude_management_api_key, "
    "management_api_key in the section amplitude of ansible.cfg, or one of the environment variables "
    "AMPLITUDE_MANAGEMENT_API_KEY and AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY on the controller",
    "project_id": "module_defaults do not reach lookups: set the option, or the variable amplitude_project_id",
}


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        try:
            params, sources = self._options_from(variables or {}, kwargs)
            labels = self._flatten(terms)
            for label in labels:
                if is_blank(label):
                    raise InputError("look up the key of a deployment", "a label is blank", "give labels as text")
                check_text("a label", label)
            project_id = params["project_id"]
            check_identifier("project_id", project_id)
            wanted = [Wanted(project_id, str(label)) for label in labels]
            with client_from(params, sources=sources) as client:
                observed = Observed(Deployments(client).list())
            return [active_with_key(item, observed).key for item in wanted]
        except AmplitudeError as error:
            raise AnsibleLookupError(str(error)) from None

    def _found(self, variables, options):
        """The values of these options that are in the environment or, which wins, in variables; and where each is."""
        found = dict(connection_from_environment())
        for option in options:
            name = "amplitude_" + option
            # Ansible passes variables as they are written, with the templates in them.
            value = self._templar.template(variables[name]) if name in variables else None
            if value is not None and not is_blank(value):
                found[option] = (value, f"the variable {name}")
        return {option: found[option] for option in found if option in options}

    def _options_from(self, variables, kwargs):
        """The values of the options, and where those come from that are not given to the lookup. Blank is not set."""
        # Not left to Ansible, which would take an empty variable for a value.
        direct = {option: value for option, value in kwargs.items() if not is_blank(value)}
        found = self._found(variables, [option for option in OPTIONS if option not in direct])
        check_region(found)
        try:
            self.set_options(
                var_options={"amplitude_" + option: value for option, (value, dummy) in found.items()}, direct=direct
            )
            params = {option: self.get_option(option) for option in OPTIONS}
        except AnsibleRequiredOptionError as error:
            option = next((option for option in MISSING if option in str(error)), None)
            if option is None:
                raise
            raise InputError("look up the key of a deployment", f"{option} is not set", MISSING[option]) from None
        return params, {option: source for option, (dummy, source) in found.items()}
