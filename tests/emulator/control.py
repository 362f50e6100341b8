# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test can do to an emulator, whether in its process or through ``/_emulator/``."""

from __future__ import annotations

import threading
import typing as t

from .account import DEFAULT_SEED, EDITABLE_FIELDS, ROW_FIELDS, SEED_FIELDS, Account
from .actions import Action, Actions
from .errors import Invalid, check_fields
from .faults import Fault, Faults
from .switches import Switches
from .traffic import Log, RateLimit
from .usage import EDITABLE_FLAG_FIELDS, FLAG_FIELDS


def _creation(fields: t.Sequence[str]) -> t.Callable[[t.Any], t.Any]:
    return lambda given: check_fields("a row that an action creates", given, fields)


def _edit(fields: t.Sequence[str]) -> t.Callable[[t.Any], t.Any]:
    def check(given: t.Any) -> None:
        if "id" not in check_fields("a change by an action", given, ("id", *fields)):
            raise Invalid("a change by an action needs an id")

    return check


def _assignment(given: t.Any) -> None:
    names = ("id", "deployments")
    if len(check_fields("an assignment by an action", given, names)) < len(names):
        raise Invalid("an assignment by an action needs an id and deployments")


#: What an action given as data can do: methods of :class:`Control`, and how the arguments of each are checked.
_ACTIONS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "create_deployment": _creation(ROW_FIELDS),
    "edit_deployment": _edit(EDITABLE_FIELDS),
    "create_flag": _creation(FLAG_FIELDS),
    "edit_flag": _edit(EDITABLE_FLAG_FIELDS),
    "assign_to_flag": _assignment,
    "remove_from_flag": _assignment,
    "create_experiment": _creation(FLAG_FIELDS),
    "edit_experiment": _edit(EDITABLE_FLAG_FIELDS),
    "assign_to_experiment": _assignment,
    "remove_from_experiment": _assignment,
    "misbehave": Fault.parse,
    "switch": Switches().changed,
}
ORDER_FIELDS = ("method", "nth", "path", *_ACTIONS)


