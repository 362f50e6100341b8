# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client over TLS and through proxies: whom it trusts, which way it goes, and how long at most it waits."""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import gc
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
import trustme

from ansible_collections.community.amplitude.plugins.module_utils._api.retry import Patience
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AnswerLost,
    ApiError,
    ConnectionFailed,
    RequestFailed,
)
from ansible_collections.community.amplitude.plugins.module_utils._options import client_from
from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.support import modules
from ansible_collections.community.amplitude.tests.support.client import CALLS, KEY, PATH, SENTENCE, failure
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.support.servers import RawServer, Relay, http

SEED = dict(keys={KEY: [1]}, deployments=[dict(id=7, projectId=1, label="api", type="server")])
#: Seconds that a busy machine may take on top of a timeout.
SLACK = 1.0


def table(*rows):
    """One test for each row, whose first field is its name."""
    return [pytest.param(*row[1:-1], row[-1], id=row[0]) for row in rows]


# Servers with a certificate, and authorities to trust


@pytest.fixture(scope="module")
def authority():
    """The private authority that issues the certificates of all servers here."""
    return trustme.CA()


def tls(authority, *names, **dates):
    """What a server needs to show a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **dates).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def files(authority, tmp_path_factory):
    """A directory with the authority (good), another one (bad), both as a directory (.d), and what is none at all."""
    directory = tmp_path_factory.mktemp("authorities")
    for name, issuer in (("good", authority), ("bad", trustme.CA())):
        (directory / (name + ".d")).mkdir()
        issuer.cert_pem.write_to_path(str(directory / (name + ".pem")))
        if shutil.which("openssl"):
            command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(directory / (name + ".pem"))]
            subject_hash = subprocess.check_output(command, universal_newlines=True).strip()
            issuer.cert_pem.write_to_path(str(directory / (name + ".d") / (subject_hash + ".0")))
    (directory / "empty.pem").touch()
    (directory / "words.pem").write_text("This is no certificate.\n")
    (directory / "empty.d").mkdir()
    return directory


@pytest.fixture
def given(files):
    """Fills in the paths of the files in options and environment variables."""

    def fill_in(values):
        if any(str(value).endswith((".d", ".d/")) for value in values.values()) and not shutil.which("openssl"):
            pytest.skip("openssl is needed to name the files of a directory of authorities")
        is_file = re.compile(r".+\.(pem|d)\Z")
        return {
            name: str(files / value) if isinstance(value, str) and is_file.match(value) else value
            for name, value in values.items()
        }

    return fill_in


@pytest.fixture(scope="module")
def _secure(authority):
    with Emulator(ssl_context=tls(authority, "127.0.0.1")) as emulator:
        yield emulator


@pytest.fixture
def secure(_secure):
    """An emulator that speaks TLS, as it is after a start."""
    _secure.reset(SEED)
    return _secure


@pytest.fixture
def trusting(files):
    """The option that makes the servers here trusted."""
    return dict(ca_path=str(files / "good.pem"))


def client_to(url, **options):
    """A client as the modules make it; it retries nothing unless told to."""
    params = dict(management_api_key=KEY, base_url=url, region="us", validate_certs=True, ca_path=None)
    params.update(dict(timeout=5, retry_timeout=0), **options)
    return client_from(params)


def sleepless(client):
    """Give a client patience that passes no time; the answer is the list in which the seconds will be."""
    sleeps = []
    client.patience = Patience(10, sleeps.append)
    return sleeps


def ask_client(url, **options):
    """The error of a client that lists the deployments, or None if it gets the list."""
    with client_to(url, **options) as client:
        try:
            assert [row["id"] for row in client.get(PATH, "list the deployments")["deployments"]] == [7]
        except RequestFailed as error:
            return str(error)
    return None


def ask_module(url, **options):
    """The same for a module."""
    given = dict(dict(timeout=5, retry_timeout=0), **options)
    result = run_module("amplitude_deployment_info", management_api_key=KEY, base_url=url, **given)
    if result.get("failed"):
        assert "Traceback" not in str(result)
        return result["msg"]
    assert [row["id"] for row in result["deployments"]] == ["7"]
    return None


ASK = {"client": ask_client, "module": ask_module}
both_ways = pytest.mark.parametrize("ask", ASK.values(), ids=list(ASK))


def check(error, pattern):
    """An error has to be one sentence without a secret and match a pattern; no error is expected if that is None."""
    if pattern is None:
        assert error is None
    else:
        assert error is not None and SENTENCE.fullmatch(error) and re.search(pattern, error)
        assert KEY not in error


# Whom it trusts

NOT_TRUSTED = (
    r"the TLS certificate of https://127\.0\.0\.1:\d+ is not trusted \([\w ]+\); "
    "give the certificate of its authority with ca_path, or correct base_url"
)


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


def api(request):
    """What the API answers: OK to an edit, JSON to everything else."""
    return http("200 OK", "OK" if request.startswith(b"PATCH") else '{"deployments": []}')


def test_one_connection_serves_many_requests(authority, trusting):
    with RawServer(api, ssl_context=tls(authority, "127.0.0.1")) as server, client_to(server.url, **trusting) as client:
        for call in list(CALLS.values()) * 2:
            call(client)
        assert (server.connections, len(server.requests)) == (1, 6)


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_another_host_is_refused(secure, authority, trusting, status, verb):
    with RawServer(api, ssl_context=tls(authority, "localhost")) as other:
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
    with RawServer(api, ssl_context=tls(authority, "localhost")) as other:
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


# Which way it goes

PASSWORD = "s3cr3t@proxy"
VARIABLES = r"; check the proxy variables of the environment \(HTTPS_PROXY, NO_PROXY\)\.\Z"


def end_with_parent():
    """ansible-test runs each test in a process of its own, which ends without ending what fixtures have begun."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


