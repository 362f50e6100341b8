# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulator can be told to do wrong, and to which request."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from .aim import Aimed, check_number
from .errors import Invalid, check_fields, field_names

ACTIONS = ("status", "cut", "delay", "truncate", "body", "trickle", "redirect", "early_hints")
MOMENTS = ("before", "after")
_USUAL_STATUS = {"status": 503, "redirect": 302}


@dataclasses.dataclass
class Fault(Aimed):
    """One misbehaviour; by ``action``:

    * ``status``: answer ``status`` (503), with ``body`` or an error body of the usual shape
    * ``cut``: close the connection without an answer
    * ``delay``: wait ``seconds``, then go on as usual
    * ``truncate``: promise more bytes than are sent, then close the connection
    * ``body``: answer ``status`` (200) with ``body`` instead of the real answer
    * ``trickle``: send the body of the real answer one byte every ``seconds``
    * ``redirect``: answer ``status`` (302) with the ``Location`` of ``headers``
    * ``early_hints``: send 103 Early Hints before the real answer
    """

    action: str
    method: str | None = None
    """HTTP method of the requests that match; None = any."""
    path: str = ""
    """Regular expression that is searched in the path."""
    nth: int = 1
    """The first request that is misbehaved to, counting matching requests since the fault was set."""
    times: int = 1
    """How many matching requests in a row; 0 = for ever."""
    moment: str = "before"
    """Whether the request is carried out first (``after``) or not at all (``before``; a ``delay`` comes first
    then). A ``trickle`` and ``early_hints`` always carry it out."""
    status: int | None = None
    """HTTP status code; None = the usual one of the action."""
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: t.Any = None
    """A string is sent as it is (``text/plain`` unless ``headers`` say otherwise), anything else as JSON."""
    seconds: float = 0.5
    seen: int = dataclasses.field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise Invalid("a fault's action must be one of {}, not {!r}".format(", ".join(ACTIONS), self.action))
        if self.moment not in MOMENTS:
            raise Invalid(f"a fault's moment must be before or after, not {self.moment!r}")
        self.check_aim("a fault")
        if self.status is None:
            self.status = _USUAL_STATUS.get(self.action, 200)
        check_number("a fault", "times", self.times, 0, 10**9)
        check_number("a fault", "status", self.status, 200, 599)
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, (int, float)) or not self.seconds >= 0:
            raise Invalid(f"a fault's seconds must be a number from 0, not {self.seconds!r}")
        if not isinstance(self.headers, t.Mapping):
            raise Invalid(f"a fault's headers must be an object, not {self.headers!r}")
        if self.action == "redirect" and "location" not in [name.lower() for name in self.headers]:
            raise Invalid("a redirect needs a Location in headers")
        if self.action == "body" and self.body is None:
            raise Invalid("a fault with action body needs a body")

    @classmethod
    def parse(cls, given: t.Any) -> Fault:
        """:raises Invalid: for an unknown field, a missing action or a value out of range."""
        return cls(**{"action": None, **check_fields("a fault", given, field_names(cls))})

    @property
    def carries_out(self) -> bool:
        """Whether the request is carried out as usual before anything is done to the answer."""
        return self.moment == "after" or self.action in ("trickle", "early_hints")

    @property
    def strikes(self) -> bool:
        """Whether the last matching request was one to misbehave to."""
        return self.seen >= self.nth and (self.times == 0 or self.seen < self.nth + self.times)


class Faults:
    """The faults that are set; the first that strikes wins, and all count every request that matches them."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, given: dict[str, t.Any]) -> None:
        """Set another fault."""
        fault = Fault.parse(given)
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._faults.clear()

    def pick(self, method: str, path: str) -> Fault | None:
        """Count a request, and return the fault that strikes it."""
        with self._lock:
            matching = [fault for fault in self._faults if fault.matches(method, path)]
            for fault in matching:
                fault.seen += 1
            return next((fault for fault in matching if fault.strikes), None)