class World:
    """Everything between two resets; a request belongs to the world it arrived in."""

    def __init__(self, seed: t.Mapping[str, t.Any] | None, switches: t.Mapping[str, t.Any]) -> None:
        seed = DEFAULT_SEED if seed is None else seed
        check_fields("seed", seed, SEED_FIELDS)
        self.switches = Switches().changed(seed.get("switches") or {}).changed(switches)
        self.account = Account(seed, self.switches)
        self.faults = Faults()
        self.actions = Actions()
        self.log = Log()
        self.rate_limit = RateLimit()
        self._ended = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than this world lasts."""
        if seconds > 0:
            self._ended.wait(seconds)

    def end(self) -> None:
        """Let nobody wait any longer, and nothing happen any more."""
        self.actions.clear()
        self._ended.set()


class Control:
    """The control operations. All of them raise :class:`Invalid` for what they do not know."""

    def __init__(self, seed: t.Mapping[str, t.Any] | None = None, **switches: t.Any) -> None:
        self.world = World(seed, switches)

    def reset(self, seed: t.Mapping[str, t.Any] | None = None, **switches: t.Any) -> None:
        """Begin again with this seed (None: two empty projects) and default switches but for those given."""
        before, self.world = self.world, World(seed, switches)
        before.end()

    def requests(self, since: int = 0) -> list[dict[str, t.Any]]:
        """The requests after number ``since``, as the fields of :class:`.traffic.Record`."""
        return self.world.log.since(since)

    def forget_requests(self) -> None:
        """Empty the list of requests; their numbers go on."""
        self.world.log.forget()

    def deployments(self) -> list[dict[str, t.Any]]:
        """The true state: ``id``, ``projectId``, ``label``, ``key``, ``type`` and ``deleted`` of every deployment."""
        return [deployment.as_dict() for deployment in self.world.account.deployments()]

    def create_deployment(self, **row: t.Any) -> dict[str, t.Any]:
        """Create a deployment by hand, from a row as in a seed; no rule of the API applies."""
        return self.world.account.add_by_hand(row, self.world.switches).as_dict()

    def edit_deployment(self, id: str, **changes: t.Any) -> dict[str, t.Any]:
        """Change ``label`` or ``deleted`` by hand; no rule of the API applies."""
        return self.world.account.edit_by_hand(str(id), changes, self.world.switches).as_dict()

    def flags(self) -> list[dict[str, t.Any]]:
        """The true state of every flag: its fields in a seed, all of them."""
        return self._usage("flags")

    def create_flag(self, **row: t.Any) -> dict[str, t.Any]:
        """Create a flag by hand, from a row as in a seed."""
        return self._create_usage("flags", row)

    def edit_flag(self, id: str, **changes: t.Any) -> dict[str, t.Any]:
        """Change ``name``, ``enabled``, ``archived`` or all the ``deployments`` by hand."""
        return self._edit_usage("flags", id, changes)

    def assign_to_flag(self, id: str, deployments: t.Sequence[t.Any]) -> dict[str, t.Any]:
        """Add deployments to those of a flag by hand; no rule of the API applies."""
        return self.world.account.usage["flags"].assign_by_hand(str(id), deployments, self.world.switches).as_dict()

    def remove_from_flag(self, id: str, deployments: t.Sequence[t.Any]) -> dict[str, t.Any]:
        """Take deployments away from a flag by hand; no rule of the API applies."""
        return self.world.account.usage["flags"].remove_by_hand(str(id), deployments, self.world.switches).as_dict()

    def experiments(self) -> list[dict[str, t.Any]]:
        """As :meth:`flags`."""
        return self._usage("experiments")

    def create_experiment(self, **row: t.Any) -> dict[str, t.Any]:
        """As :meth:`create_flag`."""
        return self._create_usage("experiments", row)

    def edit_experiment(self, id: str, **changes: t.Any) -> dict[str, t.Any]:
        """As :meth:`edit_flag`."""
        return self._edit_usage("experiments", id, changes)

    def assign_to_experiment(self, id: str, deployments: t.Sequence[t.Any]) -> dict[str, t.Any]:
        """As :meth:`assign_to_flag`."""
        usage = self.world.account.usage["experiments"]
        return usage.assign_by_hand(str(id), deployments, self.world.switches).as_dict()

    def remove_from_experiment(self, id: str, deployments: t.Sequence[t.Any]) -> dict[str, t.Any]:
        """As :meth:`remove_from_flag`."""
        usage = self.world.account.usage["experiments"]
        return usage.remove_by_hand(str(id), deployments, self.world.switches).as_dict()

    def _usage(self, kind: str) -> list[dict[str, t.Any]]:
        return [flag.as_dict() for flag in self.world.account.usage[kind].all()]

    def _create_usage(self, kind: str, row: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        return self.world.account.usage[kind].add_by_hand(row, self.world.switches).as_dict()

    def _edit_usage(self, kind: str, id: str, changes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        return self.world.account.usage[kind].edit_by_hand(str(id), changes, self.world.switches).as_dict()

    def misbehave(self, **fault: t.Any) -> None:
        """Set a fault, in the fields of :class:`.faults.Fault`."""
        self.world.faults.add(fault)

    def behave(self) -> None:
        """Remove all faults."""
        self.world.faults.clear()

    def after(self, method: str | None, nth: int, action: t.Callable[[], t.Any], path: str = "") -> None:
        """Order what somebody else does after the ``nth`` answer, from now on, to a method (None: any).

        It happens once, when the request has been carried out (or refused, or struck by a fault), its answer is fixed
        and has not been sent: its client sees what was done in its next request. Requests of the action itself are
        answered meanwhile and count for the other actions. If it raises, the answer is a 500.

        :param path: regular expression that is searched in the path.
        """
        self.world.actions.add(Action(method, nth, action, path))

    def order_action(self, **order: t.Any) -> None:
        """Order an action given as data: the ``method``, ``nth`` and ``path`` of :meth:`after`, each optional, and what
        is done under the names of other methods, in this order, with their arguments::

            {"method": "POST", "nth": 1, "edit_deployment": {"id": "10001", "label": "renamed"}}
        """
        check_fields("an action", order, ORDER_FIELDS)
        what = {name: arguments for name, arguments in order.items() if name in _ACTIONS}
        if not what:
            raise Invalid("an action does at least one of {}".format(", ".join(_ACTIONS)))
        for name, arguments in what.items():
            _ACTIONS[name](arguments)

        def act() -> None:
            for name, arguments in what.items():
                getattr(self, name)(**arguments)

        self.after(order.get("method"), order.get("nth", 1), act, order.get("path", ""))

    def forget_actions(self) -> None:
        """Let nothing happen that was ordered and has not happened yet."""
        self.world.actions.clear()

    def switches(self) -> dict[str, t.Any]:
        """The switches in force."""
        return self.world.switches.as_dict()

    def switch(self, **changes: t.Any) -> None:
        """Change some switches from now on."""
        self.world.switches = self.world.switches.changed(changes)
