# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test against the real service, and write down what is seen of it: live.py [--record FILE] [one] [many] [new].

AMPLITUDE_MANAGEMENT_API_KEY and AMPLITUDE_TEST_PROJECT_ID say where. Every deployment that a run makes has a label that
begins with the random prefix of that run. At the end all of them are archived, however the run ends.

Nothing else is written to. What this program sends goes through :class:`Ours`, and what the playbook does has to pass
tasks/guard.yml.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import itertools
import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback
import typing as t
from urllib.parse import unquote

from ansible_collections.community.amplitude.plugins.module_utils import _options as shared_options
from ansible_collections.community.amplitude.plugins.module_utils._api import client as api_client
from ansible_collections.community.amplitude.plugins.module_utils._api import quotes
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import (
    Deployment,
    Deployments,
    identifier_from,
    type_of_key,
)
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._errors import AmplitudeError, ApiError

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE.parents[1] / ".cache/live/observed.rst"
REQUIRED = {
    "AMPLITUDE_MANAGEMENT_API_KEY": "a management API key, made in Amplitude under Experiment > Management API",
    "AMPLITUDE_TEST_PROJECT_ID": "the ID of a project that the key may write to and that is there for tests",
}
PATH = "/api/1/deployments"
DOCUMENTED_FIELDS = ("id", "projectId", "label", "key", "deleted")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PARTS = ("one", "many", "new")
#: The labels that the deployments have in the end that the parts make, one after the other.
PROBE = "n-probe"
LAST_LABELS = ("a-one", "x-many", PROBE)

#: Seconds that a list may take to show a create before this is given up.
LONGEST_LAG = 60.0
#: Seconds in which the deployments of the run have to be archived.
CLEANING = 180.0
#: Seconds in which a playbook that was interrupted has to end.
ENDING = 30.0

ONE_PAGE = "not observable: one page holds the whole list"


class Stopped(Exception):
    """The run cannot go on; the text is for the person who started it."""


class Ours:
    """What this run has made. All that this program writes is allowed here first.

    :param project_id: the project of the run.
    """

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id
        self.prefix = f"ansible-live-{secrets.token_hex(4)}-"
        #: The deployments that were there before, by id.
        self.before: dict[str, Deployment] = {}
        #: The ids of those made since.
        self.made: list[str] = []
        #: Those of them that were made one after the other, in this order.
        self.in_turn: list[str] = []

    def claim(self, *identifiers: str, in_turn: bool = False) -> None:
        """Remember what this run has made."""
        new = [each for each in identifiers if each not in self.before]
        self.made += [each for each in new if each not in self.made]
        if in_turn:
            self.in_turn += [each for each in new if each not in self.in_turn]

    def found(self, rows: t.Iterable[Deployment]) -> list[Deployment]:
        """Those of the deployments in a list that this run has made; they are remembered."""
        rows = [row for row in rows if row.project_id == self.project_id and row.label.startswith(self.prefix)]
        self.claim(*(row.id for row in rows))
        return [row for row in rows if row.id in self.made]

    def allow(self, body: t.Mapping[str, t.Any], identifier: str | None = None) -> None:
        """Let a POST or PATCH pass.

        :raises Stopped: it would touch what this run has not made, or make what could not be told from that.
        """
        if not body.get("label", self.prefix).startswith(self.prefix):
            raise Stopped("A label without the prefix of this run was about to be written: this is a bug.")
        if identifier is None and body["projectId"] != self.project_id:
            raise Stopped("A deployment was about to be created in another project: this is a bug.")
        if identifier is not None and identifier not in self.made:
            raise Stopped("A deployment that this run has not made was about to be changed: this is a bug.")