@contextlib.contextmanager
def proxy(directory, *arguments):
    """The program proxy.py in a process of its own; its port."""
    port_file = directory / "port"
    command = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0", "--port-file", str(port_file)]
    command += ["--num-acceptors", "1", "--num-workers", "1", "--data-dir", str(directory)]
    with open(str(directory / "log"), "wb") as log:
        process = subprocess.Popen(
            command + list(arguments), cwd=str(directory), stdout=log, stderr=log, preexec_fn=end_with_parent
        )
    try:
        given_up = time.monotonic() + 20
        while not (port_file.exists() and port_file.read_text().strip()):
            assert process.poll() is None and time.monotonic() < given_up, (directory / "log").read_text()
            time.sleep(0.02)
        yield int(port_file.read_text())
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def open_proxy(tmp_path_factory):
    """A proxy for everybody."""
    with proxy(tmp_path_factory.mktemp("open_proxy")) as port:
        yield port


@pytest.fixture(scope="module")
def guarded_proxy(tmp_path_factory):
    """A proxy that asks for a password."""
    with proxy(tmp_path_factory.mktemp("guarded_proxy"), "--basic-auth", "user:" + PASSWORD) as port:
        yield port


@pytest.fixture(scope="module")
def tls_proxy(tmp_path_factory, authority):
    """A proxy that is itself spoken to over TLS."""
    directory = tmp_path_factory.mktemp("tls_proxy")
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(directory / "server.pem"))
    path = str(directory / "server.pem")
    with proxy(directory, "--cert-file", path, "--key-file", path) as port:
        yield port


@both_ways
@pytest.mark.parametrize(
    "environment, connections",
    table(
        ("HTTPS_PROXY", dict(HTTPS_PROXY="http://{0}"), 1),
        ("https_proxy", dict(https_proxy="http://{0}"), 1),
        ("ALL_PROXY", dict(ALL_PROXY="http://{0}"), 1),
        ("address without a scheme", dict(HTTPS_PROXY="{0}"), 1),
        ("NO_PROXY names another host", dict(HTTPS_PROXY="http://{0}", NO_PROXY="example.com"), 1),
        ("NO_PROXY names the host", dict(HTTPS_PROXY="http://{0}", NO_PROXY="example.com,127.0.0.1"), 0),
        ("NO_PROXY names the network", dict(HTTPS_PROXY="http://{0}", NO_PROXY="127.0.0.0/8"), 0),
        ("NO_PROXY names everything", dict(HTTPS_PROXY="http://{0}", NO_PROXY="*"), 0),
        ("no_proxy", dict(ALL_PROXY="http://{0}", no_proxy="127.0.0.1"), 0),
        ("HTTP_PROXY is for plain http", dict(HTTP_PROXY="http://{0}"), 0),
        ("empty HTTPS_PROXY", dict(HTTPS_PROXY=""), 0),
    ),
)
def test_way(secure, trusting, open_proxy, monkeypatch, ask, environment, connections):
    with Relay(open_proxy) as relay:
        for name, value in environment.items():
            monkeypatch.setenv(name, value.format(f"127.0.0.1:{relay.port}"))
        assert ask(secure.url, **trusting) is None
        assert relay.connections == connections
        assert relay.sent.startswith(f"CONNECT 127.0.0.1:{secure.port} ".encode() if connections else b"")
        assert KEY.encode() not in relay.sent
    assert [request["key"] for request in secure.requests()] == [KEY]


