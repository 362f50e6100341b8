# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from ansible_collections.community.amplitude.tests.emulator import Emulator

# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="module")
def _emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(_emulator):
    """An emulator as it is after a start without arguments."""
    _emulator.reset()
    return _emulator


@pytest.fixture
def connection(emulator):
    """The connection options that lead to the emulator."""
    return dict(management_api_key="management-key", base_url=emulator.url, timeout=60, retry_timeout=5)


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch):
    """What is set in the environment of the tests must not decide how they end."""
    for name in ("AMPLITUDE_MANAGEMENT_API_KEY", "AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY", "AMPLITUDE_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AMPLITUDE_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
