# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A history on its way: each kind of step, and what must hold after it."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.community.amplitude.tests.unit.histories import model
from ansible_collections.community.amplitude.tests.unit.histories.laws import Laws, as_result
from ansible_collections.community.amplitude.tests.unit.histories.stage import ensure_one
from ansible_collections.community.amplitude.tests.unit.histories.story import (
    DEFAULT_DEPLOYMENTS,
    MANAGEMENT_KEY,
    PATIENCE,
    ByHand,
    Deed,
    Fault,
    Info,
    Options,
    Race,
    Run,
)

#: Bugs of the collection that are known, and kept out of the way until they are mended; see test_found.py.
EXCLUDED = {"readers of a withdrawn one"}


class World(Laws):
    """One history on its way, in an emulator that is used for nothing else meanwhile."""

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
        actors = [functools.partial(self._carry_out, deed, ensure_one) for deed in deeds]
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
            assert [as_result(row) for row in active] == found[:1], self._so("what is found is there", *deeds)
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
            assert found == [as_result(row) for row in expected], self._so("the list is right", deed)
            assert not deed.changed
        else:
            assert step.faults, self._so("a list that can be read is read", deed)

    def _run(self, name: str, options: Options, **more: t.Any) -> Deed:
        deed = self._play(name, options, **more)
        self._check(deed)
        return deed


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
