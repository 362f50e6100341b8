# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Without the library requests, the modules still start, and fail with Ansible's own words for that."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from ansible_collections.community.amplitude.tests.support import modules

pytestmark = pytest.mark.core

# Above ansible_collections, as it is imported here: the directory itself can have another name.
COLLECTIONS = pathlib.Path(modules.__file__).parents[5]
PROGRAM = """
import json, sys
from ansible_collections.community.amplitude.tests.support.modules import run_module
json.dump(run_module(sys.argv[1], **json.loads(sys.argv[2])), sys.stdout)
"""
OPTIONS = dict(management_api_key="management-key", base_url="http://127.0.0.1:9", project_id="1")


@pytest.mark.parametrize(
    "module, options",
    [("amplitude_deployment", dict(OPTIONS, label="web", type="client")), ("amplitude_deployment_info", OPTIONS)],
)
def test_missing_library(tmp_path, module, options):
    (tmp_path / "requests.py").write_text("raise ImportError('requests is not here')\n")
    path = [str(tmp_path), str(COLLECTIONS)] + sys.path
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, module, json.dumps(options)],
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["failed"] and not result.get("changed")
    assert result["msg"].startswith("Failed to import the required Python library (requests) on ")
    assert "management-key" not in run.stdout