@both_ways
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_no_proxy_sees_plain_http_to_a_loopback_address(emulator, open_proxy, monkeypatch, ask, variable):
    emulator.reset(SEED)
    with Relay(open_proxy) as relay:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{relay.port}")
        assert ask(emulator.url) is None
        assert (relay.connections, relay.sent) == (0, b"")


def test_one_connection_through_a_proxy_serves_many_requests(secure, trusting, open_proxy, monkeypatch):
    with Relay(open_proxy) as relay, client_to(secure.url, **trusting) as client:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{relay.port}")
        for call in list(CALLS.values()) * 2:
            call(client)
        assert (relay.connections, len(secure.requests())) == (1, 6)


@both_ways
def test_certificate_is_verified_through_a_proxy(secure, open_proxy, monkeypatch, ask):
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{open_proxy}")
    check(ask(secure.url), NOT_TRUSTED)
    assert secure.requests() == []


@both_ways
@pytest.mark.parametrize(
    "user, error",
    table(
        ("right password", "user:s3cr3t%40proxy@", None),
        ("wrong password", "user:s3cr3t%40another@", r" \(407 Proxy Authentication Required\)" + VARIABLES),
        ("no password", "", r" \(407 Proxy Authentication Required\)" + VARIABLES),
    ),
)
def test_password_of_a_proxy(secure, trusting, guarded_proxy, monkeypatch, ask, user, error):
    monkeypatch.setenv("HTTPS_PROXY", f"http://{user}127.0.0.1:{guarded_proxy}")
    message = ask(secure.url, **trusting)
    check(message, error and "the proxy did not connect to " + re.escape(secure.url) + error)
    assert "s3cr3t" not in str(message) and str(guarded_proxy) not in str(message)
    assert len(secure.requests()) == (1 if error is None else 0)


