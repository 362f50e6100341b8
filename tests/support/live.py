# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of ``make live`` run it at, and what must hold after each run."""

from __future__ import annotations

import re

from ansible_collections.community.amplitude.tests.support.canaries import canary

TOOL = "tests/live/live.py"
PROJECT = "770077"
FLAG, EXPERIMENT = "live-flag-key", "live-experiment-key"
FOREIGN = [
    dict(id=501, projectId=PROJECT, label="default", type=None),
    dict(id=502, projectId=PROJECT, label="z-web", type="client"),
    dict(id=503, projectId=PROJECT, label="api", type="server"),
    dict(id=504, projectId=PROJECT, label="old", type="server", deleted=True),
    dict(id=505, projectId=PROJECT, label="ansible-live-00000000-z-one", type="server"),
    dict(id=506, projectId="770078", label="web", type="client"),
    dict(id=507, projectId="770078", label="api", type="server"),
    dict(id=508, projectId="770079", label="m", type="client"),
]
#: What is served, in the project and elsewhere, too.
SERVED = [
    dict(id=601, projectId=PROJECT, key="checkout", enabled=True, deployments=["502"]),
    dict(id=602, projectId="770078", key=FLAG, enabled=True, deployments=["506"]),
    dict(id=603, projectId="770078", key=EXPERIMENT, enabled=True, deployments=["506"]),
]


class World:
    """A service with deployments that are none of our business, and how to reach it."""

    def __init__(self, emulator, record):
        self.emulator = emulator
        self.record = record
        self.management_key = canary()
        self.command = [TOOL, "--record", str(record)]
        self.environment = dict(
            AMPLITUDE_MANAGEMENT_API_KEY=self.management_key,
            AMPLITUDE_TEST_PROJECT_ID=PROJECT,
            AMPLITUDE_BASE_URL=emulator.url,
            AMPLITUDE_REGION="",
        )

    def begin(self, flags=(), experiments=(), **switches):
        """Start anew, with flags and experiments of the project of which some may be there for the test."""
        keys = {self.management_key: sorted({row["projectId"] for row in FOREIGN})}
        served = {
            kind: SERVED + [dict(row, projectId=PROJECT) for row in rows]
            for kind, rows in (("flags", flags), ("experiments", experiments))
        }
        self.emulator.reset(dict(keys=keys, deployments=FOREIGN, **served), **switches)
        self.before = self.emulator.deployments()
        self.served = self.emulator.flags(), self.emulator.experiments()

    def check_that_it_was_cleaned_up(self, output, left=0):
        """Return what the run has made; it is archived, and nothing else was touched.

        :param left: how many of them may still be served.
        """
        rows = self.emulator.deployments()
        assert rows[: len(FOREIGN)] == self.before
        own = rows[len(FOREIGN) :]
        prefix = re.search("ansible-live-[0-9a-f]{8}-", output)[0]
        assert all(row["projectId"] == PROJECT and row["label"].startswith(prefix) for row in own)
        assert [row["label"] for row in own if not row["deleted"]] == []
        edited = [request["path"] for request in self.emulator.requests() if request["method"] == "PATCH"]
        assert {path.rpartition("/")[2] for path in edited} == {row["id"] for row in own}
        still = [row for rows in (self.emulator.flags(), self.emulator.experiments()) for row in rows]
        assert sum(before != now for before, now in zip(sum(self.served, []), still)) == left
        shown = output + (self.record.read_text(encoding="utf-8") if self.record.exists() else "")
        assert not [key for key in [self.management_key] + [row["key"] for row in rows] if key in shown]
        return own

    def told(self):
        """The facts of the table that was written, which can be handed on as it is."""
        text = self.record.read_text(encoding="utf-8")
        assert text.startswith(".. list-table::\n  :header-rows: 1\n  :widths:")
        assert max(map(len, text.splitlines())) <= 120
        told = {}
        for row in text.split("\n  * - ")[2:]:
            fact, observed, date = (" ".join(cell.split()) for cell in row.split("\n    - "))
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", date)
            told[fact.rstrip(".")] = observed[0].lower() + observed[1:]
        words = "\n".join(told.values())
        secrets = {row[name] for row in self.emulator.deployments() for name in ("id", "label", "projectId")}
        for secret in secrets | {FLAG, EXPERIMENT}:
            assert not re.search(rf"(?<![\w/-]){secret}(?![\w/-])", words), secret
        return told
