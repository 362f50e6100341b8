# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong in `make bench` without being noticed: medians, rates, verdicts, and the page. Nothing is measured."""

from __future__ import annotations

import os
import sys

import pytest

from ansible_collections.community.amplitude.tests.benchmarks import page
from ansible_collections.community.amplitude.tests.benchmarks.__main__ import KEYS, PAGE, failed
from ansible_collections.community.amplitude.tests.benchmarks.contenders import FLOOR, FLOOR_LOOP, NOTHING
from ansible_collections.community.amplitude.tests.benchmarks.emulator import KEY, account, account_with_flags, wanted
from ansible_collections.community.amplitude.tests.benchmarks.measuring import (
    Failed,
    Figure,
    Sample,
    created,
    figure_of,
    in_turn,
    rate,
    run,
)
from ansible_collections.community.amplitude.tests.benchmarks.rows import OWN, PARSER, ROWS, Comparison

POST = dict(method="POST", path="/api/1/deployments", status=200)
BY_KEY = {row.key: row for row in ROWS}


def posted(*times, **more):
    return [{**POST, "time": time, **more} for time in times]


def figure(seconds=0.0, **more):
    return Figure(seconds, **more)


@pytest.mark.parametrize(
    "times, expected", [([], 0.0), ([4.0], 0.0), ([4.0, 4.0], 0.0), ([1.0, 2.0], 1.0), ([3.0, 1.0, 2.0], 1.0)]
)
def test_rate(times, expected):
    assert rate(times) == expected


def test_created():
    others = [
        *posted(1.0, status=429),
        *posted(2.0, method="GET"),
        *posted(3.0, path="/api/1/flags/7/deployments"),
    ]
    assert created([*others, *posted(4.0, 5.0)]) == [4.0, 5.0]


def test_figure_has_the_medians_and_the_requests_of_the_last_sample():
    samples = [
        Sample(9.0, 30.0, posted(0.0, 1.0, 2.0)),
        Sample(1.0, 10.0, posted(0.0, 0.5)),
        Sample(2.0, 20.0, [*posted(0.0, 0.1, 0.2, 0.3), dict(POST, status=429, time=0.4)]),
    ]
    assert figure_of(samples) == Figure(2.0, 20.0, 5, 1, 2.0)


def test_contenders_take_turns():
    order = []
    samples = in_turn(["a", "b"], 3, lambda name: order.append(name) or len(order))
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert samples == {"a": [1, 4, 5], "b": [2, 3, 6]}


def test_run(tmp_path):
    taken = run([sys.executable, "-c", "import os; print(os.getcwd(), end='')"], os.environ, tmp_path)
    assert taken.said == str(tmp_path.resolve())
    assert taken.seconds > 0 and taken.peak > 1


def test_peak_counts_the_processes_that_it_starts(tmp_path):
    """And not the process that starts it all."""
    mine = b"x" * (300 * 1024 * 1024)
    child = "x = bytearray(200 * 1024 * 1024)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    assert 200 < run([sys.executable, "-c", program], os.environ, tmp_path).peak < len(mine) / 1024 / 1024


def test_failure_is_told_with_what_was_printed(tmp_path):
    with pytest.raises(Failed, match="no such thing"):
        run([sys.executable, "-c", "raise SystemExit('no such thing')"], os.environ, tmp_path)


def test_what_does_not_end_is_ended(tmp_path):
    """Together with what it has started, which would keep its output open for ever."""
    child = "import time; time.sleep(10000)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(Failed, match="it did not end within 3 seconds") as caught:
        run([sys.executable, "-c", program], os.environ, tmp_path, 3)
    assert failed(caught.value) == ("–", "it failed: it did not end within 3 seconds", False)


