# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client over TLS: whom it trusts."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import ApiError, ConnectionFailed
from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.support import modules
from ansible_collections.community.amplitude.tests.support.client import CALLS, KEY, PATH, failure, sleepless, usual
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.support.servers import RawServer
from ansible_collections.community.amplitude.tests.support.transport import (
    NOT_TRUSTED,
    SEED,
    SLACK,
    ask_module,
    both_ways,
    check,
    client_to,
    table,
    tls,
)

pytestmark = pytest.mark.core


@both_ways
@pytest.mark.parametrize(
    "options, environment, error",
    table(
        ("no option", {}, {}, NOT_TRUSTED),
        ("ca_path, file", dict(ca_path="good.pem"), {}, None),
        ("ca_path, directory", dict(ca_path="good.d"), {}, None),
        ("ca_path of another authority, file", dict(ca_path="bad.pem"), {}, NOT_TRUSTED),
        ("ca_path of another authority, directory", dict(ca_path="bad.d"), {}, NOT_TRUSTED),
        ("ca_path, empty directory", dict(ca_path="empty.d"), {}, NOT_TRUSTED),
        ("REQUESTS_CA_BUNDLE chooses authorities", {}, dict(REQUESTS_CA_BUNDLE="good.pem"), None),
        ("REQUESTS_CA_BUNDLE may be a directory", {}, dict(REQUESTS_CA_BUNDLE="good.d"), None),
        ("REQUESTS_CA_BUNDLE of another authority", {}, dict(REQUESTS_CA_BUNDLE="bad.pem"), NOT_TRUSTED),
        ("empty REQUESTS_CA_BUNDLE does not switch verification off", {}, dict(REQUESTS_CA_BUNDLE=""), NOT_TRUSTED),
        ("CURL_CA_BUNDLE chooses authorities", {}, dict(CURL_CA_BUNDLE="good.pem"), None),
        ("CURL_CA_BUNDLE of another authority", {}, dict(CURL_CA_BUNDLE="bad.pem"), NOT_TRUSTED),
        ("empty CURL_CA_BUNDLE does not switch verification off", {}, dict(CURL_CA_BUNDLE=""), NOT_TRUSTED),
        ("ca_path wins, good", dict(ca_path="good.pem"), dict(REQUESTS_CA_BUNDLE="bad.pem"), None),
        ("ca_path wins, bad", dict(ca_path="bad.pem"), dict(REQUESTS_CA_BUNDLE="good.pem"), NOT_TRUSTED),
        ("ca_path wins over CURL_CA_BUNDLE, good", dict(ca_path="good.d"), dict(CURL_CA_BUNDLE="bad.pem"), None),
        ("ca_path wins over CURL_CA_BUNDLE, bad", dict(ca_path="bad.d"), dict(CURL_CA_BUNDLE="good.pem"), NOT_TRUSTED),
        ("ca_path wins, no such bundle", dict(ca_path="good.pem"), dict(REQUESTS_CA_BUNDLE="/nonexistent"), None),
        ("validate_certs off", dict(validate_certs=False), {}, None),
        ("off wins over ca_path", dict(validate_certs=False, ca_path="bad.pem"), {}, None),
        ("off wins over REQUESTS_CA_BUNDLE", dict(validate_certs=False), dict(REQUESTS_CA_BUNDLE="bad.pem"), None),
        ("off wins over CURL_CA_BUNDLE", dict(validate_certs=False), dict(CURL_CA_BUNDLE="bad.pem"), None),
        ("off wins, no such bundle", dict(validate_certs=False), dict(REQUESTS_CA_BUNDLE="/nonexistent"), None),
    ),
)
def test_trust(secure, monkeypatch, given, ask, options, environment, error):
    for name, value in given(environment).items():
        monkeypatch.setenv(name, value)
    check(ask(secure.url, **given(options)), error)
    assert [request["key"] for request in secure.requests()] == ([KEY] if error is None else [])


NONE_AT_ALL = [
    pytest.param(dict(ca_path="empty.pem"), {}, "ca_path"),
    pytest.param(dict(ca_path="words.pem"), {}, "ca_path"),
    pytest.param({}, dict(REQUESTS_CA_BUNDLE="words.pem"), "REQUESTS_CA_BUNDLE"),
    pytest.param({}, dict(REQUESTS_CA_BUNDLE="/nonexistent"), "REQUESTS_CA_BUNDLE"),
    pytest.param({}, dict(REQUESTS_CA_BUNDLE="false"), "REQUESTS_CA_BUNDLE"),
    pytest.param({}, dict(CURL_CA_BUNDLE="/nonexistent"), "CURL_CA_BUNDLE"),
]


@pytest.mark.parametrize("options, environment, error", NONE_AT_ALL)
def test_authorities_that_are_none(secure, monkeypatch, given, options, environment, error):
    for name, value in given(environment).items():
        monkeypatch.setenv(name, value)
    with client_to(secure.url, **given(options)) as client:
        sleeps = sleepless(client)
        problem = failure(CALLS["POST"], client, ConnectionFailed)
    assert error in str(problem)
    assert sleeps == [] and not problem.outcome_unknown, "nothing was sent, and waiting makes it no better"
    check(ask_module(secure.url, **given(options)), error)
    assert secure.requests() == []


