# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator in a process of its own, so that it does not slow down what is measured; and the accounts it begins with."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY, PROJECT = "management-key", "1"

Seed = dict[str, t.Any]


def label(number: int) -> str:
    return f"label-{number:06d}"


def labels(count: int) -> list[str]:
    return [label(number) for number in range(count)]


def account(count: int = 0, projects: int = 1, gaps: int = 0) -> Seed:
    """An account with so many deployments, evenly in so many projects.

    :param gaps: which of them are missing: each so manieth; 0: none.
    """
    names = [str(number + 1) for number in range(projects)]
    rows = [
        dict(projectId=names[number * projects // count], label=label(number), type="client")
        for number in range(count)
        if not gaps or (number + 1) % gaps
    ]
    return dict(keys={KEY: names}, deployments=rows)


def wanted(count: int, projects: int) -> dict[str, t.Any]:
    """The desired state that :func:`account` without gaps has."""
    seed = account(count, projects)
    return dict(
        amplitude_projects=[
            dict(
                project_id=name,
                deployments=[
                    dict(label=row["label"], type="client") for row in seed["deployments"] if row["projectId"] == name
                ],
            )
            for name in seed["keys"][KEY]
        ]
    )


def account_with_flags(count: int) -> Seed:
    """An account whose deployment 7 serves so many flags."""
    flags = [
        dict(projectId=PROJECT, key=f"flag-{number:03d}", enabled=True, deployments=[7]) for number in range(count)
    ]
    return dict(
        keys={KEY: [PROJECT]}, deployments=[dict(id=7, projectId=PROJECT, label=label(0), type="client")], flags=flags
    )


class Emulator:
    """An emulator that ends with its ``with`` block."""

    def __init__(self, directory: pathlib.Path) -> None:
        port_file = directory / "port"
        command = [sys.executable, str(ROOT / "tests/emulator"), "--port-file", str(port_file)]
        self._process = subprocess.Popen(command + ["--parent-pid", str(os.getpid())], stdout=subprocess.DEVNULL)
        while not port_file.exists():
            if self._process.poll() is not None:
                raise RuntimeError("The emulator did not start: see above.")
            time.sleep(0.01)
        self.url = "http://127.0.0.1:" + port_file.read_text().strip()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        self._process.terminate()
        self._process.wait()

    def reset(self, seed: Seed, **switches: t.Any) -> None:
        """Begin again with this account."""
        self._call("POST", "/_emulator/reset", dict(seed=seed, switches=switches))

    def requests(self) -> list[dict[str, t.Any]]:
        """The requests since the last reset."""
        return self._call("GET", "/_emulator/requests")["requests"]

    def pages(self) -> list[bytes]:
        """The bytes of all pages of the list of deployments."""
        found: list[bytes] = []
        cursor = ""
        while cursor is not None:
            found.append(self._bytes("GET", "/api/1/deployments?limit=1000" + (f"&cursor={cursor}" if found else "")))
            cursor = json.loads(found[-1]).get("nextCursor")
        return found

    def _call(self, method: str, path: str, body: t.Any = None) -> t.Any:
        return json.loads(self._bytes(method, path, body) or b"null")

    def _bytes(self, method: str, path: str, body: t.Any = None) -> bytes:
        request = urllib.request.Request(self.url + path, method=method, headers={"Authorization": "Bearer " + KEY})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            return answer.read()
