# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control operations over HTTP."""

from __future__ import annotations

import typing as t

from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.unit.emulator.api import SEED, Api


def test_control_over_http(api: Api, emulator: Emulator) -> None:
    def control(method: str, path: str, body: t.Any = None, status: int = 200) -> t.Any:
        answer = api.call(method, "/_emulator" + path, None, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    control("POST", "/reset", {"seed": SEED, "switches": {"ids": "string", "latency": 0.0}})
    assert control("GET", "/switches")["ids"] == "string"
    assert control("PATCH", "/switches", {"order": "label"})["order"] == "label"
    assert control("GET", "/deployments")["deployments"] == emulator.deployments()
    row = control("POST", "/deployments", {"projectId": "1", "label": "by hand", "type": "client"})
    assert control("PATCH", "/deployments/" + row["id"], {"deleted": True}) == {**row, "deleted": True}
    control("POST", "/faults", {"action": "status", "times": 0})
    assert api.call("GET").status_code == 503
    control("DELETE", "/faults")
    assert api.labels() == ["api", "by hand", "default", "old", "web"]
    assert [record["status"] for record in control("GET", "/requests?since=1")["requests"]] == [200]
    control("DELETE", "/requests")
    assert control("GET", "/requests")["requests"] == []
    control("POST", "/reset")
    assert emulator.deployments() == [] and emulator.switches()["ids"] == "number"
    for method, path, body, status in [
        ("POST", "/reset", {"sede": {}}, 400),
        ("POST", "/reset", {"switches": {"self": 1}}, 400),
        ("POST", "/reset", [], 400),
        ("PATCH", "/switches", {"idz": 1}, 400),
        ("POST", "/faults", {"acton": "cut"}, 400),
        ("POST", "/deployments", {"projectId": "1"}, 400),
        ("PATCH", "/deployments/1", {"label": "a"}, 400),
        ("PATCH", "/deployments/1", {"id": "a"}, 400),
        ("GET", "/requests?sinse=1", None, 400),
        ("GET", "/request", None, 404),
        ("PUT", "/switches", None, 405),
    ]:
        assert control(method, path, body, status)["error"]
