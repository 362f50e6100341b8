# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A history on its way: each kind of step, and what must hold after it."""

from __future__ import annotations

import contextlib
import functools
import typing as t

from ansible_collections.community.amplitude.tests.unit.histories import lists, model
from ansible_collections.community.amplitude.tests.unit.histories.exceptions import Scene
from ansible_collections.community.amplitude.tests.unit.histories.laws import Laws, as_result, kept
from ansible_collections.community.amplitude.tests.unit.histories.stage import carry_out
from ansible_collections.community.amplitude.tests.unit.histories.story import (
    DEFAULT_DEPLOYMENTS,
    MANAGEMENT_KEY,
    ByHand,
    Deed,
    Info,
    OnFlag,
    Options,
    Race,
    Run,
)
from ansible_collections.community.amplitude.tests.unit.histories.views import Ledger


class World(Laws):
    """One history on its way, in an emulator that is used for nothing else meanwhile."""

    def play(self) -> None:
        """Carry the history out.

        :raises AssertionError: something does not hold; with the story so far.
        """
        with self.begun():
            for step in self.history.steps:
                self._tell(f"--- {step!r}")
                self._calm()
                self.figures["steps"] += 1
                getattr(self, "_play_" + type(step).__name__.lower())(step)
                self._calm()
                self.excused &= self._doubled()
            self.figures["histories"] += 1

    @contextlib.contextmanager
    def begun(self) -> t.Iterator[None]:
        """Let the account be as it is in the beginning."""
        with self._installed():
            switches = dict({"rate_limit": 0}, **self.history.switches)
            rows = [*DEFAULT_DEPLOYMENTS, *self.history.rows]
            usage = dict(flags=self.history.flags, experiments=self.history.experiments)
            self.emulator.reset(dict(usage, keys={MANAGEMENT_KEY: ["1", "2"]}, deployments=rows), **switches)
            self.ledger = Ledger(self.emulator.world.account)
            self.excused = self._doubled()
            yield

    def _play_run(self, step: Run) -> None:
        options = self._resolved(step.options)
        scene = self._scene(options)
        foreseen = self._run(scene, "check", options, check_mode=True)
        refused = not scene.ends
        self.figures["lists that are " + ("refused" if refused else "granted")] += foreseen.is_bulk
        self._demand("check mode agrees with the documentation", foreseen.failed is refused, scene, foreseen)
        is_same = self._rows() == scene.before and self.ledger.flags() == scene.flags
        self._demand("check mode writes nothing", is_same, scene, foreseen)

        scene.faults = step.faults
        with self._misbehaving(step.faults):
            applied = self._run(scene, "apply", options, kill=step.kill, others=step.others)
        if refused:
            self._demand("what is refused is not written", not applied.writes, scene, applied)
            same = applied.result.get("msg") == foreseen.result["msg"]
            self._demand("check mode foresees errors", same, scene, applied)
        else:
            self._check_foreseen(scene, foreseen, applied)
        if scene.hands or not refused:
            self._play_again(step, scene, options, applied)

    def _play_again(self, step: Run, scene: Scene, options: dict[str, t.Any], applied: Deed) -> None:
        """Run once more what perhaps did not end well, and then what ended well."""
        # A run that was not allowed to wait says that what it wrote may not be shown yet, and to give it more time.
        if not (applied.is_patient and step.at_once) or scene.hands:
            self._calm()
        options.pop("retry_timeout", None)
        then = self._scene(options)
        if not scene.hands:
            then.before, then.ends, then.flags = scene.before, scene.ends, scene.flags
        is_got_over = applied.succeeded or not applied.disturbed
        self._demand("what others do is got over", is_got_over, then, applied)
        again = self._run(then, "again", options)
        self._demand("a run that did not end well can be run again", again.succeeded is bool(then.ends), then, again)
        if not again.succeeded:
            return
        self._check_done(then, again)
        if applied.failed and applied.found:
            ids = [kept(*pair) for pair in zip(applied.items, applied.found)]
            stays = all(id in (None, row and row["id"]) for id, row in zip(ids, again.found))
            self._demand("what a failed run has returned stays", stays, scene, applied, again)
        if applied.succeeded:
            self._demand("a re-run sends no write", not again.writes, scene, applied, again)
            self._demand("a re-run finds the same", _present(again) == _present(applied), scene, applied, again)
        if again.changed:
            rerun = self._run(then, "re-run", options)
            unchanged = rerun.succeeded and not rerun.writes and not rerun.changed
            self._demand("a re-run is unchanged", unchanged, then, rerun)

    def _play_race(self, step: Race) -> None:
        self.figures["races"] += 1
        scene = Scene(self.history, faults=step.faults, hands=step.by_hand is not None, before=self._rows())
        scene.flags = self.ledger.flags()
        for number, given in enumerate(step.writers, 1):
            options = self._resolved(given)
            check_mode = options.pop("check_mode", False)
            first: dict[str, t.Any] = dict(kill=step.kill, others=step.others) if number == 1 else {}
            scene.deeds.append(Deed(f"writer {number}", options, check_mode=check_mode, **first))
        actors = [
            functools.partial(self._carry_out, deed, functools.partial(carry_out, waits=self.waits))
            for deed in scene.deeds
        ]
        if step.by_hand:
            actors.append(functools.partial(self._by_hand, step.by_hand))
        with self._misbehaving(step.faults):
            self.clock.run(*actors)
        scene.hands = scene.hands or scene.deeds[0].disturbed
        for deed in scene.deeds:
            self._check(scene, deed)
        self._calm()
        self._check_labels(scene)
        for place, found in self._places(scene).items():
            scene.place = place
            for deed, row in found:
                same = row == found[0][1]
                self._demand("all find the same", same, scene, deed, *scene.deeds)
            active = [as_result(row) for row in self._rows() if not row["deleted"] and _place_of(row) == place]
            self._demand("what is found is there", active == [found[0][1]], scene, *scene.deeds)
        options = scene.deeds[0].options
        if all((deed.options, deed.check_mode) == (options, False) for deed in scene.deeds):
            scene.ends = self._scene(options, scene).ends
            self._demand("none of several like runs fails", not self._failed(scene), scene, *scene.deeds)

    @staticmethod
    def _places(scene: Scene) -> dict[tuple[str, str], list[tuple[Deed, t.Any]]]:
        """By label, what the runs have returned that make sure that it is there; those that changed nothing last."""
        places: dict[tuple[str, str], list[tuple[Deed, t.Any]]] = {}
        for deed in sorted(scene.writers, key=lambda deed: not deed.changed):
            for item, row in zip(deed.items, deed.found) if deed.succeeded else ():
                if not item.get("id") and item.get("state") != "absent":
                    places.setdefault((item["project_id"], item["label"]), []).append((deed, row))
        return places

    @staticmethod
    def _failed(scene: Scene) -> list[Deed]:
        return [deed for deed in scene.deeds if not deed.succeeded]

    def _play_byhand(self, step: ByHand) -> None:
        self.clock.run(functools.partial(self._by_hand, step))

    def _play_onflag(self, step: OnFlag) -> None:
        self.clock.run(functools.partial(self._by_hand, step))

    def _play_info(self, step: Info) -> None:
        options = self._resolved(step.options)
        scene = Scene(self.history, faults=step.faults)
        with self._misbehaving(step.faults):
            deed = self._run(scene, "info", options, module="amplitude_deployment_info")
        self._demand("a list that can be read is read", deed.succeeded, scene, deed)
        if not deed.succeeded:
            return
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
        right = found == [as_result(row) for row in expected] and not deed.changed
        self._demand("the list is right", right, scene, deed)

    def _scene(self, options: Options, like: Scene | None = None) -> Scene:
        """What is allowed to come of these options, if nobody interferes.

        :param like: how it was before; None for how it is.
        """
        before, flags = (self._rows(), self.ledger.flags()) if like is None else (like.before, like.flags)
        ends = lists.ends(options, before, self.history.switches, flags)
        return Scene(self.history, before=before, flags=flags, ends=ends)

    def _run(self, scene: Scene, name: str, options: Options, **more: t.Any) -> Deed:
        deed = self._play(name, options, **more)
        scene.deeds = [deed]
        scene.hands = scene.hands or deed.disturbed
        self._check(scene, deed)
        return deed


def _present(deed: Deed) -> list[t.Any]:
    """What was returned for what is to be there: of several archived ones, none is the one that is absent."""
    return [row for item, row in zip(deed.items, deed.found) if item.get("state") != "absent"]


def _place_of(row: model.Row) -> tuple[str, str]:
    return (row["projectId"], row["label"])