class Probe(api_client.Client):
    """The client of the collection. It also keeps the form of the answers, and writes what :class:`Ours` allows."""

    def __init__(self, ours: Ours, **options: t.Any) -> None:
        super().__init__(**options)
        self.ours = ours
        self.documents: list[dict[str, t.Any]] = []
        self.created: list[dict[str, t.Any]] = []
        self.refusal = ""
        self.retry_after: set[str] = set()

    def get_json(
        self,
        path: str,
        doing: str,
        params: t.Mapping[str, t.Any] | None = None,
        keep: frozenset[str] | None = None,
    ) -> t.Any:
        document = super().get_json(path, doing, params, keep)
        self.documents.append(document)
        return document

    def post_json(self, path: str, doing: str, body: t.Mapping[str, t.Any]) -> t.Any:
        self.ours.allow(body)
        answer = super().post_json(path, doing, body)
        identifier = identifier_from(answer.get("id")) if isinstance(answer, dict) else None
        if identifier is not None:
            self.created.append(answer)
            self.ours.claim(identifier, in_turn=True)
        return answer

    def patch_ok(self, path: str, doing: str, body: t.Mapping[str, t.Any]) -> None:
        self.ours.allow(body, unquote(path.rpartition("/")[2]))
        super().patch_ok(path, doing, body)

    def list(self) -> list[Deployment]:
        """All deployments; ``documents`` has the pages as they came."""
        self.documents.clear()
        return Deployments(self).list()

    def _refusal(self, doing: str, response: t.Any, answer: bytes) -> ApiError:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self.refusal = f"{response.status_code}, {_shape(answer)}{_sent_as(kind)}"
        if response.status_code == 429:
            self.retry_after.add(_form_of_retry_after(response.headers.get("Retry-After")))
        return super()._refusal(doing, response, answer)


