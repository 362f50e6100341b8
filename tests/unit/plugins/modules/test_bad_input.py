# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad options and bad answers: one sentence without the key, nothing written, and no request for nothing."""

from __future__ import annotations

import re
import socket

import pytest

from ansible_collections.community.amplitude.tests.support.clocks import late_answers
from ansible_collections.community.amplitude.tests.support.modules import run_module

pytestmark = pytest.mark.core

KEY = "management-key"
ASK = {
    "amplitude_deployment": dict(project_id="1", label="web", type="client"),
    "amplitude_deployment_info": dict(project_id="1"),
}
SEED = dict(
    keys={KEY: [1, 2]},
    deployments=[
        dict(id=7, projectId=1, label="api", type="server"),
        dict(id=8, projectId=2, label="web", type="client"),
    ],
)
ROW = dict(id=1, projectId=1, label="web", key="client-1", deleted=False)


def run(module, connection, check_mode=False, **options):
    """Run a module; an option that is None is left out."""
    given = dict(connection, retry_timeout=0, **ASK[module])
    given.update(options)
    return run_module(module, check_mode, **{name: value for name, value in given.items() if value is not None})


def check(result, error, key=KEY):
    assert result["failed"] and not result.get("changed")
    assert re.search(error, result["msg"])
    assert re.fullmatch(r"Could not [^\n]*[^.\n]\.|(?!Could not )[^\n]+", result["msg"])
    assert key not in str(result) and "Traceback" not in str(result)


