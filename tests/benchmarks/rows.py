# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of the table: what is measured, what is its limit, and what is to be reached."""

from __future__ import annotations

import typing as t

from .contenders import (
    EMPTY_LOOP,
    FLOOR,
    FLOOR_LOOP,
    LOOP,
    NOTHING,
    OWN,
    Contender,
    hosts,
    listing,
    many,
    of_collection,
    single,
    takeover,
    uri,
    uri_one_by_one,
)
from .measuring import Figure

Figures = t.Mapping[str, Figure]


class Verdict(t.NamedTuple):
    """What was measured in a row, in words, and whether that is what was to be reached."""

    limit: str
    measured: str
    is_met: bool


class Row(t.NamedTuple):
    """A row of the table.

    ``key``: what it is chosen by. ``limit``: what it is measured against. ``is_slow``: whether few rounds have to do.
    """

    key: str
    what: str
    limit: str
    to_reach: str
    contenders: t.Sequence[Contender]
    judge: t.Callable[[Figures], Verdict]
    is_slow: bool = False


def times(
    most: float, limit: Contender, without: Contender | None = None, more: float = 0.0, tasks: int = 1
) -> t.Callable[[Figures], Verdict]:
    """A row that may take so many times as long as its limit.

    :param without: what is taken off both, such as the start.
    :param more: seconds that are added to the limit.
    :param tasks: by how many tasks both are divided.
    """

    def judge(figures: Figures) -> Verdict:
        start = figures[without.name].seconds if without else 0.0
        least = (figures[limit.name].seconds - start + more) / tasks
        own = (figures[OWN].seconds - start) / tasks
        return Verdict(f"{least:.3f} s", f"{own:.3f} s: {own / least:.2f} times", own <= most * least)

    return judge


def paced(least: float, refused: t.Callable[[int, int], bool], count: int) -> t.Callable[[Figures], Verdict]:
    """A row that has to create at least so many a second, without the start of the process.

    :param refused: whether so many answers 429, of so many, are few enough.
    """

    def judge(figures: Figures) -> Verdict:
        own = figures[OWN]
        rate = count / (own.seconds - figures[NOTHING.name].seconds)
        words = (
            f"{rate:.1f} a second, {own.creations:.1f} from the first to the last; {own.too_many} of {own.requests} "
        )
        is_met = rate >= least and refused(own.too_many, own.requests)
        return Verdict("100 a second", words + "answers are 429", is_met)

    return judge


def within(seconds: float, writes: int) -> t.Callable[[Figures], Verdict]:
    """A row that has to end within so many seconds, without the start of the process."""

    def judge(figures: Figures) -> Verdict:
        own = figures[OWN]
        took = own.seconds - figures[NOTHING.name].seconds
        return Verdict(f"{writes / 100:.1f} s", f"{took:.1f} s with {own.requests} requests", took <= seconds)

    return judge


def ends(memory: float) -> t.Callable[[Figures], Verdict]:
    """A row that only has to end, with at most so much memory in MiB."""

    def judge(figures: Figures) -> Verdict:
        own, limit = figures[OWN], figures[FLOOR.name]
        words = f"{own.seconds:.1f} s: {own.seconds / limit.seconds:.0f} times; {own.peak:.0f} MiB"
        return Verdict(f"{limit.seconds:.2f} s", words, own.peak < memory)

    return judge


def parsed(most: float, memory: float) -> t.Callable[[Figures], Verdict]:
    """A row that may take so many times the CPU of the JSON parser, and at most so much memory in MiB."""

    def judge(figures: Figures) -> Verdict:
        own, limit = figures[OWN], figures[PARSER]
        words = f"{own.cpu:.2f} s: {own.cpu / limit.cpu:.2f} times; {own.peak:.0f} MiB"
        return Verdict(f"{limit.cpu:.2f} s", words, own.cpu <= most * limit.cpu and own.peak <= memory)

    return judge


FAR = dict(latency=0.1)
PARSER = "the JSON parser alone"

