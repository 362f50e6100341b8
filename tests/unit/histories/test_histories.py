# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold whatever happens, in histories at random: ``make soak HISTORIES=20000`` for many of them."""

from __future__ import annotations

import collections
import json
import os
import pathlib
import typing as t

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.community.amplitude.tests.unit.histories.kinds import KINDS, SERVING_STEPS, STEPS, histories
from ansible_collections.community.amplitude.tests.unit.histories.world import World

FEW, FEW_SERVING = 45, 12
FIGURES: t.Counter[str] = collections.Counter()


@pytest.fixture(scope="module", autouse=True)
def _figures():
    """Leave word of how much was tried, for tests/tools/soak.py."""
    yield
    if "FIGURES" in os.environ:
        pathlib.Path(os.environ["FIGURES"]).write_text(json.dumps(FIGURES), encoding="utf-8")


def many(few: int) -> t.Any:
    """The settings for so many histories of each kind, unless the environment says how many there are in all."""
    return settings(
        max_examples=int(os.environ.get("HISTORIES", few * len(KINDS))) // len(KINDS),
        derandomize="HISTORIES" not in os.environ,
        deadline=None,
        report_multiple_bugs=False,
        # How it came to fail is told by the story; to explain it by trying takes minutes.
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("kind", STEPS)
@many(FEW)
@given(data=st.data())
def test_history(_emulator, kind, data):
    World(_emulator, data.draw(histories(kind)), FIGURES).play()


@pytest.mark.parametrize("kind", SERVING_STEPS)
@many(FEW_SERVING)
@given(data=st.data())
def test_history_of_serving(_emulator, kind, data):
    World(_emulator, data.draw(histories(kind)), FIGURES).play()