class Live:
    """One run: what is probed through the API itself, the playbook, what came of it, and the end of it all.

    :param options: of the client.
    :param project_id: where deployments are made.
    """

    def __init__(self, options: t.Mapping[str, t.Any], project_id: str) -> None:
        self.ours = Ours(project_id)
        self.facts: dict[str, str] = {}
        self._options = options
        self._secrets = {options["management_api_key"]}
        self._keys: dict[str, str | None] = {}
        self._longest_lag = Waits().list_lag
        self._probe = Probe(self.ours, retry_timeout=30, **options)

    def begin(self) -> None:
        """See whether the key is valid and the project is there.

        :raises AmplitudeError: the list of deployments cannot be read.
        :raises Stopped: it has no deployment of the project.
        """
        rows = self._list()
        projects = {row.project_id for row in rows}
        if self.ours.project_id not in projects:
            raise Stopped(
                f"AMPLITUDE_TEST_PROJECT_ID is {self.ours.project_id!r}, but the key in "
                "AMPLITUDE_MANAGEMENT_API_KEY sees no deployment of such a project "
                f"(it sees {len(projects)} others), and every project has at least a default one. Correct one of the "
                "two, or AMPLITUDE_REGION."
            )
        self.ours.before = {row.id: row for row in rows}

    def run(self, parts: t.Sequence[str]) -> None:
        """Probe, and run the playbook.

        :param parts: the parts of the playbook to run.
        :raises AmplitudeError: a request has failed that should not.
        :raises Stopped: the playbook has failed, or something else is not as it should be.
        """
        _say("=== Probing the API itself")
        probe, archived_count = self._probe_deployments()
        self._probe_errors()
        _say("=== Running the playbook")
        self._play(parts, probe, archived_count)
        _say("=== Looking at the list")
        self._look()

    def close(self, orderly: bool) -> list[str]:
        """Archive everything that this run has made.

        :param orderly: whether it is known what that is; else the list is given the time to show it.
        :return: what is wrong, in sentences.
        """
        _say("=== Archiving the deployments of this run")
        self._probe = Probe(self.ours, retry_timeout=CLEANING / 2, **self._options)
        begun = time.monotonic()
        rows: list[Deployment] = []
        own: list[Deployment] = []
        problem = "The list still shows some of them as active."
        for pause in itertools.chain([0.1, 0.2, 0.4], itertools.repeat(1.0)):
            look = time.monotonic()
            try:
                rows = self._list()
                own = self.ours.found(rows)
                active = [row for row in own if not row.deleted]
                settled = look - begun >= self._longest_lag or (orderly and len(own) == len(self.ours.made))
                if settled and not active:
                    break
                for row in active:
                    try:
                        Deployments(self._probe).edit(row, archive=True)
                    except AmplitudeError as error:
                        problem = str(error)
            except AmplitudeError as error:
                problem = str(error)
            if time.monotonic() - begun > CLEANING:
                return [
                    f"NOT EVERYTHING WAS ARCHIVED. Look in Amplitude for deployments whose label begins with "
                    f"{self.ours.prefix} and archive them. {self.redact(problem)}"
                ]
            time.sleep(pause)
        _say(f"{len(own)} deployments of this run are in the list, and all of them are archived.")
        problems = []
        missing = set(self.ours.made) - {row.id for row in own}
        if missing or not orderly:
            problems.append(
                "{0} Look later whether an active deployment has a label that begins with {1}, and archive it.".format(
                    "The list does not show all deployments of this run."
                    if missing
                    else "A request may have been under way at the end, and can be carried out after this.",
                    self.ours.prefix,
                )
            )
        now = {row.id: row for row in rows}
        if any(now.get(identifier) != row for identifier, row in self.ours.before.items()):
            problems.append(
                "Deployments that were there before have changed meanwhile. This run has not written to them, so it was "
                "probably somebody else: see who it was."
            )
        return problems

    def record(self) -> str:
        """What was observed so far, as a table for docs/docsite/rst/api.rst.

        :raises Stopped: it would have a key or a label in it.
        """
        lines = [".. list-table::", "  :header-rows: 1", "  :widths: 42 43 15", ""]
        today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
        for row in [("Fact", "Observed", "Date")] + [(*fact, today) for fact in self.facts.items()]:
            for number, cell in enumerate(row):
                text = cell[0].upper() + cell[1:] + ("." if number < 2 and row[0] != "Fact" else "")
                first = "    - " if number else "  * - "
                lines += textwrap.wrap(
                    text, 120, initial_indent=first, subsequent_indent=" " * 6, break_on_hyphens=False
                )
        text = "\n".join(lines) + "\n"
        if self.ours.prefix in text or any(secret in text for secret in self._secrets):
            raise Stopped("What was observed is not written down: there is a key or a label in it.")
        return text

    def redact(self, text: str) -> str:
        """A text without the management API key and anything that looks like the key of a deployment."""
        return quotes.redact(text, self._options["management_api_key"])

    def _list(self) -> list[Deployment]:
        rows = self._probe.list()
        self._secrets.update(row.key for row in rows if row.key)
        return rows

    def _list_and_check(self) -> list[Deployment]:
        """All deployments.

        :raises Stopped: one that this run has made has another key than before.
        """
        rows = self._list()
        if any(self._keys.setdefault(row.id, row.key) != row.key for row in self.ours.found(rows)):
            raise Stopped("A deployment of this run has another key than before.")
        return rows

    def _probe_deployments(self) -> tuple[str, bool]:
        """Create, archive, restore and rename.

        :return: the id of a deployment that is archived then, and whether an archived deployment keeps its label from
            being used again.
        """
        deployments, project = Deployments(self._probe), self.ours.project_id
        label = self.ours.prefix + "m-probe"
        identifier = deployments.create(project, label, "client")
        self.facts["Time until a list shows a new deployment"], row = self._lag(lambda rows: rows.get(identifier))
        known = type_of_key(row.key) if row else None
        self.facts["Whether the key of a new client deployment begins with ``client-``"] = (
            "yes" if known == "client" else "no"
        )
        taken = "POST with the label of an {0} deployment of the project"
        self.facts[taken.format("active")], dummy = self._probe_duplicate(label, identifier)
        row = Deployment(identifier, project, label, None, "client", False)
        deployments.edit(row, archive=True)
        self.facts["Time until a list shows that a deployment was archived"], dummy = self._lag(
            lambda rows: identifier in rows and rows[identifier].deleted
        )
        self.facts[taken.format("archived")], archived_count = self._probe_duplicate(label, identifier)
        row = row._replace(deleted=True)
        for deleted in (False, True):
            fact = f"PATCH with ``label`` and ``archive: {str(deleted).lower()}``"
            wanted = row._replace(label=self.ours.prefix + (PROBE if deleted else "o-probe"), deleted=deleted)
            self.facts[fact], row = self._probe_both(row, wanted)
        if row != wanted:
            raise Stopped(
                "A deployment could not be renamed and archived at once, as the table tells, which is assumed."
            )
        return identifier, archived_count

    def _probe_duplicate(self, label: str, first: str) -> tuple[str, bool]:
        """Create a second deployment with a label; what came of it, and whether that was refused."""
        try:
            second = Deployments(self._probe).create(self.ours.project_id, label, "client")
        except ApiError as error:
            self._end_unless_refused(error)
            return f"refused: {self._probe.refusal}", True
        if second == first:
            return "no second one: it answers with the ID of the first", True
        Deployments(self._probe).edit(
            Deployment(second, self.ours.project_id, label, None, "client", False), archive=True
        )
        return "creates a second one", False

    def _probe_both(self, before: Deployment, wanted: Deployment) -> tuple[str, Deployment]:
        """Rename, and archive or restore at once; what came of it, and the deployment as it is then."""
        try:
            Deployments(self._probe).edit(before, label=wanted.label, archive=wanted.deleted)
        except ApiError as error:
            self._end_unless_refused(error)
            return f"refused: {self._probe.refusal}", before
        ends, row = time.monotonic() + Waits().edit_shows, before
        while (row.label, row.deleted) != (wanted.label, wanted.deleted) and time.monotonic() < ends:
            time.sleep(0.2)
            row = {each.id: each for each in self._list_and_check()}.get(t.cast(str, before.id), row)
        label, archive = row.label == wanted.label, row.deleted == wanted.deleted
        words = {(True, True): "both are carried out", (True, False): "only ``label`` is carried out"}
        words.update({(False, True): "only ``archive`` is carried out", (False, False): "neither was seen in the list"})
        return words[label, archive], row

    def _probe_errors(self) -> None:
        """Send what should be refused."""
        for fact, label, kind in (
            ("Answer to a label with a space in it", "not allowed", "client"),
            ("Answer to a ``type`` that does not exist", "no-type", "neither"),
        ):
            try:
                identifier = Deployments(self._probe).create(self.ours.project_id, self.ours.prefix + label, kind)
            except ApiError as error:
                if error.status < 500:
                    self._end_unless_refused(error)
                self.facts[fact] = self._probe.refusal
            else:
                self.facts[fact] = "it is accepted"
                row = Deployment(identifier, self.ours.project_id, self.ours.prefix + label, None, None, False)
                Deployments(self._probe).edit(row, archive=True)

    @staticmethod
    def _end_unless_refused(error: ApiError) -> None:
        """Raise an error that says nothing about what was sent."""
        if not 400 <= error.status < 500 or error.status in (401, 403, 429):
            raise error

    def _lag(self, shown: t.Callable[[dict[str, Deployment]], t.Any]) -> tuple[str, t.Any]:
        """Read the list until something is shown; how long that took in words, and what was shown (None: nothing)."""
        answered = time.monotonic()
        not_yet = ""
        for number, pause in zip(itertools.count(1), itertools.chain([0.1, 0.2, 0.5], itertools.repeat(1.0))):
            begun = time.monotonic() - answered
            found = shown({t.cast(str, row.id): row for row in self._list_and_check()})
            self._longest_lag = max(self._longest_lag, 2 * begun)
            if found:
                words = f"list number {number} shows it, begun {begun:.1f} seconds after the answer"
                return words + not_yet, found
            if begun > LONGEST_LAG:
                return f"no list begun up to {begun:.0f} seconds after the answer shows it", None
            not_yet = f"; one begun after {begun:.1f} seconds does not"
            time.sleep(pause)
        raise AssertionError("the numbers have come to an end")

    def _play(self, parts: t.Sequence[str], probe: str, archived_count: bool) -> None:
        given = dict(
            live_project_id=self.ours.project_id,
            live_prefix=self.ours.prefix,
            live_probe_id=probe,
            live_archived_labels_count=archived_count,
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
                _say(self.redact(line.rstrip("\n")))
            return process.wait()
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=ENDING)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _look(self) -> None:
        """Observe what a list shows after all that."""
        rows = self._list_and_check()
        pages = list(self._probe.documents)
        own, keys = self.ours.found(rows), [row.key for row in rows]
        if any(keys.count(row.key) > 1 for row in own):
            raise Stopped("A deployment of this run has a key that another one has too.")
        for label in LAST_LABELS:
            self.ours.claim(*(row.id for row in own if row.label == self.ours.prefix + label), in_turn=True)
        all_rows = [row for page in pages for row in page["deployments"]]
        newest = [answer["id"] for answer in self._probe.created]
        self.facts["IDs of deployments in a list"] = _kinds(row["id"] for row in all_rows)
        self.facts["IDs of projects in a list"] = _kinds(row["projectId"] for row in all_rows)
        self.facts["ID in the answer to a POST"] = _kinds(newest)
        self.facts["Whether IDs count up"] = self._counting()
        self.facts["Order of the list"] = self._order(rows)
        whole = [page for page in pages if page["deployments"]]
        self.facts["Rows of a page with ``limit=1000``"] = (
            str(len(whole[0]["deployments"])) if len(whole) > 1 else ONE_PAGE
        )
        short = self._probe.get_json(PATH, "list the deployments without a limit")["deployments"]
        self.facts["Rows of a page without ``limit``"] = str(len(short)) if len(short) < len(rows) else ONE_PAGE
        self.facts["``nextCursor`` of a page that is not the last"] = _kinds(
            page["nextCursor"] for page in pages if page.get("nextCursor")
        )
        self.facts["``nextCursor`` of the last page"] = _ending(pages)
        active = {
            json.dumps(row["deleted"]) if "deleted" in row else "no" for row in all_rows if not row.get("deleted")
        }
        self.facts["Whether active deployments have ``deleted: false``"] = (
            "yes"
            if active <= {"false"}
            else "no: some have " + " or ".join(f"{each} ``deleted``" for each in sorted(active - {"false"}))
        )
        self.facts["Further fields of a row"] = _fields(all_rows, DOCUMENTED_FIELDS)
        self.facts["Further fields of a list"] = _fields(pages, ("deployments", "nextCursor"))
        self.facts["Further fields of the answer to a POST"] = _fields(self._probe.created, ("id",))
        self.facts["``Retry-After`` of a 429"] = (
            "; ".join(sorted(self._probe.retry_after)) or "not observed: what was probed met no 429"
        )

    def _counting(self) -> str:
        if not all(each.isdigit() for each in self.ours.in_turn):
            return "no: they are not numbers"
        made = [int(each) for each in self.ours.in_turn]
        if len(made) < 2:
            return "not observable: only one was made"
        if made != sorted(made):
            return "no"
        highest = max([int(each) for each in self.ours.before if each.isdigit()], default=0)
        above = "all" if made[0] > highest else "not all"
        return f"yes: {len(made)} made one after the other, {above} above those of older deployments"

    def _order(self, rows: t.Sequence[Deployment]) -> str:
        """The orders that the list is in."""
        ages = [self.ours.in_turn.index(row.id) for row in rows if row.id in self.ours.in_turn]
        ids = [int(row.id) for row in rows if row.id.isdigit()]
        labels = [row.label for row in rows]
        orders = {
            "oldest first": len(ages) > 1 and ages == sorted(ages),
            "newest first": len(ages) > 1 and ages == sorted(ages, reverse=True),
            "by ascending ID": len(ids) == len(rows) and ids == sorted(ids),
            "by descending ID": len(ids) == len(rows) and ids == sorted(ids, reverse=True),
            "by label": labels == sorted(labels) or labels == sorted(labels, key=str.lower),
        }
        return " and ".join(name for name, fits in orders.items() if fits) or "none by age, ID or label"


