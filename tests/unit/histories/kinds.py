# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of histories at random."""

from __future__ import annotations

from hypothesis import strategies as st

from ansible_collections.community.amplitude.tests.unit.histories.serving_strategies import (
    SERVING_BETWEEN,
    SERVING_STEPS,
    served_rows,
    users,
)
from ansible_collections.community.amplitude.tests.unit.histories.story import History
from ansible_collections.community.amplitude.tests.unit.histories.strategies import (
    BETWEEN,
    BULK_ROW_TYPES,
    FEW_LABELS,
    LABELS,
    ROW_TYPES,
    STEPS,
    SWITCHES,
    rows,
)

KINDS = {**STEPS, **SERVING_STEPS}


@st.composite
def histories(draw, kind: str) -> History:
    """Histories in which about half of the steps are of one kind."""
    switches = draw(SWITCHES)
    is_serving = kind in SERVING_STEPS
    each = st.one_of(KINDS[kind], KINDS[kind], SERVING_BETWEEN) if is_serving else st.one_of(KINDS[kind], BETWEEN)
    steps = draw(st.lists(each, min_size=1, max_size=4 if is_serving else 8))
    if not all("retry_timeout" not in str(step) for step in steps):
        switches.pop("rate_limit", None)
    # Runs do not wait for each other, nor for a list, as long as the slowest of all services would need.
    latency = draw(st.sampled_from([0.0, 0.0, 0.05, 0.5] if "races" in kind else [0.0, 0.0, 0.05, 0.5, 9.0]))
    if latency > 5:
        switches.pop("stale_lists", None)
    drawn_from = (st.sampled_from(FEW_LABELS), BULK_ROW_TYPES) if "bulk" in kind else (LABELS, ROW_TYPES)
    unique_labels = switches.get("unique_labels", "none")
    given = draw(served_rows(unique_labels) if is_serving else rows(unique_labels, *drawn_from))
    return History(
        steps=steps,
        rows=given,
        switches=switches,
        latency=latency,
        seed=draw(st.integers(0, 2**16)),
        flags=draw(users(given, 21)) if is_serving else (),
        experiments=draw(users(given, 41)) if is_serving else (),
    )
