# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What is not archived without ``force``: all that the option switches off."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment
from .._errors import DefaultDeployment, Guarded, RequestFailed
from .wanted import Rules

if t.TYPE_CHECKING:
    from .._api.flags import Usage
    from .single import Plan


def check_default(doing: str, deployment: Deployment, rules: Rules) -> None:
    """Refuse to archive what is, or may be, the default deployment of its project.

    Documented: keys of other deployments begin with ``client-`` or ``server-``.

    :raises DefaultDeployment: naming it.
    """
    if deployment.is_default and not rules.force:
        raise DefaultDeployment(
            doing,
            f"deployment {deployment.label!r} (id {deployment.id}) has no key with the prefix client- or server-, so it "
            "counts as the default deployment of the project, on which Web Experiments and Guides depend",
            "keep it, or set force to true if you are sure that nothing uses it: whatever does will stop working",
            passing=deployment.key is None,
        )


def to_check(plans: t.Mapping[int, Plan], rules: Rules) -> dict[str, dict[int, Plan]]:
    """The projects whose flags and experiments have to be known, and the plans by their places that archive there."""
    found: dict[str, dict[int, Plan]] = {}
    for place, decision in plans.items():
        # What is retired was removed from all that it served just before.
        if decision.archives and not rules.force and not decision.wanted.is_replaced:
            found.setdefault(t.cast(Deployment, decision.before).project_id, {})[place] = decision
    return found


def usage_unknown(failure: RequestFailed) -> Guarded:
    """The refusal to archive while it is unknown what still uses it.

    :param failure: which becomes its cause.
    """
    refused = Guarded(
        "find out whether flags or experiments still use what is to be archived",
        f"{failure.doing}: {failure.problem}",
        "make sure that the management API key can list them, or set force to true if you are sure that nothing uses "
        "it: whatever does will no longer get variants",
    )
    refused.__cause__ = failure
    return refused


def refuse_used(plans: t.Mapping[int, Plan], usage: Usage) -> dict[int, Guarded]:
    """Why some of these plans, by their places, are refused: flags or experiments still use what they archive.

    Those that are archived themselves do not count.
    """
    refusals = {}
    for place, decision in plans.items():
        users = usage.of(t.cast(Deployment, decision.before).id or "") if decision.archives else []
        if users:
            before = t.cast(Deployment, decision.before)
            text = f"the deployment {before.label!r} (id {before.id}) is used by {', '.join(map(str, users))}"
            archived = usage.of(before.id or "", archived=True)
            if archived:
                text += f" (and by {', '.join(map(str, archived))}, archived)"
            refusals[place] = Guarded(
                "archive what is not wanted",
                text,
                "remove it there in Amplitude, or set force to true if it is fine that its users no longer get "
                "variants",
            )
    return refusals
