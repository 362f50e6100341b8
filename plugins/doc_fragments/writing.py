# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # How far a module that writes may go.
    DOCUMENTATION = r"""
options:
  restore_archived:
    description:
      - Whether an archived deployment with a wanted label is restored if no active one has it.
      - If V(false), a new deployment with a new key is created instead. Use this after a key has leaked, so that the
        leaked key does not come back. If the ID says that an archived one is meant, the task fails.
    type: bool
    default: true
  approved_changes:
    description:
      - The only changes that may be carried out, as RV(changes) was returned in check mode. If anything else would be
        changed, the task fails before the first write, in check mode too. What is decided again while the task runs is held
        to it as well.
      - If it is not set, nothing has to be approved. If it is an empty list, nothing may be changed. It must not be blank.
      - Each entry is approved once. Compared are C(action), C(project_id), C(id), C(label), C(previous_label), C(type),
        C(flag) and C(experiment). One that is missing counts as V(none).
      - Some of them may have been carried out already, so that an interrupted task can be run again with the same approval.
        What is not needed any more is told in a warning.
      - To take back its own deployment after a lost race, a task needs no approval.
    type: list
    elements: dict
  force:
    description:
      - Whether a deployment is archived although that probably does harm.
      - Without it the default deployment of a project is not archived, on which Web Experiments and Guides depend, nor
        is a deployment that a flag or an experiment still uses. Flags and experiments that are archived themselves do
        not count.
      - If it cannot be read which flags and experiments use a deployment, it is not archived either.
      - Nor is an enabled flag or experiment left without an active deployment.
    type: bool
    default: false
notes:
  - In check mode it is not known whether the management API key may write to a project. If no deployment of it is listed,
    not even its default one, a warning says so.
"""
