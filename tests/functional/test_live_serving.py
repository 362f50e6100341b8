# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``make live`` finds out of assignments, and of where fields are read, and what it leaves behind: nothing."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from ansible_collections.community.amplitude.tests.live import live
from ansible_collections.community.amplitude.tests.live.assigning import (
    ABSENT,
    AGAIN,
    ANOTHER,
    ARCHIVED,
    ASSIGNED,
    FACTS,
    LAST,
    REMOVED,
    told_of,
)
from ansible_collections.community.amplitude.tests.support.clocks import FOR_EVER, eventually
from ansible_collections.community.amplitude.tests.support.live import EXPERIMENT, FLAG, World

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENABLED, DISABLED = dict(key=FLAG, enabled=True), dict(key=EXPERIMENT, enabled=False)
ON_FLAGS = "/flags/[^/]*/deployments"
#: The assignment of the playbook to a flag that takes all others, counted with those of the probes.
OF_PLAYBOOK = 5
PROMPTLY = r"list number 1 shows it, begun 0\.\d seconds after the answer\."
LATE = r"list number 3 shows it, .*"
REFUSED = r"refused: {0}, JSON with ``code``, ``error`` sent as ``application/json``"
#: The switches, and what has to be seen of them on a flag that is enabled and on an experiment that is not, if there is one.
WORLDS = {
    "as it may be": (
        # Nothing is archived that is still served.
        dict(archive_in_use="refused"),
        {
            ASSIGNED: PROMPTLY,
            ANOTHER: r"adds it\.",
            AGAIN: r"accepted\.",
            ABSENT: REFUSED.format(404) + r"\.",
            ARCHIVED: r"accepted, and the list shows it\.",
            REMOVED: PROMPTLY,
            LAST: r"accepted; it is enabled\.",
        },
        {LAST: r"accepted; it is not enabled\."},
    ),
    "as it may be, too": (
        dict(
            assigning="replaces", archived_deployment_status=400, removed_again_status=200, ids="string", stale_lists=2
        ),
        {
            ASSIGNED: LATE,
            ANOTHER: r"replaces what was there\.",
            AGAIN: r"accepted\.",
            ABSENT: r"accepted\.",
            ARCHIVED: REFUSED.format(400) + r"\.",
            REMOVED: LATE,
            LAST: r"accepted; it is enabled\.",
        },
        {},
    ),
    "as it must not be": (
        dict(assigned_again_status=409, last_deployment_status=400),
        {
            ASSIGNED: PROMPTLY,
            ANOTHER: r"adds it\.",
            AGAIN: REFUSED.format(409) + r"\.",
            ABSENT: REFUSED.format(404) + r"\.",
            ARCHIVED: r"accepted, and the list shows it\.",
            REMOVED: PROMPTLY,
            LAST: REFUSED.format(400) + r"; it is enabled\.",
        },
        {},
    ),
}


@pytest.fixture
def world(emulator, tmp_path):
    world = World(emulator, tmp_path / "observed.rst")
    world.environment.update(AMPLITUDE_TEST_FLAG=FLAG, AMPLITUDE_TEST_EXPERIMENT="")
    return world


@pytest.fixture
def main(world, monkeypatch, capsys):
    """Run it in this process, up to the playbook; its answer and what it has printed."""

    def main(**environment):
        monkeypatch.setattr(live.signal, "signal", lambda *dummy: None)
        for name, value in dict(world.environment, **environment).items():
            monkeypatch.setenv(name, value)
        answer = live.main("--record", str(world.record))
        return answer, capsys.readouterr().out

    return main


@pytest.mark.parametrize("name", WORLDS)
def test_assignments(run, emulator, world, name):
    switches, of_flag, of_experiment = WORLDS[name]
    world.begin([ENABLED], [DISABLED], **switches)
    if of_experiment:
        world.environment.update(AMPLITUDE_TEST_EXPERIMENT=EXPERIMENT)

    result = run("python", *world.command, "serve", **world.environment)

    left = name == "as it must not be"
    assert result.status == left, result.output
    assert ("NOT EVERYTHING WAS REMOVED. The flag 'live-flag-key' (id " in result.output) is left
    assert ("The flag 'live-flag-key' has no deployments, as before." in result.output) is not left
    assert "failed=0" in result.output
    assert len(world.check_that_it_was_cleaned_up(result.output, left=left)) <= 12
    told = world.told()
    for fact in FACTS:
        assert re.fullmatch(of_flag[fact], told[told_of("flag")[fact]]), (fact, told[told_of("flag")[fact]])
        seen = told[told_of("experiment")[fact]]
        unset = r"not observed: AMPLITUDE_TEST_EXPERIMENT is not set\."
        assert re.fullmatch(dict(of_flag, **of_experiment)[fact] if of_experiment else unset, seen), (fact, seen)


