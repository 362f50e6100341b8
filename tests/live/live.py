# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test against the real service, and write down what is seen of it: live.py [--record FILE] [one] [many] [new] [serve].

AMPLITUDE_MANAGEMENT_API_KEY and AMPLITUDE_TEST_PROJECT_ID say where. Every deployment that a run makes has a label that
begins with the random prefix of that run. At the end all of them are archived, however the run ends.

AMPLITUDE_TEST_FLAG and AMPLITUDE_TEST_EXPERIMENT, if they are set, have the keys of a flag and of an experiment of the
project, without deployments. Those of the run are assigned to them, and removed before they are archived.

Nothing else is written to. What this program sends goes through :class:`Ours`, and what the playbook does has to pass
tasks/guard.yml.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import traceback
import typing as t

from ansible_collections.community.amplitude.plugins.module_utils import _options as shared_options
from ansible_collections.community.amplitude.plugins.module_utils._errors import AmplitudeError
from ansible_collections.community.amplitude.tests.live import assigning, cleaning, words
from ansible_collections.community.amplitude.tests.live.ours import Stopped
from ansible_collections.community.amplitude.tests.live.probing import Probing
from ansible_collections.community.amplitude.tests.live.service import Service

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE.parents[1] / ".cache/live/observed.rst"
REQUIRED = {
    "AMPLITUDE_MANAGEMENT_API_KEY": "a management API key, made in Amplitude under Experiment > Management API",
    "AMPLITUDE_TEST_PROJECT_ID": "the ID of a project that the key may write to and that is there for tests",
}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PARTS = ("one", "many", "new")
#: The part of the playbook that is run only where there is something to be served.
SERVING = "serve"
#: Seconds in which a playbook that was interrupted has to end.
ENDING = 30.0


class Live:
    """One run: what is probed through the API itself, the playbook, and what came of it.

    :param options: of the client.
    :param project_id: where deployments are made.
    """

    def __init__(self, options: t.Mapping[str, t.Any], project_id: str) -> None:
        self.service = Service(options, project_id)
        self.ours = self.service.ours

    def begin(self, serving: t.Mapping[str, str]) -> None:
        """See whether the key is valid, and the project, the flag and the experiment are there.

        :param serving: the keys of what may be assigned to, by kind.
        :raises AmplitudeError: a list cannot be read.
        :raises Stopped: there is no deployment of the project, or the flag or the experiment cannot be used.
        """
        rows = self.service.list()
        projects = {row.project_id for row in rows}
        if self.ours.project_id not in projects:
            raise Stopped(
                f"AMPLITUDE_TEST_PROJECT_ID is {self.ours.project_id!r}, but the key in "
                "AMPLITUDE_MANAGEMENT_API_KEY sees no deployment of such a project "
                f"(it sees {len(projects)} others), and every project has at least a default one. Correct one of the "
                "two, or AMPLITUDE_REGION."
            )
        self.ours.before = {row.id: row for row in rows}
        self.ours.flags = [assigning.find(self.service, kind, key) for kind, key in serving.items()]

    def run(self, parts: t.Sequence[str]) -> None:
        """Probe, and run the playbook.

        :param parts: the parts of the playbook to run.
        :raises AmplitudeError: a request has failed that should not.
        :raises Stopped: the playbook has failed, or something else is not as it should be.
        """
        probing = Probing(self.service)
        words.say("=== Probing the API itself")
        archived = probing.fields()
        probe, archived_count = probing.deployments()
        probing.errors()
        assigning.probe(self.service, archived)
        words.say("=== Running the playbook")
        self._play(parts, probe, archived_count)
        words.say("=== Looking at the list")
        probing.look()

    def record(self) -> str:
        """What was observed so far, as a table for docs/docsite/rst/api.rst.

        :raises Stopped: it would have a key or a label in it.
        """
        text = words.table(self.service.facts)
        if self.ours.prefix in text or any(secret in text for secret in self.service.secrets):
            raise Stopped("What was observed is not written down: there is a key or a label in it.")
        return text

    def _play(self, parts: t.Sequence[str], probe: str, archived_count: bool) -> None:
        given = dict(
            live_project_id=self.ours.project_id,
            live_prefix=self.ours.prefix,
            live_probe_id=probe,
            live_archived_labels_count=archived_count,
            live_flags=[flag.key for flag in self.ours.flags if flag.kind == "flag"],
            live_experiments=[flag.key for flag in self.ours.flags if flag.kind == "experiment"],
        )
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as file:
            json.dump(given, file)
            file.flush()
            command = ["ansible-playbook", str(HERE / "site.yml"), "-e", "@" + file.name, "--tags", ",".join(parts)]
            if self._execute(command) != 0:
                raise Stopped("The playbook has failed: see above.")

    def _execute(self, command: t.Sequence[str]) -> int:
        """Run a program, show what it prints without keys, and return its status. It does not outlive this method."""
        environment = dict(
            os.environ,
            ANSIBLE_NOCOLOR="true",
            ANSIBLE_LOCALHOST_WARNING="false",
            ANSIBLE_INVENTORY_UNPARSED_WARNING="false",
        )
        # In a session of its own it does not get the Ctrl-C of a terminal: this program passes it on, and waits.
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            for line in t.cast(t.IO[str], process.stdout):
                words.say(self.service.redact(line.rstrip("\n")))
            return process.wait()
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=ENDING)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _interrupted(*dummy: t.Any) -> t.NoReturn:
    """End what is going on. Whoever presses Ctrl-C twice means the same as with once."""
    _be_deaf()
    raise KeyboardInterrupt


