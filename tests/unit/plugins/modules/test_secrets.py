# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""No error and no warning tells a secret, whatever a service, a proxy or a library puts into its words.

Ansible itself replaces the management key in most of what a module returns, but not in warnings, and not in what a
module crashes with. So what counts here is what the modules hand to Ansible, and the tracebacks that it can show.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import traceback
from urllib.parse import quote

import pytest
import requests
import urllib3
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.community.amplitude.plugins.module_utils._api import client as api_client
from ansible_collections.community.amplitude.plugins.module_utils._api import quotes
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._errors import ConnectionFailed, RequestFailed
from ansible_collections.community.amplitude.tests.support.canaries import canary, without_documented_keys
from ansible_collections.community.amplitude.tests.support.clocks import late_answers
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.unit.plugins.modules import test_bad_input as bad_input

pytestmark = pytest.mark.core

HEART_OF_MANAGEMENT_KEY = canary()
MANAGEMENT_KEY = "key+/" + HEART_OF_MANAGEMENT_KEY + "=="
PASSWORD = canary("password-")
SECRETS = {
    "management key": MANAGEMENT_KEY,
    "client key": canary("client-"),
    "server key": canary("server-"),
    "default deployment's key": canary(),
}
SEED = dict(
    keys={MANAGEMENT_KEY: [1]},
    deployments=[
        dict(id=number, projectId=1, label=f"label-{number}", key=SECRETS[name])
        for number, name in enumerate(["default deployment's key", "client key", "server key"], 1)
    ],
)

EACH_SECRET = pytest.mark.parametrize(
    "secret",
    SECRETS,
)

LIST = ("amplitude_deployment_info", dict())
CREATE = ("amplitude_deployment", dict(project_id="1", label="new", type="client"))
EDIT = ("amplitude_deployment", dict(project_id="1", id="2", label="new"))
ARCHIVE = ("amplitude_deployment", dict(project_id="1", id="2", state="absent", force=True))

