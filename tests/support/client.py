# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of the client for each verb, and what every failure of a call must look like."""

from __future__ import annotations

import contextlib
import re
import time
import typing as t

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment, Deployments
from ansible_collections.community.amplitude.plugins.module_utils._api.limits import Limits
from ansible_collections.community.amplitude.plugins.module_utils._api.retry import Patience
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._errors import RequestFailed
from ansible_collections.community.amplitude.tests.support.servers import http

#: An error is one sentence: what was attempted, what stood in the way, and what to do next.
SENTENCE = re.compile(r"Could not [^\n]+: [^\n]+; [^\n]*[^.\n]\.")

KEY = "management-key"
PATH = "/api/1/deployments"
CALLS: dict[str, t.Callable[[Client], t.Any]] = {
    "GET": lambda client: client.get_json(PATH, "list the deployments", {"limit": 1000}),
    "POST": lambda client: client.post_json(PATH, "create it", dict(projectId="1", label="web", type="client")),
    "PATCH": lambda client: client.patch_ok(PATH + "/7", "archive it", {"archive": True}),
}


class Clock:
    """A clock on which sleeping takes no time, but is seen to have taken it."""

    def __init__(self, real: t.Callable[[], float] = lambda: 0.0) -> None:
        self.sleeps: list[float] = []
        self._real = real

    def __call__(self) -> float:
        return self._real() + sum(self.sleeps)

    @property
    def waits(self) -> Waits:
        """Waits that go by this clock."""
        return Waits(now=self, sleep=self.sleeps.append)


def failure(call: t.Callable[[Client], t.Any], client: Client, kind: type[RequestFailed] = RequestFailed) -> t.Any:
    """The failure of a call, which is of this kind; its text is one sentence without the management API key."""
    with pytest.raises(kind) as caught:
        call(client)
    assert caught.value.__class__ is kind or kind is RequestFailed
    message = str(caught.value)
    assert SENTENCE.fullmatch(message)
    assert KEY not in message
    return caught.value


def seed(count: int = 1) -> dict[str, t.Any]:
    """An account with deployments."""
    rows = [dict(id=7 + number, projectId=1, label=f"web-{number}", type="server") for number in range(count)]
    return dict(keys={KEY: [1]}, deployments=rows)


def usual(request: bytes) -> bytes:
    """What the API answers: OK to an edit, JSON to everything else."""
    return http("200 OK", "OK" if request.startswith(b"PATCH") else "{}")


@contextlib.contextmanager
def impatient(url: str, timeout: float = 60.0, limits: Limits = Limits()) -> t.Iterator[Client]:
    """A client that never retries."""
    with Client(url, KEY, timeout=timeout, retry_timeout=0, limits=limits) as client:
        yield client


def hand_in(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
    """Let clients that are made without Limits, as by the main() of a module, have others than the usual ones."""
    monkeypatch.setitem(t.cast("dict[str, t.Any]", Client.__init__.__kwdefaults__), "limits", limits)


def sleepless(client: Client, budget: float = 1000.0) -> list[float]:
    """Give a client patience that passes no time; the answer is the list in which the seconds will be."""
    clock = Clock(time.monotonic)
    client.patience = Patience(budget, waits=clock.waits)
    return clock.sleeps


def list_of(client: Client) -> list[Deployment]:
    return Deployments(client).list()


def create(client: Client) -> str:
    return Deployments(client).create("1", "web", "client")
