# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

from __future__ import annotations

#: The version of the collection, as in galaxy.yml (a test compares them); sent in the User-Agent header.
VERSION = "0.1.0"