#: What the body of an answer can make of a secret, which is written as @ here.
ECHOES = {
    "header": "Bad request: Authorization: Bearer @",
    "scheme and key": "Bearer @ is not valid",
    "JSON": '{"error": "the key @ is not valid"}',
    "nested JSON": '{"error": {"code": 400, "message": "the key @ is not valid"}}',
    "list of errors in JSON": '{"errors": [{"detail": "the key @ is not valid"}]}',
    "request in JSON": '{"request": {"headers": {"Authorization": "Bearer @"}}}',
    "JSON in JSON": r'{"message": "{\"authorization\": \"Bearer @\"}"}',
    "half of the JSON": '{"deployments": [{"id": 1, "projectId": 1, "label": "web", "key": "@", "dele',
    "HTML title": "<html><head><title>@ is not valid</title></head></html>",
    "HTML text": "<html><body><h1>400</h1><pre>Authorization: Bearer @</pre></body></html>",
    "HTML link": '<p>Go to <a href="/login?key=@">/login?key=@</a></p>',
    "address": "no such page: /sdk/v2/flags?deployment_key=@&limit=1",
    "at the end of what is quoted": "." * 180 + " @",
    "in an address that is quoted": "/login%3Fkey%3D@",
}
STATUSES = [301, 302, 400, 401, 403, 404, 409, 418, 429, 500, 503]
#: What is asked, and the request that gets a bad answer.
MOMENTS = {
    "list": (LIST, dict(method="GET")),
    "list before a write": (CREATE, dict(method="GET")),
    "second page": (LIST, dict(method="GET", nth=2)),
    "create": (CREATE, dict(method="POST")),
    "read back what was created": (CREATE, dict(method="GET", nth=3)),
    "edit": (EDIT, dict(method="PATCH")),
    "read back what was edited": (EDIT, dict(method="GET", nth=3)),
    "read back what was archived": (ARCHIVE, dict(method="GET", nth=3)),
}
BAD_INPUT = bad_input.BAD_CONNECTIONS + bad_input.BAD_DEPLOYMENTS + bad_input.BAD_WISHES
#: Where @ is a password, {0} the emulator and {1} a host name that is too long.
PROXIES = {
    "that is not there": "http://user:@@127.0.0.1:1",
    "that refuses": "http://user:@@{0}",
    "that speaks no TLS": "https://user:@@{0}",
    "without a scheme": "user:@@127.0.0.1:1",
    "with a bracket too few": "http://user:@@[::1",
    "with a word for a port": "http://user:@@127.0.0.1:port",
    "with a port that is too high": "http://user:@@127.0.0.1:99999",
    "with a host that has a space": "http://user:@@exa mple:1",
    "with a host that is too long": "http://user:@@{1}:1",
    "whose password has a slash": "http://user:/@@127.0.0.1:1",
    "whose password has a letter beyond Latin-1": "http://user:\u20ac@@127.0.0.1:1",
    "whose password is the host": "http://@",
    "of a scheme that is unknown": "ftp://user:@@127.0.0.1:1",
    "of SOCKS without its library": "socks5://user:@@127.0.0.1:1",
    "of SOCKS without a version": "socks://user:@@127.0.0.1:1",
    "without a host": "http://user:@@",
}
#: What libraries can raise with a header or an address in it.
EXCEPTIONS = {
    "a header": lambda words: ValueError(f"Invalid header value {words.encode()!r}"),
    "an encoding": lambda words: UnicodeEncodeError("latin-1", words, 0, 1, words),
    "a status line": lambda words: connection_error(http.client.BadStatusLine(words)),
    "a header, by requests": requests.exceptions.InvalidHeader,
    "an address": requests.exceptions.InvalidURL,
    "a connection": lambda words: connection_error(ConnectionResetError(words)),
    "a proxy": requests.exceptions.ProxyError,
    "TLS": requests.exceptions.SSLError,
    "a timeout": requests.exceptions.ReadTimeout,
    "an encoding of a body": requests.exceptions.ContentDecodingError,
    "the end of a body": requests.exceptions.ChunkedEncodingError,
    "an address, by urllib3": urllib3.exceptions.LocationParseError,
    "a protocol": urllib3.exceptions.ProtocolError,
    "the system": OSError,
}


def connection_error(cause):
    return requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", cause))


@pytest.fixture(autouse=True)
def _seed(emulator):
    emulator.reset(SEED, max_page_size=2)


@pytest.fixture
def told(monkeypatch, capsys):
    """All that the modules have told Ansible and anybody else, without documented keys, as a function."""
    words = []

    def listen(name):
        tell = getattr(AnsibleModule, name)

        def listening(self, *args, **kwargs):
            words.append(json.dumps([args, kwargs], ensure_ascii=False))
            words.append(traceback.format_exc())
            return tell(self, *args, **kwargs)

        monkeypatch.setattr(AnsibleModule, name, listening)

    for name in ("exit_json", "fail_json", "warn", "deprecate", "log"):
        listen(name)
    return lambda: without_documented_keys("\n".join(words)) + capsys.readouterr().err


def run(connection, ask, **options):
    module, given = ask
    options = dict(management_api_key=MANAGEMENT_KEY, retry_timeout=0, **given, **options)
    return run_module(module, **dict(connection, **options))


def rest(result):
    return without_documented_keys(json.dumps(result, ensure_ascii=False))


@EACH_SECRET
@pytest.mark.parametrize("echo", ECHOES)
def test_echo(emulator, connection, told, echo, secret):
    emulator.misbehave(action="status", status=400, body=ECHOES[echo].replace("@", SECRETS[secret]))
    result = run(connection, LIST)
    assert "answered 400 Bad Request" in result["msg"] and "***" in result["msg"]
    assert SECRETS[secret] not in told() + rest(result)


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(quote(MANAGEMENT_KEY, safe=""), id="in an address"),
        pytest.param(MANAGEMENT_KEY.replace("/", r"\/"), id="with the escapes of JSON"),
        pytest.param(re.sub("[+/=]", lambda sign: f"&#{ord(sign.group())};", MANAGEMENT_KEY),
                     id="with the escapes of HTML"),
    ],
)  # fmt: skip
def test_echo_in_another_spelling(emulator, connection, told, spelling):
    emulator.misbehave(action="status", status=400, body=f"<p>Bearer {spelling} is not valid")
    result = run(connection, LIST)
    assert "answered 400 Bad Request" in result["msg"]
    assert HEART_OF_MANAGEMENT_KEY not in told() + rest(result)


