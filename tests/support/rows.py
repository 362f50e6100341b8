# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short words for what the list shows and for what is wanted, for tables of situations."""

from __future__ import annotations

import typing as t

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Flag
from ansible_collections.community.amplitude.plugins.module_utils._errors import refusal
from ansible_collections.community.amplitude.plugins.module_utils._plan.invalid import find_invalid
from ansible_collections.community.amplitude.plugins.module_utils._plan.many import Places, plan_all
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed, Plan
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import (
    Purge,
    Rules,
    Wanted,
)


def row(
    identifier: str, label: str, type: str | None = "client", deleted: bool = False, project_id: str = "1"
) -> Deployment:
    """A deployment as the list shows it."""
    return Deployment(identifier, project_id, label, "key", type, deleted)


def flag(identifier: str, key: str, *deployments: str, kind: str = "flag", **more: t.Any) -> Flag:
    """A flag or an experiment as the list shows it: enabled and active, unless something else is said."""
    usual = dict(project_id="1", name=None, enabled=True, archived=False)
    return Flag(kind=kind, id=identifier, key=key, deployments=deployments, **dict(usual, **more))


def want(label: str | None = None, project_id: str = "1", **options: t.Any) -> Wanted:
    """What is wanted of one deployment, in project 1 unless something else is said."""
    return Wanted(project_id, label, **options)


def reading(flags: t.Iterable[Flag] = ()) -> t.Callable[[str, str], list[Flag]]:
    """What tells these flags and experiments by project and kind."""
    flags = list(flags)
    return lambda project_id, kind: [each for each in flags if (each.project_id, each.kind) == (project_id, kind)]


def plans_of(wanted: t.Sequence[Wanted], observed: Observed, rules: Rules, purge: Purge | None = None) -> list[Plan]:
    """The plans for a list of which nothing is refused, else the error that says what is."""
    decided = plan_all(Places(wanted), observed, rules, purge)
    if decided.problems:
        raise refusal(decided.problems)
    return list(decided.plans.values())


def written(plans: t.Iterable[Plan]) -> list[tuple[int, str, str]]:
    """The changes in the order of the waves: (wave, action, label)."""
    return sorted((each.wave, change.action, change.label) for each in plans for change in each.changes)


def validate_all(wanted: t.Sequence[Wanted]) -> None:
    """Raise what is wrong with the items of a list themselves, as one error."""
    problems = find_invalid(wanted).problems
    if problems:
        raise refusal(problems)