ROWS = [
    Row(
        "task",
        "a converged task in a loop",
        "an empty module that imports `requests`",
        "1.15 times",
        [NOTHING, FLOOR_LOOP, single(OWN, LOOP, LOOP)],
        times(1.15, FLOOR_LOOP, without=NOTHING, tasks=LOOP),
    ),
    Row(
        "create-100",
        "100 creations at once, whole process",
        "a playbook with that empty module, and 1 s",
        "1.10 times",
        [FLOOR, many(OWN, 100)],
        times(1.10, FLOOR, more=1.0),
    ),
    Row(
        "create-50",
        "50 creations at once, whole process",
        "a playbook with that empty module",
        "1.3 times",
        [FLOOR, many(OWN, 50)],
        times(1.3, FLOOR),
    ),
    Row(
        "create-1000",
        "1,000 creations, 100 ms latency, default options",
        "the documented limit",
        "90 a second, fewer than ten answers 429",
        [NOTHING, many(OWN, 1000, **FAR)],
        paced(90, lambda refused, dummy: refused < 10, 1000),
        True,
    ),
    Row(
        "hosts",
        "5 hosts at once with one key, 200 creations each",
        "the documented limit, which they share",
        "85 a second in all, fewer than 20 % of the answers 429",
        [NOTHING, hosts(OWN, 5, 200)],
        paced(85, lambda refused, requests: refused < 0.2 * requests, 1000),
        True,
    ),
    Row(
        "takeover",
        "taking over 200 flags, 100 ms latency",
        "400 writes at the documented limit",
        "6 s besides the start",
        [NOTHING, takeover(OWN, 200, **FAR)],
        within(6.0, 400),
        True,
    ),
    Row(
        "audit-50",
        "an audit of 50 rows in 10 projects",
        "a playbook with that empty module",
        "2.5 times",
        [FLOOR, of_collection("audit", 50, 10, 10)],
        times(2.5, FLOOR),
    ),
    Row(
        "audit-5000",
        "an audit of 5,000 rows in 10 projects",
        "the same",
        "4 times",
        [FLOOR, of_collection("audit", 5000, 10, 10)],
        times(4, FLOOR),
        True,
    ),
    Row(
        "audit-50000",
        "an audit of 50,000 rows in 10 projects",
        "the same",
        "it ends, with less than 1 GiB",
        [FLOOR, of_collection("audit", 50000, 10, 10)],
        ends(1024),
        True,
    ),
    Row(
        "plan-5000",
        "a plan of 5,000 wanted in 10 projects, nothing to change",
        "the same",
        "4 times",
        [FLOOR, of_collection("plan", 5000, 10)],
        times(4, FLOOR),
        True,
    ),
    Row(
        "list-100000",
        "listing 100,000 deployments, CPU and peak memory",
        "the JSON parser alone on the same bytes",
        "3 times, 80 MiB",
        [listing(PARSER, "parser", 100000), listing(OWN, "ours", 100000)],
        parsed(3, 80),
    ),
]


class Comparison(t.NamedTuple):
    """Contenders that do the same work in different ways, of which nothing is to be reached.

    ``without``: what is taken off all; ``tasks``: by how many all are divided; ``base``: whose time is one.
    """

    key: str
    title: str
    contenders: t.Sequence[Contender]
    base: str
    tasks: int = 1
    is_slow: bool = True


COMPARISONS = [
    Comparison(
        "uri-task",
        f"One task, of {LOOP} in a loop, without the start of ansible-playbook",
        [
            NOTHING,
            EMPTY_LOOP,
            FLOOR_LOOP,
            single("`amplitude_deployment`, converged", LOOP, LOOP),
            single("`amplitude_deployment`, missing", LOOP, 0),
            uri_one_by_one("`uri`, converged (list)", LOOP, LOOP),
            uri_one_by_one("`uri`, missing (list, create, list)", LOOP, 0),
        ],
        FLOOR_LOOP.name,
        LOOP,
    ),
    Comparison(
        "uri-100",
        "100 deployments, without the start of ansible-playbook",
        [
            NOTHING,
            many("`amplitude_deployments`, missing", 100),
            many("`amplitude_deployments`, converged", 100, 100),
            uri("`uri` (list, loop of creates, list), missing", 100, 0),
            uri("`uri` (list), converged", 100, 100),
        ],
        "`amplitude_deployments`, missing",
    ),
]
