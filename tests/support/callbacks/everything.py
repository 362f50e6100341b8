# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: everything
type: notification
short_description: Writes all that a callback is given to a file
description:
  - One line of JSON for each call of each hook, so at least what any callback that reports results could pass on.
  - The name of the file is in the environment variable C(EVERYTHING_FILE).
requirements:
  - enable in configuration
"""

import json
import os
import re

from ansible.plugins.callback import CallbackBase


def shown(given):
    """A result as it is, a task or play with its fields, and of anything else its name.

    Of the task that a result belongs to only its name: there, Ansible has put the values of secret options.
    """
    if hasattr(given, "_result"):
        return dict(task=given._task.get_name(), host=str(given._host), res=given._result)
    if hasattr(given, "dump_attrs"):
        return given.dump_attrs()
    return str(given)


def hook(name):
    """A hook that writes its arguments down."""

    def record(self, *args, **kwargs):
        line = dict(hook=name, args=[shown(given) for given in args], kwargs={k: shown(v) for k, v in kwargs.items()})
        with open(os.environ["EVERYTHING_FILE"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    return record


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "everything"
    CALLBACK_NEEDS_ENABLED = True

    locals().update({name: hook(name) for name in dir(CallbackBase) if re.match("v2_(?!on_any)", name)})
