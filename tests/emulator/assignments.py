# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API's calls make of the deployments of a flag or an experiment; most of it is not documented."""

from __future__ import annotations

import typing as t

from .account import Account
from .errors import Refused
from .switches import Switches
from .usage import Flag


def assign(
    account: Account, kind: str, id: str, wanted: t.Iterable[str], switches: Switches
) -> tuple[bool, Refused | None]:
    """Carry out a POST with these ids of deployments; the flag or experiment is there.

    :return: whether that changed anything, and what is refused of it: all, unless the switches say otherwise.
    """
    flags = account.usage[kind]
    with flags.lock:
        flag = flags.expect(id)
        _check_not_archived(flag, switches)
        before = () if switches.assigning in ("replaces", "replaces_in_" + kind) else flag.deployments
        refusals = {each: _refusal(account, flag, before, each, switches) for each in wanted}
        accepted = tuple(each for each, refusal in refusals.items() if refusal is None)
        refused = next(filter(None, refusals.values()), None)
        if refused is not None and (switches.refused_assignment == "nothing" or not accepted):
            return False, refused
        added = tuple(each for each in accepted if each not in before)
        return flags.set_deployments(id, before + added, switches), refused


def remove(account: Account, kind: str, id: str, deployment_id: str, switches: Switches) -> bool:
    """Carry out a DELETE, and say whether that changed anything; the flag or experiment is there.

    :raises Refused: as the switches say.
    """
    flags = account.usage[kind]
    with flags.lock:
        flag = flags.expect(id)
        _check_not_archived(flag, switches)
        if deployment_id not in flag.deployments:
            if switches.removed_again_status != 200:
                message = f"{flag.key} does not have deployment {deployment_id}"
                raise Refused(switches.removed_again_status, message)
            return False
        rest = tuple(each for each in flag.deployments if each != deployment_id)
        if flag.enabled and not rest and switches.last_deployment_status != 200:
            message = f"deployment {deployment_id} is the last one of {flag.key}, which is enabled"
            raise Refused(switches.last_deployment_status, message)
        return flags.set_deployments(id, rest, switches)


def _check_not_archived(flag: Flag, switches: Switches) -> None:
    if flag.archived and switches.archived_flag_status != 200:
        raise Refused(switches.archived_flag_status, f"{flag.key} is archived")


def _refusal(account: Account, flag: Flag, before: t.Collection[str], id: str, switches: Switches) -> Refused | None:
    """Why a deployment cannot be assigned, or None."""
    deployment = account.deployment(id)
    if deployment is None:
        return Refused(switches.missing_deployment_status, f"deployment {id} does not exist")
    if deployment.project_id != flag.project_id:
        return Refused(400, f"deployment {id} is not one of project {flag.project_id}")
    if id in before:
        refused, problem = switches.assigned_again_status, "there already"
    else:
        refused, problem = switches.archived_deployment_status if deployment.deleted else 200, "archived"
    return None if refused == 200 else Refused(refused, f"deployment {id} is {problem}")
