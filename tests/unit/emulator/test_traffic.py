# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits on requests."""

from __future__ import annotations

import email.utils

import pytest

from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.support.clocks import SetClock
from ansible_collections.community.amplitude.tests.unit.emulator.api import SEED, Api


@pytest.mark.parametrize("retry_after", ["none", "seconds", "date"])
@pytest.mark.parametrize("limits", [{"rate_limit": 3}, {"daily_limit": 3}])
def test_rate_limit(api: Api, emulator: Emulator, clock: SetClock, limits: dict[str, int], retry_after: str) -> None:
    emulator.reset(SEED, retry_after=retry_after, **limits)
    answers = [api.call("GET", params={"limit": n % 2}) for n in range(5)]
    assert [answer.status_code for answer in answers] == [400, 200, 400, 429, 429]
    assert api.call("GET", key="other-key").status_code == 200
    wait = answers[-1].headers.get("Retry-After")
    if retry_after == "none":
        assert wait is None
        return
    seconds = email.utils.parsedate_to_datetime(wait).timestamp() - clock.time() if retry_after == "date" else int(wait)
    assert 0 < seconds <= (2 if "rate_limit" in limits else 86401)
    if "rate_limit" in limits and retry_after == "seconds":
        clock.pass_by(1.01)
        assert api.call("GET").status_code == 200


def test_default_rate_limit_and_none(api: Api, emulator: Emulator) -> None:
    assert (emulator.switches()["rate_limit"], emulator.switches()["daily_limit"]) == (100, 100000)
    emulator.reset(rate_limit=0, daily_limit=0)
    assert {api.call("GET").status_code for _request in range(120)} == {200}