#: A row, what was measured, what is said of the limit and of it, and whether that is what was to be reached.
VERDICTS = {
    "a task": (
        "task", {NOTHING.name: figure(1.0), FLOOR_LOOP.name: figure(5.0), OWN: figure(5.5)},
        "0.200 s", "0.225 s: 1.12 times", True,
    ),
    "a slow task": (
        "task", {NOTHING.name: figure(1.0), FLOOR_LOOP.name: figure(5.0), OWN: figure(6.0)},
        "0.200 s", "0.250 s: 1.25 times", False,
    ),
    "100 creations": (
        "create-100", {FLOOR.name: figure(0.5), OWN: figure(1.6)}, "1.500 s", "1.600 s: 1.07 times", True
    ),
    "100 slow creations": (
        "create-100", {FLOOR.name: figure(0.5), OWN: figure(1.7)}, "1.500 s", "1.700 s: 1.13 times", False
    ),
    "1,000 creations": (
        "create-1000", {NOTHING.name: figure(1.0), OWN: figure(11.0, requests=1002, too_many=9, creations=99.94)},
        "100 a second", "100.0 a second, 99.9 from the first to the last; 9 of 1002 answers are 429", True,
    ),
    "1,000 creations with ten answers 429": (
        "create-1000", {NOTHING.name: figure(1.0), OWN: figure(11.0, requests=1002, too_many=10)},
        "100 a second", "100.0 a second, 0.0 from the first to the last; 10 of 1002 answers are 429", False,
    ),
    "1,000 slow creations": (
        "create-1000", {NOTHING.name: figure(1.0), OWN: figure(13.5, requests=1002)},
        "100 a second", "80.0 a second, 0.0 from the first to the last; 0 of 1002 answers are 429", False,
    ),
    "hosts": (
        "hosts", {NOTHING.name: figure(1.0), OWN: figure(11.0, requests=1000, too_many=199)},
        "100 a second", "100.0 a second, 0.0 from the first to the last; 199 of 1000 answers are 429", True,
    ),
    "hosts that disturb each other": (
        "hosts", {NOTHING.name: figure(1.0), OWN: figure(11.0, requests=1000, too_many=200)},
        "100 a second", "100.0 a second, 0.0 from the first to the last; 200 of 1000 answers are 429", False,
    ),
    "taking over": (
        "takeover", {NOTHING.name: figure(1.0), OWN: figure(7.0, requests=410)}, "4.0 s", "6.0 s with 410 requests", True
    ),
    "taking over slowly": (
        "takeover", {NOTHING.name: figure(1.0), OWN: figure(7.5, requests=410)}, "4.0 s", "6.5 s with 410 requests", False
    ),
    "50,000 rows": (
        "audit-50000", {FLOOR.name: figure(0.5), OWN: figure(60.0, peak=1000)},
        "0.50 s", "60.0 s: 120 times; 1000 MiB", True,
    ),
    "50,000 rows in much memory": (
        "audit-50000", {FLOOR.name: figure(0.5), OWN: figure(60.0, peak=1024)},
        "0.50 s", "60.0 s: 120 times; 1024 MiB", False,
    ),
    "a list": (
        "list-100000", {PARSER: figure(cpu=0.2), OWN: figure(cpu=0.5, peak=80)},
        "0.20 s", "0.50 s: 2.50 times; 80 MiB", True,
    ),
    "a list in much memory": (
        "list-100000", {PARSER: figure(cpu=0.2), OWN: figure(cpu=0.5, peak=81)},
        "0.20 s", "0.50 s: 2.50 times; 81 MiB", False,
    ),
    "a slow list": (
        "list-100000", {PARSER: figure(cpu=0.2), OWN: figure(cpu=0.7, peak=80)},
        "0.20 s", "0.70 s: 3.50 times; 80 MiB", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict(case):
    key, figures, limit, measured, is_met = VERDICTS[case]
    assert BY_KEY[key].judge(figures) == (limit, measured, is_met)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_row_measures_what_it_judges(row):
    """Each contender that a verdict is about is one of the row, and what is to be reached is in the verdict's own words."""
    figures = {each.name: figure(0.1 if each is NOTHING else 1.0, cpu=1.0) for each in row.contenders}
    assert OWN in figures and len(figures) == len(row.contenders)
    assert row.judge(figures).limit
    missed = {
        name: each._replace(seconds=1000.0, peak=5000.0, cpu=9.0) for name, each in figures.items() if name == OWN
    }
    assert not row.judge(dict(figures, **missed)).is_met


def test_table_of_verdicts():
    row = BY_KEY["create-50"]
    judged = [(row, row.judge({FLOOR.name: figure(1.0), OWN: figure(own)})) for own in (1.25, 1.5)]
    what = "| 50 creations at once, whole process | a playbook with that empty module | 1.000 s |"
    assert page.verdicts(judged).splitlines()[2:] == [
        f"{what} 1.250 s: 1.25 times | 1.3 times | yes |",
        f"{what} 1.500 s: 1.50 times | 1.3 times | **no** |",
    ]


def test_comparison():
    compared = Comparison("key", "One of two", [NOTHING, FLOOR, FLOOR_LOOP], FLOOR.name, tasks=2)
    figures = {NOTHING.name: figure(1.0), FLOOR.name: figure(3.0), FLOOR_LOOP.name: figure(4.0, requests=7)}
    assert page.comparison(compared, figures).splitlines() == [
        "## One of two",
        "",
        f"| contender | seconds | times {FLOOR.name} | requests |",
        "| --- | --- | --- | --- |",
        f"| {FLOOR.name} | 1.000 | 1.00 | 0 |",
        f"| {FLOOR_LOOP.name} | 1.500 | 1.50 | 7 |",
    ]


def test_prose_stays():
    text = f"# Benchmarks\n\nBy hand.\n\n{page.BEGIN}\nold\n\n{page.END}\n\nAlso by hand.\n"
    new = page.replaced(text, "\nnew\n")
    assert new == text.replace("old", "new")
    assert page.replaced(new, "new") == new
    with pytest.raises(ValueError):
        page.replaced("no marks", "new")
    assert page.BEGIN in PAGE.read_text(encoding="utf-8") and page.END in PAGE.read_text(encoding="utf-8")


def test_machine():
    words = page.machine("ansible [core 2.19.14]\n  config file = None", 5)
    assert words.startswith("Measured with ansible core 2.19.14 and Python 3.") and words.endswith("what takes long.\n")


def test_account_is_what_is_wanted_but_for_the_gaps():
    state = wanted(50, 10)
    assert [len(each["deployments"]) for each in state["amplitude_projects"]] == [5] * 10
    listed = {(each["project_id"], row["label"]) for each in state["amplitude_projects"] for row in each["deployments"]}
    there = [{(row["projectId"], row["label"]) for row in account(50, 10, gaps)["deployments"]} for gaps in (0, 10)]
    assert there[0] == listed and there[1] < listed and len(there[1]) == 45
    assert account()["deployments"] == [] and account()["keys"] == {KEY: ["1"]}
    assert len(account_with_flags(200)["flags"]) == 200


def test_keys_tell_rows_apart():
    assert len(set(KEYS)) == len(KEYS)
