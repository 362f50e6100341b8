# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What is wrong with the items of a list themselves, before anything is asked of the API."""

from __future__ import annotations

import typing as t

from .._errors import InputError, Problem
from .wanted import Invalid, Wanted, takers, validate


def find_invalid(
    wanted: t.Sequence[Wanted], numbers: t.Sequence[int] | None = None, known: t.Collection[Problem] = ()
) -> Invalid:
    """Find what is wrong with the items of a list themselves, each alone and all together.

    :param numbers: those of the items, if they are not counted from 1.
    :param known: what is known to be wrong already. Of such items nothing else is told.
    """
    search = _Search(wanted, numbers or range(1, len(wanted) + 1), known)
    search.each_alone()
    search.same_twice()
    search.renames()
    search.circles()
    return Invalid(search.problems, search.places)


class _Search:
    """Collects what is wrong with the items of a list."""

    def __init__(self, wanted: t.Sequence[Wanted], numbers: t.Sequence[int], known: t.Collection[Problem]) -> None:
        self._wanted = wanted
        self._numbers = numbers
        self.problems = list(known)
        told = {problem.item for problem in known}
        self.places = {place for place, number in enumerate(numbers) if number in told}

    def each_alone(self) -> None:
        for place, item in enumerate(self._wanted):
            if place in self.places:
                continue
            number = self._numbers[place]
            try:
                if not item.project_id:
                    raise _unusable(f"item {number} has no project_id", "set it there or for the whole task")
                validate(item)
            except InputError as error:
                if item.project_id:
                    error = InputError(f"use item {number} in project {item.project_id}", error.problem, error.advice)
                self._found(error, place)

    def same_twice(self) -> None:
        """No two items may have one label in a project, one id, or replace one deployment."""
        labels: dict[t.Any, int] = {}
        ids: dict[t.Any, int] = {}
        for place, item in enumerate(self._wanted):
            number = self._numbers[place]
            first = place if item.label is None else labels.setdefault((item.project_id, item.label), place)
            if first != place:
                other = self._numbers[first]
                problem = f"items {other} and {number} have the same label {item.label!r} in project {item.project_id}"
                self._found(_unusable(problem, "leave one of them out"), place, first)
            for option, value in (("id", item.id), ("replaces", item.replaces)):
                first = place if value is None else ids.setdefault((option, value), place)
                if first != place:
                    other = self._numbers[first]
                    problem = f"items {other} and {number} have the same {option} {value}{self._projects(first, place)}"
                    self._found(_unusable(problem, "leave one of them out"), place, first)

    def renames(self) -> None:
        """No two items may have one previous label, nor may another item say that it is absent.

        The previous label of what is to be absent has no meaning.
        """
        absent = {
            (item.project_id, item.label): place
            for place, item in enumerate(self._wanted)
            if item.state == "absent" and item.label is not None
        }
        previous: dict[t.Any, int] = {}
        for place, item in enumerate(self._wanted):
            if item.state == "absent" or item.previous_label is None:
                continue
            label = (item.project_id, item.previous_label)
            other = absent.get(label)
            if other is not None:
                number, gone = self._numbers[place], self._numbers[other]
                self._found(
                    _unusable(
                        f"item {number} is to be renamed from {item.previous_label!r}, which item {gone} says is absent",
                        f"leave out item {gone} or the previous_label",
                    ),
                    place,
                    other,
                )
            first = previous.setdefault(label, place)
            if first != place:
                self._found(
                    _unusable(
                        f"items {self._numbers[first]} and {self._numbers[place]} are both to be renamed from "
                        f"{item.previous_label!r} in project {item.project_id}",
                        "leave out previous_label in one of them",
                    ),
                    place,
                    first,
                )

    def circles(self) -> None:
        """Labels cannot be passed on in a circle by ``previous_label``."""
        taken_by = takers(self._wanted)
        passed: set[int] = set()
        for start in range(len(self._wanted)):
            chain: dict[int, None] = {}
            place: int | None = start
            while place is not None and place not in passed and place not in chain:
                chain[place] = None
                place = taken_by.get((self._wanted[place].project_id, self._wanted[place].label))
            if place in chain:
                circle = sorted(list(chain)[list(chain).index(place) :])
                self._circle(circle)
            passed.update(chain)

    def _circle(self, circle: t.Sequence[int]) -> None:
        if len(circle) == 1:
            return  # its previous_label is its label, which was told of it alone
        self._found(
            _unusable(
                f"items {', '.join(str(self._numbers[place]) for place in circle)} rename labels in a circle",
                "the labels do not show whether that has been done already: use id instead of previous_label, "
                "and in a first run give one of them a label that is free",
            ),
            *circle,
        )

    def _projects(self, first: int, second: int) -> str:
        """The projects of two items, where they are not the same."""
        one, other = self._wanted[first].project_id, self._wanted[second].project_id
        return "" if one == other else f", in the projects {one} and {other}"

    def _found(self, error: InputError, place: int, *others: int) -> None:
        item = self._wanted[place]
        self.problems.append(Problem(error, self._numbers[place], item.project_id or None, item.label, item.id))
        self.places.update((place, *others))


def _unusable(problem: str, advice: str) -> InputError:
    return InputError("use the option deployments", problem, advice)
