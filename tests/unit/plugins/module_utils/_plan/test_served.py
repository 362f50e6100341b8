# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._plan.served import kinds_to_read
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Wanted


@pytest.mark.parametrize(
    "wanted, kinds",
    [
        (Wanted("1", "web"), {}),
        (Wanted("1", "web", flags=()), {"1": {"flag"}}),
        (Wanted("1", "web", experiments=("hero",)), {"1": {"experiment"}}),
        (Wanted("1", "web", replaces="7"), {"1": {"flag", "experiment"}}),
    ],
)
def test_kinds_to_read(wanted, kinds):
    assert kinds_to_read([wanted, Wanted("2", "web")]) == kinds
