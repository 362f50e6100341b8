# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web page as a browser shows it."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import tempfile
import typing as t

#: Without these, Chromium calls home.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find() -> str | None:
    """The path of Chromium or Chrome, None if there is none."""
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))
    return next(filter(None, found), None)


def dump(page: pathlib.Path) -> str:
    """The HTML of a page after its scripts have run."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [t.cast(str, find()), *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=600, check=True)
    return done.stdout.decode("utf-8")
