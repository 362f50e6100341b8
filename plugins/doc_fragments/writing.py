# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # How far a module that writes may go.
    DOCUMENTATION = r"""
options:
  restore_archived:
    description:
      - Whether to restore an archived deployment with the desired label if no active one has it.
      - If V(false), a new deployment with a new key is created instead. Use this after a key has leaked, so that the
        leaked key does not come back. The task then fails if the ID of an archived deployment is set.
    type: bool
    default: true
  approved_changes:
    description:
      - The only changes that the task may make, as a run in check mode returned them in RV(changes). If anything else
        would be changed, the task fails before its first write, and in check mode too. What the task decides anew while
        it runs must be approved as well.
      - If this option is not set, no approval is needed. If it is an empty list, nothing may be changed. It must not be
        blank.
      - Each entry approves one change. C(action), C(project_id), C(id), C(label), C(previous_label), C(type), C(flag) and
        C(experiment) are compared. A field that is missing counts as V(none).
      - Some of the changes may have been made already, so an interrupted task can be run again with the same approval. A
        warning tells which entries were not needed.
      - A task that loses a race needs no approval to take back its own deployment.
    type: list
    elements: dict
  force:
    description:
      - Whether the task may do what is likely to do harm.
      - Without it, the task archives neither the default deployment of a project, on which Web Experiments and Guides
        depend, nor a deployment that a flag or an experiment still uses, archived ones aside. If it cannot read what
        uses a deployment, it does not archive that one either.
      - Without it, no enabled flag or experiment is left without an active deployment at the end of the task.
    type: bool
    default: false
notes:
  - Check mode cannot tell whether the management API key may write to a project. If no deployment of the project is
    listed, not even its default one, a warning says so.
"""