BAD_CONNECTIONS = [
    (
        "no key",
        dict(management_api_key=None),
        "management_api_key is not set; .* AMPLITUDE_MANAGEMENT_API_KEY and AMPL",
    ),
    ("empty key", dict(management_api_key=""), "Could not connect to Amplitude: management_api_key is not set; "),
    ("short key", dict(management_api_key="k3y-k3y"), "management_api_key has fewer than 8 characters"),
    ("line break after the key", dict(management_api_key="k3y\n"), "management_api_key has characters that no key has"),
    ("line break in key", dict(management_api_key="k3y\nX: y"), "management_api_key has characters that no key has"),
    ("key beyond ASCII", dict(management_api_key="k3y-é"), "management_api_key has characters that no key has"),
    ("key with a space", dict(management_api_key="Bearer k3y"), "management_api_key has characters that no key has"),
    ("unknown region", dict(region="asia"), "value of region must be one of: us, eu, got: asia$"),
    ("no scheme", dict(base_url="experiment.amplitude.com"), "base_url does not begin with https://; use"),
    ("ftp", dict(base_url="ftp://example.com"), "base_url does not begin with https://; use"),
    ("plain http", dict(base_url="http://example.com"), "base_url is plain http to another machine"),
    ("password in base_url", dict(base_url="https://a:b@example.com"), "base_url has a user name"),
    ("line break in base_url", dict(base_url="https://example.com\n"), "base_url has no host, or characters"),
    ("timeout 0", dict(timeout=0), "timeout is 0; use a number of seconds from 0.001 to 86400"),
    ("timeout no number", dict(timeout="long"), "argument 'timeout' is of type .*str.* unable to convert to float"),
    ("negative retry_timeout", dict(retry_timeout=-1), "retry_timeout is -1; use a number of seconds from 0 to 86400"),
    ("no such ca_path", dict(ca_path="/nonexistent/ca.pem"), "ca_path '/nonexistent/ca.pem' does not exist; set it to"),
    ("project_id with a space", dict(project_id="1 2"), "project_id cannot be '1 2'; give it as Amplitude shows it"),
    ("line break in project_id", dict(project_id="1\n"), r"project_id cannot be '1\\n'; give it as Amplitude shows it"),
    ("unknown type", dict(type="browser"), "value of type must be one of: client, server, got: browser$"),
    ("unknown option", dict(lable="web"), r"Unsupported parameters for \(.*\) module: lable\."),
]
BAD_DEPLOYMENTS = [
    ("empty project_id", dict(project_id=""), "Could not use the options: project_id is empty; give it"),
    ("no project_id", dict(project_id=None), "missing required arguments: project_id$"),
    ("neither id nor label", dict(label=None), "one of the following is required: id, label$"),
    ("empty label, empty id", dict(label="", id=""), "neither label nor id is set; set label, or id"),
    ("empty label of what is absent", dict(label="", state="absent"), "neither label nor id is set; set label"),
    ("empty label and a type", dict(label="", type="client"), "neither label nor id is set; set label"),
    ("empty label", dict(label=""), "Could not use the options: neither label nor id is set; set label"),
    ("label with a space", dict(label="my web"), "label cannot be 'my web'; use only letters"),
    ("label beyond ASCII", dict(label="café"), "label cannot be 'café'; use only letters"),
    ("digit beyond ASCII", dict(label="web-٣"), "label cannot be 'web-٣'; use only letters"),
    ("line break at the end of label", dict(label="web\n"), r"label cannot be 'web\\n'; use only letters"),
    ("label with a dot", dict(label="web.eu"), "label cannot be 'web.eu'; use only letters"),
    ("line break in id", dict(id="7\n"), r"id cannot be '7\\n'; give it as Amplitude shows it"),
    ("previous_label is label", dict(previous_label="web"), "previous_label is the same as label; give the label"),
    ("id and previous_label", dict(id="7", previous_label="x"), "parameters are mutually exclusive: id|previous_label"),
    ("only previous_label", dict(label=None, previous_label="x"), "one of the following is required: id, label$"),
    ("unknown state", dict(state="deleted"), "value of state must be one of: present, absent, got: deleted$"),
]
BAD_WISHES = [
    ("no type to create it with", dict(type=None), "it does not exist, and type is missing; set type to client"),
    ("no such id", dict(id="999"), "there is no deployment with the id 999; correct the id"),
    ("id of another project", dict(id="8"), r"deployment 'web' \(id 8\) belongs to project 2; correct id or"),
    ("id of another project, absent", dict(id="8", state="absent"), r"'web' \(id 8\) belongs to project 2; correct id"),
    ("another type", dict(label="api"), r"deployment 'api' \(id 7\) is a server deployment, and the API cannot"),
    ("absent, another type", dict(label="api", state="absent"), r"\(id 7\) is a server deployment, so it is"),
]
BAD_ANSWERS = [
    ("HTML", dict(action="body", body="<html><title>Hi</title></html>"), r'sent an answer that is not JSON \("Hi"\); '),
    ("text", dict(action="body", body="OK"), r'sent an answer that is not JSON \("OK"\); check that base_url'),
    ("half of the JSON", dict(action="body", body='{"deployments": ['), "sent an answer that is not JSON"),
    ("nothing", dict(action="body", body=""), r"sent an answer that is not JSON \(with an empty body\); check"),
    ("a list", dict(action="body", body=[ROW]), "sent an answer without a list of deployments; check that base_url"),
    ("something else", dict(action="body", body={"flags": []}), "sent an answer without a list of deployments; check"),
    ("row without an id", dict(action="body", body={"deployments": [{"label": "web"}]}), "a deployment has no id"),
    ("row that is a word", dict(action="body", body={"deployments": ["web"]}), "sent an answer without a list of"),
    ("row with a bad label", dict(action="body", body={"deployments": [dict(ROW, label=1)]}), "has an unusable label"),
    ("cut off", dict(action="truncate", moment="after"), "was (closed before|cut off in) .*; check the network"),
    ("no answer", dict(action="cut"), "was closed before the complete answer had arrived; check the network"),
    (
        "late answer",
        dict(action="delay", seconds=10),
        "no complete answer within 10 seconds; raise timeout if that is too",
    ),
    ("redirect", dict(action="redirect", headers={"Location": "/login"}), "answered 302 Found .*; set base_url"),
    ("no access", dict(action="status", status=403), "answered 403 Forbidden .*; give the management API key access"),
    ("wrong path", dict(action="status", status=404), "answered 404 Not Found .*; check base_url and region"),
    ("quota", dict(action="status", status=429), "answered 429 Too Many .*; run this again later: .* midnight UTC"),
    ("out of order", dict(action="status", status=503), "answered 503 Service Unavailable .*; run this again later"),
    ("echo of key", dict(action="status", status=400, body="bad: Bearer " + KEY), r'\("bad: Bearer \*+"\); correct'),
]


def table(*rows):
    return pytest.mark.parametrize("options, error", [row[1:] for row in rows], ids=[row[0] for row in rows])


@pytest.fixture(autouse=True)
def _seed(emulator):
    emulator.reset(SEED)


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "real"])
@pytest.mark.parametrize("module", ASK)
@table(*BAD_CONNECTIONS)
def test_bad_option_of_either_module(emulator, connection, module, options, error, check_mode):
    check(run(module, connection, check_mode, **options), error, key="k3y")
    assert emulator.requests() == []


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "real"])
@table(*BAD_DEPLOYMENTS)
def test_bad_option_of_amplitude_deployment(emulator, connection, options, error, check_mode):
    check(run("amplitude_deployment", connection, check_mode, **options), error)
    assert emulator.requests() == []


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "real"])
@table(*BAD_WISHES)
def test_wish_that_does_not_fit_what_exists(emulator, connection, options, error, check_mode):
    check(run("amplitude_deployment", connection, check_mode, **options), error)
    assert [request["method"] for request in emulator.requests()] == ["GET"]


