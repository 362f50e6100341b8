# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is waited for and how long, by a clock that only sleeping moves; and that the message tells."""

from __future__ import annotations

import re
import socket
import threading

import pytest
import requests

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits, spell
from ansible_collections.community.amplitude.tests.support.modules import run_module

pytestmark = pytest.mark.core

WEB = dict(label="web", type="client")
ASK = {
    "amplitude_deployment": dict(WEB, project_id="1"),
    "amplitude_deployments": dict(project_id="1", deployments=[WEB]),
    "amplitude_deployment_info": dict(project_id="1"),
}
WRITING = [module for module in ASK if not module.endswith("info")]
TWINS = dict(
    keys={"management-key": ["1"]},
    deployments=[
        *(dict(id=number, projectId="1", label="web", type="client") for number in (5, 6)),
        dict(id=7, projectId="1", label="api", type="server"),
    ],
)


class Clock:
    """Time that passes only while something sleeps."""

    def __init__(self):
        self.passed = 0.0
        self.waits = Waits(now=lambda: self.passed, sleep=self.sleep, chance=lambda: 1.0, requests_per_second=1e9)

    def sleep(self, seconds):
        self.passed += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def run(connection, clock):
    def run(module, check_mode=False, **options):
        given = dict(connection, retry_timeout=120, **ASK[module])
        return run_module(module, check_mode, clock.waits, **dict(given, **options))

    return run


