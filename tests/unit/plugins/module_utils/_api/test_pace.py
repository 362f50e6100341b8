# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests are sent in a second, on a clock that goes on when it is told to."""

from __future__ import annotations

import collections
import heapq
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._api.pace import Gate, Pace
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.tests.support.client import CALLS, KEY, Clock, sleepless

pytestmark = pytest.mark.core


def times(pace, count, now=0.0, until=float("inf")):
    """When requests are sent that are all wanted at once, and carried at once."""
    sent = []
    while len(sent) < count:
        now += pace.left(now)
        if now >= until:
            break
        pace.take(now).carried = now
        sent.append(now)
    return sent


def most_in_a_second(sent):
    """Without what is a second apart but for the rounding of numbers."""
    return max((sum(start <= each < start + 1 - 1e-6 for each in sent) for start in sent), default=0)


@pytest.mark.parametrize(
    "per_second, margin, count, at",
    [
        (100, 0.0, 1, [0]),
        (100, 0.0, 100, [0] * 100),
        (100, 0.0, 101, [0] * 100 + [1]),
        (100, 0.0, 250, [0] * 100 + [1] * 100 + [2] * 50),
        (100, 0.25, 201, [0] * 100 + [1.25] * 100 + [2.5]),
        (2.5, 0.0, 5, [0, 0, 1, 1, 2]),
        (0.5, 0.0, 2, [0, 1]),
    ],
)
def test_what_is_allowed_is_sent_at_once(per_second, margin, count, at):
    assert times(Pace(per_second, margin), count) == at


def test_a_second_is_counted_from_when_a_request_was_carried():
    pace = Pace(2)
    early, late = pace.take(0.0), pace.take(0.0)
    assert pace.left(5.0) == 1, "whatever is not carried yet is carried now or later"
    early.carried = 0.5
    assert pace.left(0.75) == 0.75
    late.carried = 6.0
    assert pace.left(6.0) == 0
    pace.take(6.0).carried = 6.0
    assert pace.left(6.5) == 0.5


def passed(pace, count, now=0.0):
    """The turn of a request that is sent after so many others that have passed."""
    for dummy in range(count):
        pace.take(now).carried = now
        pace.passed(now)
    turn = pace.take(now)
    turn.carried = now
    return turn


@pytest.mark.parametrize("passes, left", [(100, 95), (40, 38), (20, 19), (5, 5), (0, 5)])
def test_429_leaves_a_little_less_than_what_has_passed(passes, left):
    pace = Pace(100)
    assert pace.allowance(0.0) == 100
    pace.refused(passed(pace, passes), 0.0)
    assert pace.allowance(0.0) == pytest.approx(left)


def test_what_passed_long_ago_does_not_count():
    pace = Pace(100)
    passed(pace, 50, 0.0)
    pace.refused(passed(pace, 10, 1.5), 1.5)
    assert pace.allowance(1.5) == pytest.approx(9.5)


def test_429_that_is_due_to_what_was_sent_before_is_no_other_one():
    pace = Pace(100)
    first = passed(pace, 20)
    other, later, last = pace.take(0.0), pace.take(1.0), pace.take(1.2)
    pace.refused(first, 0.1)
    allowed = pace.allowance(0.1)
    pace.refused(other, 0.1)
    pace.refused(later, 1.0)
    assert pace.allowance(0.1) == allowed
    pace.refused(last, 1.2)
    assert pace.allowance(1.2) == 5, "nothing has passed since"


def test_requests_are_spread_while_less_is_allowed():
    pace = Pace(100)
    pace.refused(passed(pace, 20), 0.0)
    sent = times(pace, 1000, 0.0, until=2.0)
    gaps = [later - earlier for earlier, later in zip(sent, sent[1:])]
    assert sent[0] >= 0.04 and max(gaps[1:]) < 0.1, "no burst, no break"
    later = times(pace, 300, 20.0)
    assert later[99] == 20.0, "and not any more once all is allowed"


@given(passes=st.integers(0, 100), at=st.floats(0, 1000))
def test_allowance_grows_again_until_all_is_allowed(passes, at):
    pace = Pace(100)
    pace.refused(passed(pace, passes, at), at)
    seen = [pace.allowance(at + tenth / 10) for tenth in range(100)]
    assert seen[0] <= max(5, 0.951 * passes)
    assert all(later >= earlier for earlier, later in zip(seen, seen[1:]))
    assert seen[10] <= max(passes, 5) + 2, "slowly while it is near what was too much"
    assert seen[-1] == 100


steps = st.lists(
    st.tuples(
        st.one_of(st.just(0.0), st.floats(0, 0.05), st.floats(0, 2)),  # until the next request is wanted
        st.one_of(st.just(0.0), st.floats(0, 3)),  # until a connection carries it
        st.sampled_from(["passes", "passes", "passes", "is refused", "is lost"]),
    ),
    max_size=60,
)


