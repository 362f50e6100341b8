# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists the deployments of an account in a process without Ansible, or only parses the same bytes; and tells what that took.

The CPU is that of the whole process while it lists, and not of its start: imports are what another row is about.
"""

from __future__ import annotations

import json
import pathlib
import sys
import time


def ours(url: str) -> tuple[int, float]:
    """List, and index what was listed, as a module does."""
    from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
    from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
    from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed

    started = time.process_time()
    with Client(url, "management-key") as client:
        observed = Observed(Deployments(client).list())
    took = time.process_time() - started
    return sum(1 for dummy in observed.all_active()), took


def parser(dummy: str) -> tuple[int, float]:
    """Parse the pages that were kept in the current directory, one by one."""
    pages = [path.read_bytes() for path in sorted(pathlib.Path("pages").iterdir())]
    count = 0
    started = time.process_time()
    for page in pages:
        count += len(json.loads(page)["deployments"])
    return count, time.process_time() - started


if __name__ == "__main__":
    program, expected, url = sys.argv[1:]
    count, seconds = dict(ours=ours, parser=parser)[program](url)
    if count != int(expected):
        sys.exit(f"{count} of {expected} deployments were listed")
    print(seconds)
