# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - requests >= 2.25.1
options:
  management_api_key:
    description:
      - The management API key of Amplitude Experiment, which is neither the API key of a project nor a deployment key.
      - If this option is not set, the environment variable E(AMPLITUDE_MANAGEMENT_API_KEY) is used, or else
        E(AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY). Both are read where the module or lookup runs. An empty variable
        counts as not set.
      - A key of fewer than 8 characters is refused.
    type: str
    required: true
  region:
    description:
      - The data region of the Amplitude organisation, which determines the address of the API.
      - If this option is not set, the environment variable E(AMPLITUDE_REGION) is used.
    type: str
    choices:
      us: U(https://experiment.amplitude.com)
      eu: U(https://experiment.eu.amplitude.com)
    default: us
  base_url:
    description:
      - The address of the API, if it is not that of a O(region). It overrides O(region).
      - Plain C(http) is accepted only for a loopback address.
      - If this option is not set, the environment variable E(AMPLITUDE_BASE_URL) is used.
    type: str
  validate_certs:
    description:
      - Whether to verify the TLS certificate of the API.
      - If V(false), anybody on the network can read the management API key.
    type: bool
    default: true
  ca_path:
    description:
      - The path of a file or directory with the certificates of trusted authorities, on the host where the module or
        lookup runs. It overrides the environment variable E(REQUESTS_CA_BUNDLE), and is ignored if
        O(validate_certs=false).
    type: path
  timeout:
    description:
      - The number of seconds that one request may take, from 0.001 to 86400. The time that a proxy takes to connect is
        not included.
    type: float
    default: 30
  retry_timeout:
    description:
      - The number of seconds that one task may spend on waiting and retrying, from 0 to 86400. A request that starts
        within this time may still take its O(timeout).
      - If V(0), the task never retries and never waits. If it creates a deployment that the list shows only a moment
        later, it then fails although the deployment exists. In this case, run it again.
      - A host name that does not exist, or a port of this machine where nothing listens, is tried for 5 seconds at most.
      - Too many requests (status 429) and refused connections are always retried. Server errors, timeouts and broken
        connections are retried only where that cannot create a second deployment.
    type: float
    default: 120
seealso:
  - name: Troubleshooting by error message
    description: What the error messages mean.
    link: https://github.com/ansible-collections/community.amplitude/blob/main/docs/docsite/rst/troubleshooting.rst
  - name: When the network or the service fails
    description: What happens when the network or the service fails, or when several runs write the same.
    link: https://github.com/ansible-collections/community.amplitude/blob/main/docs/docsite/rst/faults.rst
  - name: Deployment endpoints of the Experiment Management API
    description: The API that this collection uses.
    link: https://amplitude.com/docs/apis/experiment/experiment-management-api-deployments
notes:
  - An option that is null or an empty string counts as not set. V(false), V(0) and an empty list are values.
  - Proxies are taken from the usual environment variables, such as E(HTTPS_PROXY) and E(NO_PROXY). Redirects are not
    followed, and C(.netrc) files are not used.
"""

    # What a lookup adds: where else its options come from.
    LOOKUP = r"""
options:
  management_api_key:
    ini:
      - section: amplitude
        key: management_api_key
    vars:
      - name: amplitude_management_api_key
  region:
    ini:
      - section: amplitude
        key: region
    vars:
      - name: amplitude_region
  base_url:
    ini:
      - section: amplitude
        key: base_url
    vars:
      - name: amplitude_base_url
  validate_certs:
    ini:
      - section: amplitude
        key: validate_certs
    vars:
      - name: amplitude_validate_certs
  ca_path:
    ini:
      - section: amplitude
        key: ca_path
    vars:
      - name: amplitude_ca_path
  timeout:
    ini:
      - section: amplitude
        key: timeout
    vars:
      - name: amplitude_timeout
  retry_timeout:
    ini:
      - section: amplitude
        key: retry_timeout
    vars:
      - name: amplitude_retry_timeout
"""
