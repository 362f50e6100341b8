# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was approved is what is done, or nothing is, in histories at random: checked, approved, and applied beside others."""

from __future__ import annotations

import collections
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.tests.unit.histories.kinds import histories
from ansible_collections.community.amplitude.tests.unit.histories.story import Deed, Run
from ansible_collections.community.amplitude.tests.unit.histories.test_histories import many
from ansible_collections.community.amplitude.tests.unit.histories.world import World

KINDS = (
    "faults",
    "others",
    "bulk faults",
    "bulk others",
    "serving others",
    "taking over others",
    "serving bulk others",
)
FIGURES: t.Counter[str] = collections.Counter()


def _name_of(change: t.Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    """A change without the id of what is assigned, which may be created by the same approval."""
    return tuple((field, None if field == "id" and change["action"] == "assign" else change[field]) for field in change)


class Approved(World):
    """A history in which every run is checked before, and its changes are approved."""

    def _play_run(self, step: Run) -> None:
        options = self._resolved(step.options)
        foreseen = self._play("check", options, check_mode=True)
        if foreseen.failed:
            return
        approved = foreseen.result["changes"]
        options = dict(options, approved_changes=approved)
        with self._misbehaving(step.faults):
            self._expect_only(approved, self._play("apply", options, kill=step.kill, others=step.others))
        self._calm()
        # It goes on with the same approval, and each of the changes is approved once more then.
        self._expect_only(approved, self._play("again", options))

    def _expect_only(self, approved: t.Sequence[t.Mapping[str, t.Any]], deed: Deed) -> None:
        if deed.killed:
            return
        if any("withdrawn" in warning or "its label" in warning for warning in deed.warnings):
            return
        left = collections.Counter(map(_name_of, approved))
        left.subtract(map(_name_of, deed.result.get("changes", ())))
        assert all(count >= 0 for count in left.values()), self._so("only what was approved is done", deed)
        if "is not in approved_changes" in deed.result.get("msg", "") and not deed.result.get("changes"):
            assert not deed.committed, self._so("what is not approved is found before the first write", deed)


@pytest.mark.parametrize("kind", KINDS)
@many(12)
@given(data=st.data())
def test_history(_emulator, kind, data):
    Approved(_emulator, data.draw(histories(kind)), FIGURES).play()
