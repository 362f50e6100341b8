# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of the client for each verb, and what every failure of a call must look like."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._errors import RequestFailed

#: An error is one sentence: what was attempted, what stood in the way, and what to do next.
SENTENCE = re.compile(r"Could not [^\n]+: [^\n]+; [^\n]*[^.\n]\.")

KEY = "management-key"
PATH = "/api/1/deployments"
CALLS: dict[str, t.Callable[[Client], t.Any]] = {
    "GET": lambda client: client.get(PATH, "list the deployments", {"limit": 1000}),
    "POST": lambda client: client.post(PATH, "create it", dict(projectId="1", label="web", type="client")),
    "PATCH": lambda client: client.patch(PATH + "/7", "archive it", {"archive": True}),
}


class Clock:
    """A clock on which sleeping takes no time, but is seen to have taken it."""

    def __init__(self, real: t.Callable[[], float] = lambda: 0.0) -> None:
        self.sleeps: list[float] = []
        self._real = real

    def __call__(self) -> float:
        return self._real() + sum(self.sleeps)


def failure(call: t.Callable[[Client], t.Any], client: Client, kind: type[RequestFailed] = RequestFailed) -> t.Any:
    """The failure of a call, which is of this kind; its text is one sentence without the management API key."""
    with pytest.raises(kind) as caught:
        call(client)
    assert caught.value.__class__ is kind or kind is RequestFailed
    message = str(caught.value)
    assert SENTENCE.fullmatch(message)
    assert KEY not in message
    return caught.value
