# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold in every history: laws with names, and the exceptions to each.

An exception is only looked for where a law does not hold, and is counted then: ``make soak`` tells how often.
"""

from __future__ import annotations

import collections
import re
import typing as t

from ansible_collections.community.amplitude.tests.unit.histories import model, serving_laws
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
        for write in deed.writes:
            if write["committed"]:
                self._check_write(scene, deed, write)
        if deed.killed:
            return
        deed.overtaken_by = self.ledger.overtakers(deed)
        if deed.failed:
            demand("every error is a sentence", re.fullmatch(r"Could not [^\n]+\.", deed.result["msg"]))
        changes, pending = deed.result.get("changes", []), deed.result.get("pending", [])
        places = {(row["kind"], row["id"]): (row["projectId"], row["key"]) for row in self.ledger.flags()}
        told = _facts_of(changes)
        accepted, committed = (_written(deed, what, places, told) for what in ("accepted", "committed"))
        put_back = {fact for fact in committed - told if fact[0] == "assign" and _was_there(fact, deed, places)}
        demand("what was written is told", committed - put_back <= told)
        demand("what is told was written", told <= accepted)
        demand("changed is told by changes", deed.changed is bool(changes))
        demand("a change is never both done and pending", not any(change in changes for change in pending))
        if deed.succeeded:
            self._check_returned(scene, deed)

    def _check_write(self, scene: Scene, deed: Deed, write: Options) -> None:
        """What holds for each write that has changed something, as far as the last list before it could show."""

        def demand(law: str, holds: t.Any) -> None:
            self._demand(law, holds, scene, deed)

        if not deed.options.get("force"):
            demand("no enabled flag is left without an active deployment", serving_laws.leaves_active(write))
        demand("only what was asked for is assigned and removed", serving_laws.was_asked_for(deed, write))
        demand("nothing is removed before the list shows the new one", serving_laws.follows_the_list(deed, write))
        demand("what is retired is nowhere but on archived flags", serving_laws.is_free(deed, write))

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
            shown = self.ledger.as_of("deployments", deed.watermarks[0])
            demand("the last list shows what is returned", _agrees(shown, deed))
            demand("the last list does not show what is absent", _shows_absence(shown, deed))
        rows = list(zip(deed.items, deed.found, deed.served))
        demand("what is served is told where it is managed", all(serving_laws.is_told(*row) for row in rows))
        known = self.ledger.view(deed).flags
        demand("the last list shows what is served", all(serving_laws.is_true(*row[1:], known) for row in rows))
        now = self.ledger.flags()
        demand("what is told to be served is served", all(serving_laws.is_true(*row[1:], now) for row in rows))
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
            replaces = any(item.get("replaces") for item in applied.items)
            is_simple = not (applied.is_bulk or replaces or any(map(serving_laws.is_assignment, applied.writes)))
            demand("what the API refuses fails", applied.failed and not (is_simple and applied.committed))
            demand("what an API that replaces takes away is put back", self._is_put_back(scene, applied))
        else:
            demand("nothing hinders it", applied.succeeded)
            demand("faults that pass are got over", applied.succeeded)
        demand("without a new one the old one has its label back", self._has_label_back(scene, applied))
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
        demand("check mode foresees what is served", applied.served == foreseen.served)
        demand("changed is that something was written", applied.changed is applied.committed)
        creates = sum(change["action"] == "create" for change in changes)
        own = [change for change in changes if change["action"] not in ("create", "assign", "unassign")]
        edits = len({(change["id"], change["action"] == "archive") for change in own})
        expected = creates + edits + _assignments(changes)
        demand("one write for each deployment", len(applied.writes) == expected)
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

        true, flags = plain(self._rows()), serving_laws.plain(self.ledger.flags(), known)
        ends = [end for end in scene.ends if plain(end.rows) == true]
        self._demand("what is wanted becomes true", ends, scene, deed)
        served = any(serving_laws.plain(end.flags, known) == flags for end in ends or scene.ends)
        self._demand("what is wanted is served", served, scene, deed)
        self._check_labels(scene)

    def _is_put_back(self, scene: Scene, deed: Deed) -> bool:
        """Whether each flag and experiment has what it had, unless something was removed.

        What is archived is only put back if the API lets it be assigned.
        """
        now = {(row["kind"], row["id"]): set(row["deployments"]) for row in self.ledger.flags()}
        archived = {row["id"] for row in scene.before if row["deleted"]}
        lost = archived if self.history.switches.get("archived_deployment_status", 200) != 200 else set()
        is_kept = all(set(row["deployments"]) - lost <= now[row["kind"], row["id"]] for row in scene.flags)
        return is_kept or any(write["method"] == "DELETE" for write in deed.writes)

    def _has_label_back(self, scene: Scene, deed: Deed) -> bool:
        """Whether all is as it was if the only create of a run was refused."""
        creates = [write for write in deed.writes if write["path"] == "/api/1/deployments"]
        is_refused = bool(creates) and all(write["status"] in (400, 403, 404, 409) for write in creates)
        return not is_refused or deed.is_bulk or deed.succeeded or self._rows() == scene.before

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
        elif change["action"] in ("assign", "unassign"):
            kind = "flags" if change["flag"] is not None else "experiments"
            place = (kind, change["project_id"], change["flag"] or change["experiment"])
            facts.add((change["action"], *place, change["id"]))
        else:
            facts.add((change["action"], change["id"]))
    return facts


def _written(
    deed: Deed, what: str, places: t.Mapping[t.Any, tuple[str, str]], told: t.Container[tuple[t.Any, ...]]
) -> set[tuple[t.Any, ...]]:
    """What the requests of a run that were ``committed`` or ``accepted`` say.

    :param places: the projects and keys of flags and experiments, by kind and id.
    :param told: what is told: what was not there when it was planned is told without its id.
    """
    facts: set[tuple[t.Any, ...]] = set()
    for write in deed.writes:
        if not write[what]:
            continue
        if serving_laws.is_assignment(write):
            kind, identifier = write["path"].split("/")[3:5]
            action = "assign" if write["method"] == "POST" else "unassign"
            for each in serving_laws.assigned_ids(write):
                fact = (action, kind, *places[kind, identifier])
                facts.add((*fact, None if (*fact, None) in told and (*fact, each) not in told else each))
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


def _was_there(fact: tuple[t.Any, ...], deed: Deed, places: t.Mapping[t.Any, tuple[str, str]]) -> bool:
    """Whether a deployment that was assigned was there before."""
    _action, kind, project_id, key, identifier = fact
    same = [place for place, named in places.items() if place[0] == kind and named == (project_id, key)]
    return any(identifier in serving_laws.there_before(deed, place) for place in same)


def _assignments(changes: t.Iterable[Options]) -> int:
    """How many requests carry these changes out: what one flag or experiment gets goes in one request."""
    assigned: dict[t.Any, collections.Counter[t.Any]] = collections.defaultdict(collections.Counter)
    removals = 0
    for change in changes:
        removals += change["action"] == "unassign"
        if change["action"] == "assign":
            place = (change["project_id"], change["flag"], change["experiment"])
            assigned[place][change["id"], change["label"]] += 1
    # Of several with one key, each is told: they are taken over.
    return removals + sum(max(each.values()) for each in assigned.values())


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
    own = [write for write in deed.writes if write["committed"] and not serving_laws.is_assignment(write)]
    edited = {write["path"].rpartition("/")[2] for write in own}
    posts = [write["body"] for write in own if write["method"] == "POST"]
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
