# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a history is carried out against the emulator: runs that are slow, killed or lied to, and people who interfere."""

from __future__ import annotations

import collections
import contextlib
import functools
import io
import threading
import traceback
import typing as t
from concurrent import futures

import pytest
from ansible.module_utils import basic

from ansible_collections.community.amplitude.plugins.module_utils._api import client as api_client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._apply import ensure
from ansible_collections.community.amplitude.plugins.module_utils._errors import (
    AmplitudeError,
    AnswerLost,
    RequestFailed,
)
from ansible_collections.community.amplitude.plugins.module_utils._plan.invalid import find_invalid
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Purge, Rules, wanted_one
from ansible_collections.community.amplitude.tests.emulator import Emulator, account, faults, traffic
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.unit.histories import model
from ansible_collections.community.amplitude.tests.unit.histories.clock import Clock, Lock, Pool
from ansible_collections.community.amplitude.tests.unit.histories.story import (
    MANAGEMENT_KEY,
    MOST_REQUESTS,
    PATIENCE,
    TIMEOUT,
    ByHand,
    Deed,
    Fault,
    History,
    Killed,
    OnFlag,
    Options,
)
from ansible_collections.community.amplitude.tests.unit.histories.views import Ledger


class Stage:
    """Where one history is played: an emulator that is used for nothing else meanwhile."""

    def __init__(self, emulator: Emulator, history: History, figures: t.Counter[str] | None = None) -> None:
        self.emulator = emulator
        self.history = history
        self.figures: t.Counter[str] = collections.Counter() if figures is None else figures
        self.clock = Clock(history.seed)
        #: Time costs nothing in a history, so that the waiting times are tried as they are shipped.
        self.waits = Waits(
            requests_per_second=1000000,
            now=self.clock.monotonic,
            sleep=self.clock.sleep,
            chance=self.clock.chance.random,
            lock=functools.partial(Lock, self.clock),
        )
        self.story: list[str] = []
        self.delays = faults.Faults()
        self.deeds: dict[int, Deed] = {}
        self.seen = 0
        self.ledger = Ledger(emulator.world.account)
        self.logged = io.StringIO()
        #: Labels that are there twice for a reason: somebody made them so by hand, or a run could not end its work.
        self.excused: set[tuple[str, str]] = set()

    def _play(
        self,
        name: str,
        options: Options,
        module: str | None = None,
        **more: t.Any,
    ) -> Deed:
        """Run a module through its main()."""
        deed = Deed(name, options, **more)
        module = module or ("amplitude_deployments" if deed.is_bulk else "amplitude_deployment")

        def main(deed: Deed, connection: Options) -> dict[str, t.Any]:
            output = io.StringIO()
            try:
                with contextlib.redirect_stderr(output):
                    return run_module(
                        t.cast(str, module), deed.check_mode, self.waits, **dict(deed.options, **connection)
                    )
            finally:
                deed.output = output.getvalue()

        self.clock.run(functools.partial(self._carry_out, deed, main))
        return deed

    def _carry_out(self, deed: Deed, main: t.Callable[[Deed, Options], dict[str, t.Any]]) -> None:
        connection = dict(
            management_api_key=MANAGEMENT_KEY,
            base_url=self.emulator.url,
            timeout=TIMEOUT,
            retry_timeout=deed.options.get("retry_timeout", PATIENCE),
        )
        if deed.is_bulk:
            connection["concurrency"] = deed.options.get("concurrency", 1)
        self.deeds[threading.get_ident()] = deed
        deed.began_with = {(row["kind"], row["id"]): row["deployments"] for row in self.ledger.flags()}
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
        if deed.killed:
            raise Killed
        deed.sent += 1
        number = deed.sent
        if number > MOST_REQUESTS:
            raise RuntimeError("a run that never ends")
        if deed.kill == ("before", number):
            deed.killed = True
            raise Killed
        there, back = (self.clock.chance.uniform(0, self.history.latency) for dummy in range(2))
        delay = self.delays.pick(verb, path)
        if delay is not None:
            if delay.moment == "before":
                there = TIMEOUT + delay.seconds
            else:
                back = TIMEOUT + delay.seconds

        def arrive(name: str) -> t.Any:
            answer: t.Any = None
            view = self.ledger.view(deed) if verb != "GET" else None
            try:
                answer = send(client, verb, path, doing, *rest)
                lost = not (b'"id"' in answer or b"OK" in answer)
            except RequestFailed as failure:
                answer, lost = failure, failure.outcome_unknown
            deed.lost = deed.lost or (verb != "GET" and lost)
            self.ledger.attribute(name)
            for request in self.emulator.requests(self.seen):
                self.seen = request["n"]
                request["view"] = view
                deed.requests.append(request)
                self.figures["requests"] += 1
                told = (deed.name, number, verb, path, request["body"] or "", request["status"], request["committed"])
                self._tell("{0} #{1} {2} {3} {4} -> {5} committed={6}".format(*told))
            return answer

        if verb != "GET" and delay is not None:
            deed.lost = True
        too_late = AnswerLost(doing, f"no answer within {TIMEOUT:g} seconds", "run this again", transient=True)
        if there > TIMEOUT:
            self.clock.later(there, lambda: arrive(deed.name + ", too late") and None)
            self.clock.sleep(TIMEOUT)
            raise too_late
        self.clock.sleep(there)
        answer = arrive(deed.name)
        if verb == "GET" and not isinstance(answer, RequestFailed):
            self._note_sight(deed, deed.requests[-1])
        self.clock.sleep(min(back, TIMEOUT - there))
        if deed.kill == ("after", number):
            deed.killed = True
        if deed.killed:
            raise Killed
        if there + back > TIMEOUT:
            raise too_late
        if isinstance(answer, RequestFailed):
            self._answered(deed, verb)
            raise answer
        self._answered(deed, verb)
        return answer

    def _note_sight(self, deed: Deed, request: Options) -> None:
        """Note how much a page of a list shows."""
        name, query = request["path"].rpartition("/")[2], request["query"]
        # What is listed only with archived ones is archived: the other list follows, and tells what is not.
        if query.get("includeArchived") == "true":
            return
        watermarks = (
            deed.watermarks if name == "deployments" else deed.sights.setdefault((name, query["projectId"]), [])
        )
        if "cursor" not in query:
            watermarks.clear()
        watermarks.append(self.ledger.tables[name].latest())

    def _join(self, owner: int) -> None:
        """Let this thread work for the run of another one."""
        self.deeds[threading.get_ident()] = self.deeds[owner]

    def _answered(self, deed: Deed, verb: str) -> None:
        """Let others act before a run can go on from an answer."""
        deed.answers[verb] += 1
        for other in deed.others:
            if (other.verb, other.nth) == (verb, deed.answers[verb]):
                deed.disturbed = True
                self._by_hand(other.by_hand)

    def _by_hand(self, step: ByHand | OnFlag) -> None:
        if isinstance(step, OnFlag):
            self._on_flag(step)
        elif step.row is None:
            self.emulator.create_deployment(**step.changes)
        else:
            rows = self._rows()
            if rows:
                self.emulator.edit_deployment(rows[step.row % len(rows)]["id"], **step.changes)
        self.ledger.attribute("by hand")
        self._tell(f"{step!r}")
        self.excused |= self._doubled()

    def _on_flag(self, step: OnFlag) -> None:
        flags, what = self.ledger.tables[step.kind].all(), step.kind[:-1]
        if step.row is None:
            getattr(self.emulator, "create_" + what)(**step.changes)
        elif flags:
            flag = flags[step.row % len(flags)]
            own = [row["id"] for row in self._rows() if row["projectId"] == flag.project_id]
            changes = dict(step.changes)
            for verb, name in (("assign", "assign_to_"), ("remove", "remove_from_")):
                if verb in changes:
                    getattr(self.emulator, name + what)(flag.id, [own[changes.pop(verb) % len(own)]])
            if changes:
                getattr(self.emulator, "edit_" + what)(flag.id, **changes)

    def _resolved(self, options: Options) -> dict[str, t.Any]:
        """Options with real ids in the place of ranks."""
        rows = self._rows()
        resolved = dict(options)
        for name in ("id", "replaces"):
            if isinstance(resolved.get(name), int):
                row = rows[resolved[name] % len(rows)]
                resolved[name] = row["id"]
                if resolved["project_id"] is None:
                    resolved["project_id"] = row["projectId"]
        if "deployments" in resolved:
            resolved["deployments"] = [self._resolved(item) for item in resolved["deployments"]]
        return resolved

    def _rows(self) -> list[model.Row]:
        """The deployments as they are, in the order of creation."""
        return self.emulator.deployments()

    def _doubled(self) -> set[tuple[str, str]]:
        active = collections.Counter((row["projectId"], row["label"]) for row in self._rows() if not row["deleted"])
        return {place for place, count in active.items() if count > 1}

    def _calm(self) -> None:
        """Wait until every list shows everything."""
        self.clock.pass_by(self.history.switches.get("stale_seconds", 0) + 1.0)
        for dummy in range(self.history.switches.get("stale_lists", 0) + 1):
            for table in self.ledger.tables.values():
                table.begin_listing(MANAGEMENT_KEY)

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
            patch.setattr(futures, "ThreadPoolExecutor", functools.partial(Pool, self.clock, self._join))
            for module in (account, traffic):
                patch.setattr(module, "time", self.clock)
            # Ansible would take the management key out of results; here it has to be seen if it is in one.
            patch.setattr(basic, "remove_values", lambda value, dummy: value)
            patch.setattr(basic, "has_journal", False)
            patch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda dummy, line: self.logged.write(line))
            yield


