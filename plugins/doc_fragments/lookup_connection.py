# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - requests (on the controller)
options:
  management_api_key:
    description:
      - The management API key of Amplitude Experiment. It is not the API key of a project, nor a deployment key.
    type: str
    required: true
    env:
      - name: AMPLITUDE_MANAGEMENT_API_KEY
      - name: AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY
    ini:
      - section: amplitude
        key: management_api_key
    vars:
      - name: amplitude_management_api_key
  region:
    description:
      - The data region of the Amplitude organisation, which chooses the address of the API.
    type: str
    choices:
      us: U(https://experiment.amplitude.com)
      eu: U(https://experiment.eu.amplitude.com)
    default: us
    env:
      - name: AMPLITUDE_REGION
    ini:
      - section: amplitude
        key: region
    vars:
      - name: amplitude_region
  base_url:
    description:
      - The address of the API, if it is not one of those that O(region) stands for. It overrides O(region).
      - Plain C(http) is accepted for a loopback address only.
    type: str
    env:
      - name: AMPLITUDE_BASE_URL
    ini:
      - section: amplitude
        key: base_url
    vars:
      - name: amplitude_base_url
  validate_certs:
    description:
      - Whether the TLS certificate of the API is verified.
      - Setting this to V(false) lets anybody on the network read the management API key.
    type: bool
    default: true
    ini:
      - section: amplitude
        key: validate_certs
    vars:
      - name: amplitude_validate_certs
  ca_path:
    description:
      - The path of a file or directory with the certificates of the authorities to trust, on the controller.
    type: path
    ini:
      - section: amplitude
        key: ca_path
    vars:
      - name: amplitude_ca_path
  timeout:
    description:
      - The seconds that one request may take.
    type: float
    default: 30
    ini:
      - section: amplitude
        key: timeout
    vars:
      - name: amplitude_timeout
  retry_timeout:
    description:
      - The seconds that may be spent in all with waiting and retrying. V(0) means that nothing is ever retried.
    type: float
    default: 120
    ini:
      - section: amplitude
        key: retry_timeout
    vars:
      - name: amplitude_retry_timeout
"""
