# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody else does between an answer and the next request of the client that gets it."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from .aim import Aimed
from .errors import Invalid


@dataclasses.dataclass
class Action(Aimed):
    """Something that happens once, when the ``nth`` answer to matching requests is made and before it is sent."""

    method: str | None
    """HTTP method of the requests that match; None = any."""
    nth: int
    """Which answer, counting those to matching requests since the action was ordered, errors and lost ones too."""
    happen: t.Callable[[], t.Any]
    path: str = ""
    """Regular expression that is searched in the path."""
    seen: int = dataclasses.field(default=0, init=False)

    def __post_init__(self) -> None:
        self.check_aim("an action")
        if not callable(self.happen):
            raise Invalid(f"an action must be a callable, not {self.happen!r}")


class Actions:
    """The actions that are ordered and have not happened, in the order in which they happen if several are due."""

    def __init__(self) -> None:
        self._actions: list[Action] = []
        self._lock = threading.Lock()

    def add(self, action: Action) -> None:
        """Order another action."""
        with self._lock:
            self._actions.append(action)

    def clear(self) -> None:
        """Let none of them happen."""
        with self._lock:
            self._actions.clear()

    def answered(self, method: str, path: str) -> None:
        """Count an answer, and carry out what was ordered for it; meanwhile other requests are answered as usual."""
        with self._lock:
            for action in self._actions:
                action.seen += action.matches(method, path)
            due = [action for action in self._actions if action.seen == action.nth]
            self._actions = [action for action in self._actions if action.seen < action.nth]
        for action in due:
            action.happen()
