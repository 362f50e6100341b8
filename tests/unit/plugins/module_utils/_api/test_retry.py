# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a request is sent again and how long that is put off, without HTTP and with it."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import re
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._api.retry import (
    Patience,
    backoff,
    may_retry,
    retry_after_seconds,
)
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AnswerLost,
    ApiError,
    ConnectionFailed,
    RequestFailed,
    UnexpectedAnswer,
)
from ansible_collections.community.amplitude.tests.support.client import (
    CALLS,
    KEY,
    Clock,
    failure,
    impatient,
    seed,
    sleepless,
    usual,
)
from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER, late_answers
from ansible_collections.community.amplitude.tests.support.servers import RawServer

pytestmark = pytest.mark.core

WORDS = ("do it", "it failed", "do something else")


def status(code):
    return ApiError(*WORDS, status=code)


@pytest.mark.parametrize(
    "code, unknown", [(103, True), (302, False), (400, False), (408, True), (425, False), (429, False), (500, True)]
)
def test_outcome_after_a_status(code, unknown):
    assert status(code).outcome_unknown == unknown


MAY_RETRY = {  # failure, and whether GET, POST, and PATCH and DELETE are sent again
    "no connection": (ConnectionFailed(*WORDS, transient=True), True, True, True),
    "no trust": (ConnectionFailed(*WORDS, transient=False), False, False, False),
    "answer lost": (AnswerLost(*WORDS, transient=True), True, False, True),
    "TLS broke off": (AnswerLost(*WORDS, transient=False), False, False, False),
    "unexpected answer": (UnexpectedAnswer(*WORDS), False, False, False),
    "302": (status(302), False, False, False),
    "400": (status(400), False, False, False),
    "401": (status(401), False, False, False),
    "403": (status(403), False, False, False),
    "404": (status(404), False, False, False),
    "407": (status(407), False, False, False),
    "408": (status(408), True, False, True),
    "409": (status(409), False, False, False),
    "424": (status(424), False, False, False),
    "425": (status(425), True, True, True),
    "426": (status(426), False, False, False),
    "428": (status(428), False, False, False),
    "429": (status(429), True, True, True),
    "430": (status(430), False, False, False),
    "499": (status(499), False, False, False),
    "500": (status(500), True, False, True),
    "502": (status(502), True, False, True),
    "503": (status(503), True, False, True),
    "504": (status(504), True, False, True),
    "599": (status(599), True, False, True),
}


@pytest.mark.parametrize("failure, get, post, patch", MAY_RETRY.values(), ids=list(MAY_RETRY))
def test_may_retry(failure, get, post, patch):
    assert [may_retry(verb, failure) for verb in ("GET", "POST", "PATCH", "DELETE")] == [get, post, patch, patch]


@pytest.mark.parametrize("verb", ["PUT", "get", "delete", ""])
def test_verb_that_is_not_known_to_be_repeatable_is_not_repeated(verb):
    assert not may_retry(verb, status(503))


def chance(value):
    return Waits(chance=lambda: value)


@pytest.mark.parametrize(
    "attempt, most",
    [(0, 0.5), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 20), (7, 20), (100, 20), (10**9, 20)],
)
def test_backoff_grows_to_a_limit(attempt, most):
    assert backoff(attempt, None, chance(1.0)) == most
    assert backoff(attempt, None, chance(0.5)) == most / 2
    assert backoff(attempt, None, chance(0.0)) == 0


@pytest.mark.parametrize(
    "attempt, random_value, pause",
    [(0, 0.0, 7), (0, 1.0, 7.5), (1, 0.5, 7.5), (1, 1.0, 8), (2, 0.25, 7.5), (50, 1.0, 8)],
)
def test_backoff_after_retry_after(attempt, random_value, pause):
    assert backoff(attempt, 7.0, chance(random_value)) == pause


@given(
    attempt=st.integers(0, 10**6),
    random_value=st.floats(0, 1),
    retry_after=st.none() | st.floats(0, 10**9),
)
def test_backoff_bounds(attempt, random_value, retry_after):
    pause = backoff(attempt, retry_after, chance(random_value))
    if retry_after is None:
        assert 0 <= pause <= 20
    else:
        assert retry_after <= pause <= retry_after + 1


DATES = st.builds(
    "{0}, {1:02d} {2} {3} {4:02d}:{5:02d}:{6:02d} {7}".format,
    st.sampled_from(["Mon", "Tue", "Foo"]),
    st.integers(0, 40),
    st.sampled_from(["Jan", "Feb", "Dec", "Bar"]),
    st.integers(0, 10**6) | st.integers(),
    st.integers(0, 30),
    st.integers(0, 70),
    st.integers(0, 70),
    st.sampled_from(["GMT", "UTC", "EST", "-0000", "", "XYZ"]) | st.integers().map("{0:+05d}".format),
)


@given(header=DATES | st.text(max_size=50) | st.integers().map(str) | st.floats().map(str))
@example("Mon, 01 Jan 2024 00:00:00 +99999999999999999999")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
def test_any_retry_after_is_seconds_or_nothing(header):
    seconds = retry_after_seconds(header)
    assert seconds is None or 0 <= seconds < 10**12