def test_interruption_while_it_is_served(emulator, world):
    """Ctrl-C after the service has carried out the playbook's assignment, and before it has answered."""
    world.begin([ENABLED], archive_in_use="refused")
    emulator.misbehave(action="delay", method="POST", path=ON_FLAGS, nth=OF_PLAYBOOK, moment="after", seconds=FOR_EVER)
    with subprocess.Popen(
        [sys.executable, *world.command, "serve"],
        cwd=ROOT,
        env=dict(os.environ, **world.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:

        def assigned():
            posts = [row for row in emulator.requests() if row["method"] == "POST" and re.search(ON_FLAGS, row["path"])]
            return len(posts) == OF_PLAYBOOK and posts[-1]["committed"]

        eventually(assigned, emulator.requests)
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=FOR_EVER)[0]

    assert process.returncode == 1 and "Interrupted." in output, output
    assert "Traceback" not in output
    assert "The flag 'live-flag-key' has no deployments, as before." in output
    assert any(row["label"].endswith("s-serve") for row in world.check_that_it_was_cleaned_up(output))


def test_failure_while_something_is_served(emulator, world, main):
    world.begin([ENABLED], archive_in_use="refused")
    emulator.misbehave(action="status", method="POST", path=ON_FLAGS, nth=2, status=403)
    answer, output = main()
    assert "answered 403" in answer and "NOT" not in answer
    world.check_that_it_was_cleaned_up(output)
    assert told_of("flag")[ASSIGNED] in world.told()


def test_somebody_else_uses_the_flag(emulator, world, main):
    """What is not ours stays, and is told."""
    world.begin([ENABLED])
    flag = next(row["id"] for row in emulator.flags() if row["key"] == FLAG and row["deployments"] == [])
    emulator.after("POST", 1, lambda: emulator.assign_to_flag(flag, ["502"]), path=ON_FLAGS)
    answer, output = main()
    assert "Somebody else has assigned a deployment to the flag 'live-flag-key'" in answer
    assert "has deployments that this run has not assigned (502)" in answer
    world.check_that_it_was_cleaned_up(output, left=1)
    assert next(row["deployments"] for row in emulator.flags() if row["id"] == flag) == ["502"]


@pytest.mark.parametrize("post", ["query", "body"])
def test_fields_that_are_read_from_the_query(emulator, world, main, post):
    world.begin([ENABLED], fields_of_post=post, fields_of_patch="query")
    answer, output = main()
    assert "The collection sends fields in the body, and the API reads them from the query: see the table." in answer
    assert world.told() == {
        "Where the fields of a POST are read": f"the {post}.",
        "Where the fields of a PATCH are read": "the query.",
    }
    assert len(world.check_that_it_was_cleaned_up(output)) == 1


@pytest.mark.parametrize("kind", ["flag", "experiment"])
@pytest.mark.parametrize(
    "rows, words",
    [
        ([], "no {0} has this key"),
        ([dict(archived=True)], "the {0} with this key is archived"),
        ([dict(id=81), dict(id=82)], "several {0}s in project 770077 have this key (ids 82, 81)"),
        ([dict(deployments=["504"])], "has deployments (504)"),
    ],
)
def test_what_cannot_be_used(emulator, world, main, kind, rows, words):
    world.begin(**{kind + "s": [dict(row, key=FLAG) for row in rows]})
    name = f"AMPLITUDE_TEST_{kind.upper()}"
    answer, dummy = main(**dict(dict(AMPLITUDE_TEST_FLAG=""), **{name: FLAG}))
    assert answer.startswith(f"{name} is '{FLAG}', but ") and words.format(kind) in answer
    assert {request["method"] for request in emulator.requests()} == {"GET"}
    assert not world.record.exists()