@pytest.mark.parametrize("status", [200, 400])
def test_echo_at_the_end_of_what_is_read(emulator, connection, told, status):
    """The body is as long as its beginning that is searched for a message, but for the last character of the key."""
    words = "<style>{0}</style>Authorization: Bearer " + MANAGEMENT_KEY
    padding = "." * (quotes.LONGEST_MESSAGE + 1 - len(words.format("")))
    emulator.misbehave(action="status", status=status, body=words.format(padding))
    result = run(connection, LIST)
    assert result["failed"]
    assert HEART_OF_MANAGEMENT_KEY not in told() + rest(result)


def test_echo_in_two_chunks(connection, told):
    words = ("Authorization: Bearer " + MANAGEMENT_KEY).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (words[:-1], words[-1:], b""))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            with server.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

        thread = threading.Thread(target=answer)
        thread.start()
        result = run(connection, LIST, base_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert "answered 400 Bad Request" in result["msg"]
    assert HEART_OF_MANAGEMENT_KEY not in told() + rest(result)


@EACH_SECRET
@pytest.mark.parametrize("status", STATUSES)
def test_status(emulator, connection, told, status, secret):
    words = "/login?key=" + SECRETS[secret]
    emulator.misbehave(action="status", status=status, body=words, headers={"Location": words, "Retry-After": words})
    result = run(connection, LIST)
    assert f"answered {status} " in result["msg"] and "***" in result["msg"]
    assert SECRETS[secret] not in told() + rest(result)


@EACH_SECRET
@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("moment", MOMENTS)
def test_moment(emulator, connection, told, moment, status, secret):
    ask, fault = MOMENTS[moment]
    emulator.misbehave(action="status", status=status, body="see /login?key=" + SECRETS[secret], times=0, **fault)
    result = run(connection, ask)
    if moment == "read back what was archived":
        assert result["changed"] and "***" in result["warnings"][0]
    else:
        assert result["failed"] and "***" in result["msg"]
    assert SECRETS[secret] not in told() + rest(result)


@pytest.mark.parametrize("options", [pytest.param(row[1], id=row[0]) for row in BAD_INPUT])
def test_bad_input(emulator, connection, told, options):
    emulator.reset(dict(bad_input.SEED, keys={MANAGEMENT_KEY: [1, 2]}))
    connection.update(management_api_key=MANAGEMENT_KEY)
    result = bad_input.run("amplitude_deployment", connection, **options)
    assert result["failed"]
    words = told() + rest(result)
    for secret in [MANAGEMENT_KEY, "k3y"] + [deployment["key"] for deployment in emulator.deployments()]:
        assert secret not in words


@pytest.mark.parametrize("fault", [pytest.param(row[1], id=row[0]) for row in bad_input.BAD_ANSWERS])
def test_bad_answer(emulator, connection, told, fault):
    emulator.misbehave(**fault)
    with late_answers():
        result = run(connection, LIST, timeout=10)
    assert result["failed"]
    words = told() + rest(result)
    assert not [name for name, secret in SECRETS.items() if secret in words]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    PROXIES,
)
def test_proxy(emulator, connection, told, monkeypatch, proxy, variable):
    where = f"127.0.0.1:{emulator.port}"
    address = PROXIES[proxy].format(where, "a" * 64)
    monkeypatch.setenv(variable, re.sub("@(@?)", lambda at: PASSWORD + at.group(1), address))
    result = run(connection, LIST, base_url="https://" + where)
    assert result["failed"] and result["msg"].startswith("Could not list the deployments: ")
    words = told() + rest(result)
    assert PASSWORD not in words and MANAGEMENT_KEY not in words
    assert not [request for request in emulator.requests() if MANAGEMENT_KEY in str(request["headers"])]