def test_wrong_password_of_a_proxy_is_not_tried_again(secure, trusting, guarded_proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:wrong@127.0.0.1:{guarded_proxy}")
    with client_to(secure.url, **trusting) as client:
        sleeps = sleepless(client)
        failure(CALLS["GET"], client, ConnectionFailed)
    assert sleeps == []


@both_ways
def test_proxy_is_down(secure, trusting, monkeypatch, ask):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cr3t%40proxy@127.0.0.1:{port}")
        started = time.monotonic()
        message = ask(secure.url, retry_timeout=0.3, **trusting)
    check(message, "the proxy did not connect to " + re.escape(secure.url) + r" \(Connection refused\)" + VARIABLES)
    assert "s3cr3t" not in message and str(port) not in message
    assert time.monotonic() - started < 0.3 + SLACK
    assert secure.requests() == []


@both_ways
@pytest.mark.parametrize(
    "answer, error",
    table(
        ("refuses", http("403 Forbidden", "not there"), r"did not connect to \S+ \(403 Forbidden\)" + VARIABLES),
        ("finds nobody", http("502 Bad Gateway"), r"did not connect to \S+ \(502 Bad Gateway\)" + VARIABLES),
        ("echoes the password", http("400 user:s3cr3t@proxy"), "did not connect to "),
        ("is none", b"SSH-2.0-OpenSSH_9.9\r\n", ": "),
        ("hangs up", b"", ": "),
    ),
)
def test_proxy_that(secure, trusting, monkeypatch, ask, answer, error):
    with RawServer(answer, closes=True) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cr3t%40proxy@127.0.0.1:{server.port}")
        message = ask(secure.url, **trusting)
    check(message, error)
    assert "s3cr3t" not in message and str(server.port) not in message
    assert secure.requests() == []


@both_ways
@pytest.mark.parametrize(
    "address",
    ["http://", "http://[", "http://user:s3cr3t@:99999", "socks5://user:s3cr3t@127.0.0.1:1", "user:s3cr3t@host:port"],
)
def test_address_of_a_proxy_that_is_none(secure, trusting, monkeypatch, ask, address):
    monkeypatch.setenv("HTTPS_PROXY", address)
    message = ask(secure.url, **trusting)
    check(message, "proxy")
    assert "s3cr3t" not in message
    assert secure.requests() == []


@both_ways
def test_proxy_that_is_spoken_to_over_tls(secure, trusting, tls_proxy, monkeypatch, ask):
    # By a name: urllib3 1.26.5 cannot verify such a proxy that is given by its IP address.
    monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{tls_proxy}")
    assert ask(secure.url, **trusting) is None
    check(ask(secure.url), ": ")
    assert len(secure.requests()) == 1


def test_socks_proxy_is_down(secure, trusting, monkeypatch):
    """Where PySocks is installed, the way goes through it too."""
    with socket.socket() as bound, client_to(secure.url, **trusting) as client:
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTPS_PROXY", f"socks5://user:s3cr3t@127.0.0.1:{bound.getsockname()[1]}")
        error = failure(CALLS["GET"], client, ConnectionFailed)
    assert f"no connection to {secure.url} came about" in str(error) and "s3cr3t" not in str(error)
    assert secure.requests() == []


@pytest.mark.parametrize("kind", ["http", "https"])
@pytest.mark.parametrize("kept_alive", [False, True], ids=["new connection", "connection kept alive"])
@pytest.mark.parametrize("fault", ["cut", "truncate"])
def test_connection_that_breaks_off_behind_a_proxy(
    secure, trusting, open_proxy, tls_proxy, monkeypatch, kind, kept_alive, fault
):
    """What was sent through a proxy may have been carried out: urllib3 calls that an error of the proxy too."""
    monkeypatch.setenv("HTTPS_PROXY", "{0}://localhost:{1}".format(kind, open_proxy if kind == "http" else tls_proxy))
    with client_to(secure.url, retry_timeout=20, **trusting) as client:
        if kept_alive:
            CALLS["GET"](client)
        secure.forget_requests()
        secure.misbehave(action=fault, method="POST", moment="after", times=0)
        error = failure(CALLS["POST"], client, AnswerLost)
        assert error.outcome_unknown and "proxy" not in str(error)
        assert [request["committed"] for request in secure.requests()] == [True]
        for verb in ("GET", "PATCH"):
            secure.behave()
            secure.misbehave(action=fault, method=verb, moment="after")
            secure.forget_requests()
            CALLS[verb](client)
            assert [request["method"] for request in secure.requests()] == [verb, verb]


# How long at most it waits

TIMEOUT = 0.3
LONG_BODY = b'{"deployments": [' + b" " * 1000 + b"]}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(LONG_BODY)).encode() + b"\r\n"


def trickling(data):
    return [data[index : index + 1] for index in range(len(data))]


SLOW = [
    pytest.param(b"", id="nothing"),
    pytest.param(trickling(b"HTTP/1.1 200 OK" + b" " * 1000), id="status line"),
    pytest.param([HEAD] + trickling(b"X-Filler: " + b"x" * 1000), id="header"),
    pytest.param([HEAD] + [b"X-Filler: x\r\n"] * 90, id="headers"),
    pytest.param(itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), id="100 Continue"),
    pytest.param([HEAD + b"\r\n"] + trickling(LONG_BODY), id="body"),
    pytest.param([b"HTTP/1.1 200 OK\r\n\r\n"] + trickling(LONG_BODY), id="body without a length"),
    pytest.param([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"1\r\n \r\n"] * 1000, id="chunks"),
    pytest.param(
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"] + [b"X-Filler: x\r\n"] * 90,
        id="trailers",
    ),
]


@contextlib.contextmanager
def within(seconds):
    """A block has to end after so many seconds, not much sooner and not much later."""
    started = time.monotonic()
    yield
    assert seconds * 0.8 < time.monotonic() - started < seconds + SLACK


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("answer", SLOW)
def test_slow_answer(authority, trusting, scheme, answer):
    answers = itertools.chain([answer], itertools.repeat(api(b"GET")))
    context = tls(authority, "127.0.0.1") if scheme == "https" else None
    with RawServer(lambda dummy: next(answers), pause=0.02, ssl_context=context) as server:
        with client_to(server.url, timeout=TIMEOUT, **trusting) as client:
            with within(TIMEOUT):
                error = failure(CALLS["POST"], client, AnswerLost)
            assert f"the connection to {server.url} brought no whole answer within 0.3 seconds" in str(error)
            assert (error.transient, error.outcome_unknown) == (True, True)
            CALLS["GET"](client)
            assert (server.connections, len(server.requests)) == (2, 2), "the connection is not used again"


