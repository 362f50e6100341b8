# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a history is made of: records only."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.community.amplitude.tests.unit.histories.lists import items_of
from ansible_collections.community.amplitude.tests.unit.histories.serving import KINDS

MANAGEMENT_KEY = "canary-0f9e8d7c6b5a"
#: Documented: every project has one.
DEFAULT_DEPLOYMENTS = [dict(id=each, projectId=each, label="default", type=None, key=each * 32) for each in ("1", "2")]
#: Seconds after which the client gives up a request, and those it may spend on retries unless the options say else.
TIMEOUT = 30.0
PATIENCE = 120.0
#: More requests than any run of a history can need, if each row is a page.
MOST_REQUESTS = 3000
Options = t.Mapping[str, t.Any]
#: As the emulator's misbehave() takes it. The seconds of a ``delay`` come on top of TIMEOUT, so it is always too late:
#: a request that is late ``before`` it is carried out is carried out after the client has given it up.
Fault = t.Mapping[str, t.Any]


class Kill(t.NamedTuple):
    """The process is killed before it sends its request number ``nth``, or after that was carried out."""

    moment: str
    nth: int


class ByHand(t.NamedTuple):
    """Somebody edits the deployment of the rank ``row``, or creates one if that is None."""

    changes: Options
    row: int | None = None


class OnFlag(t.NamedTuple):
    """Somebody edits the flag or experiment of the rank ``row``, or creates one if that is None.

    :param kind: ``flags`` or ``experiments``.
    :param changes: its fields, and ``assign`` and ``remove`` with the rank of a deployment among those of its project.
    """

    kind: str
    changes: Options
    row: int | None = None


class Other(t.NamedTuple):
    """What somebody does when a run has got its answer number ``nth`` to a verb, before it sends anything else."""

    verb: str
    nth: int
    by_hand: ByHand | OnFlag


class Run(t.NamedTuple):
    """A module as a check, for real with faults or until it is killed, and once more.

    The options are those of amplitude_deployment or, if ``deployments`` is among them, of amplitude_deployments. An
    ``id``, or ``replaces``, that is a number stands for the deployment of that rank in the order of creation.
    """

    options: Options
    faults: t.Sequence[Fault] = ()
    kill: Kill | None = None
    at_once: bool = True
    """Whether the list may still lag behind when it is run once more."""
    others: t.Sequence[Other] = ()
    """What others do while it is run for real."""


class Race(t.NamedTuple):
    """Several runs at the same moment, and perhaps somebody who does something by hand; ``check_mode`` is an option."""

    writers: t.Sequence[Options]
    faults: t.Sequence[Fault] = ()
    kill: Kill | None = None
    """What happens to the first writer."""
    by_hand: ByHand | OnFlag | None = None
    others: t.Sequence[Other] = ()
    """What somebody does between two requests of the first writer."""


class Info(t.NamedTuple):
    """amplitude_deployment_info."""

    options: Options
    faults: t.Sequence[Fault] = ()


class History(t.NamedTuple):
    """Everything that happens, in order, to an account of two projects.

    :param rows: the deployments in the beginning, as in a seed of the emulator.
    :param flags: the flags in the beginning, as in such a seed too.
    :param experiments: the experiments.
    :param switches: those of the emulator.
    :param latency: a request and its answer each travel for up to so many seconds.
    :param seed: of chance.
    """

    steps: t.Sequence[Run | Race | ByHand | OnFlag | Info]
    rows: t.Sequence[Options] = ()
    switches: Options = {}
    latency: float = 0.0
    seed: int = 0
    flags: t.Sequence[Options] = ()
    experiments: t.Sequence[Options] = ()


class Killed(BaseException):
    """Takes a run away, as SIGKILL would."""


class Deed:
    """One run of a module: what it was asked for, what it sent, and how it ended."""

    def __init__(
        self,
        name: str,
        options: Options,
        check_mode: bool = False,
        kill: Kill | None = None,
        others: t.Sequence[Other] = (),
    ) -> None:
        self.name = name
        self.options = options
        self.check_mode = check_mode
        self.kill = kill
        self.others = list(others)
        self.sent = 0
        self.answers: collections.Counter[str] = collections.Counter()
        self.requests: list[dict[str, t.Any]] = []
        self.result: dict[str, t.Any] = {}
        self.output = ""
        self.crash = ""
        self.killed = False
        #: Whether it has sent a write of whose outcome it was not told.
        self.lost = False
        #: Whether somebody did something by hand between two of its requests.
        self.disturbed = False
        #: Who has written what its last list does not show.
        self.overtaken_by: set[str] = set()
        #: For each page of the list that it has begun to read last, the number of writes that it shows.
        self.watermarks: list[int] = []
        #: The same of the lists of flags and experiments, by kind and project.
        self.sights: dict[tuple[str, str], list[int]] = {}
        #: By kind and id, the deployments that each flag and experiment had when it began.
        self.began_with: dict[tuple[str, str], list[str]] = {}

    @property
    def is_bulk(self) -> bool:
        return "deployments" in self.options

    @property
    def items(self) -> list[Options]:
        """What it was asked for, one by one."""
        return items_of(self.options)

    @property
    def found(self) -> list[dict[str, t.Any] | None]:
        """What it has returned for each of its items, without what that serves."""
        if self.is_bulk:
            rows = list(self.result.get("deployments", ()))
        else:
            rows = [self.result["deployment"]] if "deployment" in self.result else []
        return [row and {field: value for field, value in row.items() if field not in KINDS} for row in rows]

    @property
    def served(self) -> list[dict[str, t.Any]]:
        """What it has returned of what each of its items serves."""
        rows = self.result.get("deployments", []) if self.is_bulk else [self.result.get("deployment")]
        return [{kind: (row or {}).get(kind) for kind in KINDS} for row in rows]

    @property
    def is_patient(self) -> bool:
        """Whether it may wait as long as any run of a history needs to."""
        return self.options.get("retry_timeout", PATIENCE) >= PATIENCE

    @property
    def warnings(self) -> list[str]:
        return list(self.result.get("warnings", ()))

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def succeeded(self) -> bool:
        return not (self.failed or self.killed or self.crash)

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def writes(self) -> list[dict[str, t.Any]]:
        return [request for request in self.requests if request["method"] != "GET"]

    @property
    def committed(self) -> bool:
        return any(write["committed"] for write in self.writes)

    @property
    def accepted(self) -> bool:
        return any(write["accepted"] for write in self.writes)