def test_no_connection(emulator, connection, told):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = "{0}:{1}".format(*bound.getsockname())
        for address in ("http://" + nobody, "https://" + nobody, emulator.url.replace("http:", "https:")):
            assert run(connection, LIST, base_url=address)["failed"]
    assert MANAGEMENT_KEY not in told()


@pytest.mark.parametrize(
    "address", ["https://user:@@host", "http://@@127.0.0.1", "https://user:@", "https://host/?@", "user:@@host"]
)
def test_password_in_base_url(connection, told, address):
    """Ansible shows each option that is no secret as it was given, so this is about the message."""
    result = run(connection, LIST, base_url=re.sub("@(@?)", lambda at: PASSWORD + at.group(1), address))
    assert result["failed"] and PASSWORD not in result["msg"] and MANAGEMENT_KEY not in told()


@pytest.mark.parametrize("ask", [LIST, CREATE, EDIT], ids=["list", "create", "edit"])
@pytest.mark.parametrize("library", EXCEPTIONS)
def test_exception_of_a_library(connection, told, monkeypatch, library, ask):
    words = f"Authorization: Bearer {MANAGEMENT_KEY} by http://user:{PASSWORD}@proxy"
    send = requests.adapters.HTTPAdapter.send

    def fail(self, request, **kwargs):
        if request.method == "GET" and ask is not LIST:
            return send(self, request, **kwargs)
        raise EXCEPTIONS[library](words)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", fail)
    result = run(connection, ask)
    assert result["failed"]
    words = told() + rest(result)
    assert MANAGEMENT_KEY not in words and PASSWORD not in words


def test_crash(connection, monkeypatch):
    """What is not expected is not caught, and Ansible shows it as it is. It must not find a key in what is ours."""

    def crash(self, request, **dummy):
        raise RuntimeError("a bug", self, request, request.body)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", crash)
    with pytest.raises(RuntimeError) as error:
        run(connection, LIST)
    shown = "".join(traceback.format_exception(error.type, error.value, error.tb))
    assert "PreparedRequest" in shown and "client.py" in shown
    assert MANAGEMENT_KEY not in shown


def test_representations(emulator):
    with api_client.Client(emulator.url, MANAGEMENT_KEY, retry_timeout=0) as client:
        request = requests.Request("GET", emulator.url, auth=client._auth).prepare()
        assert MANAGEMENT_KEY in str(request.headers), "the key is in there"
        emulator.misbehave(action="status", status=401, body=MANAGEMENT_KEY)
        with pytest.raises(RequestFailed) as error:
            client.get_json("/api/1/deployments", "look")
        for thing in (client, client._auth, *client._sessions, Deployments(client), request, error.value):
            assert MANAGEMENT_KEY not in f"{thing} {thing!r} {[thing]}"
        assert MANAGEMENT_KEY not in repr(vars(error.value))


def test_control(emulator, connection, told, monkeypatch):
    """The tests above can fail: a client that passes on every word is found out."""
    monkeypatch.setattr(quotes, "quote", lambda answer, key: answer.decode())
    emulator.misbehave(action="status", status=400, body=" ".join(SECRETS.values()))
    result = run(connection, LIST)
    words = told()
    assert all(secret in words for secret in SECRETS.values())
    assert MANAGEMENT_KEY not in rest(result), "Ansible masks it"


def test_control_of_exceptions(connection, told, monkeypatch):
    def tell(self, doing, error, deadline):
        return ConnectionFailed(doing, str(error), "do nothing")

    monkeypatch.setattr(api_client.Client, "_connection_problem", tell)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{PASSWORD}:99999")
    run(connection, LIST, base_url="https://127.0.0.1:1")
    assert PASSWORD in told()


def test_control_of_documented_keys(connection, told):
    key = SECRETS["client key"]
    for ask in (LIST, EDIT):
        result = run(connection, ask)
        assert key in json.dumps(result) and key not in rest(result)
        assert key in rest(dict(result, msg=key)) and key in rest(dict(result, diff=dict(deployment=dict(key=key))))
