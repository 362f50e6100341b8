# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs contenders in turn, each as a process of its own, and keeps what they took."""

from __future__ import annotations

import json
import pathlib
import statistics
import subprocess
import sys
import typing as t


class Sample(t.NamedTuple):
    """What one process took.

    ``peak``: MiB, of the largest of the process and those that it has started. ``requests``: those that the emulator got.
    ``said``: what it printed.
    """

    seconds: float
    peak: float
    requests: t.Sequence[t.Mapping[str, t.Any]] = ()
    said: str = ""


class Figure(t.NamedTuple):
    """The medians of several samples of a contender.

    ``creations``: how many a second the service saw from the first to the last; 0 if there were none. ``cpu``: seconds, of
    what tells them itself.
    """

    seconds: float
    peak: float = 0.0
    requests: int = 0
    too_many: int = 0
    creations: float = 0.0
    cpu: float = 0.0


class Failed(Exception):
    """A contender has failed, so that its figures would say nothing."""


#: Seconds after which a process is taken for one that does not end.
MOST_SECONDS = 600


def run(
    command: t.Sequence[str], environment: t.Mapping[str, str], directory: pathlib.Path, most: float = MOST_SECONDS
) -> Sample:
    """Run a program to its end.

    :param most: the seconds that it may take.
    :raises Failed: with the end of what it printed.
    """
    taken = directory / "taken"
    done = subprocess.run(
        [sys.executable, str(pathlib.Path(__file__).with_name("taken.py")), str(taken), str(most), *command],
        env=dict(environment),
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(done.stdout[-3000:])
    seconds, peak = json.loads(taken.read_text(encoding="utf-8"))
    return Sample(seconds, peak, said=done.stdout)


T = t.TypeVar("T")


def in_turn(names: t.Sequence[str], rounds: int, sample: t.Callable[[str], T]) -> dict[str, list[T]]:
    """Take samples of several contenders in turn, so that whatever else the machine does concerns them all alike."""
    samples: dict[str, list[T]] = {name: [] for name in names}
    for number in range(rounds):
        # Whoever goes first in one round goes last in the next.
        for name in names if number % 2 == 0 else reversed(names):
            samples[name].append(sample(name))
    return samples


def figure_of(samples: t.Sequence[Sample]) -> Figure:
    """The medians of samples; of the numbers of requests, those of the last one."""
    last = samples[-1].requests
    return Figure(
        statistics.median(each.seconds for each in samples),
        statistics.median(each.peak for each in samples),
        len(last),
        sum(request["status"] == 429 for request in last),
        statistics.median(rate(created(each.requests)) for each in samples),
    )


def created(requests: t.Iterable[t.Mapping[str, t.Any]]) -> list[float]:
    """When deployments were created."""
    return [
        request["time"]
        for request in requests
        if request["method"] == "POST" and request["status"] == 200 and request["path"].endswith("/api/1/deployments")
    ]


def rate(times: t.Sequence[float]) -> float:
    """How many a second there were of what happened at these times."""
    took = max(times, default=0.0) - min(times, default=0.0)
    return (len(times) - 1) / took if took else 0.0
