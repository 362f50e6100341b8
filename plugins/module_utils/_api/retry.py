# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""When a failed request is sent again, and how long that is put off: pure decisions, and the purse they draw on."""

from __future__ import annotations

import datetime
import email.utils
import re
import threading

from .._errors import RequestFailed
from .waits import Waits

#: Verbs that may be carried out twice without harm. A POST is not among them: it would make a second deployment. (One that
#: assigns would not, but only a list tells whether it is still wanted.)
REPEATABLE = ("GET", "PATCH", "DELETE")


def may_retry(verb: str, failure: RequestFailed) -> bool:
    """Whether sending the same request again is safe and can help.

    425, 429 and connections that never carried the request: for every verb. A lost answer, a 408 or a 5xx, after which
    it is unknown whether the request was carried out: only for a verb that may be repeated.
    """
    return failure.transient and (verb in REPEATABLE or not failure.outcome_unknown)


def backoff(attempt: int, retry_after: float | None, waits: Waits = Waits()) -> float:
    """The seconds to wait after a failed attempt (0 is the first): exponential with full jitter.

    What the service asks for in Retry-After is the minimum; the jitter comes on top, so that hosts which were refused
    at the same moment do not come back at the same moment.
    """
    most = min(waits.longest_backoff, waits.first_backoff * 2.0 ** min(attempt, 10))
    jitter = waits.chance() * most
    return jitter if retry_after is None else retry_after + min(jitter, 1.0)


def retry_after_seconds(header: str | None) -> float | None:
    """The seconds that a Retry-After header asks to wait, as a number or until a date; None if it does not say.

    urllib3 can parse it too, but some of its versions cut it to six hours, which hides when a day's quota is reset.
    """
    if header is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", header):
        return float(header)
    try:
        date = email.utils.parsedate_to_datetime(header)
        if date.tzinfo is None:
            date = date.replace(tzinfo=datetime.timezone.utc)
        return max(0.0, (date - datetime.datetime.now(datetime.timezone.utc)).total_seconds())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


class Patience:
    """The seconds that one task may spend waiting and retrying in all, in however many threads.

    What several threads wait at the same time counts once.

    :param seconds: the budget; 0 means that nothing is ever waited for.
    """

    def __init__(self, seconds: float, waits: Waits = Waits()) -> None:
        self.left = seconds
        self._sleep = waits.sleep
        self.now = waits.now
        self._lock = threading.Lock()
        self._spent_until = float("-inf")

    def wait(self, seconds: float) -> bool:
        """Sleep and answer True; or, if the budget does not allow for that, answer False at once."""
        with self._lock:
            now = self.now()
            if self.left <= 0 or self._cost(now, now + seconds) > self.left:
                return False
            self._spend(now, now + seconds)
        self._sleep(seconds)
        return True

    def end(self) -> None:
        """Do not wait for anything from now on."""
        self.left = 0.0

    def spend(self, start: float, end: float) -> None:
        """Count time that went by in some other way, for example in an attempt that timed out.

        :param start, end: what :meth:`now` said then.
        """
        with self._lock:
            self._spend(start, end)

    def _cost(self, start: float, end: float) -> float:
        return max(0.0, end - max(start, self._spent_until))

    def _spend(self, start: float, end: float) -> None:
        self.left = max(0.0, self.left - self._cost(start, end))
        self._spent_until = max(self._spent_until, end)
