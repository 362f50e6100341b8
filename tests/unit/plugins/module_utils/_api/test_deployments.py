# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments in the API's words: every value of every field, and ids that want to go elsewhere."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment, Deployments
from ansible_collections.community.amplitude.plugins.module_utils._errors import ApiError, UnexpectedAnswer
from ansible_collections.community.amplitude.tests.support.client import (
    KEY,
    PATH,
    SENTENCE,
    create,
    failure,
    impatient,
    list_of,
    sleepless,
)
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http
from ansible_collections.community.amplitude.tests.support.values import NUMBERS, ROW, TEXTS, VALUES, answer_of

IDENTIFIERS = set(NUMBERS) | {"long text", "text of a number", "text of null"}
ACCEPTED = {
    "id": IDENTIFIERS,
    "projectId": IDENTIFIERS,
    "label": set(TEXTS),
    "key": set(TEXTS) | {"null"},
    "deleted": {"true", "false", "null"},
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("field", ACCEPTED)
def test_field_of_a_row(field, value):
    row = dict(ROW, **{field: VALUES[value]})
    with RawServer(answer_of(dict(deployments=[row]))) as server, impatient(server.url) as client:
        if value in ACCEPTED[field]:
            (deployment,) = list_of(client)
            means = bool(VALUES[value]) if field == "deleted" else VALUES[value]
            found = getattr(deployment, "project_id" if field == "projectId" else field)
            assert found == (str(means) if value in NUMBERS else means)
        else:
            error = failure(list_of, client, UnexpectedAnswer)
            assert f" sent an answer in which a deployment has an unusable {field}; " in str(error)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("field", ACCEPTED)
def test_field_of_a_row_that_modules_see(field, value):
    """The row is another one than what is asked for, so that it has to be borne."""
    rows = [ROW, dict(ROW, id=2, label="other")]
    rows[1][field] = VALUES[value]
    with RawServer(answer_of(dict(deployments=rows))) as server:
        options = dict(management_api_key=KEY, base_url=server.url, retry_timeout=0, project_id="1")
        for name, more in (
            ("amplitude_deployment", dict(label="web", type="client")),
            ("amplitude_deployment_info", dict(include_archived=True)),
        ):
            result = run_module(name, True, **dict(options, **more))
            if value in ACCEPTED[field]:
                assert not result.get("failed") and not result["changed"]
            else:
                assert result["failed"] and SENTENCE.fullmatch(result["msg"])
                assert f" a deployment has an unusable {field}; " in result["msg"]
            assert "Traceback" not in str(result) and KEY not in str(result)


@pytest.mark.parametrize("value", [name for name in VALUES if name != "list"])
@pytest.mark.parametrize("whole", [False, True], ids=["deployments", "answer"])
def test_list_that_is_none(value, whole):
    with RawServer(answer_of(VALUES[value] if whole else dict(deployments=VALUES[value]))) as server:
        with impatient(server.url) as client:
            error = failure(list_of, client, UnexpectedAnswer)
    assert " sent an answer without a list of deployments; check that base_url or region " in str(error)


@pytest.mark.parametrize("value", [name for name in VALUES if not name.startswith("object")])
def test_row_that_is_none(value):
    with RawServer(answer_of(dict(deployments=[ROW, VALUES[value]]))) as server, impatient(server.url) as client:
        error = failure(list_of, client, UnexpectedAnswer)
    assert " sent an answer without a list of deployments; check that base_url or region " in str(error)


@pytest.mark.parametrize("value", VALUES)
def test_id_of_a_new_deployment(value):
    with RawServer(answer_of(dict(id=VALUES[value]))) as server, impatient(server.url) as client:
        if value in IDENTIFIERS:
            assert create(client) == str(VALUES[value])
        else:
            error = failure(create, client, UnexpectedAnswer)
            assert " sent an answer without the id of the new deployment; " in str(error) and error.outcome_unknown


@pytest.mark.parametrize("value", VALUES)
def test_answer_to_a_create(value):
    with RawServer(answer_of(VALUES[value])) as server, impatient(server.url) as client:
        if value == "object with an id":
            assert create(client) == "1"
        else:
            assert failure(create, client, UnexpectedAnswer).outcome_unknown


# Answers that are not what the API promises


def lacking(field):
    return dict(deployments=[ROW, {name: value for name, value in ROW.items() if name != field}])


def having(**fields):
    return dict(deployments=[ROW, dict(ROW, **fields)])


@pytest.mark.parametrize(
    "body, what",
    [
        ("hello", r'that is not JSON \("hello"\)'),
        ("<html><title>Welcome</title></html>", r'that is not JSON \("Welcome"\)'),
        ('{"deployments": [', r"that is not JSON \(.*\)"),
        ("[" * 100000, r"that is not JSON \(.*\)"),
        (" ", r"that is not JSON \(with an empty body\)"),
        ("null", "without a list of deployments"),
        ([ROW], "without a list of deployments"),
        (5, "without a list of deployments"),
        ("true", "without a list of deployments"),
        ({}, "without a list of deployments"),
        ({"flags": []}, "without a list of deployments"),
        ({"deployments": None}, "without a list of deployments"),
        ({"deployments": {"1": ROW}}, "without a list of deployments"),
        ({"deployments": [ROW, "web"]}, "without a list of deployments"),
        ({"deployments": [ROW, None]}, "without a list of deployments"),
        ({"deployments": [ROW], "nextCursor": {"offset": 1}}, "whose nextCursor is neither text nor a number"),
        ({"deployments": [ROW], "nextCursor": True}, "whose nextCursor is neither text nor a number"),
        ({"deployments": [ROW], "nextCursor": 1.5}, "whose nextCursor is neither text nor a number"),
        (lacking("id"), "in which a deployment has no id"),
        (lacking("projectId"), "in which a deployment has no projectId"),
        (lacking("label"), "in which a deployment has no label"),
        (having(id=None), "in which a deployment has an unusable id"),
        (having(id=True), "in which a deployment has an unusable id"),
        (having(id=1.5), "in which a deployment has an unusable id"),
        (having(id=""), "in which a deployment has an unusable id"),
        (having(id="1 2"), "in which a deployment has an unusable id"),
        (having(id="1\n"), "in which a deployment has an unusable id"),
        (having(id=[1]), "in which a deployment has an unusable id"),
        (having(projectId=None), "in which a deployment has an unusable projectId"),
        (having(projectId={}), "in which a deployment has an unusable projectId"),
        (having(label=None), "in which a deployment has an unusable label"),
        (having(label=5), "in which a deployment has an unusable label"),
        (having(key=5), "in which a deployment has an unusable key"),
        (having(deleted="false"), "in which a deployment has an unusable deleted"),
        (having(deleted=0), "in which a deployment has an unusable deleted"),
    ],
)
def test_list_that_is_not_as_promised(emulator, client, body, what):
    sleeps = sleepless(client)
    emulator.misbehave(action="body", body=body, times=0)
    message = str(failure(lambda client: Deployments(client).list(), client, UnexpectedAnswer))
    start = re.escape(f"Could not list the deployments: {emulator.url} sent an answer ")
    assert re.fullmatch(start + what + "; check that base_url or region leads to .*", message)
    assert len(emulator.requests()) == 1 and sleeps == []


@pytest.mark.parametrize(
    "changes, expected",
    [
        (dict(id="1", projectId="1"), {}),
        (dict(id="abc", projectId="x/y"), dict(id="abc", project_id="x/y")),
        (dict(id=0), dict(id="0")),
        (dict(key=None), dict(key=None, type=None)),
        (dict(key="server-1"), dict(key="server-1", type="server")),
        (dict(key="0123abcd"), dict(key="0123abcd", type=None)),
        (dict(key="clients-1"), dict(key="clients-1", type=None)),
        (dict(label=""), dict(label="")),
        (dict(deleted=True), dict(deleted=True)),
        (dict(revision=7, type="server"), {}),
    ],
)
def test_row(emulator, client, changes, expected):
    emulator.misbehave(action="body", body=dict(deployments=[dict(ROW, **changes)]))
    expected_row = Deployment(id="1", project_id="1", label="web", key="client-1", type="client", deleted=False)
    assert Deployments(client).list() == [expected_row._replace(**expected)]


@pytest.mark.parametrize("body", ["OK", "null", {}, [], {"id": None}, {"id": ""}, {"id": True}, {"deployment": {}}])
def test_created_without_an_id(emulator, client, body):
    sleeps = sleepless(client)
    emulator.misbehave(action="body", moment="after", body=body)
    error = failure(lambda client: Deployments(client).create("1", "web", "client"), client, UnexpectedAnswer)
    assert str(error).startswith("Could not create the client deployment 'web' in project 1: ")
    assert error.outcome_unknown
    assert [request["method"] for request in emulator.requests()] == ["POST"] and sleeps == []


def test_id_cannot_leave_its_place_in_the_path():
    with RawServer(http("200 OK", "OK")) as server, impatient(server.url) as client:
        Deployments(client).edit(Deployment("../a?b#c%2F", "1", "web", None, None, False), archive=True)
        assert server.requests[0].startswith(b"PATCH /api/1/deployments/..%2Fa%3Fb%23c%252F HTTP/1.1\r\n")
        assert server.requests[0].endswith(b'\r\n{"archive": true}')


# Ids that want to go elsewhere


@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param("."),
        pytest.param(".."),
        "...",
        "./",
        "../",
        "../..",
        "../../x",
        "..\\..\\x",
        "..;/x",
        "%2e%2e",
        "%2E%2E%2F",
        "%252e%252e",
        "/",
        "//example.com/x",
        "http://example.com/",
        "a/b",
        "7/",
        "?x=1",
        "7?archive=false",
        "#x",
        "7#x",
        "100%",
        "%",
        "%00",
        "%0d%0aX:x",
        "@example.com",
        ":80",
        "~root",
        '"><script>',
        "$(reboot)",
        "{{7*7}}",
        "x" * 10000,
    ],
)
def test_id_stays_where_ids_belong(identifier):
    rows = [dict(ROW, id=identifier)]

    def answer(request):
        return answer_of(dict(deployments=rows)) if request.startswith(b"GET") else http("200 OK", "OK")

    with RawServer(answer) as server:
        options = dict(management_api_key=KEY, base_url=server.url + "/some/prefix", retry_timeout=0, timeout=60)
        result = run_module("amplitude_deployment", project_id="1", label="web", state="absent", force=True, **options)
        patches = [request.split(b" ")[1].decode() for request in server.requests if request.startswith(b"PATCH")]
    assert "Traceback" not in str(result)
    if result.get("failed"):
        assert SENTENCE.fullmatch(result["msg"]) and not (result.get("changed") and not patches)
    for path in patches:
        place, _slash, last = path.rpartition("/")
        assert place == "/some/prefix" + PATH
        assert unquote(last) == identifier and not set("?#") & set(last) and last not in ("", ".", "..")
    assert patches or identifier in (".", "..") and result["failed"]


def test_edit_of_a_deployment_that_was_made_up():
    row = Deployment("7", "1", "a\nb\x1b[31m", None, None, False)
    with RawServer(http("403 Forbidden")) as server, impatient(server.url) as client:
        message = str(failure(lambda client: Deployments(client).edit(row, archive=True), client, ApiError))
    assert message.isprintable()
