# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What the list of deployments says of a write: a pure decision, without a server or a clock.

The API answers a create with an id and an edit with "OK"; everything else that is known of the outcome comes from the
list, which may show a write only after a while. Runs that make the same label active at the same moment agree by the one
rule that the lowest id stays. All others withdraw their own, and so does the lowest if another one stays anyway: its run
has ended before it could see this one, and has returned it.
"""

from __future__ import annotations

import enum
import typing as t

from .._api.deployments import Deployment, order_of_id
from .._api.waits import Waits
from .._plan.single import Observed, superseded_label


class Verdict(enum.Enum):
    """What to do about a write after a look at the list."""

    WAIT = "look again"
    STAYS = "it is there, and it stays"
    STAYS_UNSEEN = "it was accepted, and the list does not show it in time"
    STAYS_UNSETTLED = "it is the lowest of several, and there is no time to see the others withdrawn"
    STAYS_DOUBTED = "it is there, and there is no time to see whether another create of the same run is there too"
    WITHDRAW = "another one stays, so take it back"
    OVERTAKEN = "somebody else has changed it since"
    HIDDEN = "it was created, and the list does not show it in time"
    KEYLESS = "it was created, and the list does not show its key in time"
    UNREAD = "the list cannot be read, so that nobody knows"


class Write(t.NamedTuple):
    """One write that was accepted, and how the list may show it.

    ``before`` is None for a create. ``own`` is what it has made. ``sent``: when it was sent. ``lost``: when the last create
    of the same deployment was sent that is not accounted for; None if there is none. ``withdraws``: whether it takes
    something back, so that nothing competes with it.
    """

    before: Deployment | None
    own: Deployment
    sent: float
    lost: float | None = None
    withdraws: bool = False

    @property
    def id(self) -> str:
        """That of the deployment."""
        return self.own.id or ""


class Sight(t.NamedTuple):
    """What earlier looks have shown of a write.

    ``row``: as the list has shown it, once that was as written. ``rivals``: what is active with its label, itself
    included, lowest id first. ``until``: for how long others may withdraw or, as long as ``row`` is None, for how long an
    edit is waited for. ``quiet_until``: for how long a create that is not accounted for may still appear.
    """

    row: Deployment | None = None
    rivals: tuple[Deployment, ...] = ()
    until: float | None = None
    quiet_until: float = float("-inf")


def shows(row: Deployment | None, written: Deployment) -> bool:
    """Whether a row of the list is as it was written."""
    return row is not None and (row.label, row.deleted) == (written.label, written.deleted)


def _shows_part(row: Deployment, before: Deployment, own: Deployment) -> bool:
    """Whether a row shows at least one of the things that an edit was to change."""
    is_label_shown = before.label != own.label == row.label
    return is_label_shown or (before.deleted is not own.deleted and own.deleted is row.deleted)


def is_half_of(before: Deployment, row: Deployment, own: Deployment) -> bool:
    """Whether a row shows one of two things that an edit was to change, and the other one as it was before."""
    if before.label == own.label or before.deleted is own.deleted:
        return False
    return row.label in (before.label, own.label) and (row.label == own.label) != (row.deleted is own.deleted)


def counts_up(own: Deployment) -> bool:
    """Whether the id tells that what has a higher one was created later. Not documented; assumed of numbers."""
    return order_of_id(str(own.id))[0] == 0


def active_beside(own: Deployment, observed: Observed, unseen: t.Container[str | None]) -> list[Deployment]:
    """What is active with the label of a deployment, lowest id first.

    Without what else this run has changed, if the list does not show that yet: it shows one write of a run before another,
    in whatever order.
    """
    rows = observed.with_label(own.project_id, own.label, deleted=False)
    return [row for row in rows if row.id == own.id or row.id not in unseen]


def verdict(
    write: Write, sight: Sight, observed: Observed, unseen: t.Container[str | None], now: float, waits: Waits
) -> tuple[Verdict, Sight]:
    """Judge a write by one more look at the list.

    :param unseen: the ids of what this run has written without having seen it in the list.
    :param now: when the look began or later.
    """
    row = observed.with_id(write.id)
    if row is None:
        return _unseen(write, sight, now, waits)
    if not shows(row, write.own):
        # An edit may not be visible yet. Whatever else the list shows was done by somebody else, perhaps before the edit.
        if write.before is not None and sight.row is None:
            if shows(row, write.before):
                return _unseen(write, sight, now, waits)
            if not _shows_part(row, write.before, write.own) and now <= write.sent + waits.list_lag:
                return Verdict.WAIT, sight
        return Verdict.OVERTAKEN, sight
    return _seen(write, _first_sight(write, sight, now, waits)._replace(row=row), observed, unseen, now)


def _first_sight(write: Write, sight: Sight, now: float, waits: Waits) -> Sight:
    """The sight of a write that the list shows, with the times until which there may be more to see."""
    if sight.row is not None:
        return sight
    lag = now - write.sent
    quiet = float("-inf") if write.lost is None else write.lost + max(waits.list_lag, 3 * lag)
    return Sight(until=now + waits.rivals_withdraw + 2 * lag, quiet_until=quiet)


def _seen(
    write: Write, sight: Sight, observed: Observed, unseen: t.Container[str | None], now: float
) -> tuple[Verdict, Sight]:
    """Judge a write that the list shows."""
    rivals = () if write.own.deleted else tuple(active_beside(write.own, observed, unseen))
    sight = sight._replace(rivals=rivals)
    if len(rivals) <= 1:
        return (Verdict.WAIT if now < sight.quiet_until or _lacks_key(write, sight) else Verdict.STAYS), sight
    if write.withdraws or rivals[0].id != write.id or now > t.cast(float, sight.until):
        return Verdict.WITHDRAW, sight
    return Verdict.WAIT, sight


def _unseen(write: Write, sight: Sight, now: float, waits: Waits) -> tuple[Verdict, Sight]:
    """Judge a write that the list does not show, or no longer shows."""
    if write.before is None or sight.row is not None:
        return Verdict.WAIT, sight
    if sight.until is None:
        return Verdict.WAIT, sight._replace(until=now + waits.edit_shows)
    return (Verdict.STAYS_UNSEEN if now > sight.until else Verdict.WAIT), sight


def _lacks_key(write: Write, sight: Sight) -> bool:
    """Whether the key of what was created is still to come: only the list has it."""
    return write.before is None and sight.row is not None and sight.row.key is None


def last_verdict(write: Write, sight: Sight, list_failed: bool) -> Verdict:
    """Judge a write after which there will be no more looks.

    :param list_failed: whether that is because a look has failed, and not because there is no more time.
    """
    if write.before is not None and sight.row is None and (not list_failed or write.own.deleted):
        return Verdict.UNREAD if list_failed else Verdict.STAYS_UNSEEN
    if list_failed:
        return Verdict.UNREAD
    if sight.row is None:
        return Verdict.HIDDEN
    is_alone = len(sight.rivals) <= 1
    if not is_alone and not (write.before is None and counts_up(write.own)):
        # Another run may have ended before it could see that this one has made the label active.
        return Verdict.WITHDRAW
    if _lacks_key(write, sight):
        return Verdict.KEYLESS
    if not is_alone:
        # The others were created later and have seen this one.
        return Verdict.STAYS_UNSETTLED
    return Verdict.STAYS if write.lost is None else Verdict.STAYS_DOUBTED


def rivals_left(write: Write, sight: Sight, now: float) -> float:
    """Seconds in which what has won over a created deployment may still lose to a later one."""
    if write.before is None and sight.until is not None and not counts_up(write.own):
        return max(0.0, sight.until - now)
    return 0.0


def ways_back(
    before: Deployment | None, shown: Deployment, observed: Observed, again: bool = False
) -> list[Deployment]:
    """How a deployment that has lost a race can be taken back, the best way first; the API may refuse one of them.

    What was created is renamed and archived. What was restored is archived again. What was only renamed stays active, with
    its old label unless that is taken.

    :param before: as it was before this run; None if this run has created it.
    :param again: whether it has its old label back, although another one has this label too.
    """
    superseded = shown._replace(label=superseded_label(shown))
    if before is None:
        return [superseded._replace(deleted=True), shown._replace(deleted=True)]
    if before.deleted:
        return list(dict.fromkeys([shown._replace(label=before.label, deleted=True), shown._replace(deleted=True)]))
    holders = observed.with_label(before.project_id, before.label, deleted=False)
    if again or any(row.id != shown.id for row in holders):
        return [superseded]
    return [shown._replace(label=before.label), superseded]


def rivalry(own: Deployment, rivals: t.Iterable[Deployment]) -> str:
    """A sentence that says what else is active with a label."""
    others = ", ".join(str(row.id) for row in rivals if row.id != own.id)
    label, project = own.label, own.project_id
    return f"Another run has made the label {label!r} in project {project} active at the same moment (id {others})."