YESTERDAY = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
WRONG_NAME = "mismatch|doesn't match|verification failed"


@both_ways
@pytest.mark.parametrize(
    "names, dates, host, reason",
    [
        pytest.param(["127.0.0.1"], dict(not_after=YESTERDAY), "127.0.0.1", "certificate has expired", id="expired"),
        pytest.param(["example.com"], {}, "127.0.0.1", WRONG_NAME, id="wrong address"),
        pytest.param(["127.0.0.1"], {}, "localhost", WRONG_NAME, id="wrong name"),
        pytest.param(["*.com"], {}, "localhost", WRONG_NAME, id="wrong wildcard"),
        pytest.param(["localhost"], {}, "localhost", None, id="right name"),
    ],
)
def test_certificate_that_does_not_fit(authority, trusting, ask, names, dates, host, reason):
    with Emulator(SEED, ssl_context=tls(authority, *names, **dates)) as emulator:
        url = f"https://{host}:{emulator.port}"
        check(
            ask(url, **trusting),
            reason and rf"the TLS certificate of {url} is not trusted \(.*({reason}).*\); .* ca_path",
        )
        assert len(emulator.requests()) == (1 if reason is None else 0)
        assert ask(url, validate_certs=False) is None


@pytest.mark.parametrize("verb", CALLS)
def test_refused_certificate_means_that_nothing_was_sent(secure, verb):
    with client_to(secure.url) as client:
        error = failure(CALLS[verb], client, ConnectionFailed)
    assert (error.transient, error.outcome_unknown) == (False, False)
    assert secure.requests() == []


# Above ansible_collections, as it is imported here: the directory itself can have another name.
COLLECTIONS = pathlib.Path(modules.__file__).parents[5]
PROGRAM = """
import json, sys
from ansible_collections.community.amplitude.tests.support.modules import run_module
json.dump(run_module("amplitude_deployment_info", **json.loads(sys.argv[1])), sys.stdout)
"""


def test_no_word_on_stderr_about_what_validate_certs_has_switched_off(secure):
    options = dict(management_api_key=KEY, base_url=secure.url, validate_certs=False)
    run = subprocess.run(
        [sys.executable, "-W", "always", "-c", PROGRAM, json.dumps(options)],
        env=dict(os.environ, PYTHONPATH=os.pathsep.join([str(COLLECTIONS)] + sys.path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        check=True,
    )
    assert [row["id"] for row in json.loads(run.stdout)["deployments"]] == ["7"]
    assert "InsecureRequestWarning" not in run.stderr and "erif" not in run.stderr


@both_ways
@pytest.mark.parametrize("said, spoken", [("https", "http"), ("http", "https")])
def test_scheme_of_base_url_is_wrong(secure, emulator, trusting, ask, said, spoken):
    server = secure if spoken == "https" else emulator
    started = time.monotonic()
    check(ask(server.url.replace(spoken + ":", said + ":"), retry_timeout=0.5, **trusting), said + "://127.0.0.1")
    assert time.monotonic() - started < 0.5 + SLACK
    assert server.requests() == []


@both_ways
@pytest.mark.parametrize("variable", ["NETRC", "HOME"])
def test_netrc_does_not_replace_the_bearer(secure, trusting, monkeypatch, tmp_path, ask, variable):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\ndefault login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv(variable, str(netrc if variable == "NETRC" else tmp_path))
    assert ask(secure.url, **trusting) is None
    assert [request["headers"]["Authorization"] for request in secure.requests()] == ["Bearer " + KEY]


def test_one_connection_serves_many_requests(authority, trusting):
    with RawServer(usual, ssl_context=tls(authority, "127.0.0.1")) as server, client_to(
        server.url, **trusting
    ) as client:
        for call in list(CALLS.values()) * 2:
            call(client)
        assert (server.connections, len(server.requests)) == (1, 6)


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_another_host_is_refused(secure, authority, trusting, status, verb):
    with RawServer(usual, ssl_context=tls(authority, "localhost")) as other:
        location = f"https://localhost:{other.port}{PATH}"
        secure.misbehave(action="redirect", status=status, headers={"Location": location}, times=0)
        with client_to(secure.url, retry_timeout=5, **trusting) as client:
            error = failure(CALLS[verb], client, ApiError)
        assert (other.connections, other.requests) == (0, [])
    assert error.status == status and "set base_url to the address of the API itself" in str(error)
    assert len(secure.requests()) == 1


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize(
    "verb, label, state", [("GET", "web", "present"), ("POST", "web", "present"), ("PATCH", "api", "absent")]
)
def test_redirect_of_a_module(secure, authority, trusting, status, verb, label, state):
    with RawServer(usual, ssl_context=tls(authority, "localhost")) as other:
        location = f"https://localhost:{other.port}{PATH}"
        secure.misbehave(action="redirect", method=verb, status=status, headers={"Location": location}, times=0)
        options = dict(
            management_api_key=KEY, base_url=secure.url, project_id="1", label=label, state=state, **trusting
        )
        result = run_module("amplitude_deployment", **(options if state == "absent" else dict(options, type="client")))
        assert (other.connections, other.requests) == (0, [])
    assert result["failed"] and not result.get("changed")
    check(result["msg"], f" answered {status} .*; set base_url to the address of the API itself")
    assert not any(request["committed"] for request in secure.requests())
