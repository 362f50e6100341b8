# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What is wanted, as it is told, and what is wrong with it before anything is asked of the API."""

from __future__ import annotations

import re
import typing as t

from .._api.deployments import KINDS, LABEL_CHARACTERS, check_identifier
from .._errors import AmplitudeError, InputError, Problem

T = t.TypeVar("T")


#: The states of what another deployment takes over from: it must not have the label of that one, and must be archived.
REPLACED, RETIRED = "replaced", "retired"


class Wanted(t.NamedTuple):
    """What must be true of one deployment.

    ``state``: ``present`` or ``absent``, or what :func:`with_replaced` adds. The identity is ``id`` if it is given, else
    ``project_id`` and ``label``. ``flags`` and ``experiments``: the keys of what it serves, None if that is not managed.
    """

    project_id: str
    label: str | None = None
    type: str | None = None
    state: str = "present"
    id: str | None = None
    previous_label: str | None = None
    flags: tuple[str, ...] | None = None
    experiments: tuple[str, ...] | None = None
    exclusive: bool = False
    replaces: str | None = None
    retire: bool = False

    def keys(self, kind: str) -> tuple[str, ...] | None:
        """The keys of the flags or the experiments that it serves, None if that is not managed.

        :param kind: one of :data:`.._api.deployments.KINDS`.
        """
        return self.flags if kind == "flag" else self.experiments

    @property
    def serves(self) -> bool:
        """Whether anything is said of what it serves."""
        return any(self.keys(kind) is not None for kind in KINDS)

    @property
    def is_replaced(self) -> bool:
        """Whether it is what another one takes over from."""
        return self.state in (REPLACED, RETIRED)

    def __str__(self) -> str:
        if self.is_replaced:
            return f"what deployment {self.label!r} in project {self.project_id} replaces (id {self.id})"
        which = "deployment" if self.label is None else f"deployment {self.label!r}"
        identifier = "" if self.id is None else f" (id {self.id})"
        return f"{which}{identifier} in project {self.project_id}"


class Rules(t.NamedTuple):
    """How far a plan may go."""

    restore_archived: bool = True
    force: bool = False


def rules_from(params: t.Mapping[str, t.Any]) -> Rules:
    """How far a task may go, as its options say."""
    return Rules(**{option: params[option] for option in Rules._fields})


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
    given = [option for option in ("id", "previous_label", "replaces") if getattr(wanted, option) is not None]
    if len(given) > 1:
        raise InputError("use the options", f"{' and '.join(given)} are both set", "leave one of them out")
    if wanted.label is not None and not re.fullmatch(f"[{LABEL_CHARACTERS}]+", wanted.label):
        problem = f"label cannot be {wanted.label!r}"
        raise InputError(
            "use the options",
            problem,
            "use only letters from A to Z and a to z, digits, _ and - (a deployment whose label has other characters "
            "can be identified by its id)",
        )
    if wanted.previous_label is not None and wanted.previous_label == wanted.label:
        raise InputError(
            "use the options",
            "previous_label is the same as label",
            "give the label from before the rename, or leave it out",
        )
    _validate_serving(wanted)


def _validate_serving(wanted: Wanted) -> None:
    check_identifier("replaces", wanted.replaces)
    if wanted.state == "absent" and (wanted.serves or wanted.exclusive or wanted.replaces or wanted.retire):
        raise InputError(
            "use the options",
            "what is to be absent serves nothing, and replaces nothing",
            "leave out flags, experiments, exclusive, replaces and retire, or set state to present",
        )
    if any("" in (wanted.keys(kind) or ()) for kind in KINDS):
        raise InputError("use the options", "flags or experiments has an empty key", "leave it out, or give the key")
    if wanted.retire and wanted.replaces is None:
        raise InputError(
            "use the options",
            "retire is true, but nothing is replaced",
            "set replaces to the id of what is to be retired",
        )
    if wanted.exclusive and not wanted.serves:
        raise InputError(
            "use the options",
            "exclusive is true, but neither flags nor experiments is set",
            "list what the deployment serves ([] for nothing), or leave exclusive out",
        )


