# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a history is made of, how it is carried out against the emulator, and what must hold in every history."""

from __future__ import annotations

import collections
import contextlib
import functools
import io
import re
import threading
import traceback
import typing as t

import pytest
from ansible.module_utils import basic

from ansible_collections.community.amplitude.plugins.module_utils._api import client as api_client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._api.retry import Patience, backoff
from ansible_collections.community.amplitude.plugins.module_utils._apply import ensure
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AmplitudeError,
    AnswerLost,
    RequestFailed,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Rules, Wanted
from ansible_collections.community.amplitude.tests.emulator import Emulator, account, faults, traffic
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.unit.histories import model
from ansible_collections.community.amplitude.tests.unit.histories.clock import Clock

MANAGEMENT_KEY = "canary-0f9e8d7c6b5a"
#: Documented: every project has one.
DEFAULT_DEPLOYMENTS = [dict(id=each, projectId=each, label="default", type=None, key=each * 32) for each in ("1", "2")]
#: Seconds after which the client gives up a request, and those it may spend on retries unless the options say else.
TIMEOUT = 30.0
PATIENCE = 120.0
#: More requests than any run of a history can need, if each row is a page.
MOST_REQUESTS = 3000
#: Bugs of the collection that are known, and kept out of the way until they are mended; see test_found.py.
EXCLUDED = {"readers of a withdrawn one"}
Options = t.Mapping[str, t.Any]
#: As the emulator's misbehave() takes it. The seconds of a ``delay`` come on top of TIMEOUT, so it is always too late:
#: a request that is late ``before`` it is carried out is carried out after the client has given it up.
Fault = t.Mapping[str, t.Any]


class Kill(t.NamedTuple):
    """The process is killed before it sends its request number ``nth``, or after that was carried out."""

    moment: str
    nth: int


class Run(t.NamedTuple):
    """amplitude_deployment as a check, for real with faults or until it is killed, and once more.

    An ``id`` that is a number stands for the deployment of that rank in the order of creation.
    """

    options: Options
    faults: t.Sequence[Fault] = ()
    kill: Kill | None = None
    at_once: bool = True
    """Whether the list may still lag behind when it is run once more."""


class ByHand(t.NamedTuple):
    """Somebody edits the deployment of the rank ``row``, or creates one if that is None."""

    changes: Options
    row: int | None = None


class Race(t.NamedTuple):
    """Several runs at the same moment, and perhaps somebody who does something by hand; ``check_mode`` is an option."""

    writers: t.Sequence[Options]
    faults: t.Sequence[Fault] = ()
    kill: Kill | None = None
    """What happens to the first writer."""
    by_hand: ByHand | None = None


class Info(t.NamedTuple):
    """amplitude_deployment_info."""

    options: Options
    faults: t.Sequence[Fault] = ()


class History(t.NamedTuple):
    """Everything that happens, in order, to an account of two projects.

    :param rows: the deployments in the beginning, as in a seed of the emulator.
    :param switches: those of the emulator.
    :param latency: a request and its answer each travel for up to so many seconds.
    :param seed: of chance.
    """

    steps: t.Sequence[Run | Race | ByHand | Info]
    rows: t.Sequence[Options] = ()
    switches: Options = {}
    latency: float = 0.0
    seed: int = 0


class Killed(BaseException):
    """Takes a run away, as SIGKILL would."""


class Deed:
    """One run of a module: what it was asked for, what it sent, and how it ended."""

    def __init__(self, name: str, options: Options, check_mode: bool, kill: Kill | None) -> None:
        self.name = name
        self.options = options
        self.check_mode = check_mode
        self.kill = kill
        self.sent = 0
        self.requests: list[dict[str, t.Any]] = []
        self.result: dict[str, t.Any] = {}
        self.output = ""
        self.crash = ""
        self.killed = False
        #: Whether it has sent a write of whose outcome it was not told.
        self.lost = False

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def succeeded(self) -> bool:
        return not (self.failed or self.killed or self.crash)

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def writes(self) -> list[dict[str, t.Any]]:
        return [request for request in self.requests if request["method"] != "GET"]

    @property
    def committed(self) -> bool:
        return any(write["committed"] for write in self.writes)

    @property
    def accepted(self) -> bool:
        return any(write["accepted"] for write in self.writes)