@pytest.mark.parametrize("verb", CALLS)
def test_handshake_that_never_comes(trusting, verb):
    with RawServer() as server, client_to("https:" + server.url[5:], timeout=TIMEOUT, **trusting) as client:
        with within(TIMEOUT):
            error = failure(CALLS[verb], client)
        assert "within 0.3 seconds; " in str(error) and error.transient


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_slow_answer_on_a_connection_that_was_kept(authority, trusting, scheme):
    answers = itertools.chain([api(b"GET"), SLOW[0].values[0]], itertools.repeat(api(b"GET")))
    context = tls(authority, "127.0.0.1") if scheme == "https" else None
    with RawServer(lambda dummy: next(answers), pause=0.02, ssl_context=context) as server:
        with client_to(server.url, timeout=TIMEOUT, **trusting) as client:
            CALLS["GET"](client)
            with within(TIMEOUT):
                failure(CALLS["POST"], client, AnswerLost)
            assert (server.connections, len(server.requests)) == (1, 2)


def test_slow_body_of_an_error(trusting):
    answer = [HEAD.replace(b"200 OK", b"400 Bad Request") + b"\r\n"] + trickling(LONG_BODY)
    with RawServer(answer, pause=0.02) as server, client_to(server.url, timeout=TIMEOUT) as client:
        with within(TIMEOUT):
            error = failure(CALLS["POST"], client, ApiError)
        assert error.status == 400


@both_ways
@pytest.mark.parametrize("times", [1, 0], ids=["once", "always"])
def test_slow_answer_is_asked_for_again_as_long_as_patience_lasts(secure, trusting, ask, times):
    secure.misbehave(action="trickle", seconds=0.05, times=times)
    patience = 5 if times else 0.4
    started = time.monotonic()
    error = ask(secure.url, timeout=TIMEOUT, retry_timeout=patience, **trusting)
    assert time.monotonic() - started < patience + TIMEOUT + SLACK
    check(error, None if times else "brought no whole answer within 0.3 seconds")
    assert len(secure.requests()) >= 2 or not times


@pytest.mark.parametrize(
    "kind",
    [
        "http",
        pytest.param(
            "https",
            marks=pytest.mark.xfail(
                reason="cannot hang up a connection within another one's TLS",
                raises=(AssertionError, pytest.fail.Exception),
            ),
        ),
    ],
)
def test_slow_answer_through_a_proxy(secure, trusting, open_proxy, tls_proxy, monkeypatch, kind):
    monkeypatch.setenv("HTTPS_PROXY", "{0}://127.0.0.1:{1}".format(kind, open_proxy if kind == "http" else tls_proxy))
    secure.misbehave(action="trickle", seconds=0.02)
    with client_to(secure.url, timeout=0.6, **trusting) as client, within(0.6):
        failure(CALLS["GET"], client, AnswerLost)


@pytest.mark.xfail(reason="the time until a proxy has connected is not bounded", raises=AssertionError)
def test_slow_proxy(secure, trusting, monkeypatch):
    answer = trickling(b"HTTP/1.1 200 Connection established\r\nX-Filler: " + b"x" * 50)
    with RawServer(answer, pause=0.015) as server, client_to(secure.url, timeout=TIMEOUT, **trusting) as client:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        with within(TIMEOUT):
            failure(CALLS["GET"], client)


def test_no_thread_is_left(secure, trusting):
    before = threading.active_count()
    secure.misbehave(action="delay", seconds=5)
    with client_to(secure.url, timeout=TIMEOUT, **trusting) as client:
        failure(CALLS["GET"], client, AnswerLost)
    with client_to(secure.url, **trusting) as client:
        for dummy in range(20):
            CALLS["GET"](client)
    assert len(secure.requests()) == 21
    secure.reset(SEED)
    gc.collect()  # an error refers to its pool of connections, which are closed when nothing refers to it any longer
    given_up = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < given_up:
        time.sleep(0.01)
    assert threading.active_count() <= before, threading.enumerate()
