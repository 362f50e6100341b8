# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Reads the file with the desired state, and says why it cannot be read."""

from __future__ import annotations

import inspect
import os
import typing as t

from ansible.errors import AnsibleError

from ..module_utils._errors import InputError
from ._desired_state import VARIABLE

_LET_READ = "let the user who runs ansible-playbook read it"


def read_file(path: str, loader: t.Any, others: t.Collection[str]) -> dict[str, t.Any]:
    """The variables that a state file defines, not templated yet. It may be encrypted with Ansible Vault.

    :param loader: the DataLoader of Ansible.
    :param others: variables that it must not set, because nobody would notice that they are not read from it.
    :raises InputError: it is not such a file; with the line, where there is one.
    """

    def unusable(problem: str, advice: str, line: int | None = None) -> InputError:
        where = path if line is None else f"{path}, line {line}"
        return InputError(f"read the desired state from {where}", problem, advice)

    if not os.path.exists(path):
        raise unusable(f"there is no file {path}", "correct amplitude_state_file")
    if not os.path.isfile(path):
        what = "a directory" if os.path.isdir(path) else "not a file"
        raise unusable(f"it is {what}", "set amplitude_state_file to the path of a file")
    # Not a copy of what is thrown away afterwards: Ansible takes longer for that than for reading.
    options: dict[str, t.Any] = {"cache": "none", "unsafe": True}
    # From ansible-core 2.19 on, text is a template only where that is said.
    if "trusted_as_template" in inspect.signature(loader.load_from_file).parameters:
        options["trusted_as_template"] = True
    try:
        with open(path, "rb"):
            pass
        data = loader.load_from_file(path, **options)
    except (AnsibleError, ValueError, OSError) as error:
        raise unusable(*_reason(error)) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, (list, tuple)) else "text" if isinstance(data, str) else "a single value"
        raise unusable(
            f"it is {kind}, and defines no variables",
            f"write {VARIABLE}: on its first line, and the list of projects below it, as community.amplitude.export does",
            1,
        )
    ignored = sorted(set(others).intersection(data))
    if ignored:
        raise unusable(
            f"it defines {', '.join(ignored)}, which cannot be set in this file",
            "set that elsewhere, for example with --extra-vars",
        )
    return data


def _reason(error: BaseException) -> tuple[str, str, int | None]:
    """Why a file could not be parsed, what to do about it, and in which line. The content is not repeated."""
    for each in _chain(error):
        if getattr(each, "problem_mark", None) is not None:
            return (*_of_yaml(each), t.cast(t.Any, each).problem_mark.line + 1)
        if isinstance(each, UnicodeError) or type(each).__name__ == "ReaderError":
            return "it is not UTF-8 text", "set amplitude_state_file to the path of a YAML file", None
        if isinstance(each, OSError):
            return str(each.strerror), _LET_READ, None
    text = " ".join(str(getattr(error, "message", None) or error).split()).rstrip(".")
    return text, "use the right vault password" if "vault" in text.lower() else "correct it", None


def _of_yaml(error: t.Any) -> tuple[str, str]:
    """What the parser of YAML says, and what to do about it."""
    problem = str(error.problem or "it is not valid YAML")
    if "tab character" in problem or "'\\t'" in problem:
        return problem, "indent with spaces"
    if "key" in problem and "hashable" in problem:
        return "there is a mapping where text is expected", "put what begins with {{ in quotes"
    if problem.startswith("but "):
        problem = f"{error.context}, {problem}"
    return problem, "correct the YAML there"


def _chain(error: BaseException) -> t.Iterator[BaseException]:
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__context__, each.__cause__, getattr(each, "orig_exc", None)]