def _be_deaf() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _options() -> dict[str, t.Any]:
    """The options of the client from the environment.

    :raises Stopped: something is missing.
    :raises InputError: something cannot be used.
    """
    missing = [name for name in REQUIRED if not os.environ.get(name)]
    if missing:
        raise Stopped(
            "\n".join(
                ["Not set: {0}. This tests against the real service, and needs:".format(", ".join(missing))]
                + [f"  {name}: {REQUIRED[name]}" for name in missing]
                + ["Set AMPLITUDE_REGION=eu for an organisation in the EU."]
            )
        )
    region = os.environ.get("AMPLITUDE_REGION") or "us"
    if region not in shared_options.BASE_URLS:
        raise Stopped(f"AMPLITUDE_REGION is {region!r}, but has to be us or eu.")
    options = dict(
        management_api_key=os.environ["AMPLITUDE_MANAGEMENT_API_KEY"],
        base_url=os.environ.get("AMPLITUDE_BASE_URL") or None,
        region=region,
    )
    checked = shared_options.client_from(dict(options, validate_certs=True, ca_path=None, timeout=30, retry_timeout=0))
    return dict(management_api_key=options["management_api_key"], base_url=checked.base_url)


def main(*arguments: str) -> int | str:
    """Return an exit status: 0 if everything was as it should be; or what was not."""
    parser = argparse.ArgumentParser(description="Test against the real service.")
    parser.add_argument("--record", type=pathlib.Path, default=RECORD, help="where to write what was observed")
    parser.add_argument("parts", nargs="*", metavar="one|many|new|serve", help="the parts of the playbook to run (all)")
    given = parser.parse_args(arguments)
    serving = {kind: os.environ[name] for kind, name in assigning.VARIABLES.items() if os.environ.get(name)}
    parts = (*PARTS, SERVING) if serving else PARTS
    if not set(given.parts) <= set(parts):
        parser.error(
            "the parts of the playbook are {0}, and {1} if {2} is set".format(
                ", ".join(PARTS), SERVING, " or ".join(assigning.VARIABLES.values())
            )
        )
    for number in SIGNALS:
        signal.signal(number, _interrupted)
    try:
        options = _options()
        live = Live(options, os.environ["AMPLITUDE_TEST_PROJECT_ID"])
        live.begin(serving)
    except (AmplitudeError, Stopped) as error:
        return str(error)
    except KeyboardInterrupt:
        return "Interrupted before anything was written."
    orderly, problems = False, []
    try:
        words.say(
            "This run makes deployments in project {0} at {1}. Their labels begin with {2} and they are archived at the "
            "end: the API cannot delete them.".format(live.ours.project_id, options["base_url"], live.ours.prefix)
        )
        for flag in live.ours.flags:
            words.say(f"It assigns them to the {flag.described}, and removes them at the end.")
        live.run(given.parts or parts)
        orderly = True
    except KeyboardInterrupt:
        problems.append("Interrupted.")
    except (AmplitudeError, Stopped) as error:
        problems.append(live.service.redact(str(error)))
    except Exception:
        problems.append(live.service.redact(traceback.format_exc()))
    finally:
        _be_deaf()
        problems += cleaning.close(live.service, orderly)
    try:
        text = live.record()
    except Stopped as error:
        return "\n".join([*problems, str(error)])
    given.record.parent.mkdir(parents=True, exist_ok=True)
    given.record.write_text(text, encoding="utf-8")
    words.say(f"=== What was observed, for docs/docsite/rst/api.rst: {given.record}")
    return "\n".join(problems) or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
