# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What amplitude_deployment is documented to make of a project, in the fewest words: the oracle of the histories.

It shares no code with the planner. Rows are those of the emulator's ``deployments()``.
"""

from __future__ import annotations

import typing as t

Row = dict[str, t.Any]
Options = t.Mapping[str, t.Any]


class NotGranted(Exception):
    """The module has to refuse this."""


def granted(options: Options, rows: t.Sequence[Row]) -> list[Row] | None:
    """The rows as they have to be afterwards, a created one with the id and the key None; None: has to be refused."""
    try:
        before, after = decided(options, rows)
    except NotGranted:
        return None
    if before is None:
        return list(rows) + ([after] if after else [])
    return [after if row is before else row for row in rows]


def refused_by_api(options: Options, rows: t.Sequence[Row], unique_labels: str) -> bool:
    """Whether the emulator does not accept what the module has to write, because archived labels count as taken."""
    before, after = decided(options, rows)
    if unique_labels != "all" or after is None or after == before or after["deleted"]:
        return False
    return any(row is not before and _place(row) == _place(after) for row in rows)


def decided(options: Options, rows: t.Sequence[Row]) -> tuple[Row | None, Row | None]:
    """The row that is meant, as it is and as it has to be afterwards.

    :raises NotGranted: this has to be refused.
    """
    label, type = options.get("label"), options.get("type")
    before = _find(options, rows)
    if options.get("state") == "replaced":
        return before, _replaced(options, t.cast(Row, before), rows)
    if options.get("state") == "absent":
        if before is None or before["deleted"]:
            return before, before
        _refuse_if(type and before["type"] and type != before["type"])
        _refuse_if(before["type"] is None and not options.get("force"))
        return before, dict(before, deleted=True)
    if before is None:
        type = type or _type_of(options.get("replaces"), rows)
        _refuse_if(type is None)
        return None, dict(id=None, projectId=options["project_id"], label=label, key=None, type=type, deleted=False)
    _refuse_if(type and before["type"] and type != before["type"])
    _refuse_if(before["deleted"] and not options.get("restore_archived", True))
    after = dict(before, label=label or before["label"], deleted=False)
    others = [row for row in rows if row is not before and not row["deleted"] and _place(row) == _place(after)]
    _refuse_if(after != before and others)
    return before, after


def _find(options: Options, rows: t.Sequence[Row]) -> Row | None:
    absent = options.get("state") == "absent"
    if options.get("id") is not None:
        found = [row for row in rows if row["id"] == options["id"]]
        _refuse_if(found and found[0]["projectId"] != options["project_id"])
        _refuse_if(not found and not absent)
        return found[0] if found else None

    def only(label: str | None, deleted: bool) -> Row | None:
        place = (options["project_id"], label)
        found = [row for row in rows if row["deleted"] is deleted and _place(row) == place]
        _refuse_if(len(found) > 1)
        return found[0] if found else None

    if options.get("replaces") is not None:
        rows = [row for row in rows if row["id"] != options["replaces"]]
    active = only(options["label"], False)
    if absent or options.get("replaces") is not None:
        return active
    if active is None and options.get("previous_label") is not None:
        active = only(options["previous_label"], False)
    if active is None and options.get("restore_archived", True):
        return only(options["label"], True)
    return active


def _replaced(options: Options, row: Row, rows: t.Sequence[Row]) -> Row:
    """What another deployment takes over from, which must not have the label of that one."""
    after = dict(row)
    if row["label"] == options["label"]:
        after["label"] = "{label}-superseded-{id}".format(**row)
        _refuse_if(not row["deleted"] and any(not each["deleted"] and _place(each) == _place(after) for each in rows))
    is_changed = after != row or (options.get("retire") and not row["deleted"])
    _refuse_if(is_changed and row["type"] is None and not options.get("force"))
    return after


def _type_of(identifier: str | None, rows: t.Sequence[Row]) -> str | None:
    return next((row["type"] for row in rows if row["id"] == identifier), None)


def _place(row: Row) -> tuple[str, str]:
    return (row["projectId"], row["label"])


def _refuse_if(condition: t.Any) -> None:
    if condition:
        raise NotGranted
