# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a list is read again, and when no more: on a clock on which nothing takes time."""

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._apply.looks import looks_at
from ansible_collections.community.amplitude.tests.support.account import Account


@pytest.mark.parametrize(
    "seconds, patience, takes, begun, whole",
    [
        (20.0, 60.0, 0.0, [0, 1, 3, 7, 11, 15, 19, 20], True),
        (0.0, 60.0, 0.0, [0], True),
        (20.0, 10.0, 0.0, [0, 1, 3, 7], False),
        (20.0, 0.0, 0.0, [0], False),
        (5.0, 60.0, 9.0, [0, 9], True),
        (5.0, 60.0, 4.0, [0, 5], True),
    ],
)
def test_looks(seconds, patience, takes, begun, whole):
    account = Account(patience=patience, takes=takes)
    ended = []

    def look():
        ended.append((yield from looks_at(account, seconds)))

    assert len(list(look())) == len(begun)
    assert account.begun == begun
    assert ended == [whole]
