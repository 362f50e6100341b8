# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stateful server of the Amplitude Experiment Management API, for tests.

It is never more convenient than the real API: whatever the API leaves undocumented is a switch
(see :mod:`.switches`), it can be told to misbehave (see :mod:`.faults`), and somebody else can be told to act between
two requests (see :mod:`.actions`).
"""

from __future__ import annotations

from .control import Control
from .errors import Invalid
from .server import Emulator
from .switches import Switches

__all__ = ["Control", "Emulator", "Invalid", "Switches"]