def carry_out(deed: Deed, connection: Options, waits: Waits) -> dict[str, t.Any]:
    """What the main() of a writing module does, which is not made to run several times in one process."""
    options = deed.options
    wanted = [wanted_one(item) for item in deed.items]
    rules = Rules(**{name: options[name] for name in Rules._fields if name in options})
    outcome: t.Any
    try:
        with api_client.Client(
            connection["base_url"], MANAGEMENT_KEY, True, connection["timeout"], connection["retry_timeout"], waits
        ) as client:
            deployments = Deployments(client)
            if deed.is_bulk:
                purge = None
                if options.get("purge"):
                    project_ids = {item.project_id for item in wanted} | ({options.get("project_id")} - {None})
                    purge = Purge(frozenset(project_ids), options.get("purge_limit"))
                outcome = ensure.ensure_all(
                    deployments,
                    wanted,
                    rules,
                    purge,
                    deed.check_mode,
                    options.get("concurrency", 1),
                    find_invalid(wanted),
                )
            else:
                outcome = ensure.ensure(deployments, wanted[0], rules, deed.check_mode)
    except AmplitudeError as error:
        return dict(failed=True, msg=str(error), warnings=list(error.warnings), **error.result)
    return dict(outcome.as_result(), warnings=list(outcome.warnings))
