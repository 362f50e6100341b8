# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a command, and writes the seconds and the most memory that it took, in MiB, to a file.

In a process of its own: on Linux the memory of whoever starts a process counts as that of the process too.
"""

from __future__ import annotations

import json
import pathlib
import resource
import subprocess
import sys
import time

if __name__ == "__main__":
    started = time.perf_counter()
    status = subprocess.call(sys.argv[2:])
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    pathlib.Path(sys.argv[1]).write_text(json.dumps([seconds, peak]), encoding="utf-8")
    sys.exit(status)
