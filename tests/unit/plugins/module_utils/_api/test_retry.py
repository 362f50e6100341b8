# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a request is sent again and how long that is put off, without HTTP and without waiting."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.module_utils._api.retry import Pace, Patience, backoff, may_retry
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AnswerLost,
    ApiError,
    ConnectionFailed,
    UnexpectedAnswer,
)
from ansible_collections.community.amplitude.tests.support.client import Clock

WORDS = ("do it", "it failed", "do something else")


def status(code):
    return ApiError(*WORDS, status=code)


MAY_RETRY = {  # failure, and whether GET, POST and PATCH are sent again
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
    "409": (status(409), False, False, False),
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
    assert [may_retry(verb, failure) for verb in ("GET", "POST", "PATCH")] == [get, post, patch]


@pytest.mark.parametrize("verb", ["PUT", "DELETE", "get", ""])
def test_verb_that_is_not_known_to_be_repeatable_is_not_repeated(verb):
    assert not may_retry(verb, status(503))


@pytest.mark.parametrize(
    "attempt, most",
    [(0, 0.5), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 20), (7, 20), (100, 20), (10**9, 20)],
)
def test_backoff_grows_to_a_limit(attempt, most):
    assert backoff(attempt, None, lambda: 1.0) == most
    assert backoff(attempt, None, lambda: 0.5) == most / 2
    assert backoff(attempt, None, lambda: 0.0) == 0


@pytest.mark.parametrize(
    "attempt, random_value, pause",
    [(0, 0.0, 7), (0, 1.0, 7.5), (1, 0.5, 7.5), (1, 1.0, 8), (2, 0.25, 7.5), (50, 1.0, 8)],
)
def test_backoff_after_retry_after(attempt, random_value, pause):
    assert backoff(attempt, 7.0, lambda: random_value) == pause


@given(
    attempt=st.integers(0, 10**6),
    random_value=st.floats(0, 1),
    retry_after=st.none() | st.floats(0, 10**9),
)
def test_backoff_bounds(attempt, random_value, retry_after):
    pause = backoff(attempt, retry_after, lambda: random_value)
    if retry_after is None:
        assert 0 <= pause <= 20
    else:
        assert retry_after <= pause <= retry_after + 1


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
    slept, patience = clock.sleeps, Patience(budget, clock.sleeps.append, clock)
    granted = [seconds for seconds in waits if patience.wait(seconds)]
    assert (granted, slept, patience.left) == (sleeps, sleeps, left)


def test_other_expenses_leave_less_to_wait():
    clock = Clock()
    slept, patience = clock.sleeps, Patience(10, clock.sleeps.append, clock)
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
    slept, patience = clock.sleeps, Patience(budget, clock.sleeps.append, clock)
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
    patience = Patience(10, lambda seconds: None, lambda: now[0])
    assert patience.wait(4) and patience.wait(4) and patience.wait(3)
    assert patience.left == 6
    now[0] = 2.0
    assert patience.wait(4)
    assert patience.left == 4
    patience.spend(0, 5)
    assert patience.left == 4
    patience.spend(1, 7)
    assert patience.left == 3


def test_pace():
    pace = Pace(100)
    started = time.monotonic()
    threads = [threading.Thread(target=pace.wait) for dummy in range(11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 0.1