def replacing(wanted: t.Iterable[Wanted]) -> list[int]:
    """The places of the items that take over from another deployment."""
    return [place for place, item in enumerate(wanted) if item.replaces is not None]


def with_replaced(wanted: t.Sequence[Wanted]) -> list[Wanted]:
    """The same items, and after them what they take over from, in the order of :func:`replacing`."""
    return [
        *wanted,
        *(
            Wanted(item.project_id, item.label, state=REPLACED, id=item.replaces, retire=item.retire)
            for item in (wanted[place] for place in replacing(wanted))
        ),
    ]


class Purge(t.NamedTuple):
    """Archive the active deployments of these projects that are not wanted, if there are at most so many of them.

    ``limit`` is None if the task does not say how many: then it is :data:`.purge.USUAL_LIMIT`, and none at all in a
    project in which nothing is wanted.
    """

    project_ids: frozenset[str]
    limit: int | None = None


#: Requests that may be under way at once.
USUAL_CONCURRENCY = 20


def check_concurrency(concurrency: int) -> int:
    """The value of the option ``concurrency``, if it is in range.

    :raises InputError: saying what the range is.
    """
    if not 1 <= concurrency <= 32:
        raise InputError("use the options", f"concurrency is {concurrency}", "use a number from 1 to 32")
    return concurrency


def wanted_one(options: t.Mapping[str, t.Any], project_id: str | None = None) -> Wanted:
    """What the options of a wanted deployment say. Blank is not set: an empty text means the same as none.

    :param project_id: that of the task, for an item without one of its own.
    """
    given = {option: value for option, value in options.items() if option in Wanted._fields and value not in (None, "")}
    for option in ("flags", "experiments"):
        if option in given:
            given[option] = tuple(given[option])
    return Wanted(**dict(given, project_id=given.get("project_id") or project_id or ""))


def wanted_from(items: t.Iterable[t.Mapping[str, t.Any]], project_id: str | None) -> list[Wanted]:
    """What a list of deployments says, as modules take it.

    :param project_id: of those that have none of their own. Whether one is still missing is told by
        :func:`.invalid.find_invalid`.
    """
    return [wanted_one(item, project_id) for item in items]


def attempt(problems: list[Problem], function: t.Callable[..., T], *args: t.Any) -> T | None:
    """What a function makes of options of the task, or None and one problem more."""
    try:
        return function(*args)
    except InputError as error:
        problems.append(Problem(error))
        return None


def purge_from(params: t.Mapping[str, t.Any], wanted: t.Iterable[Wanted]) -> Purge | None:
    """What the options ``purge`` and ``purge_limit`` allow to archive.

    :raises InputError: it is not known in which project, or the limit is negative.
    """
    if not params["purge"]:
        return None
    check_identifier("project_id", params["project_id"])
    project_ids = {each for each in (params["project_id"], *(item.project_id for item in wanted)) if each}
    if not project_ids:
        raise InputError("use the options", "purge is true, but no project is named", "set project_id")
    limit = params["purge_limit"]
    if limit is not None and limit < 0:
        raise InputError("use the options", f"purge_limit is {limit}", "use 0 or a higher number")
    return Purge(frozenset(project_ids), limit)


class Invalid(t.NamedTuple):
    """What is wrong with the items of a list themselves, and the places of all that are concerned."""

    problems: list[Problem]
    places: set[int]


def problem_of(wanted: Wanted, error: AmplitudeError, number: int | None = None) -> Problem:
    """What is wrong about one deployment that is wanted.

    :param number: that of the item, which the sentence then tells; None if there is no list.
    """
    if number is not None:
        error.doing += f" (item {number})"
    return Problem(error, number, wanted.project_id or None, wanted.label, wanted.id)


def takers(wanted: t.Sequence[Wanted]) -> dict[tuple[str, str | None], int]:
    """The items that take a label over from their ``previous_label``, by project and that label."""
    return {
        (item.project_id, item.previous_label): index
        for index, item in enumerate(wanted)
        if item.previous_label and item.state == "present"
    }
