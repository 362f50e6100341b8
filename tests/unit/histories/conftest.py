# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest


@pytest.fixture
def _impatient():
    """Time costs nothing in a history, so that the constants are tried as they are shipped."""
