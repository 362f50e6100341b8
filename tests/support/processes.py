# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kills what a test has started: a module is not always in the session of its ansible-playbook."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import typing as t

CAN_KILL = pathlib.Path("/proc/self/environ").exists()


def kill_marked(mark: t.Any) -> None:
    """Kill every process with this value of ``MARK`` in its environment."""
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"MARK={mark}\0".encode() in (directory / "environ").read_bytes():
                os.kill(int(directory.name), signal.SIGKILL)
