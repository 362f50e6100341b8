# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a command for so many seconds at most, and writes the seconds and the most memory that it took, in MiB, to a file.

In a process of its own: on Linux the memory of whoever starts a process counts as that of the process too.
"""

from __future__ import annotations

import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time


def main(path: str, most: str, *command: str) -> int:
    started = time.perf_counter()
    # A session of its own, so that what it has started ends with it.
    process = subprocess.Popen(command, start_new_session=True)
    try:
        status = process.wait(float(most))
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            print(f"\nit did not end within {most} seconds")
            return 1
        raise
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    pathlib.Path(path).write_text(json.dumps([seconds, peak]), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
