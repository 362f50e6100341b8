# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that no other process of the machine knows, and ways to see where they turn up."""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import threading
import typing as t

#: What a result holds besides return values, and the return values that must not hold a key themselves.
_UNDOCUMENTED = ("changes", "diff", "exception", "invocation", "msg", "warnings")


def canary(prefix: str = "") -> str:
    """A new secret, in the form that the API documents for deployment keys."""
    return prefix + secrets.token_hex(16)


def without_documented_keys(text: str) -> str:
    """The text, with ``deployment.key`` and ``deployments[].key`` taken out of every JSON object in it.

    A JSON object may be anywhere in the text, and the text of one of its strings is treated the same way: that is how
    results are found in what Ansible prints, and in files that quote what Ansible prints.
    """
    decoder = json.JSONDecoder(strict=False)
    parts, position = [], 0
    while True:
        start = text.find("{", position)
        if start < 0:
            return "".join(parts) + text[position:]
        parts.append(text[position:start])
        try:
            value, position = decoder.raw_decode(text, start)
            parts.append(json.dumps(_stripped(value), ensure_ascii=False))
        except ValueError:
            parts.append("{")
            position = start + 1


def _stripped(value: t.Any, documented: bool = True) -> t.Any:
    if isinstance(value, str):
        return without_documented_keys(value) if documented else value
    if isinstance(value, list):
        return [_stripped(item, documented) for item in value]
    if not isinstance(value, dict):
        return value
    rest = {name: _stripped(item, documented and name not in _UNDOCUMENTED) for name, item in value.items()}
    if documented:
        single, several = rest.get("deployment"), rest.get("deployments")
        for row in [single] + (several if isinstance(several, list) else []):
            if isinstance(row, dict):
                row.pop("key", None)
    return rest


class Processes:
    """The command lines and environments of all processes of the machine that are seen within a ``with`` block.

    :param awaited: a word, and a file that is made once the word is in one of the command lines: a process that waits for
        the file is seen, however busy the machine is. So is one that waits for what calls :meth:`look`.
    """

    def __init__(self, awaited: tuple[str, pathlib.Path] | None = None) -> None:
        self._awaited = awaited
        self._seen: dict[str, str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def command_lines(self) -> str:
        """What everybody on the machine can see."""
        return "\n".join(list(self._seen))

    @property
    def environments(self) -> str:
        """What only the user who runs the processes can see."""
        return "\n".join(list(self._seen.values()))

    def _watch(self) -> None:
        while not self._ended.wait(0.03):
            self.look()
            if self._awaited and self._awaited[0] in self.command_lines:
                self._awaited[1].touch()

    def look(self) -> None:
        """See what is there now."""
        for process in os.listdir("/proc"):
            if process.isdigit():
                command_line = _read(f"/proc/{process}/cmdline")
                if command_line not in self._seen:
                    self._seen[command_line] = _read(f"/proc/{process}/environ")


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().replace(b"\0", b"\n").decode("utf-8", "replace")
    except OSError:  # the process has ended, or is somebody else's
        return ""
