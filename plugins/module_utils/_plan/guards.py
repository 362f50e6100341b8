# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What is not archived without ``force``: all that the option switches off."""

from __future__ import annotations

import typing as t

from .._api.deployments import Deployment
from .._api.flags import Usage
from .._errors import DefaultDeployment, Refused, RequestFailed
from .wanted import Rules

if t.TYPE_CHECKING:
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
            "keep it, or set force to true to archive it all the same",
            passing=deployment.key is None,
        )


def projects_to_read(plans: t.Iterable[Plan], rules: Rules) -> set[str]:
    """The projects whose flags and experiments have to be known before these plans are carried out."""
    if rules.force:
        return set()
    return {t.cast(Deployment, each.before).project_id for each in plans if each.archives}


def usage_unknown(failure: RequestFailed) -> Refused:
    """The refusal to archive while nobody can tell what still uses it."""
    return Refused(
        "find out whether flags or experiments still use what is to be archived",
        f"{failure.doing}: {failure.problem}",
        "see to it that the management API key can list them, or set force to true to archive without asking",
    )


def check_usage(plans: t.Iterable[Plan], usage: Usage) -> None:
    """Refuse to archive what flags or experiments still use. Those that are archived themselves do not count.

    :raises Refused: naming the deployments and what uses them.
    """
    used = []
    for decision in plans:
        if decision.archives:
            before = t.cast(Deployment, decision.before)
            users = usage.of(t.cast(str, before.id))
            if users:
                text = "{0!r} (id {1}) is used by {2}".format(before.label, before.id, ", ".join(map(str, users)))
                archived = usage.of(t.cast(str, before.id), archived=True)
                if archived:
                    text += " (and by {0}, archived)".format(", ".join(map(str, archived)))
                used.append(text)
    if used:
        raise Refused(
            "archive what is not wanted",
            "the deployment {0}".format(", the deployment ".join(used)),
            "remove it there in Amplitude, or set force to true to archive it all the same",
        )