class World:
    """One history on its way, in an emulator that is used for nothing else meanwhile."""

    def __init__(self, emulator: Emulator, history: History, figures: t.Counter[str] | None = None) -> None:
        self.emulator = emulator
        self.history = history
        self.figures: t.Counter[str] = collections.Counter() if figures is None else figures
        self.clock = Clock(history.seed)
        self.story: list[str] = []
        self.delays = faults.Faults()
        self.deeds: dict[int, Deed] = {}
        self.seen = 0
        self.logged = io.StringIO()
        #: Labels that are there twice for a reason: somebody made them so by hand, or a run could not end its work.
        self.excused: set[tuple[str, str]] = set()

    def play(self) -> None:
        """Carry the history out.

        :raises AssertionError: something does not hold; with the story so far.
        """
        with self._installed():
            switches = dict({"rate_limit": 0}, **self.history.switches)
            rows = [*DEFAULT_DEPLOYMENTS, *self.history.rows]
            self.emulator.reset(dict(keys={MANAGEMENT_KEY: ["1", "2"]}, deployments=rows), **switches)
            self.excused = self._doubled()
            for step in self.history.steps:
                self._tell(f"--- {step!r}")
                self._calm()
                self.figures["steps"] += 1
                getattr(self, "_play_" + type(step).__name__.lower())(step)
                self._calm()
                self.excused &= self._doubled()
            self.figures["histories"] += 1

    # Steps

    def _play_run(self, step: Run) -> None:
        options = self._resolved(step.options)
        before = self._rows()
        wanted = model.granted(options, before)
        foreseen = self._run("check", options, check_mode=True)
        assert foreseen.failed is (wanted is None), self._so("check mode agrees with the documentation", foreseen)
        assert self._rows() == before, self._so("check mode writes nothing", foreseen)

        with self._misbehaving(step.faults):
            applied = self._run("apply", options, kill=step.kill)
        if wanted is None:
            assert not applied.writes, self._so("what is refused is not written", applied)
            if not step.faults and not applied.killed:
                assert applied.result["msg"] == foreseen.result["msg"], self._so("check mode foresees errors", applied)
            return
        refused = model.refused_by_api(options, before, self.history.switches.get("unique_labels", "none"))
        patient = options.get("retry_timeout", PATIENCE) >= PATIENCE
        undisturbed = not step.faults and not applied.killed and (patient or not self._lags)
        if undisturbed:
            self._check_undisturbed(foreseen, applied, before, wanted, refused)
        elif applied.succeeded:
            self._check_done(applied, before, wanted)
        elif patient and not applied.killed and not refused and all(map(_passes, step.faults)):
            raise AssertionError(self._so("faults that pass are got over", applied))
        if refused:
            return
        # A run that was not allowed to wait says that what it wrote may not be shown yet, and to give it more time.
        if not (patient and step.at_once):
            self._calm()
        options.pop("retry_timeout", None)
        again = self._run("again", options)
        assert again.succeeded, self._so("a run that did not end well can be run again", again)
        self._check_done(again, before, wanted)
        if applied.succeeded:
            hidden = any(
                "not read back" in warning or "not show it yet" in warning for warning in applied.result["warnings"]
            )
            assert (hidden and self._lags) or not again.writes, self._so("a re-run sends no write", again)
            # Of several archived deployments with its label, none is the one that is absent.
            same = options.get("state") == "absent" or again.result["deployment"] == applied.result["deployment"]
            assert same, self._so("a re-run finds it", again)
        if again.changed:
            rerun = self._run("re-run", options)
            assert rerun.succeeded and not rerun.writes, self._so("a re-run sends no write", rerun)
            assert not rerun.changed, self._so("a re-run is unchanged", rerun)

    def _play_race(self, step: Race) -> None:
        self.figures["races"] += 1
        before = self._rows()
        deeds = []
        for number, given in enumerate(step.writers, 1):
            options = self._resolved(given)
            check_mode = options.pop("check_mode", False)
            deeds.append(Deed(f"writer {number}", options, check_mode, step.kill if number == 1 else None))
        actors = [functools.partial(self._carry_out, deed, _ensure) for deed in deeds]
        if step.by_hand:
            actors.append(functools.partial(self._by_hand, step.by_hand))
        with self._misbehaving(step.faults):
            self.clock.run(*actors)
        for deed in deeds:
            self._check(deed, alone=False)
        self._calm()
        if step.by_hand:
            self._check_labels(False, deeds)
            return
        ended = all(deed.succeeded for deed in deeds)
        hasty = any(deed.options.get("retry_timeout", PATIENCE) < PATIENCE for deed in deeds)
        self._check_labels(ended, deeds)
        first = deeds[0].options
        alike = [deed for deed in deeds if _same_place(deed.options, first) and not deed.check_mode]
        if len(alike) < len([deed for deed in deeds if not deed.check_mode]):
            return
        given = any(_is_at(row, first) or row["label"] in _previous_labels(alike) for row in before)
        if hasty and (given or self.history.switches.get("opaque_ids")):
            return
        found = [deed.result["deployment"] for deed in alike if deed.succeeded]
        if "readers of a withdrawn one" in EXCLUDED:
            found = [deed.result["deployment"] for deed in alike if deed.succeeded and deed.changed]
        assert all(row == found[0] for row in found), self._so("all find the same", *deeds)
        if ended and found:
            active = [row for row in self._rows() if not row["deleted"] and _is_at(row, first)]
            assert [_as_result(row) for row in active] == found[:1], self._so("what is found is there", *deeds)
        if not step.faults and not step.kill and all(deed.options == first for deed in deeds):
            wanted = model.granted(first, before)
            unique_labels = self.history.switches.get("unique_labels", "none")
            fine = wanted is not None and not model.refused_by_api(first, before, unique_labels)
            patient = first.get("retry_timeout", PATIENCE) >= PATIENCE
            assert ended or not fine or not patient, self._so("none of several like runs fails", *deeds)

    def _play_byhand(self, step: ByHand) -> None:
        self.clock.run(functools.partial(self._by_hand, step))

    def _play_info(self, step: Info) -> None:
        options = self._resolved(step.options)
        with self._misbehaving(step.faults):
            deed = self._run("info", options, module="amplitude_deployment_info")
        if deed.succeeded:
            expected = [
                row
                for row in self._rows()
                if options.get("project_id") in (None, row["projectId"])
                and ("labels" not in options or row["label"] in options["labels"])
                and options.get("type") in (None, row["type"])
                and (options.get("include_archived") or not row["deleted"])
            ]
            found = sorted(deed.result["deployments"], key=lambda row: row["id"])
            expected.sort(key=lambda row: row["id"])
            assert found == [_as_result(row) for row in expected], self._so("the list is right", deed)
            assert not deed.changed
        else:
            assert step.faults, self._so("a list that can be read is read", deed)

    # What must hold

    def _check(self, deed: Deed, alone: bool = True) -> None:
        """What holds for each run, whatever happens."""
        assert not deed.crash, self._so("no exception leaves a module", deed)
        self._check_secrets(deed)
        if deed.check_mode:
            assert not deed.writes, self._so("check mode sends GETs only", deed)
            return
        if deed.killed:
            return
        if deed.failed:
            sentence = re.fullmatch(r"Could not [^\n]+\.", deed.result["msg"])
            assert sentence, self._so("every error is a sentence", deed)
        # While others write, nobody can know whose write it is that the list shows, if the own one was not answered.
        unknown = deed.lost and (not alone or (deed.failed and "not known whether" in deed.result["msg"]))
        assert deed.changed or not deed.committed or unknown, self._so("what was written is told", deed)
        # An edit that is accepted and changes nothing, because another run has made the same one, counts as a change:
        # the API answers both with OK.
        unknown = deed.lost and not alone
        assert deed.accepted or not deed.changed or unknown, self._so("what is told was written", deed)
        assert deed.changed is bool(deed.result.get("changes")), self._so("changed is told by changes", deed)

    def _check_secrets(self, deed: Deed) -> None:
        rows = [deed.result.get("deployment") or {}] + deed.result.get("deployments", [])
        result = {name: value for name, value in deed.result.items() if name != "invocation"}
        everything = repr(result) + deed.output + self.logged.getvalue()
        assert MANAGEMENT_KEY not in everything, self._so("the management key stays secret", deed)
        bare = {name: value for name, value in deed.result.items() if name not in ("deployment", "deployments")}
        everything = repr(bare) + repr([dict(row, key=None) for row in rows]) + deed.output + self.logged.getvalue()
        for row in self._rows():
            assert row["key"] not in everything, self._so("keys are only where they belong", deed)

    def _check_undisturbed(
        self, foreseen: Deed, applied: Deed, before: list[model.Row], wanted: list[model.Row], refused: bool
    ) -> None:
        """Nothing came in between: the check has foreseen it all."""
        if refused:
            assert applied.failed and not applied.committed, self._so("what the API refuses fails", applied)
            return
        assert applied.succeeded, self._so("nothing hinders it", applied)
        assert not applied.result["warnings"], self._so("there is nothing to warn of", applied)
        for field in ("changed", "changes", "diff"):
            assert applied.result[field] == foreseen.result[field], self._so("check mode foresees " + field, applied)
        predicted, done = foreseen.result["deployment"], applied.result["deployment"]
        if any(change["action"] == "create" for change in applied.result["changes"]):
            done = dict(done, id=None, key=None)
        assert predicted == done, self._so("check mode foresees the deployment", applied)
        assert applied.changed is applied.committed, self._so("changed is that something was written", applied)
        assert len(applied.writes) <= 1 or "rate_limit" in self.history.switches, self._so("one write", applied)
        self._check_done(applied, before, wanted)

    def _check_done(self, deed: Deed, before: list[model.Row], wanted: list[model.Row]) -> None:
        """What was wanted is true; nothing else has changed but for what a run has created and withdrawn."""
        known = {row["id"] for row in before}

        def plain(rows: list[model.Row]) -> list[t.Any]:
            return sorted(
                (row["id"] if row["id"] in known else "new", row["projectId"], row["label"], row["deleted"])
                for row in rows
                if row["id"] in known or not (row["deleted"] and "-superseded-" in row["label"])
            )

        assert plain(self._rows()) == plain(wanted), self._so("what is wanted becomes true", deed)
        shown = deed.result["deployment"]
        if shown is not None:
            found = [_as_result(row) for row in self._rows() if row["id"] == shown["id"]]
            assert [shown] == found, self._so("what is returned is true", deed)
        self._check_labels(True, [deed])

    def _check_labels(self, ended: bool, deeds: t.Sequence[Deed]) -> None:
        doubled = self._doubled() - self.excused
        if ended:
            assert not doubled, self._so("no label is active twice", *deeds)
        self.excused |= doubled

    def _so(self, claim: str, *deeds: Deed) -> str:
        """What to say if a claim does not hold."""
        rows = ["{projectId}/{label} {id} {type} {0}".format("archived" if row["deleted"] else "active", **row)
                for row in self._rows()]  # fmt: skip
        results = [f"{deed.name}: {deed.crash or deed.result}" for deed in deeds]
        return "\n  ".join([f"does not hold: {claim}"] + self.story + results + rows)

    # How it is carried out

    def _run(
        self,
        name: str,
        options: Options,
        check_mode: bool = False,
        kill: Kill | None = None,
        module: str = "amplitude_deployment",
    ) -> Deed:
        """Run a module through its main()."""

        def main(deed: Deed, connection: Options) -> dict[str, t.Any]:
            output = io.StringIO()
            try:
                with contextlib.redirect_stderr(output):
                    return run_module(module, deed.check_mode, **dict(deed.options, **connection))
            finally:
                deed.output = output.getvalue()

        deed = Deed(name, options, check_mode, kill)
        self.clock.run(functools.partial(self._carry_out, deed, main))
        self._check(deed)
        return deed

    def _carry_out(self, deed: Deed, main: t.Callable[[Deed, Options], dict[str, t.Any]]) -> None:
        connection = dict(
            management_api_key=MANAGEMENT_KEY,
            base_url=self.emulator.url,
            timeout=TIMEOUT,
            retry_timeout=deed.options.get("retry_timeout", PATIENCE),
        )
        self.deeds[threading.get_ident()] = deed
        self.figures["runs"] += 1
        try:
            deed.result = main(deed, connection)
        except Killed:
            deed.killed = True
            self.figures["kills"] += 1
        except BaseException:
            deed.crash = traceback.format_exc()
        self._tell("{0} ends: {1}".format(deed.name, "killed" if deed.killed else deed.result or deed.crash))

    def _send_once(
        self, send: t.Callable[..., bytes], client: t.Any, verb: str, path: str, doing: str, *rest: t.Any
    ) -> t.Any:
        """Stands in for Client._send_once: lets requests travel, arrive too late, and runs be killed."""
        deed = self.deeds[threading.get_ident()]
        deed.sent += 1
        number = deed.sent
        if number > MOST_REQUESTS:
            raise RuntimeError("a run that never ends")
        if deed.kill == ("before", number):
            raise Killed
        there, back = (self.clock.chance.uniform(0, self.history.latency) for dummy in range(2))
        delay = self.delays.pick(verb, path)
        if delay is not None:
            if delay.moment == "before":
                there = TIMEOUT + delay.seconds
            else:
                back = TIMEOUT + delay.seconds

        def arrive() -> t.Any:
            answer: t.Any = None
            try:
                answer = send(client, verb, path, doing, *rest)
                lost = not (b'"id"' in answer or b"OK" in answer)
            except RequestFailed as failure:
                answer, lost = failure, failure.outcome_unknown
            deed.lost = deed.lost or (verb != "GET" and lost)
            for request in self.emulator.requests(self.seen):
                self.seen = request["n"]
                deed.requests.append(request)
                self.figures["requests"] += 1
                told = (deed.name, number, verb, path, request["body"] or "", request["status"], request["committed"])
                self._tell("{0} #{1} {2} {3} {4} -> {5} committed={6}".format(*told))
            return answer

        if verb != "GET" and delay is not None:
            deed.lost = True
        too_late = AnswerLost(doing, f"no answer within {TIMEOUT:g} seconds", "run this again", transient=True)
        if there > TIMEOUT:
            self.clock.later(there, lambda: arrive() and None)
            self.clock.sleep(TIMEOUT)
            raise too_late
        self.clock.sleep(there)
        answer = arrive()
        self.clock.sleep(min(back, TIMEOUT - there))
        if deed.kill == ("after", number):
            raise Killed
        if there + back > TIMEOUT:
            raise too_late
        if isinstance(answer, RequestFailed):
            raise answer
        return answer

    def _by_hand(self, step: ByHand) -> None:
        if step.row is None:
            self.emulator.create_deployment(**step.changes)
        else:
            rows = self._rows()
            if rows:
                self.emulator.edit_deployment(rows[step.row % len(rows)]["id"], **step.changes)
        self._tell(f"{step!r}")
        self.excused |= self._doubled()

    def _resolved(self, options: Options) -> dict[str, t.Any]:
        rows = self._rows()
        resolved = dict(options)
        if isinstance(resolved.get("id"), int):
            resolved["id"] = rows[resolved["id"] % len(rows)]["id"] if rows else "404"
        return resolved

    def _rows(self) -> list[model.Row]:
        """The deployments as they are, in the order of creation."""
        return self.emulator.deployments()

    def _doubled(self) -> set[tuple[str, str]]:
        active = collections.Counter((row["projectId"], row["label"]) for row in self._rows() if not row["deleted"])
        return {place for place, count in active.items() if count > 1}

    @property
    def _lags(self) -> bool:
        return any(self.history.switches.get(name) for name in ("stale_lists", "stale_seconds"))

    def _calm(self) -> None:
        """Wait until every list shows everything."""
        self.clock.pass_by(self.history.switches.get("stale_seconds", 0) + 1.0)
        for dummy in range(self.history.switches.get("stale_lists", 0) + 1):
            self.emulator.world.account.begin_listing(MANAGEMENT_KEY)

    @contextlib.contextmanager
    def _misbehaving(self, given: t.Sequence[Fault]) -> t.Iterator[None]:
        self.delays.clear()
        self.figures["faults"] += len(given)
        for fault in given:
            if fault["action"] == "delay":
                self.delays.add(dict(fault))
            else:
                self.emulator.misbehave(**fault)
        yield
        self.delays.clear()
        self.emulator.behave()

    def _tell(self, line: str) -> None:
        self.story.append(f"{self.clock.monotonic():8.2f} {line}")

    @contextlib.contextmanager
    def _installed(self) -> t.Iterator[None]:
        """Let time and chance be those of the history, and hear all that is logged."""
        send = api_client.Client._send_once

        def send_once(client: t.Any, *args: t.Any) -> bytes:
            return self._send_once(send, client, *args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(api_client.Client, "_send_once", send_once)
            patch.setattr(
                api_client, "Patience", functools.partial(Patience, sleep=self.clock.sleep, clock=self.clock.monotonic)
            )
            patch.setattr(api_client, "REQUESTS_PER_SECOND", 1000000)
            patch.setattr(api_client, "backoff", functools.partial(backoff, random_value=self.clock.chance.random))
            for module in (ensure, account, traffic):
                patch.setattr(module, "time", self.clock)
            # Ansible would take the management key out of results; here it has to be seen if it is in one.
            patch.setattr(basic, "remove_values", lambda value, dummy: value)
            patch.setattr(basic, "has_journal", False)
            patch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda dummy, line: self.logged.write(line))
            yield


