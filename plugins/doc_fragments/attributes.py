# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/community.amplitude.amplitude) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - community.amplitude.amplitude
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff
      mode.
    support: full
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates
      no change, unless what the module manages was changed by somebody else in between.
    support: full
  platform:
    description: Target operating systems or families that can be operated against.
    support: full
    platforms: all that run Python and the library C(requests)
notes:
  - The module sends its requests from the host on which it runs. To run it on the controller, use C(delegate_to),
    C(connection), or a play for C(localhost).
"""

    # Used after the fragment above by modules that only read.
    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: This module changes nothing.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff
      mode.
    support: N/A
    details: This module changes nothing.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates
      no change, unless what the module manages was changed by somebody else in between.
    support: full
    details: This module changes nothing.
"""
