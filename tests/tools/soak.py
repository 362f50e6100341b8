# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play many random histories: soak.py HISTORIES [SEED].

One process for each core, each with a seed of its own. The same number and the same seed play the same histories on a
machine with as many cores.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main(histories: str = "20000", seed: str = "") -> int:
    """Return an exit status: 0 if every invariant held in every history."""
    first = int(seed or random.SystemRandom().randrange(10**9))
    cores = os.cpu_count() or 1
    print(f"{histories} histories, seed {first}, {cores} processes", flush=True)
    started = time.monotonic()
    figures: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as directory:
        runs = []
        for number in range(min(cores, int(histories))):
            file = pathlib.Path(directory, str(number))
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "tests/unit/histories/test_histories.py"]
            # Kinds in which faults are known to be found are played as well, and tell what they find.
            command.append("--runxfail")
            share = int(histories) // cores + (number < int(histories) % cores)
            environment = dict(os.environ, HISTORIES=str(share), FIGURES=str(file))
            command.append(f"--hypothesis-seed={first + number}")
            runs.append((subprocess.Popen(command, cwd=ROOT, env=environment), file))
        statuses = [run.wait() for run, _file in runs]
        for _run, file in runs:
            if file.exists():
                figures.update(json.loads(file.read_text(encoding="utf-8")))
    for name, count in sorted(figures.items()):
        print(f"{count:>10} {name}")
    print(
        "{0:.0f} seconds, seed {1}: {2}".format(
            time.monotonic() - started, first, "failed" if any(statuses) else "clean"
        )
    )
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