@pytest.fixture
def hangs_up():
    """The port of a server that closes every connection at once."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                listening.accept()[0].close()
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def resolves_to(monkeypatch, number):
    def getaddrinfo(*args, **kwargs):
        raise socket.gaierror(number, "no address")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


#: What stands in the way, the least and the most seconds that are waited, and the words for it.
WAITED = {
    "a host that does not exist": (
        0,
        5,
        r"could be established \(no address\), in the last of \d+ attempts within \d seconds; check the"
        " host name in base_url",
    ),
    "nobody to ask for the host": (
        60,
        120,
        r"\(no address\), in the last of \d+ attempts within \d+ seconds; check base_url or",
    ),
    "a port of this machine where nothing listens": (
        0,
        5,
        r"\(Connection refused\), in the last of \d+ attempts within \d "
        "seconds; check base_url: nothing listens on that port of this machine",
    ),
    "https to a port of http": (
        0,
        0,
        "broke off with a TLS error before anything was sent; check the scheme and the port",
    ),
    "https to a port that hangs up": (
        0,
        5,
        r"closed before TLS was established, in the last of \d+ attempts within \d seconds; check "
        "the scheme and the port",
    ),
    "a service that is down": (
        60,
        120,
        r"answered 503 .*, in the last of \d+ attempts within \d+ seconds; run this again later",
    ),
    "a service that hangs up": (
        60,
        120,
        r"complete answer had arrived, in the last of \d+ attempts within \d+ seconds; check the net",
    ),
    "a refusal": (0, 0, r"answered 403 Forbidden \([^)]*\); give the management API key access"),
    "a SOCKS proxy without its library": (0, 0, r"PySocks is not installed; install it .* \(pip install PySocks\)"),
}


@pytest.mark.parametrize("module", ASK)
@pytest.mark.parametrize("name", WAITED)
def test_waiting_for_the_service(emulator, run, clock, monkeypatch, hangs_up, module, name):
    least, most, words = WAITED[name]
    options = {}
    if name == "a host that does not exist":
        resolves_to(monkeypatch, socket.EAI_NONAME)
        options = dict(base_url="https://nowhere.example.com")
    elif name == "nobody to ask for the host":
        resolves_to(monkeypatch, socket.EAI_AGAIN)
        options = dict(base_url="https://nowhere.example.com")
    elif name == "a port of this machine where nothing listens":
        with socket.create_server(("127.0.0.1", 0)) as bound:
            options = dict(base_url=f"http://127.0.0.1:{bound.getsockname()[1]}")
    elif name == "https to a port of http":
        options = dict(base_url=emulator.url.replace("http:", "https:"))
    elif name == "https to a port that hangs up":
        options = dict(base_url=f"https://127.0.0.1:{hangs_up}")
    elif name == "a service that hangs up":
        options = dict(base_url=f"http://127.0.0.1:{hangs_up}")
    elif name == "a SOCKS proxy without its library":

        def missing(*args, **kwargs):
            raise requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")

        monkeypatch.setattr(requests.adapters, "SOCKSProxyManager", missing)
        monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:9")
        options = dict(base_url="https://nowhere.example.com")
    emulator.misbehave(action="status", status=403 if name == "a refusal" else 503, times=0)
    result = run(module, **options)
    assert result["failed"] and re.search(words, result["msg"]), result["msg"]
    assert least <= clock.passed <= most
    told = re.search(r"within (\d+) seconds", result["msg"])
    assert (told is not None) is (clock.passed > 0)
    assert told is None or abs(int(told.group(1)) - clock.passed) <= 1
    assert (result["failure"]["kind"] == "input") is ("SOCKS" in name)


@pytest.mark.parametrize("module", WRITING)
def test_two_active_duplicates(emulator, run, clock, module):
    """A run waits whether that is a race that is about to pass, and says so; check mode says the same at once."""
    emulator.reset(TWINS)
    check = run(module, check_mode=True)
    assert clock.passed == 0 and len(emulator.requests()) == 1 and check["warnings"] == []
    real = run(module)
    assert 19 < clock.passed <= 21
    assert real["msg"] == check["msg"] and "ids 5, 6" in check["msg"]
    assert "amplitude_deployment_info with include_usage" in check["msg"]
    [warning] = real["warnings"]
    assert warning.startswith("The list was read for 20 seconds before failing, since duplicates of two runs that")
    assert real["failure"]["transient"] is check["failure"]["transient"] is True


def test_duplicates_are_not_waited_for_beside_what_cannot_pass(emulator, run, clock):
    emulator.reset(TWINS)
    for other in (dict(label="nowhere"), dict(label="a b"), dict(label="api", type="client")):
        result = run("amplitude_deployments", deployments=[WEB, other])
        assert len(result["problems"]) == 2 and clock.passed == 0 and result["warnings"] == []
        assert result["failure"]["transient"] is False


def test_duplicates_without_time_to_wait(emulator, run, clock):
    emulator.reset(TWINS)
    result = run("amplitude_deployment", retry_timeout=0)
    assert result["failed"] and clock.passed == 0 and result["warnings"] == []


@pytest.mark.parametrize("module", WRITING)
def test_a_new_deployment_that_is_not_shown(emulator, run, clock, module):
    emulator.reset(stale_lists=10**6)
    result = run(module)
    assert re.search(r"does not show it yet after 1[12]\d seconds; run this again, which finds it", result["msg"])
    assert 110 < clock.passed <= 121


@pytest.mark.parametrize("module", WRITING)
def test_a_create_whose_outcome_is_unknown(emulator, run, clock, module):
    emulator.misbehave(method="POST", action="cut", times=0)
    emulator.misbehave(method="GET", nth=6, action="status", status=403, times=0)
    result = run(module)
    assert "so it is not known whether it was carried out (the list was read for 2 seconds)" in result["msg"]
    assert result["failure"]["kind"] == "answer_lost"


@pytest.mark.parametrize("module", WRITING)
@pytest.mark.parametrize("status", [400, 403])
def test_withdrawal_that_is_refused_is_told(emulator, run, monkeypatch, module, status):
    """The own deployment has lost a race, and the API refuses every PATCH: both are active, which is said."""
    real = Deployments.create

    def create(self, project_id, label, type):
        emulator.create_deployment(projectId=project_id, label=label, type=type)
        return real(self, project_id, label, type)

    monkeypatch.setattr(Deployments, "create", create)
    emulator.misbehave(method="PATCH", action="status", status=status, times=0)
    result = run(module)
    assert result["msg"].startswith("Could not withdraw deployment 'web' (id 10002) in project 1: ")
    assert "as far as is known the deployments with the ids 10001, 10002 are all active now" in result["msg"]
    assert "amplitude_deployment_info with include_usage" in result["msg"]
    assert result["failure"] == dict(kind="api", status=status, transient=False, retry_after=None)


@pytest.mark.parametrize("module", WRITING)
def test_withdrawal_that_comes_to_nothing_is_told(emulator, run, monkeypatch, module):
    """The same with 503, which does not tell whether the PATCH was carried out; the list does."""
    real = Deployments.create

    def create(self, project_id, label, type):
        emulator.create_deployment(projectId=project_id, label=label, type=type)
        return real(self, project_id, label, type)

    monkeypatch.setattr(Deployments, "create", create)
    emulator.misbehave(method="PATCH", action="status", status=503, times=0)
    result = run(module)
    assert result["failed"] and "10001, 10002" in result["msg"]
    told = "This run tried to withdraw its own deployment with the id 10002, but the API did not carry that out."
    assert sum(told in warning for warning in result["warnings"]) == 1


@pytest.mark.parametrize(
    "seconds, text", [(0, "less than a second"), (0.4, "less than a second"), (1.2, "1 second"), (2, "2 seconds")]
)
def test_spell(seconds, text):
    assert spell(seconds) == text
