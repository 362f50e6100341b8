# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api import client as api_client
from ansible_collections.community.amplitude.plugins.module_utils._apply import ensure
from ansible_collections.community.amplitude.tests.emulator import Emulator

#: Seconds, instead of those in which a real service is given time.
IMPATIENT = dict(
    FIRST_LOOK=0.005, LONGEST_LOOK=0.05, LIST_LAG=0.05, RIVALS_WITHDRAW=0.1, RACES_SETTLE=0.05, EDIT_SHOWS=0.5
)


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
    return dict(management_api_key="management-key", base_url=emulator.url, timeout=5, retry_timeout=5)


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch):
    """What is set in the environment of the tests must not decide how they end."""
    for name in ("AMPLITUDE_MANAGEMENT_API_KEY", "AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY", "AMPLITUDE_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AMPLITUDE_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Wait for the list as if the service was a thousand times quicker, as the emulator is."""
    for name, seconds in IMPATIENT.items():
        monkeypatch.setattr(ensure, name, seconds)
    monkeypatch.setattr(api_client, "REQUESTS_PER_SECOND", 10000)
