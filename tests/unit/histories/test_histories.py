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

from ansible_collections.community.amplitude.tests.unit.histories.strategies import STEPS, histories
from ansible_collections.community.amplitude.tests.unit.histories.world import World

FEW = 60
FIGURES: t.Counter[str] = collections.Counter()


@pytest.fixture(scope="module", autouse=True)
def _figures():
    """Leave word of how much was tried, for tests/tools/soak.py."""
    yield
    if "FIGURES" in os.environ:
        pathlib.Path(os.environ["FIGURES"]).write_text(json.dumps(FIGURES), encoding="utf-8")


@pytest.mark.parametrize("kind", STEPS)
@settings(
    max_examples=int(os.environ.get("HISTORIES", FEW * len(STEPS))) // len(STEPS),
    derandomize="HISTORIES" not in os.environ,
    deadline=None,
    report_multiple_bugs=False,
    # How it came to fail is told by the story; to explain it by trying takes minutes.
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_history(_emulator, kind, data):
    World(_emulator, data.draw(histories(kind)), FIGURES).play()
