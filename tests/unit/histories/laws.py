# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold in every history: laws with names, and the exceptions to each.

An exception is only looked for where a law does not hold, and is counted then: ``make soak`` tells how often.
"""

from __future__ import annotations

import collections
import re
import typing as t

from ansible_collections.community.amplitude.tests.unit.histories import model
from ansible_collections.community.amplitude.tests.unit.histories.exceptions import EXCEPTIONS, Scene
from ansible_collections.community.amplitude.tests.unit.histories.stage import Stage
from ansible_collections.community.amplitude.tests.unit.histories.story import (
    MANAGEMENT_KEY,
    Deed,
    Options,
)


class Laws(Stage):
    """A stage on which these laws hold."""

    def _demand(self, law: str, holds: t.Any, scene: Scene, *deeds: Deed) -> None:
        """Let the history fail if a law does not hold, unless there is an exception for what the first deed did."""
        if holds:
            return
        for exempt in EXCEPTIONS[law]:
            if exempt.applies(scene, deeds[0]):
                self.figures[f"not demanded: {law} ({exempt.name})"] += 1
                return
        raise AssertionError(self._so(law, *deeds))

    def _check(self, scene: Scene, deed: Deed) -> None:
        """What holds for each run, whatever happens."""

        def demand(law: str, holds: t.Any) -> None:
            self._demand(law, holds, scene, deed)

        demand("no exception leaves a module", not deed.crash)
        self._check_secrets(scene, deed)
        if deed.check_mode:
            demand("check mode sends GETs only", not deed.writes)
            return
        if deed.killed:
            return
        if deed.watermarks:
            deed.overtaken_by = set(self.writers[deed.watermarks[0] :]) - {deed.name}
        if deed.failed:
            demand("every error is a sentence", re.fullmatch(r"Could not [^\n]+\.", deed.result["msg"]))
        changes, pending = deed.result.get("changes", []), deed.result.get("pending", [])
        told, committed, accepted = _facts_of(changes), _written(deed, "committed"), _written(deed, "accepted")
        demand("what was written is told", committed <= told)
        demand("what is told was written", told <= accepted)
        demand("changed is told by changes", deed.changed is bool(changes))
        demand("a change is never both done and pending", not any(change in changes for change in pending))
        if deed.succeeded:
            self._check_returned(scene, deed)

    def _check_returned(self, scene: Scene, deed: Deed) -> None:
        """The final rule: what a run that ended well has returned."""
        if "deployment" not in deed.result and not deed.is_bulk:
            return

        def demand(law: str, holds: t.Any) -> None:
            self._demand(law, holds, scene, deed)

        pairs = list(zip(deed.items, deed.found))
        demand("what is returned is what was wanted", all(_is_wanted(*pair) for pair in pairs))
        present = [row and row["id"] for item, row in pairs if item.get("state") != "absent"]
        demand("each item has a deployment of its own", None not in present and len(set(present)) == len(present))
        if deed.watermarks:
            shown = self._as_of(deed.watermarks[0])
            demand("the last list shows what is returned", _agrees(shown, deed))
            demand("the last list does not show what is absent", _shows_absence(shown, deed))
        demand("what is returned is true", _agrees(self._rows(), deed) and _shows_absence(self._rows(), deed))

    def _check_secrets(self, scene: Scene, deed: Deed) -> None:
        rows = [deed.result.get("deployment") or {}] + deed.result.get("deployments", [])
        result = {name: value for name, value in deed.result.items() if name != "invocation"}
        everything = repr(result) + deed.output + self.logged.getvalue()
        self._demand("the management key stays secret", MANAGEMENT_KEY not in everything, scene, deed)
        bare = {name: value for name, value in deed.result.items() if name not in ("deployment", "deployments")}
        bare.pop("invocation", None)
        without = repr([row and dict(row, key=None) for row in rows])
        everything = repr(bare) + without + deed.output + self.logged.getvalue()
        kept = not any(row["key"] in everything for row in self._rows())
        self._demand("keys are only where they belong", kept, scene, deed)

    def _check_foreseen(self, scene: Scene, foreseen: Deed, applied: Deed) -> None:
        """What the check has foreseen, and the documentation allows, has come about."""

        def demand(law: str, holds: t.Any) -> None:
            self._demand(law, holds, scene, applied)

        if scene.is_refused:
            demand("what the API refuses fails", applied.failed and (applied.is_bulk or not applied.committed))
        else:
            demand("nothing hinders it", applied.succeeded)
            demand("faults that pass are got over", applied.succeeded)
        changes = foreseen.result["changes"]
        if "pending" in applied.result:
            told = applied.result.get("changes", []) + applied.result["pending"]
            demand("what is done and what is pending are what was foreseen", _sorted(told) == _sorted(changes))
        if not applied.succeeded:
            return
        demand("there is nothing to warn of", applied.warnings == foreseen.warnings)
        for field in ("changed", "changes", "diff"):
            demand("check mode foresees " + field, applied.result[field] == foreseen.result[field])
        done = [
            dict(row, id=None, key=None) if row and seen and seen["id"] is None else row
            for row, seen in zip(applied.found, foreseen.found)
        ]
        demand("check mode foresees the deployments", done == foreseen.found)
        demand("changed is that something was written", applied.changed is applied.committed)
        creates = sum(change["action"] == "create" for change in changes)
        edits = len({change["id"] for change in changes if change["id"]})
        demand("one write for each deployment", len(applied.writes) == creates + edits)
        self._check_done(scene, applied)

    def _check_done(self, scene: Scene, deed: Deed) -> None:
        """What was wanted is true; nothing else has changed but for what a run has created and withdrawn."""
        known = {row["id"] for row in scene.before}

        def plain(rows: t.Iterable[model.Row]) -> list[t.Any]:
            return sorted(
                (row["id"] if row["id"] in known else "new", row["projectId"], row["label"], row["deleted"])
                for row in rows
                if row["id"] in known or not (row["deleted"] and "-superseded-" in row["label"])
            )

        true = plain(self._rows())
        self._demand("what is wanted becomes true", any(plain(end.rows) == true for end in scene.ends), scene, deed)
        self._check_labels(scene)

    def _check_labels(self, scene: Scene) -> None:
        doubled = self._doubled() - self.excused
        self._demand("no label is active twice", not doubled, scene, *scene.deeds)
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


def _sorted(changes: t.Iterable[Options]) -> list[Options]:
    return sorted(changes, key=repr)


def _facts_of(changes: t.Iterable[Options]) -> set[tuple[t.Any, ...]]:
    """What changes say was written, in a form that can be compared with requests."""
    facts: set[tuple[t.Any, ...]] = set()
    for change in changes:
        if change["action"] == "create":
            facts.add(("create", change["label"]))
        elif change["action"] == "rename":
            facts.add(("rename", change["id"], change["label"]))
        else:
            facts.add((change["action"], change["id"]))
    return facts


def _written(deed: Deed, what: str) -> set[tuple[t.Any, ...]]:
    """What the requests of a run that were ``committed`` or ``accepted`` say."""
    facts: set[tuple[t.Any, ...]] = set()
    for write in deed.writes:
        if not write[what]:
            continue
        if write["method"] == "POST":
            facts.add(("create", write["body"]["label"]))
            continue
        identifier = write["path"].rpartition("/")[2]
        if "label" in write["body"]:
            facts.add(("rename", identifier, write["body"]["label"]))
        if "archive" in write["body"]:
            facts.add(("archive" if write["body"]["archive"] else "restore", identifier))
    return facts


def _is_wanted(item: Options, row: Options | None) -> bool:
    """Whether what is returned for an item is what it asks for."""
    absent = item.get("state") == "absent"
    if row is None:
        return absent
    return (
        row["project_id"] == item["project_id"]
        and row["deleted"] is absent
        and item.get("id") in (None, row["id"])
        and (item.get("label") in (None, row["label"]) or (absent and item.get("id") is not None))
        and (absent or item.get("type") is None or row["type"] in (None, item["type"]))
    )


def _agrees(rows: t.Sequence[model.Row], deed: Deed) -> bool:
    """Whether rows show every item as it is returned, and no label of these twice among the active ones.

    Unless an item names one of them by ``id``, and this run made none of them active.
    """
    by_id = {row["id"]: as_result(row) for row in rows}
    named = {item.get("id") for item in deed.items}
    edited = {write["path"].rpartition("/")[2] for write in deed.writes if write["committed"]}
    posts = [write["body"] for write in deed.writes if write["committed"] and write["method"] == "POST"]
    created = {(body["projectId"], body["label"]) for body in posts}
    active: dict[t.Any, list[str]] = collections.defaultdict(list)
    for row in rows:
        if not row["deleted"]:
            active[row["projectId"], row["label"]].append(row["id"])
    for item, found in zip(deed.items, deed.found):
        if found is None:
            continue
        row = by_id.get(found["id"])
        if row is None or any(found[name] != value for name, value in row.items()):
            return False
        same = active[row["project_id"], row["label"]]
        if (
            not row["deleted"]
            and len(same) > 1
            and not (set(same) & named and not set(same) & edited and (row["project_id"], row["label"]) not in created)
        ):
            return False
    return True


def _shows_absence(rows: t.Sequence[model.Row], deed: Deed) -> bool:
    """Whether nothing of what is to be absent is active, be it named by id or by label."""
    active = [row for row in rows if not row["deleted"]]
    places = {row["id"] for row in active} | {(row["projectId"], row["label"]) for row in active}
    absent = [item for item in deed.items if item.get("state") == "absent"]
    return not any((item.get("id") or (item["project_id"], item["label"])) in places for item in absent)


def kept(item: Options, row: Options | None) -> str | None:
    """The id of what a run has returned for an item that is to be there, if it is what was wanted."""
    is_there = row is not None and row["id"] is not None and item.get("state") != "absent" and _is_wanted(item, row)
    return row["id"] if row is not None and is_there else None
