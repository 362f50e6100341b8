# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Assigning deployments to flags and experiments, and removing them: what is sent, and what a failure tells its caller."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Flag, assign, remove
from ansible_collections.community.amplitude.plugins.module_utils._errors import ApiError
from ansible_collections.community.amplitude.tests.support.client import KEY, failure, impatient, sleepless
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http

CART = Flag("flag", "5", "1", "cart", None, True, False, ("7",))
OF_KIND = {"flag": CART, "experiment": CART._replace(kind="experiment")}
CALLS = {
    "POST": lambda client, user: assign(client, user, ["8"]),
    "DELETE": lambda client, user: remove(client, user, "7"),
}
DOING = {"POST": "assign deployment 8 to", "DELETE": "remove deployment 7 from"}
#: What it has after the call, if that was carried out.
HAS = {"POST": ["7", "8"], "DELETE": []}


def fill(emulator, **switches):
    deployments = [dict(id=number, projectId="1", label=f"l{number}", type="client") for number in (7, 8, 9)]
    rows = [dict(id="5", projectId="1", key="cart", enabled=True, deployments=["7"])]
    emulator.reset(
        dict(keys={KEY: ["1"]}, deployments=deployments, flags=rows, experiments=rows), rate_limit=0, **switches
    )


def used(emulator, kind):
    """What each kind uses."""
    has = {"flag": emulator.flags()[0]["deployments"], "experiment": emulator.experiments()[0]["deployments"]}
    assert has.pop("experiment" if kind == "flag" else "flag") == ["7"]
    return has[kind]


@pytest.mark.parametrize("kind", OF_KIND)
def test_assign_and_remove(emulator, client, kind):
    fill(emulator)
    assign(client, OF_KIND[kind], ("8", "9"))
    assert used(emulator, kind) == ["7", "8", "9"]
    remove(client, OF_KIND[kind], "7")
    remove(client, OF_KIND[kind], "9")
    assert used(emulator, kind) == ["8"]
    requests = emulator.requests()
    path = f"/api/1/{kind}s/5/deployments"
    assert [request["path"] for request in requests] == [path, path + "/7", path + "/9"]
    assert [request["body"] for request in requests] == [dict(deployments=["8", "9"]), None, None]


SENT = {  # fault: how often an assignment is sent, and a removal; whether it is carried out; whether nobody knows
    "400": (dict(status=400), 1, 1, False, False),
    "403": (dict(status=403), 1, 1, False, False),
    "404": (dict(status=404), 1, 1, False, False),
    "409": (dict(status=409), 1, 1, False, False),
    "429": (dict(status=429), 2, 2, False, False),
    "408": (dict(status=408), 1, 2, False, True),
    "503": (dict(status=503), 1, 2, False, True),
    "503 after the commit": (dict(status=503, moment="after"), 1, 2, True, True),
    "cut": (dict(action="cut"), 1, 2, False, True),
    "cut after the commit": (dict(action="cut", moment="after"), 1, 2, True, True),
    "another answer": (dict(action="body", body="{}", moment="after"), 1, 1, True, True),
}


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("kind", OF_KIND)
@pytest.mark.parametrize("name", SENT)
def test_what_becomes_of_a_failed_request(emulator, client, name, kind, verb):
    """An assignment that may have been carried out is left to its caller; a removal is sent again."""
    fault, *times, carried_out, unknown = SENT[name]
    sent = dict(zip(CALLS, times))[verb]
    fill(emulator)
    sleepless(client)
    emulator.misbehave(**dict(dict(action="status", path=f"/{kind}s/5/"), **fault))
    if sent == 2 and not carried_out:
        CALLS[verb](client, OF_KIND[kind])
    else:
        error = failure(lambda client: CALLS[verb](client, OF_KIND[kind]), client)
        assert str(error).startswith(f"Could not {DOING[verb]} {kind} 'cart' (id 5) in project 1: ")
        assert error.outcome_unknown is unknown
        expected = 404 if sent == 2 else fault.get("status")
        assert getattr(error, "status", None) == expected
    assert [request["method"] for request in emulator.requests()] == [verb] * sent
    assert used(emulator, kind) == (HAS[verb] if carried_out or sent == 2 else ["7"])


@pytest.mark.parametrize(
    "verb, call, switches, status",
    [
        ("POST", lambda client: assign(client, CART, ["7"]), dict(assigned_again_status=400), 400),
        ("POST", lambda client: assign(client, CART, ["8", "7"]), dict(assigned_again_status=409), 409),
        ("POST", lambda client: assign(client, CART, ["404"]), dict(missing_deployment_status=404), 404),
        ("DELETE", lambda client: remove(client, CART, "8"), {}, 404),
        ("DELETE", lambda client: remove(client, CART, "7"), dict(last_deployment_status=400), 400),
    ],
)
def test_caller_sees_what_the_api_has_against_it(emulator, client, verb, call, switches, status):
    fill(emulator, **switches)
    error = failure(call, client, ApiError)
    assert (error.status, error.outcome_unknown, error.transient) == (status, False, False)
    assert used(emulator, "flag") == ["7"]


def test_message_names_all_that_were_to_be_assigned(emulator, client):
    fill(emulator)
    emulator.misbehave(action="status", status=403, path="/flags/5/")
    message = str(failure(lambda client: assign(client, CART, ["8", "9"]), client, ApiError))
    assert message == (
        "Could not assign deployments 8, 9 to flag 'cart' (id 5) in project 1: "
        f'{emulator.url} answered 403 Forbidden ("Forbidden"); give the management API key access to this project, or use a '
        "key that has it."
    )


@pytest.mark.parametrize("verb", CALLS)
def test_key_of_a_flag_that_was_made_up(verb):
    user = CART._replace(key="a\nb\x1b[31m")
    with RawServer(http("403 Forbidden")) as server, impatient(server.url) as client:
        assert str(failure(lambda client: CALLS[verb](client, user), client, ApiError)).isprintable()


@pytest.mark.parametrize("identifier", ["../a?b#c%2F", "a/b", "7/", "%2e%2e", "http://example.com/"])
def test_ids_stay_where_ids_belong(identifier):
    with RawServer(http("200 OK", "OK")) as server, impatient(server.url) as client:
        assign(client, CART._replace(id=identifier), [identifier])
        remove(client, CART._replace(id=identifier), identifier)
        lines = [request.partition(b"\r\n")[0].decode() for request in server.requests]
        assert json.loads(server.requests[0].rpartition(b"\r\n")[2]) == dict(deployments=[identifier])
    for line, verb, rest in zip(lines, ("POST", "DELETE"), ([], [identifier])):
        method, path, dummy = line.split(" ")
        assert method == verb
        assert [unquote(part) for part in path.split("/")] == [
            "",
            "api",
            "1",
            "flags",
            identifier,
            "deployments",
            *rest,
        ]