def _ensure(deed: Deed, connection: Options) -> dict[str, t.Any]:
    """What the main() of amplitude_deployment does, which is not made to run several times in one process."""
    wanted = Wanted(**{name: deed.options[name] for name in Wanted._fields if name in deed.options})
    rules = Rules(**{name: deed.options[name] for name in Rules._fields if name in deed.options})
    try:
        with api_client.Client(
            connection["base_url"], MANAGEMENT_KEY, True, connection["timeout"], connection["retry_timeout"]
        ) as client:
            outcome = ensure.ensure(Deployments(client), wanted, rules, deed.check_mode)
    except AmplitudeError as error:
        return dict(failed=True, msg=str(error), **error.result)
    return dict(outcome.as_result(), warnings=list(outcome.warnings))


def _as_result(row: model.Row) -> dict[str, t.Any]:
    """A row of the emulator as the modules return it."""
    return {{"projectId": "project_id"}.get(name, name): value for name, value in row.items()}


def _is_at(row: model.Row, options: Options) -> bool:
    return (row["projectId"], row["label"]) == (options["project_id"], options["label"])


def _same_place(one: Options, other: Options) -> bool:
    """Whether both want the same label to be there."""

    def place(options: Options) -> t.Any:
        if "id" in options or options.get("state") == "absent":
            return options  # a place of its own
        return (options["project_id"], options["label"])

    return place(one) == place(other) and not isinstance(place(one), dict)


def _previous_labels(deeds: t.Iterable[Deed]) -> set[str | None]:
    return {deed.options.get("previous_label") for deed in deeds}


def _passes(fault: Fault) -> bool:
    """Whether a run that is allowed to wait has to get over a fault."""
    status = fault.get("status", 503) if fault["action"] == "status" else 503
    return fault["action"] in ("status", "cut", "truncate") and status >= 429 and 1 <= fault.get("times", 1) <= 3