@pytest.mark.parametrize("module", ASK)
@pytest.mark.parametrize("fault, error", [row[1:] for row in BAD_ANSWERS], ids=[row[0] for row in BAD_ANSWERS])
def test_bad_answer_to_the_list(emulator, connection, module, fault, error):
    before = emulator.deployments()
    emulator.misbehave(**fault)
    with late_answers():
        result = run(module, connection, timeout=10)
    check(result, error)
    assert result["msg"].startswith("Could not list the deployments: ")
    assert [request["method"] for request in emulator.requests()] == ["GET"]
    assert emulator.deployments() == before


@pytest.mark.parametrize("module", ASK)
def test_second_page_is_bad(emulator, connection, module):
    emulator.switch(max_page_size=1)
    emulator.misbehave(action="status", status=500, nth=2)
    check(run(module, connection), "Could not list the deployments: .* answered 500 Internal Server Error ")
    assert [request["method"] for request in emulator.requests()] == ["GET", "GET"]


@pytest.mark.parametrize("module", ASK)
def test_key_of_another_region(emulator, connection, module):
    result = run(module, connection, management_api_key="k3y-of-the-eu")
    check(
        result, "answered 401 Unauthorized .*; check that management_api_key is .* region .* key from the other region"
    )
    assert "k3y" not in str(result)
    assert [request["method"] for request in emulator.requests()] == ["GET"]


@pytest.mark.parametrize("module", ASK)
def test_unreachable(connection, module):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        result = run(module, connection, base_url=f"http://127.0.0.1:{bound.getsockname()[1]}")
    check(
        result, r"no connection to http://127\.0\.0\.1:\d+ could be established \(Connection refused\); check base_url"
    )


@pytest.mark.parametrize(
    "fault, error",
    [
        (dict(action="status", status=400), "answered 400 Bad Request"),
        (dict(action="status", status=403), "answered 403 Forbidden"),
        (dict(action="body", body="OK"), "sent an answer that is not JSON"),
        (dict(action="body", body={"deployment": 5}), "sent an answer without the id of the new deployment"),
    ],
)
def test_bad_answer_to_a_create(emulator, connection, fault, error):
    before = emulator.deployments()
    emulator.misbehave(method="POST", times=0, **fault)
    check(run("amplitude_deployment", connection), "Could not create the client deployment 'web' .*: .*" + error)
    assert [request["method"] for request in emulator.requests() if request["method"] != "GET"] == ["POST"]
    assert emulator.deployments() == before


@pytest.mark.parametrize("status", [400, 403, 404, 503])
def test_bad_answer_to_an_edit(emulator, connection, status):
    before = emulator.deployments()
    emulator.misbehave(method="PATCH", action="status", status=status, times=0)
    result = run("amplitude_deployment", connection, label="api", type=None, state="absent")
    check(result, rf"Could not archive the deployment 'api' \(id 7\) in project 1: .* answered {status} ")
    assert [request["method"] for request in emulator.requests() if request["method"] != "GET"] == ["PATCH"]
    assert emulator.deployments() == before


def test_project_without_access(emulator, connection):
    check(run("amplitude_deployment", connection, project_id="3"), "answered 403 Forbidden .*; give the")
    assert [request["committed"] for request in emulator.requests()] == [False, False]


@pytest.mark.parametrize("number", [1, "1"])
def test_project_id_may_be_a_number(connection, number):
    found = run("amplitude_deployment_info", connection, project_id=number)["deployments"]
    assert [row["id"] for row in found] == ["7"]
    result = run("amplitude_deployment", connection, project_id=number, label="api", type="server")
    assert (result["changed"], result["deployment"]["project_id"]) == (False, "1")


@pytest.mark.parametrize("number", [7, "7"])
def test_id_may_be_a_number(connection, number):
    found = run("amplitude_deployment_info", connection, ids=[number])["deployments"]
    assert [row["id"] for row in found] == ["7"]
    result = run("amplitude_deployment", connection, id=number, label="api", type="server")
    assert (result["changed"], result["deployment"]["id"]) == (False, "7")
