# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What is wanted, as it is told, and what is wrong with it before anything is asked of the API."""

from __future__ import annotations

import re
import typing as t

from .._api.deployments import LABEL_CHARACTERS, check_identifier
from .._errors import InputError


class Wanted(t.NamedTuple):
    """What must be true of one deployment.

    ``state``: ``present`` or ``absent``. The identity is ``id`` if it is given, else ``project_id`` and ``label``.
    """

    project_id: str
    label: str | None = None
    type: str | None = None
    state: str = "present"
    id: str | None = None
    previous_label: str | None = None

    def __str__(self) -> str:
        which = "deployment" if self.label is None else f"deployment {self.label!r}"
        return "{0}{1} in project {2}".format(which, "" if self.id is None else f" (id {self.id})", self.project_id)


class Rules(t.NamedTuple):
    """How far a plan may go."""

    restore_archived: bool = True
    force: bool = False


def validate(wanted: Wanted) -> None:
    """Find what is wrong with the wishes themselves, before anything is asked of the API.

    :raises InputError: naming the option.
    """
    check_identifier("project_id", wanted.project_id)
    check_identifier("id", wanted.id)
    if wanted.id is None and wanted.label is None:
        raise InputError(
            "use the options", "neither label nor id is set", "set label, or id, to say which one is meant"
        )
    if wanted.label is not None and not re.fullmatch(f"[{LABEL_CHARACTERS}]+", wanted.label):
        problem = f"label cannot be {wanted.label!r}"
        raise InputError(
            "use the options",
            problem,
            "use only letters from A to Z and a to z, digits, _ and - (a deployment that has another one can be named by "
            "its id)",
        )
    if wanted.previous_label is not None and wanted.previous_label == wanted.label:
        raise InputError(
            "use the options",
            "previous_label is the same as label",
            "give the label from before the rename, or leave it out",
        )


class Purge(t.NamedTuple):
    """Archive the active deployments of these projects that are not wanted, if there are at most so many of them.

    ``limit`` is None if nobody has said how many: then it is :data:`USUAL_LIMIT`, and none at all in a project in which
    nothing is wanted.
    """

    project_ids: frozenset[str]
    limit: int | None = None


USUAL_LIMIT = 10


def check_concurrency(concurrency: int) -> int:
    """The value of the option ``concurrency``, if it is in range.

    :raises InputError: saying what the range is.
    """
    if not 1 <= concurrency <= 32:
        raise InputError("use the options", f"concurrency is {concurrency}", "give a number from 1 to 32")
    return concurrency


def wanted_one(options: t.Mapping[str, t.Any], project_id: str | None = None) -> Wanted:
    """What the options of a wanted deployment say. Blank is not set: an empty text means the same as none.

    :param project_id: that of the task, for an item without one of its own.
    """
    given: dict[str, t.Any] = {option: options[option] or None for option in Wanted._fields}
    return Wanted(**dict(given, project_id=given["project_id"] or project_id or ""))


def wanted_from(items: t.Iterable[t.Mapping[str, t.Any]], project_id: str | None) -> list[Wanted]:
    """What a list of deployments says, as modules take it.

    :param project_id: of those that have none of their own.
    :raises InputError: one of them is of no project.
    """
    wanted = [wanted_one(item, project_id) for item in items]
    for number, item in enumerate(wanted, 1):
        if not item.project_id:
            raise _unusable(f"item {number} has no project_id", "set it there or for the whole task")
    return wanted


def purge_from(params: t.Mapping[str, t.Any], wanted: t.Iterable[Wanted]) -> Purge | None:
    """What the options ``purge`` and ``purge_limit`` allow to archive.

    :raises InputError: it is not known in which project, or the limit is negative.
    """
    if not params["purge"]:
        return None
    check_identifier("project_id", params["project_id"])
    project_ids = {item.project_id for item in wanted}
    if params["project_id"] is not None:
        project_ids.add(params["project_id"])
    if not project_ids:
        raise InputError("use the options", "purge is true, but no project is named", "set project_id")
    limit = params["purge_limit"]
    if limit is not None and limit < 0:
        raise InputError("use the options", f"purge_limit is {limit}", "give a number from 0")
    return Purge(frozenset(project_ids), limit)


def validate_all(wanted: t.Sequence[Wanted]) -> None:
    """Find what is wrong with the wishes themselves, each alone and all together.

    :raises InputError: naming the items, which are counted from 1.
    """
    labels: dict[tuple[str, str], int] = {}
    ids: dict[str, int] = {}
    for number, item in enumerate(wanted, 1):
        try:
            validate(item)
        except InputError as error:
            raise _unusable(f"item {number}: {error.problem}", error.advice) from None
        if item.label is not None:
            first = labels.setdefault((item.project_id, item.label), number)
            if first != number:
                raise _unusable(
                    f"items {first} and {number} have the same label {item.label!r} in project {item.project_id}",
                    "leave one of them out",
                )
        if item.id is not None:
            first = ids.setdefault(item.id, number)
            if first != number:
                raise _unusable(f"items {first} and {number} have the same id {item.id}", "leave one of them out")
    _validate_renames(wanted, labels)
    _refuse_circle(wanted)


def _validate_renames(wanted: t.Sequence[Wanted], labels: t.Mapping[tuple[str, str], int]) -> None:
    """Find what is wrong with the previous labels; that of what is to be absent has no meaning.

    :param labels: by project and label, the numbers of the items.
    :raises InputError: naming the items.
    """
    previous: dict[tuple[str, str], int] = {}
    for number, item in enumerate(wanted, 1):
        if item.state == "absent" or item.previous_label is None:
            continue
        label = (item.project_id, item.previous_label)
        other = labels.get(label)
        if other is not None and wanted[other - 1].state == "absent":
            raise _unusable(
                f"item {number} is to be renamed from {item.previous_label!r}, which item {other} says is absent",
                f"leave out item {other} or the previous_label",
            )
        first = previous.setdefault(label, number)
        if first != number:
            raise _unusable(
                f"items {first} and {number} are both to be renamed from {item.previous_label!r} in project "
                f"{item.project_id}",
                "leave out previous_label in one of them",
            )


def takers(wanted: t.Sequence[Wanted]) -> dict[tuple[str, str | None], int]:
    """The items that take a label over from their ``previous_label``, by project and that label."""
    return {
        (item.project_id, item.previous_label): index
        for index, item in enumerate(wanted)
        if item.previous_label and item.state == "present"
    }


def _refuse_circle(wanted: t.Sequence[Wanted]) -> None:
    taken_by = takers(wanted)
    passed: set[int] = set()
    for start in range(len(wanted)):
        chain: dict[int, None] = {}
        index: int | None = start
        while index is not None and index not in passed:
            if index in chain:
                numbers = sorted(each + 1 for each in list(chain)[list(chain).index(index) :])
                raise _unusable(
                    f"items {', '.join(map(str, numbers))} rename labels in a circle",
                    "whether that has been done already cannot be told from the labels: use id instead of previous_label, "
                    "and in a first run give one of them a label that is free",
                )
            chain[index] = None
            index = taken_by.get((wanted[index].project_id, wanted[index].label))
        passed.update(chain)


def _unusable(problem: str, advice: str) -> InputError:
    return InputError("use the option deployments", problem, advice)
