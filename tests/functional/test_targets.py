# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The integration targets, as ansible-test runs them, but through ansible-playbook alone.

Of the situations of the single module only the first is run here, and all of them in process and by ``make integration``.
"""

from __future__ import annotations

import pathlib

import pytest
import yaml

TARGETS = pathlib.Path(__file__).parents[1] / "integration/targets"


@pytest.mark.parametrize("target", sorted(path.parent.name for path in TARGETS.glob("*/aliases")))
def test_target(run, tmp_path, target):
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(yaml.safe_dump([dict(hosts="localhost", gather_facts=False, roles=[target])]), encoding="utf-8")

    result = run("ansible-playbook", playbook, "-e", "amplitude_deployment_each=1000", ANSIBLE_ROLES_PATH=TARGETS)

    assert result.status == 0, result.output[-4000:]
    assert "failed=0" in result.output
