# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What flags and experiments are documented to have afterwards: the oracle of the histories for what is served.

It shares no code with the planner. The rows of flags and experiments are those of the emulator, with their ``kind``.
"""

from __future__ import annotations

import typing as t

from ansible_collections.community.amplitude.tests.unit.histories.model import NotGranted, Options, Row

KINDS = ("flags", "experiments")


class Served(t.NamedTuple):
    """How flags and experiments may look afterwards, and whether the emulator lets all be written that leads there."""

    rows: tuple[Row, ...]
    accepted: bool = True


def is_managed(item: Options, kind: str) -> bool:
    """Whether it is said what the deployment of an item serves of this kind, and so is told."""
    return item.get(kind) is not None or item.get("replaces") is not None


def is_valid(item: Options) -> bool:
    """Whether the options of an item can be meant together."""
    serves = any(item.get(kind) is not None for kind in KINDS)
    meant = serves or item.get("exclusive") or item.get("replaces") or item.get("retire")
    if item.get("state") == "absent" and meant:
        return False
    if item.get("replaces") and (item.get("id") or item.get("previous_label")):
        return False
    return bool(item.get("replaces") or not item.get("retire")) and (serves or not item.get("exclusive"))


def replaced(item: Options) -> Options:
    """What is wanted of the deployment that an item takes over from."""
    return dict(item, id=item["replaces"], state="replaced")


def wants(item: Options, row: Row) -> bool:
    """Whether an item lists a flag or experiment, or takes it over."""
    listed = item.get(row["kind"])
    if row["archived"] or row["projectId"] != item["project_id"]:
        return False
    if row["key"] in (listed or ()):
        return True
    takes_all = listed is None or not item.get("exclusive")
    return takes_all and item.get("replaces") is not None and item["replaces"] in row["deployments"]


def drops(item: Options, row: Row) -> bool:
    """Whether the deployment of an item must not be assigned to a flag or experiment."""
    is_exclusive = item.get("exclusive") and item.get(row["kind"]) is not None
    return bool(is_exclusive and not row["archived"] and row["key"] not in item[row["kind"]])


def served(
    items: t.Sequence[Options],
    meant: t.Sequence[Row | None],
    before: t.Sequence[Row],
    after: t.Sequence[Row],
    flags: t.Sequence[Row],
    switches: Options,
) -> Served | None:
    """What flags and experiments have in the end; None: this has to be refused.

    :param meant: the deployments of the items, in their order.
    :param before: all deployments before.
    :param after: all deployments in the end, with what is retired as archived.
    """
    try:
        return _served(items, meant, before, after, flags, switches)
    except NotGranted:
        return None


def _served(
    items: t.Sequence[Options],
    meant: t.Sequence[Row | None],
    before: t.Sequence[Row],
    after: t.Sequence[Row],
    flags: t.Sequence[Row],
    switches: Options,
) -> Served:
    has = {id(row): set(row["deployments"]) for row in flags}
    archived_before = {row["id"] for row in before if row["deleted"]}
    assigned: list[Row] = []
    removed: list[Row] = []
    for item in items:
        _check_keys(item, flags)
    for item, deployment in zip(items, meant):
        for row in flags:
            if deployment and wants(item, row) and deployment["id"] not in has[id(row)]:
                has[id(row)].add(deployment["id"])
                assigned.append(row)
    for item, deployment in zip(items, meant):
        retires = item.get("retire") and item["replaces"] not in archived_before
        for row in flags:
            gone = set()
            if deployment and drops(item, row):
                gone.add(deployment["id"])
            if retires and not row["archived"]:
                gone.add(item["replaces"])
            if gone & has[id(row)]:
                has[id(row)] -= gone
                removed.append(row)
    active = {row["id"] for row in after if not row["deleted"]}
    force = any(item.get("force") for item in items)
    if not force and any(row["enabled"] and not has[id(row)] & active for row in removed):
        raise NotGranted
    in_use = _check_archived(items, archived_before, after, flags, force)
    accepted = not (in_use and switches.get("archive_in_use") == "refused")
    if any(_replaces(switches, row["kind"]) and row["deployments"] for row in assigned):
        accepted = False
    if switches.get("last_deployment_status", 200) != 200 and any(r["enabled"] and not has[id(r)] for r in removed):
        accepted = False
    return Served(tuple(dict(row, deployments=sorted(has[id(row)])) for row in flags), accepted)


def _check_keys(item: Options, flags: t.Sequence[Row]) -> None:
    """A key has to belong to exactly one flag, or experiment, that is not archived."""
    for kind in KINDS:
        for key in item.get(kind) or ():
            found = [row for row in flags if _place(row) == (kind, item["project_id"], key) and not row["archived"]]
            if len(found) != 1:
                raise NotGranted


def _check_archived(
    items: t.Sequence[Options],
    archived_before: t.Container[str],
    after: t.Sequence[Row],
    flags: t.Sequence[Row],
    force: bool,
) -> bool:
    """What is archived, but not retired, must not be in use without ``force``; whether it is."""
    retired = {item["replaces"] for item in items if item.get("retire")}
    archived = {row["id"] for row in after if row["deleted"]} - retired
    used = {each for row in flags if not row["archived"] for each in row["deployments"]}
    in_use = any(each not in archived_before for each in archived & used)
    if in_use and not force:
        raise NotGranted
    return in_use


def _replaces(switches: Options, kind: str) -> bool:
    return switches.get("assigning") in ("replaces", "replaces_in_" + kind)


def _place(row: Row) -> tuple[str, str, str]:
    return (row["kind"], row["projectId"], row["key"])