@pytest.mark.parametrize("retry_after", [None, 5.0])
def test_hosts_that_were_refused_at_the_same_moment_do_not_come_back_at_the_same_moment(retry_after):
    assert len({backoff(0, retry_after) for dummy in range(100)}) > 90


@pytest.mark.parametrize(
    "budget, waits, sleeps, left",
    [
        (10, [], [], 10),
        (10, [4, 5], [4, 5], 1),
        (10, [4, 6], [4, 6], 0),
        (10, [11], [], 10),
        (10, [4, 7, 6], [4, 6], 0),
        (10, [10, 0.1], [10], 0),
        (0, [0.1, 1], [], 0),
    ],
)
def test_patience(budget, waits, sleeps, left):
    clock = Clock()
    slept, patience = clock.sleeps, Patience(budget, waits=clock.waits)
    granted = [seconds for seconds in waits if patience.wait(seconds)]
    assert (granted, slept, patience.left) == (sleeps, sleeps, left)


def test_other_expenses_leave_less_to_wait():
    clock = Clock()
    slept, patience = clock.sleeps, Patience(10, waits=clock.waits)
    patience.spend(-7, 0)
    assert (patience.left, patience.wait(4), patience.wait(3), patience.left) == (3, False, True, 0)
    patience.spend(0, 5)
    assert (patience.left, slept) == (0, [3])


@given(
    budget=st.floats(0, 1000),
    deeds=st.lists(st.tuples(st.sampled_from(["wait", "spend"]), st.floats(0, 500)), max_size=30),
)
def test_patience_never_sleeps_longer_than_its_budget(budget, deeds):
    clock = Clock()
    slept, patience = clock.sleeps, Patience(budget, waits=clock.waits)
    lefts = [patience.left]
    for deed, seconds in deeds:
        if deed == "wait":
            patience.wait(seconds)
        else:
            patience.spend(clock(), clock() + seconds)
        lefts.append(patience.left)
    assert sum(slept) <= budget + 1e-6
    assert all(later <= earlier for earlier, later in zip(lefts, lefts[1:]))
    assert patience.left >= 0


def test_what_is_waited_for_at_the_same_time_counts_once():
    now = [0.0]
    patience = Patience(10, waits=Waits(sleep=lambda seconds: None, now=lambda: now[0]))
    assert patience.wait(4) and patience.wait(4) and patience.wait(3)
    assert patience.left == 6
    now[0] = 2.0
    assert patience.wait(4)
    assert patience.left == 4
    patience.spend(0, 5)
    assert patience.left == 4
    patience.spend(1, 7)
    assert patience.left == 3


# Retries

AGAIN, ONCE = 2, 1
FAULTS = {
    "400": dict(action="status", status=400),
    "401": dict(action="status", status=401),
    "403": dict(action="status", status=403),
    "404": dict(action="status", status=404),
    "408": dict(action="status", status=408),
    "409": dict(action="status", status=409),
    "425": dict(action="status", status=425),
    "429": dict(action="status", status=429),
    "500": dict(action="status", status=500),
    "503": dict(action="status", status=503),
    "503 after the commit": dict(action="status", status=503, moment="after"),
    "redirect": dict(action="redirect", headers={"Location": "/elsewhere"}),
    "cut": dict(action="cut"),
    "cut after the commit": dict(action="cut", moment="after"),
    "truncated after the commit": dict(action="truncate", moment="after"),
    "another answer": dict(action="body", body="<html></html>", moment="after"),
    "wrong encoding": dict(action="body", body="no gzip at all", headers={"Content-Encoding": "gzip"}, moment="after"),
    "timeout": dict(action="delay", seconds=10),
    "timeout after the commit": dict(action="delay", seconds=10, moment="after"),
}
SENT = {  # fault: times that GET, POST and PATCH are sent
    "400": (ONCE, ONCE, ONCE),
    "401": (ONCE, ONCE, ONCE),
    "403": (ONCE, ONCE, ONCE),
    "404": (ONCE, ONCE, ONCE),
    "408": (AGAIN, ONCE, AGAIN),
    "409": (ONCE, ONCE, ONCE),
    "425": (AGAIN, AGAIN, AGAIN),
    "429": (AGAIN, AGAIN, AGAIN),
    "500": (AGAIN, ONCE, AGAIN),
    "503": (AGAIN, ONCE, AGAIN),
    "503 after the commit": (AGAIN, ONCE, AGAIN),
    "redirect": (ONCE, ONCE, ONCE),
    "cut": (AGAIN, ONCE, AGAIN),
    "cut after the commit": (AGAIN, ONCE, AGAIN),
    "truncated after the commit": (AGAIN, ONCE, AGAIN),
    "another answer": (ONCE, ONCE, ONCE),
    "wrong encoding": (ONCE, ONCE, ONCE),
    "timeout": (AGAIN, ONCE, AGAIN),
    "timeout after the commit": (AGAIN, ONCE, AGAIN),
}


