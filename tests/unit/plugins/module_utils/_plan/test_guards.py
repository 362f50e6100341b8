# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not archived without ``force``."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Usage, User
from ansible_collections.community.amplitude.plugins.module_utils._errors import Refused
from ansible_collections.community.amplitude.plugins.module_utils._plan.guards import check_usage
from ansible_collections.community.amplitude.plugins.module_utils._plan.many import plan_all
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Rules
from ansible_collections.community.amplitude.tests.support.rows import row, want

A, B, C = row("1", "a"), row("2", "b"), row("3", "c")


def test_usage_is_a_reason_not_to_archive():
    flag = User("flags", "1", "new-checkout", "New", True, False)
    old = User("flags", "2", "old", None, False, True)
    test = User("experiments", "3", "colours", None, True, False)
    usage = Usage({"1": [flag, test, old], "2": [old]})
    plans = plan_all([want(label, state="absent") for label in "abc"], Observed([A, B, C]), Rules())
    with pytest.raises(
        Refused,
        match=r"the deployment 'a' \(id 1\) is used by flag 'new-checkout', experiment 'colours' \(and by flag 'old', "
        r"archived\); remove it there in Amplitude, or set force to true",
    ):
        check_usage(plans, usage)
    check_usage(plans[1:], usage)
    check_usage(plan_all([want("a"), want("b")], Observed([A, B, C]), Rules()), usage)
