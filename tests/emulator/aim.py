# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests something is about: the n-th and those after it that have a method and a path."""

from __future__ import annotations

import re
import typing as t

from .errors import Invalid

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Aimed:
    """A record that is about some requests."""

    method: str | None
    path: str
    nth: int

    def check_aim(self, what: str) -> None:
        """:raises Invalid: for a method, path or number that cannot be."""
        if self.method not in METHODS + (None,):
            raise Invalid("{}'s method must be one of {}, not {!r}".format(what, ", ".join(METHODS), self.method))
        check_number(what, "nth", self.nth, 1, 10**9)
        try:
            re.compile(self.path)
        except (re.error, TypeError) as error:
            raise Invalid(f"{what}'s path must be a regular expression, not {self.path!r}") from error

    def matches(self, method: str, path: str) -> bool:
        """Whether it is about such requests."""
        return self.method in (None, method) and re.search(self.path, path) is not None


def check_number(what: str, name: str, value: t.Any, minimum: int, maximum: int) -> None:
    """:raises Invalid: for a value that is not a whole number between the two."""
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        raise Invalid(f"{what}'s {name} must be a number from {minimum}, not {value!r}")
