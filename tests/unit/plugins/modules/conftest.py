# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.community.amplitude.tests.support.modules import run_module


@pytest.fixture(params=["single", "bulk"])
def serve(request, emulator, connection):
    """Run one of the two writing modules for one deployment of project 1; what it returns is that of the single one."""

    def serve(options, check_mode=False, retry_timeout=60, **rules):
        emulator.forget_requests()
        item = dict(options, project_id="1")
        task = dict(connection, retry_timeout=retry_timeout, **rules)
        if request.param == "single":
            return run_module("amplitude_deployment", check_mode, **dict(task, **item))
        result = run_module("amplitude_deployments", check_mode, **dict(task, deployments=[item]))
        if "deployments" in result:
            [result["deployment"]] = result["deployments"]
            result["diff"] = {side: (rows["deployments"] or [{}])[0] for side, rows in result["diff"].items()}
        return result

    return serve
