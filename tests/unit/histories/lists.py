# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What amplitude_deployments is documented to make of an account: the oracle of the histories for lists.

A list means what its items mean one by one, in whatever order that can be done; each time the model for one deployment
decides. It shares no code with the planner.
"""

from __future__ import annotations

import typing as t

from ansible_collections.community.amplitude.tests.unit.histories import model, serving
from ansible_collections.community.amplitude.tests.unit.histories.model import NotGranted, Options, Row

USUAL_PURGE_LIMIT = 10


class End(t.NamedTuple):
    """How an account may look afterwards; what an item has created has the id ``new`` and its number, and no key.

    ``items`` are the rows that the items mean, in their order. ``accepted``: whether the emulator lets all be written
    that leads there, in the order in which it was found. ``flags``: flags and experiments.
    """

    rows: tuple[Row, ...]
    items: tuple[Row | None, ...]
    accepted: bool
    flags: tuple[Row, ...] = ()


def items_of(options: Options) -> list[Options]:
    """The items of either module: one for the single deployment, with what is set for the whole task."""
    if "deployments" not in options:
        return [options]
    task = {name: options[name] for name in ("project_id", "restore_archived", "force") if name in options}
    return [dict(task, **item) for item in options["deployments"]]


def ends(options: Options, rows: t.Sequence[Row], switches: Options, flags: t.Sequence[Row] = ()) -> list[End]:
    """Every end that is allowed; none: it has to be refused."""
    items = items_of(options)
    if not is_valid(items) or _takes_replaced(items, rows):
        return []
    # What is taken over from is one more that is meant.
    meant = items + [serving.replaced(item) for item in items if item.get("replaces")]
    unique_labels = switches.get("unique_labels", "none")
    found = [end for end in _orders(meant, rows, unique_labels) if "deployments" not in options or _lasts(meant, end)]
    if options.get("purge"):
        project_ids = {item["project_id"] for item in items} | {options.get("project_id")}
        kept = {item["project_id"] for item in items if item.get("state") != "absent"}
        purged = (_purged(end, project_ids, kept, options.get("purge_limit")) for end in found)
        found = [end for end in purged if end is not None]
    served = (_served(items, end, rows, flags, switches) for end in found)
    return [end for end in served if end is not None]


def _served(
    items: t.Sequence[Options], end: End, before: t.Sequence[Row], flags: t.Sequence[Row], switches: Options
) -> End | None:
    """The same with what flags and experiments have then, and with what is retired as archived."""
    retired = {item["replaces"] for item in items if item.get("retire")}
    rows = tuple(dict(row, deleted=True) if row["id"] in retired else row for row in end.rows)
    found = serving.served(items, end.items, before, rows, flags, switches)
    if found is None:
        return None
    return End(rows, end.items[: len(items)], end.accepted and found.accepted, found.rows)


def _takes_replaced(items: t.Sequence[Options], rows: t.Sequence[Row]) -> bool:
    """Whether an item is to be renamed from what another one takes over from."""
    replaced = {item.get("replaces") for item in items} - {None}
    places = {(row["projectId"], row["label"]) for row in rows if row["id"] in replaced and not row["deleted"]}
    return any(item.get("state") != "absent" and _place(item, "previous_label") in places for item in items)


def is_valid(items: t.Sequence[Options]) -> bool:
    """Whether the items of a list can be meant together."""
    present = [item for item in items if item.get("state") != "absent"]
    labels = [_place(item, "label") for item in items if item.get("label")]
    ids = [item["id"] for item in items if item.get("id")]
    replaced = [item["replaces"] for item in items if item.get("replaces")]
    if not all(serving.is_valid(item) for item in items):
        return False
    renames = {_place(item, "previous_label"): _place(item, "label") for item in present if item.get("previous_label")}
    sources = [item for item in present if item.get("previous_label")]
    absent = {_place(item, "label") for item in items if item not in present and item.get("label")}
    if any(len(set(several)) < len(several) for several in (labels, ids, replaced)) or len(renames) < len(sources):
        return False
    if absent & set(renames):
        return False
    for start in renames:
        place, steps = renames.get(start), 0
        while place is not None and steps <= len(renames):
            if place == start:
                return False
            place, steps = renames.get(place), steps + 1
    return True


def _orders(items: t.Sequence[Options], rows: t.Sequence[Row], unique_labels: str) -> list[End]:
    """The ends of all orders in which the items can be carried out one by one, without the same end twice."""
    found: list[End] = []
    seen: set[str] = set()

    def go_on(rows: tuple[Row, ...], meant: dict[int, Row | None], accepted: bool) -> None:
        state = repr((sorted(meant), rows, accepted))
        if state in seen:
            return
        seen.add(state)
        if len(meant) == len(items):
            now = {row["id"]: row for row in rows}
            found.append(End(rows, tuple(row and now[row["id"]] for _number, row in sorted(meant.items())), accepted))
        for number, item in enumerate(items):
            if number in meant or any(
                other not in meant and _takes_over(items[other], item) for other in range(len(items)) if other != number
            ):
                continue
            try:
                before, after = _decided(item, rows)
                if before and any(row and row["id"] == before["id"] for row in meant.values()):
                    continue  # two items that mean the same deployment
                fine = not model.refused_by_api(item, rows, unique_labels)
            except NotGranted:
                continue
            if before is None and after is not None:
                after = dict(after, id=f"new {number}")
                changed = (*rows, after)
            else:
                changed = tuple(after if row is before else row for row in rows)
            go_on(t.cast("tuple[Row, ...]", changed), {**meant, number: after}, accepted and fine)

    go_on(tuple(rows), {}, True)
    return found


def _decided(item: Options, rows: t.Sequence[Row]) -> tuple[Row | None, Row | None]:
    before, after = model.decided(item, rows)
    if before is None and item.get("state") == "absent" and not item.get("id"):
        # It is absent already if it is archived, and can be told from others.
        archived = [row for row in rows if row["deleted"] and (row["projectId"], row["label"]) == _place(item, "label")]
        if len(archived) == 1:
            return archived[0], archived[0]
    return before, after


def _takes_over(item: Options, other: Options) -> bool:
    """Whether an item takes over the label that another one makes anew."""
    if item.get("state") == "replaced":
        return item["id"] == other.get("replaces") and other.get("state") != "replaced"
    if item.get("state") == "absent" or other.get("state") == "absent" or not item.get("previous_label"):
        return False
    return _place(item, "previous_label") == _place(other, "label")


def _lasts(items: t.Sequence[Options], end: End) -> bool:
    """Whether all that is wanted is true in the end, so that nothing is to be done once more."""
    for item, row in zip(items, end.items):
        try:
            before, after = model.decided(item, end.rows)
        except NotGranted:
            return False
        if before != after or (item.get("state") != "absent" and before != row):
            return False
    return True


def _purged(end: End, project_ids: t.Container[str | None], kept: t.Container[str], limit: int | None) -> End | None:
    meant = {row["id"] for row in end.items if row}
    purged = [
        row
        for row in end.rows
        if row["projectId"] in project_ids and not row["deleted"] and row["type"] and row["id"] not in meant
    ]
    if limit is None and any(row["projectId"] not in kept for row in purged):
        return None
    if len(purged) > (USUAL_PURGE_LIMIT if limit is None else limit):
        return None
    return end._replace(rows=tuple(dict(row, deleted=True) if row in purged else row for row in end.rows))


def _place(item: Options, field: str) -> tuple[str, str | None]:
    return (item["project_id"], item.get(field))
