# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules return of made-up accounts, and the pages that are made of it."""

from __future__ import annotations

import typing as t

from ansible_collections.community.amplitude.plugins.module_utils._plan.drift import Row, other_projects, summary_of
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.plugin_utils._pages import About, audit_page, plan_page

ABOUT = About("https://experiment.amplitude.com", "/srv/amplitude/deployments.yml", "2026-07-01 02:00 UTC")

#: So many rows a page is tested with.
MANY = 50_000

#: For each kind of drift: the details, as the module has them.
DRIFT = {
    "missing": "it does not exist",
    "archived": "it is archived instead of active",
    "renamed": "it has the label 'storefront-old'",
    "type": "it is a server deployment, and the API cannot change that; create another one and move its flags there",
    "duplicate": "2 active deployments have this label (IDs 5296, 5297); set id to say which one is meant",
    "conflict": "no unarchived flag of the project has the key 'fast-serach'; correct flags, or create it",
    "active": "it is active instead of absent",
    "replaced": "'checkout-api-superseded-4711' (ID 4711), which it replaces, is not archived and serves the flag 'beta'",
    "unassigned": "it does not serve the flags 'fast-search', 'new-checkout' and the experiment 'price-test'",
    "assigned": "it serves the experiment 'summer-sale' in addition to what is listed",
    "unlisted": "it is active, but not listed",
}


def row(number: int, drift: str | None = None, project_id: str = "101", **fields: t.Any) -> Row:
    """A row of an audit; what is missing has no ID, as in the module."""
    there = drift not in ("missing", "duplicate")
    given = dict(
        project_id=project_id,
        label=f"app-{number:05d}",
        id=str(5000 + number) if there else None,
        type=("client", "server")[number % 2],
        deleted=drift == "archived" if there else None,
        listed=drift != "unlisted",
        default=False,
        drift=drift,
        detail=DRIFT[drift] if drift else None,
        changes=[],
        unused=False if there else None,
    )
    given.update(fields)
    return Row(**given)


def found(rows: t.Sequence[Row], others: t.Sequence[t.Any] = ()) -> dict[str, t.Any]:
    """What the module returns."""
    return dict(
        deployments=[each._asdict() for each in rows],
        summary=summary_of(rows, {each.project_id for each in rows}),
        other_projects=other_projects(Observed(others), ()),
    )


def every_kind() -> list[Row]:
    """68 rows of four projects, with each kind of drift once, and the first two twice."""
    projects = ["101", "102", "103", "104"]
    kinds = ["missing", "archived", *DRIFT] + [None] * 55
    rows = [row(number, kind, projects[number % 4]) for number, kind in enumerate(kinds)]
    rows[-1] = rows[-1]._replace(unused=True)
    rows[-2] = rows[-2]._replace(label="default", type=None, default=True, unused=None)
    return rows


def audit(rows: t.Sequence[Row], about: About = ABOUT, **other: t.Any) -> str:
    return audit_page(dict(found(rows), **other), about)


def change(action: str, label: str, project_id: str = "101", **fields: t.Any) -> dict[str, t.Any]:
    """A change as the modules return it."""
    given = dict.fromkeys(("id", "previous_label", "type", "flag", "experiment"))
    return dict(action=action, project_id=project_id, label=label, **{**given, **fields})


#: Each action once.
CHANGES = (
    change("create", "checkout-api", type="server"),
    change("rename", "storefront", id="4711", previous_label="web-shop"),
    change("restore", "loyalty-app", "102", id="4712"),
    change("assign", "checkout-api", flag="fast-search"),
    change("assign", "loyalty-app", "102", id="4712", experiment="price-test"),
    change("unassign", "old-app", "102", id="4713", flag="double-points"),
    change("archive", "old-app", "102", id="4713"),
)
PROBLEM = dict(
    item=3,
    project_id="103",
    label="billing",
    id=None,
    problem="2 active deployments have the label 'billing' (IDs 4720, 4721)",
    advice="set id to say which one is meant",
)


def plan(
    changes: t.Sequence[t.Mapping[str, t.Any]] = CHANGES, problems: t.Sequence[t.Any] = (), about: About = ABOUT
) -> str:
    """The page of a plan of four projects."""
    projects = [
        dict(
            project_id=project_id,
            changes=[each for each in changes if each["project_id"] == project_id],
            problems=[each for each in problems if each["project_id"] == project_id],
        )
        for project_id in ("101", "102", "103", "104")
    ]
    options = dict(purge=True, purge_limit=10, restore_archived=True, force=False)
    counts = [dict(unchanged=17)] * len(projects)
    return plan_page(dict(format=1, base_url=about.base_url, options=options, projects=projects), counts, about)
