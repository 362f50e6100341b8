# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold for what deployments serve: of each write, as far as a run could know, and of what it returns."""

from __future__ import annotations

import typing as t

from ansible_collections.community.amplitude.tests.unit.histories.model import Options, Row
from ansible_collections.community.amplitude.tests.unit.histories.serving import KINDS, drops, is_managed, wants
from ansible_collections.community.amplitude.tests.unit.histories.story import Deed
from ansible_collections.community.amplitude.tests.unit.histories.views import View


def is_assignment(write: Options) -> bool:
    """Whether a request is about what a flag or experiment has, and not about a deployment itself."""
    return write["path"].split("/")[3] in KINDS


def assigned_ids(write: Options) -> list[str]:
    """The deployments that a request assigns to a flag or experiment, or removes from it."""
    return list(write["body"]["deployments"]) if write["method"] == "POST" else [write["path"].rpartition("/")[2]]


def archived_id(write: Options) -> str | None:
    """The deployment that a request archives."""
    is_archive = write["method"] == "PATCH" and (write["body"] or {}).get("archive")
    return write["path"].rpartition("/")[2] if is_archive else None


def leaves_active(write: Options) -> bool:
    """Whether each enabled flag or experiment that had an active deployment has one after a removal or an archive."""
    view, archived = write["view"], archived_id(write)
    active = {row["id"] for row in view.deployments if not row["deleted"]}
    if archived is not None:
        rows, gone = [row for row in view.flags if archived in row["deployments"]], {archived}
    elif write["method"] == "DELETE":
        rows, gone = [view.flag(write["path"])], set(assigned_ids(write))
    else:
        return True
    has = [active & set(row["deployments"]) for row in rows if row and row["enabled"] and not row["archived"]]
    return all(each - gone for each in has if each)


def was_asked_for(deed: Deed, write: Options) -> bool:
    """Whether all that a request assigns or removes is what the options say, or puts back what there was."""
    if not is_assignment(write):
        return True
    view: View = write["view"]
    # The first assignment goes alone and is read back; what is assigned after it was decided with it.
    views = [view] + [each["view"] for each in deed.writes if write["method"] == each["method"] == "POST"]
    rows = [row for each in views for row in (each.flag(write["path"]), each.listed_flag(write["path"]))]
    asked, there = _removes, set()
    if write["method"] == "POST":
        # What was there is put back, and what is there is assigned once more with it.
        asked, there = _assigns, {*there_before(deed, _place(write)), *(rows[0] or {}).get("deployments", ())}
    return all(
        each in there
        or any(asked(item, row, each, view) for item in deed.items for row in rows if row and not row["archived"])
        for each in assigned_ids(write)
    )


def there_before(deed: Deed, place: tuple[str, str]) -> set[str]:
    """What a flag or experiment had when a run began, or as far as the run knew before an assignment, whoever put it there.

    :param place: its kind and id.
    """
    there, own = set(deed.began_with.get(place, ())), set()
    for write in deed.writes:
        if write["method"] == "POST" and is_assignment(write) and _place(write) == place:
            there.update({*(write["view"].flag(write["path"]) or {}).get("deployments", ())} - own)
            own.update({*assigned_ids(write)} - there)
    return there


def follows_the_list(deed: Deed, write: Options) -> bool:
    """Whether nothing is taken from what is retired before the list shows the new one on all that it serves."""
    view: View = write["view"]
    gone = [archived_id(write)] if not is_assignment(write) else assigned_ids(write) * (write["method"] == "DELETE")
    for item in deed.items:
        if item.get("retire") and item["replaces"] in gone:
            own = {row["id"] for row in view.deployments if _is_own(item, row)}
            if not all(own & set(row["deployments"]) for row in view.listed if wants(item, row)):
                return False
    return True


def is_free(deed: Deed, write: Options) -> bool:
    """Whether what is retired is nowhere but on archived flags and experiments when it is archived."""
    view: View = write["view"]
    archived = archived_id(write)
    for item in deed.items:
        if item.get("retire") and item["replaces"] == archived:
            if not {(kind, item["project_id"]) for kind in KINDS} <= view.read:
                return False
            if any(archived in row["deployments"] for row in view.flags if not row["archived"]):
                return False
    return True


def is_told(item: Options, row: Row | None, told: Options) -> bool:
    """Whether what an item serves is told of the kinds that are managed, and of no others, and is what was wanted."""
    for kind in KINDS:
        is_there = row is not None and item.get("state") != "absent"
        if (told[kind] is not None) is not (is_there and is_managed(item, kind)):
            return False
        wanted, serves = set(item.get(kind) or ()), set(told[kind] or ())
        if is_there and not (
            wanted == serves if item.get("exclusive") and item.get(kind) is not None else wanted <= serves
        ):
            return False
    return True


def is_true(row: Row | None, told: Options, flags: t.Iterable[Row]) -> bool:
    """Whether flags and experiments are as is told of what a deployment serves."""
    flags = list(flags)
    return row is None or all(
        told[kind] in (None, sorted(each["key"] for each in flags if each["kind"] == kind and _serves(row["id"], each)))
        for kind in KINDS
    )


def plain(flags: t.Iterable[Row], known: t.Container[str]) -> list[t.Any]:
    """What flags and experiments have, in a form that can be compared although what is new has another id."""
    return sorted(
        (row["kind"], row["id"], sorted(each if each in known else "new" for each in row["deployments"]))
        for row in flags
    )


def _place(write: Options) -> tuple[str, str]:
    kind, identifier = write["path"].split("/")[3:5]
    return kind, identifier


def _serves(identifier: str, flag: Row) -> bool:
    return identifier in flag["deployments"] and not flag["archived"]


def _is_own(item: Options, row: Row) -> bool:
    """Whether a deployment can be that of an item."""
    # The list may still show as archived what is restored: the run knows better if it has sent that, too.
    if row["projectId"] != item["project_id"] or row["id"] == item.get("replaces"):
        return False
    return row["id"] == item["id"] if item.get("id") else row["label"] == item["label"]


def _assigns(item: Options, flag: Row, identifier: str, view: View) -> bool:
    own = [row["id"] for row in view.deployments if _is_own(item, row)]
    return identifier in own and wants(item, flag)


def _removes(item: Options, flag: Row, identifier: str, view: View) -> bool:
    own = [row["id"] for row in view.deployments if _is_own(item, row)]
    return (identifier in own and drops(item, flag)) or bool(
        item.get("retire") and identifier == item["replaces"] and flag["projectId"] == item["project_id"]
    )
