# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""How much of what a service sends is read: a record, which is passed in."""

from __future__ import annotations

import typing as t

#: The largest page the API serves ("limit: capped at 1000"). The default size is not documented, so it is always sent.
PAGE_SIZE = 1000

#: As much of an answer as is looked at for its message.
LONGEST_MESSAGE = 4096


class CutOff(OSError):
    """An answer is shorter than it said it would be."""


class Limits(t.NamedTuple):
    """What keeps a client from reading for ever. The defaults fit the real service; tests pass in others.

    ``largest_answer``: bytes. A page of 1,000 deployments takes about 200 kB; one of flags with thousands of users each
    takes more than this, and is then read in smaller pieces.
    ``most_pages``: of the largest size. Ten million rows: a list that continues beyond this has no end.
    ``longest_cursor``: characters. A cursor becomes part of an address, which servers take only up to a few thousand.
    """

    largest_answer: int = 8 * 1024 * 1024
    most_pages: int = 10000
    longest_cursor: int = 4096
