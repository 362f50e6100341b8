# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of situations in which amplitude_deployment can find a project, and what it must make of each."""

from __future__ import annotations

import pathlib
import typing as t

import yaml

TABLE = pathlib.Path(__file__).parents[1] / "integration/targets/amplitude_deployment/vars/main.yml"


def told(action: str, label: str, **fields: t.Any) -> dict[str, t.Any]:
    """An element of the return value ``changes``, with the fields that are None."""
    empty = dict.fromkeys(["project_id", "id", "previous_label", "type", "flag", "experiment"])
    return dict(empty, action=action, label=label, **fields)


class Situation(t.NamedTuple):
    """One row of the table; the comment at its top says what the fields mean."""

    name: str
    project: str
    found: list[dict[str, t.Any]]
    ask: dict[str, t.Any]
    changes: list[dict[str, t.Any]] | None = None
    deployment: dict[str, t.Any] | None = None
    rerun_deployment: dict[str, t.Any] | None = None
    error: str | None = None
    warning: str | None = None
    refused_where_archived_labels_count: bool = False

    def rows(self) -> list[dict[str, t.Any]]:
        """The deployments that exist before, as a seed of the emulator."""
        return [
            dict(
                id=row["id"],
                projectId=row.get("project", self.project),
                label=row["label"],
                type=row["type"],
                deleted=row.get("deleted", False),
            )
            for row in self.found
        ]

    def expected_changes(self) -> list[dict[str, t.Any]]:
        """The return value ``changes``, with the fields that the table leaves out."""
        return [told(project_id=self.project, **change) for change in self.changes or []]


def _load() -> list[Situation]:
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["amplitude_deployment_situations"]
    situations = []
    for entry in table:
        entry.setdefault("rerun_deployment", entry.get("deployment"))
        situations.append(Situation(**entry))
    return situations


SITUATIONS = _load()


def seed(situations: t.Iterable[Situation] = tuple(SITUATIONS)) -> dict[str, t.Any]:
    """A seed of the emulator in which all these situations exist, each in its own project.

    Documented: every project has a default deployment.
    """
    rows = [row for situation in situations for row in situation.rows()]
    projects = {row["projectId"] for row in rows} | {situation.project for situation in situations}
    rows += [dict(id=int(each + "0"), projectId=each, label="default-" + each, type=None) for each in sorted(projects)]
    return dict(keys={"management-key": sorted(projects)}, deployments=rows)
