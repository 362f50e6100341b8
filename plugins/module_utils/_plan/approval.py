# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Which changes may be carried out because they were approved, each once."""

from __future__ import annotations

import collections
import typing as t

from .._api.deployments import identifier_from
from .._errors import InputError, Refused
from .single import Change

ACTIONS = ("create", "restore", "rename", "archive", "assign", "unassign")
_AS_RETURNED = "pass the entries of changes as they were returned"


class Approval:
    """The changes that were approved.

    An assignment whose deployment the approval also creates has no id in it, and matches any: where a run was interrupted,
    the deployment is there already.
    """

    def __init__(self, changes: t.Iterable[Change]) -> None:
        self._changes = collections.Counter(iter(changes))
        self._created = {(change.project_id, change.label) for change in self._changes if change.action == "create"}

    def unapproved(self, planned: t.Iterable[Change], carried_out: t.Iterable[Change] = ()) -> list[Change]:
        """Those of the planned changes that may not be carried out.

        :param carried_out: what was carried out before by the same run; each of the approved changes is approved once.
        """
        left = self._changes.copy()
        for change in carried_out:
            self._take(left, change)
        return [change for change in planned if not self._take(left, change)]

    def refusal(self, change: Change) -> Refused:
        """The refusal to carry out a change."""
        return Refused(
            "carry out only what was approved",
            f"it would also {described(change)}, which is not in approved_changes",
            "look at what has changed since the approval, and have the new plan approved",
        )

    def unused(self, carried_out: t.Iterable[Change]) -> list[Change]:
        """The approved changes that are not among these."""
        left = self._changes.copy()
        for change in carried_out:
            self._take(left, change)
        return [change for change in self._changes if left[change] > 0]

    def unused_warning(self, carried_out: t.Iterable[Change]) -> list[str]:
        """The warning that some of the approved changes were not needed, if there are any.

        :param carried_out: those that were, or in check mode would be.
        """
        unused = self.unused(carried_out)
        if not unused:
            return []
        first = "; ".join(map(described, unused[:5]))
        more = f"; and {len(unused) - 5} more" if len(unused) > 5 else ""
        return [f"No longer needed from approved_changes: {first}{more}."]

    def _take(self, left: collections.Counter[Change], change: Change) -> bool:
        of_created = change.action == "assign" and (change.project_id, change.label) in self._created
        for approved in [change, change._replace(id=None)] if of_created else [change]:
            if left[approved] > 0:
                left[approved] -= 1
                return True
        return False


def approval_from(entries: t.Sequence[t.Any]) -> Approval:
    """What the option ``approved_changes`` says.

    :raises InputError: with the number of the first entry that is not a change, or is listed twice.
    """
    changes: dict[Change, int] = {}
    for number, entry in enumerate(entries, 1):
        change = _change_from(number, entry)
        if changes.setdefault(change, number) != number:
            raise _unusable(number, f"is the same as entry {changes[change]}", "leave one of them out")
    created = {(change.project_id, change.label) for change in changes if change.action == "create"}
    for change, number in changes.items():
        if change.id is None and not (
            change.action == "create" or (change.action == "assign" and (change.project_id, change.label) in created)
        ):
            raise _unusable(
                number,
                f"has no id, but the action {change.action}: only a create and the assignments of what it creates may "
                "lack one",
                _AS_RETURNED,
            )
    return Approval(changes)


def _change_from(number: int, entry: t.Any) -> Change:
    if not isinstance(entry, dict):
        raise _unusable(number, "is not a dictionary", _AS_RETURNED)
    unknown = sorted(str(field) for field in entry if field not in Change._fields)
    if unknown:
        raise _unusable(number, f"has the unknown field {unknown[0]!r}", _AS_RETURNED)
    if entry.get("action") not in ACTIONS:
        raise _unusable(
            number, f"has the action {entry.get('action')!r}, not one of {', '.join(ACTIONS)}", _AS_RETURNED
        )
    values = {field: _text_of(number, field, entry.get(field)) for field in Change._fields}
    for field in ("project_id", "label"):
        if not values[field]:
            raise _unusable(number, f"has no {field}", _AS_RETURNED)
    return Change(**t.cast("dict[str, t.Any]", values))


def _text_of(number: int, field: str, value: t.Any) -> str | None:
    """The value of a field as a :class:`Change` has it; an id may be a number."""
    if value is None:
        return None
    if field in ("id", "project_id"):
        identifier = identifier_from(value)
        if identifier is None:
            raise _unusable(number, f"has an unusable {field}", _AS_RETURNED)
        return identifier
    if not isinstance(value, str):
        raise _unusable(number, f"has a {field} that is not text", _AS_RETURNED)
    return value


def _unusable(number: int, problem: str, advice: str) -> InputError:
    return InputError("use the option approved_changes", f"entry {number} {problem}", advice)


def described(change: Change) -> str:
    """A change in words, as what follows "to"."""
    which = f"{change.label!r}" + (f" (id {change.id})" if change.id is not None else "")
    place = f"in project {change.project_id}"
    if change.action == "rename":
        return f"rename {change.previous_label!r} (id {change.id}) to {change.label!r} {place}"
    if change.action == "create":
        return f"create the {change.type} deployment {which} {place}"
    if change.action in ("assign", "unassign"):
        of = f"flag {change.flag!r}" if change.flag is not None else f"experiment {change.experiment!r}"
        return f"assign {which} to {of} {place}" if change.action == "assign" else f"remove {which} from {of} {place}"
    return f"{change.action} {which} {place}"
