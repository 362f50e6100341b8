# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service that answers writes as it is told to, without a server, on a clock on which nothing takes time."""

from __future__ import annotations

import typing as t

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Flag
from ansible_collections.community.amplitude.plugins.module_utils._api.retry import Patience
from ansible_collections.community.amplitude.plugins.module_utils._apply.run import Run
from ansible_collections.community.amplitude.plugins.module_utils._errors import AnswerLost, ApiError, RequestFailed
from ansible_collections.community.amplitude.plugins.module_utils._plan.approval import Approval
from ansible_collections.community.amplitude.plugins.module_utils._plan.invalid import find_invalid
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Change
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Invalid, Purge, Rules, Wanted
from ansible_collections.community.amplitude.tests.support.client import Clock


class Answer(t.NamedTuple):
    """How a write is answered: whether it is carried out, and shown, and the error that says otherwise.

    ``replaces``: an assignment takes the place of what was there.
    """

    failure: RequestFailed | None = None
    carried_out: bool = True
    shown: bool = True
    replaces: bool = False


OK = Answer()
UNSEEN = Answer(shown=False)
REPLACES = Answer(replaces=True)


def lost(carried_out: bool) -> Answer:
    """Nobody knows what has become of it."""
    return Answer(AnswerLost("write it", "no answer", "run this again", transient=True), carried_out)


def refused(status: int, carried_out: bool = False) -> Answer:
    """An error status, be it carried out or not."""
    return Answer(_refusal(status), carried_out)


def fail(number: int) -> t.NoReturn:
    """What happens before a list that cannot be read.

    :raises ApiError: always.
    """
    raise _refusal(500)


def _refusal(status: int) -> ApiError:
    return ApiError("write it", f"it is refused with {status}", "do otherwise", status)


class Service:
    """Stands in for the client, and for what sends the requests about deployments.

    :param answers: to the writes, one after the other; all further ones are carried out.

    ``sent``: the writes, in short. ``reads``: when the lists of flags or experiments were read, and ``lists`` when that of
    deployments was. ``before_read``: called with the number of each reading of a list of flags or experiments.
    """

    def __init__(
        self,
        rows: t.Iterable[Deployment] = (),
        flags: t.Iterable[Flag] = (),
        answers: t.Iterable[Answer] = (),
        patience: float = 1000.0,
    ) -> None:
        # Like every clock, it does not begin at zero.
        clock = Clock(lambda: 1000.0)
        self.waits = clock.waits._replace(first_look=1.0, longest_look=4.0)
        self.patience = Patience(patience, self.waits)
        self.client: t.Any = self
        self.rows = {row.id: row for row in rows}
        self.flags = {flag.place: flag for flag in flags}
        self.sent: list[str] = []
        self.reads: list[float] = []
        self.lists: list[float] = []
        self.before_list: t.Callable[[int], None] = lambda number: None
        self.before_read: t.Callable[[int], None] = lambda number: None
        self._answers = [*answers]

    def list(self) -> list[Deployment]:
        self.lists.append(self.waits.now())
        self.before_list(len(self.lists))
        return [*self.rows.values()]

    def create(self, project_id: str, label: str, type: str) -> str:
        identifier = str(100 + len(self.rows))

        def carry_out() -> None:
            self.rows[identifier] = Deployment(identifier, project_id, label, f"{type}-key", type, False)

        self._write(f"create {label}", lambda answer: carry_out())
        return identifier

    def edit(self, before: Deployment, label: str | None, archive: bool | None) -> None:
        changed: dict[str, t.Any] = {} if label is None else dict(label=label)
        changed.update({} if archive is None else dict(deleted=archive))

        def carry_out() -> None:
            self.rows[before.id] = self.rows[before.id]._replace(**changed)

        told = " ".join(f"{field}={value}" for field, value in changed.items())
        self._write(f"edit {before.id} {told}", lambda answer: carry_out())

    def read_flags(self) -> list[Flag]:
        """All flags and experiments, as one that reads both lists sees them."""
        self.reads.append(self.waits.now())
        self.before_read(len(self.reads))
        return [*self.flags.values()]

    def pages(
        self, dummy_path: str, kinds: str, dummy_doing: str, params: t.Mapping[str, str], keep: t.Any = None
    ) -> t.Iterator[list[dict[str, t.Any]]]:
        found = [
            each for each in self.read_flags() if (each.kind + "s", each.project_id) == (kinds, params["projectId"])
        ]
        yield [dict(id=each.id, key=each.key, enabled=each.enabled, deployments=[*each.deployments]) for each in found]

    def post_ok(self, path: str, dummy_doing: str, body: t.Mapping[str, t.Any]) -> None:
        place, ids = self._place(path), tuple(body["deployments"])

        def carry_out(answer: Answer) -> None:
            flag = self.flags[place]
            self.flags[place] = flag._replace(deployments=ids) if answer.replaces else flag.with_more(ids)

        self._write(f"assign {','.join(ids)} to {self.flags[place].key}", carry_out)

    def delete_ok(self, path: str, dummy_doing: str) -> None:
        place, identifier = self._place(path), path.rsplit("/", 1)[1]

        def carry_out(answer: Answer) -> None:
            flag = self.flags[place]
            self.flags[place] = flag._replace(
                deployments=tuple(each for each in flag.deployments if each != identifier)
            )

        self._write(f"remove {identifier} from {self.flags[place].key}", carry_out)

    @staticmethod
    def _place(path: str) -> tuple[str, str]:
        kinds, identifier = path.split("/")[3:5]
        return kinds[:-1], identifier

    def _write(self, told: str, carry_out: t.Callable[[Answer], None]) -> None:
        self.sent.append(told)
        answer = self._answers.pop(0) if self._answers else OK
        if answer.carried_out and answer.shown:
            carry_out(answer)
        if answer.failure is not None:
            raise answer.failure


def run_of(
    service: Service,
    *wanted: Wanted,
    rules: Rules = Rules(),
    purge: Purge | None = None,
    is_list: bool = True,
    approved: t.Iterable[Change] | None = None,
    invalid: Invalid | None = None,
) -> Run:
    """A run in which this is wanted, one request at a time."""
    approval = None if approved is None else Approval(dict.fromkeys(approved, 1))
    invalid = find_invalid(wanted) if invalid is None else invalid
    return Run(service.client, wanted, rules, purge, 1, invalid, is_list, approval)


def told(changes: t.Iterable[Change]) -> list[str]:
    """Changes in short."""
    return [
        " ".join(filter(None, [each.action, each.id, each.label, each.flag or each.experiment])) for each in changes
    ]