def _say(what: str) -> None:
    """Print a line. That nobody reads it any more must not keep anything from being archived."""
    with contextlib.suppress(OSError):
        print(what, flush=True)


def _kinds(values: t.Iterable[t.Any]) -> str:
    """What kinds of JSON values these are."""
    kinds = set()
    for value in values:
        if isinstance(value, str):
            kinds.add("text of digits" if value.isdigit() else "text")
        else:
            kinds.add("numbers" if isinstance(value, int) else "something else")
    return " and ".join(sorted(kinds)) or "not observed"


def _fields(documents: t.Iterable[t.Mapping[str, t.Any]], known: t.Collection[str]) -> str:
    """The names of all fields that are not known."""
    names = {name for document in documents for name in document if name not in known}
    return ", ".join(map(_literal, sorted(names))) or "none"


def _literal(name: str) -> str:
    """The name of a field as it can be shown: it is not known what else a service takes for one."""
    return "``{0}``".format(name if re.fullmatch("[A-Za-z_$][A-Za-z0-9_$]{0,30}", name) else "?")


def _ending(pages: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """How the last page of a list tells that it is the last."""
    last = pages[-1]
    if len(pages) > 1 and not last["deployments"]:
        return "there is one on a page without rows" if last.get("nextCursor") else "there is a page without rows"
    if "nextCursor" not in last:
        return "left out"
    return "null" if last["nextCursor"] is None else "an empty text"


def _shape(answer: bytes) -> str:
    """What the body of an answer is, without what it says."""
    text = answer.decode("utf-8", "replace").strip()
    if not text:
        return "an empty body"
    try:
        document = json.loads(text)
    except ValueError:
        return "HTML" if re.match(r"(?i)<(!doctype|html|head|body)", text) else "text"
    if not isinstance(document, dict):
        return "JSON that is no object"
    names = []
    for name, value in document.items():
        inner = f" (an object with {_fields([value], ())})" if isinstance(value, dict) else ""
        names.append(_literal(name) + inner)
    return "JSON with {0}".format(", ".join(sorted(names)) or "no fields")


def _sent_as(kind: str) -> str:
    return f" sent as ``{kind}``" if re.fullmatch(r"[a-z0-9.+/-]{1,50}", kind) else ""


def _form_of_retry_after(header: str | None) -> str:
    if header is None:
        return "not sent"
    return "seconds" if header.strip().isdigit() else "something else, probably a date"


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
    parser.add_argument("parts", nargs="*", metavar="one|many|new", help="the parts of the playbook to run (all)")
    given = parser.parse_args(arguments)
    if not set(given.parts) <= set(PARTS):
        parser.error("the parts of the playbook are {0}".format(", ".join(PARTS)))
    for number in SIGNALS:
        signal.signal(number, _interrupted)
    try:
        options = _options()
        live = Live(options, os.environ["AMPLITUDE_TEST_PROJECT_ID"])
        live.begin()
    except (AmplitudeError, Stopped) as error:
        return str(error)
    except KeyboardInterrupt:
        return "Interrupted before anything was written."
    orderly, problems = False, []
    try:
        _say(
            "This run makes deployments in project {0} at {1}. Their labels begin with {2} and they are archived at the "
            "end: the API cannot delete them.".format(live.ours.project_id, options["base_url"], live.ours.prefix)
        )
        live.run(given.parts or PARTS)
        orderly = True
    except KeyboardInterrupt:
        problems.append("Interrupted.")
    except (AmplitudeError, Stopped) as error:
        problems.append(live.redact(str(error)))
    except Exception:
        problems.append(live.redact(traceback.format_exc()))
    finally:
        _be_deaf()
        problems += live.close(orderly)
    try:
        text = live.record()
    except Stopped as error:
        return "\n".join([*problems, str(error)])
    given.record.parent.mkdir(parents=True, exist_ok=True)
    given.record.write_text(text, encoding="utf-8")
    _say(f"=== What was observed, for docs/docsite/rst/api.rst: {given.record}")
    return "\n".join(problems) or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
