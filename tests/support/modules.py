# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module in this process, through its own main(), and returns what it would hand to Ansible."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import typing as t
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings

from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.tests.support.clocks import SteppingClock

try:
    from ansible.module_utils import _internal
    from ansible.module_utils.testing import patch_module_args

    def as_module() -> t.ContextManager[t.Any]:
        """Once another test has imported what runs on the controller, Ansible would show warnings, not return them."""
        return mock.patch.object(_internal, "is_controller", False)

except ImportError:  # ansible-core 2.18
    as_module = contextlib.nullcontext

    @contextlib.contextmanager
    def patch_module_args(args: dict[str, t.Any]) -> t.Iterator[None]:
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
        try:
            yield
        finally:
            basic._ANSIBLE_ARGS = None


#: Nobody's patience ends because the machine is busy.
CLOCK = SteppingClock()
#: As if the service was a thousand times quicker, as the emulator is.
QUICK = Waits(
    now=CLOCK.now,
    sleep=CLOCK.sleep,
    first_backoff=0.01,
    requests_per_second=10000,
    first_look=0.005,
    longest_look=0.05,
    list_lag=0.05,
    rivals_withdraw=0.1,
    races_settle=0.05,
    edit_shows=0.5,
)


def run_module(name: str, check_mode: bool = False, waits: Waits = QUICK, **options: t.Any) -> dict[str, t.Any]:
    """Run a module of this collection and return its result; ``failed`` is True where it failed.

    Ansible collects warnings for the life of a process; here they are those of this run.
    """
    module = importlib.import_module("ansible_collections.community.amplitude.plugins.modules." + name)
    output = io.StringIO()
    warnings._global_warnings.clear()
    args = dict(options, _ansible_check_mode=check_mode, _ansible_diff=True, _ansible_remote_tmp="/nonexistent")
    with as_module(), patch_module_args(args), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        module.main(waits)
    result = json.loads(output.getvalue())
    result["warnings"] = [_text(warning) for warning in result.get("warnings", ())]
    return result


def _text(warning: t.Any) -> str:
    """A warning as text; since ansible-core 2.19 it is sent as an event."""
    return warning["event"]["msg"] if isinstance(warning, dict) else warning
