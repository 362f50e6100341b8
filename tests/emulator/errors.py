# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways to be told no: by the emulated API, and by the emulator itself."""

from __future__ import annotations

import collections.abc
import dataclasses
import typing as t


class Refused(Exception):
    """The API refuses a request.

    :param status: HTTP status code.
    :param message: one sentence for the error body.
    :param retry_after: seconds until the request may be sent again, if that is known.
    """

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


class Invalid(ValueError):
    """A test asks the emulator for something it does not know: a seed, a switch or a fault."""


def check_fields(what: str, given: t.Any, known: t.Collection[str]) -> t.Mapping[str, t.Any]:
    """Return ``given`` if it is a mapping with no other than the ``known`` fields, else raise :class:`Invalid`."""
    if not isinstance(given, collections.abc.Mapping):
        raise Invalid(f"{what} must be an object, not {given!r}")
    unknown = [str(name) for name in given if name not in known]
    if unknown:
        raise Invalid("{} has no {}; it has {}".format(what, ", ".join(sorted(unknown)), ", ".join(sorted(known))))
    return given


def field_names(record: type) -> list[str]:
    """The names of the fields that the constructor of a dataclass takes."""
    return [field.name for field in dataclasses.fields(record) if field.init]
