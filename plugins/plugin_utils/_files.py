# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Writes the files of the playbooks, each completely or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t

from ..module_utils._errors import InputError


def write_files(directory: str, texts: t.Mapping[str, str], check_mode: bool, variable: str) -> bool:
    """Write files, unless it is check mode. Missing directories are created; what exists keeps its permissions.

    :param texts: what each of the files has to contain, by name.
    :param variable: the one that says where, for the advice.
    :return: whether anything is, or in check mode would be, different from before.
    :raises InputError: one of them cannot be written.
    """
    changed = False
    try:
        for name, text in texts.items():
            path = os.path.join(directory, name)
            content = text.encode("utf-8", "backslashreplace")
            if _content(path) == content:
                continue
            changed = True
            if not check_mode:
                os.makedirs(directory, mode=0o755, exist_ok=True)
                _write(path, content)
    except OSError as error:
        reason = str(error.strerror or error)
        raise InputError(
            f"write into {directory}",
            reason[:1].lower() + reason[1:],
            f"set {variable} to a path that the user who runs ansible-playbook can write to",
        ) from None
    return changed


def _content(path: str) -> bytes | None:
    """What is in a file, None if it does not exist or cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _write(path: str, content: bytes) -> None:
    # A reader sees the old file or the new one, and a full disk leaves the old one.
    path = os.path.realpath(path)
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".amplitude-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
