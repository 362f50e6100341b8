# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold in every history."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.community.amplitude.tests.unit.histories import model
from ansible_collections.community.amplitude.tests.unit.histories.stage import Stage
from ansible_collections.community.amplitude.tests.unit.histories.story import MANAGEMENT_KEY, Deed


class Laws(Stage):
    """A stage on which these laws hold."""

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
            found = [as_result(row) for row in self._rows() if row["id"] == shown["id"]]
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


def as_result(row: model.Row) -> dict[str, t.Any]:
    """A row of the emulator as the modules return it."""
    return {{"projectId": "project_id"}.get(name, name): value for name, value in row.items()}