@pytest.mark.parametrize(
    "fault, verb, sent",
    [(fault, verb, sent) for fault, times in SENT.items() for verb, sent in zip(("GET", "POST", "PATCH"), times)],
)
def test_how_often_a_request_is_sent(emulator, fault, verb, sent):
    emulator.reset(seed(), rate_limit=0)
    emulator.misbehave(**FAULTS[fault])
    with late_answers(), Client(emulator.url, KEY, timeout=10) as client:
        sleeps = sleepless(client)
        if sent == AGAIN:
            CALLS[verb](client)
        else:
            failure(CALLS[verb], client)
    assert [request["method"] for request in emulator.requests()] == [verb] * sent
    assert len(sleeps) == sent - 1
    assert len(emulator.deployments()) <= 2, "a POST was carried out twice"


@pytest.mark.parametrize("verb", CALLS)
def test_refused_connection_is_tried_again(verb):
    server = RawServer(usual)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client(server.url, KEY))
        stack.callback(server.__exit__)
        client.patience = Patience(1000, waits=Waits(sleep=server.listen))
        CALLS[verb](client)
        assert len(server.requests) == 1


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("fault", ["429", "503", "cut", "timeout"])
def test_retry_timeout_0_never_retries(emulator, fault, verb):
    emulator.reset(seed(), rate_limit=0)
    emulator.misbehave(times=0, **dict(FAULTS[fault], headers={"Retry-After": "0"}))
    with late_answers(), Client(emulator.url, KEY, timeout=10, retry_timeout=0) as client:
        failure(CALLS[verb], client)
    assert len(emulator.requests()) == 1


def test_requests_are_sent_until_one_succeeds(emulator, client):
    sleeps = sleepless(client)
    emulator.misbehave(action="status", status=429, times=20)
    CALLS["POST"](client)
    assert (len(emulator.requests()), len(sleeps)) == (21, 20)
    assert len(set(sleeps)) == 20, "a jitter makes every pause another"
    assert 0.5 < max(sleeps) <= 20


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_the_least_pause(emulator, client, form, status):
    sleeps = sleepless(client)
    value = "300" if form == "seconds" else email.utils.formatdate(time.time() + 400, usegmt=True)
    emulator.misbehave(action="status", status=status, headers={"Retry-After": value}, times=2)
    CALLS["GET"](client)
    assert len(sleeps) == 2
    assert all((300 if form == "seconds" else 100) <= pause <= 401 for pause in sleeps)


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "-5",
        "1.5",
        "",
        "9" * 5000,
        "Foo, 99 Bar 99999 99:99:99 GMT",
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
    ],
)
def test_retry_after_that_says_nothing_is_ignored(emulator, client, value):
    sleeps = sleepless(client)
    emulator.misbehave(action="status", status=429, headers={"Retry-After": value})
    CALLS["GET"](client)
    assert len(sleeps) == 1 and sleeps[0] <= 0.5


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_beyond_the_budget_fails_at_once(emulator, client, form):
    sleeps = sleepless(client, 120)
    reset = time.time() + 3600
    value = "3600" if form == "seconds" else email.utils.formatdate(reset, usegmt=True)
    emulator.misbehave(action="status", status=429, headers={"Retry-After": value}, times=0)
    message = str(failure(CALLS["GET"], client, ApiError))
    named = re.search(r"; the quota is reset at (.*) UTC: run this again after that\.\Z", message).group(1)
    moment = datetime.datetime.strptime(named + " +0000", "%Y-%m-%d %H:%M:%S %z").timestamp()
    assert abs(moment - reset) < FOR_EVER
    assert len(emulator.requests()) == 1 and sleeps == []


def test_time_of_failed_attempts_counts(emulator):
    emulator.misbehave(action="delay", seconds=10, times=0)
    with late_answers(), impatient(emulator.url, timeout=10) as client:
        clock = Clock(lambda: 0.1 * len(emulator.requests()))
        sleeps, client.patience = clock.sleeps, Patience(0.35, waits=clock.waits)
        failure(CALLS["GET"], client, AnswerLost)
        attempts = len(emulator.requests())
        assert attempts == len(sleeps) + 1 <= 4
        assert client.patience.left <= max(0, 0.35 - sum(sleeps) - 0.1 * attempts) + 1e-9


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    verb=st.sampled_from(sorted(CALLS)),
    faults=st.lists(
        st.one_of(
            st.just(dict(action="cut")),
            st.sampled_from([429, 500, 503]).map(lambda status: dict(action="status", status=status)),
            st.integers(0, 9).map(lambda after: dict(action="status", status=429, headers={"Retry-After": str(after)})),
        ),
        max_size=8,
    ),
    budget=st.floats(0, 30),
)
def test_all_pauses_fit_the_budget(emulator, verb, faults, budget):
    emulator.reset(seed(), rate_limit=0)
    for number, fault in enumerate(faults):
        emulator.misbehave(nth=number + 1, **fault)
    with Client(emulator.url, KEY) as client:
        sleeps = sleepless(client, budget)
        with contextlib.suppress(RequestFailed):
            CALLS[verb](client)
    assert sum(sleeps) <= budget + 1e-9
    assert len(emulator.requests()) == len(sleeps) + 1 <= len(faults) + 1