@given(steps, st.integers(1, 8), st.sampled_from([0.0, 0.02, 0.5]))
def test_never_more_than_allowed_in_any_second(steps, per_second, margin):
    """Whatever takes how long, and whatever comes of it."""
    pace = Pace(per_second, margin)
    now, carried, pending = 0.0, [], []

    def go_on(to):
        while pending and pending[0][0] <= to:
            at, dummy, turn, outcome = heapq.heappop(pending)
            turn.carried = at
            if outcome == "passes":
                pace.passed(at)
            elif outcome == "is refused":
                pace.refused(turn, at)
            carried.append(at)

    for number, (pause, until_carried, outcome) in enumerate(steps):
        now += pause
        go_on(now)
        while True:
            left = pace.left(now)
            assert 0 <= left <= (1 + margin) * 20 / per_second + 1 + margin, "nobody waits for ever"
            if left <= 0:
                break
            now += left
            go_on(now)
        heapq.heappush(pending, (now + until_carried, number, pace.take(now), outcome))
    go_on(float("inf"))
    assert most_in_a_second(carried) <= per_second


class Service:
    """Allows for so many requests in a second, counted from any moment or by the clock; those it refuses count as well."""

    def __init__(self, per_second, by_the_clock):
        self._per_second = per_second
        self._by_the_clock = by_the_clock
        self._seen = collections.deque()

    def allows(self, now):
        begun = int(now) if self._by_the_clock else now - 1
        while self._seen and self._seen[0] <= begun:
            self._seen.popleft()
        self._seen.append(now)
        return len(self._seen) <= self._per_second


def share(service, hosts, count, latency=0.1, at_once=20):
    """Let hosts send so many requests each; how many were refused, and when the last one passed."""
    paces = [Pace(100, 0.03) for dummy in range(hosts)]
    left = [count] * hosts
    events = [(host * 0.1, number, host, None) for host in range(hosts) for number in range(at_once)]
    heapq.heapify(events)
    serial, refused, now = len(events), 0, 0.0
    while events:
        now, serial_of, host, turn = heapq.heappop(events)
        pace, serial = paces[host], serial + 1
        if turn is not None:
            turn, passes = turn
            if passes:
                pace.passed(now)
                left[host] -= 1
            else:
                refused += 1
                pace.refused(turn, now)
        if left[host] <= 0:
            continue
        wait = pace.left(now)
        if wait > 0:
            heapq.heappush(events, (now + wait, serial, host, None))
            continue
        turn = pace.take(now)
        turn.carried = now
        heapq.heappush(events, (now + latency, serial, host, (turn, service.allows(now + latency / 2))))
    return refused, now


@pytest.mark.parametrize("by_the_clock", [False, True])
def test_one_run_is_never_refused(by_the_clock):
    refused, ended = share(Service(100, by_the_clock), 1, 1000)
    assert refused == 0 and ended < 11


@pytest.mark.parametrize("by_the_clock", [False, True])
@pytest.mark.parametrize("hosts", [2, 5])
def test_runs_share_a_limit_without_knowing_of_each_other(hosts, by_the_clock):
    refused, ended = share(Service(100, by_the_clock), hosts, 1000 // hosts)
    assert refused < 0.2 * 1000 and ended < 15


def test_gate_lets_threads_through_at_the_pace():
    clock = Clock()
    gate = Gate(clock.waits._replace(requests_per_second=10, arrival_margin=0.25))
    turns = []

    def send():
        turn = gate.wait()
        gate.carried(turn)
        turns.append(turn)
        gate.ended(turn, 200)

    threads = [threading.Thread(target=send) for dummy in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turn.carried for turn in turns) == [0] * 10 + [1.25] * 10 + [2.5] * 5
    assert clock.sleeps == [1.25, 1.25], "only the first in line sleeps"


def test_request_that_no_connection_has_carried_counts_from_its_end():
    clock = Clock()
    gate = Gate(clock.waits._replace(requests_per_second=1, arrival_margin=0.0))
    turn = gate.wait()
    clock.sleeps.append(3)
    gate.ended(turn, None)
    assert turn.carried == 3
    gate.wait()
    assert clock.sleeps == [3, 1]


def test_requests_keep_the_pace(emulator):
    assert Waits().requests_per_second == 100, "documented"
    clock = Clock()
    waits = clock.waits._replace(requests_per_second=3, arrival_margin=0.5)
    with Client(emulator.url, KEY, waits=waits) as client:
        for dummy in range(7):
            CALLS["GET"](client)
    assert clock.sleeps == [1.5, 1.5]


def test_429_slows_a_client_down(emulator):
    emulator.misbehave(action="status", status=429)
    clock = Clock()
    with Client(emulator.url, KEY, waits=clock.waits) as client:
        sleepless(client)
        CALLS["GET"](client)
        CALLS["GET"](client)
    assert clock.sleeps and max(clock.sleeps) == pytest.approx(1.03 / 5)
