# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the emulator talk to it with."""

from __future__ import annotations

import typing as t

import requests

from ansible_collections.community.amplitude.tests.emulator import Emulator

KEY = "management-key"
PATH = "/api/1/deployments"
SEED = {
    "keys": {KEY: ["1", "2"], "other-key": ["3"]},
    "deployments": [
        {"id": 7, "projectId": "1", "label": "web", "type": "client"},
        {"projectId": "1", "label": "api", "type": "server"},
        {"projectId": "2", "label": "default", "type": None},
        {"projectId": "2", "label": "old", "key": "server-fixed", "deleted": True},
        {"projectId": "3", "label": "foreign", "type": "client"},
    ],
}
VALID = {"projectId": "1", "label": "a", "type": "client"}


class Api:
    """A client that does nothing by itself."""

    def __init__(self, session: requests.Session, emulator: Emulator) -> None:
        self.session, self.emulator = session, emulator

    def call(self, method: str, path: str = PATH, key: str | None = KEY, **options: t.Any) -> requests.Response:
        headers = {**({"Authorization": "Bearer " + key} if key else {}), **options.pop("headers", {})}
        options = {"timeout": 60, "allow_redirects": False, **options}
        return self.session.request(method, self.emulator.url + path, headers=headers, **options)

    def create(self, label: str = "hello", project: t.Any = "1", type: t.Any = "client", **options: t.Any) -> t.Any:
        return self.call("POST", json={"projectId": project, "label": label, "type": type}, **options)

    def edit(self, id: t.Any, **body: t.Any) -> requests.Response:
        return self.call("PATCH", f"{PATH}/{id}", json=body)

    def pages(self, most: int = 50, **query: t.Any) -> list[dict[str, t.Any]]:
        pages: list[dict[str, t.Any]] = []
        while len(pages) < most:
            answer = self.call("GET", params=query)
            assert answer.status_code == 200, answer.text
            pages.append(answer.json())
            query["cursor"] = pages[-1].get("nextCursor")
            if query["cursor"] in (None, "", 0):
                break
        return pages

    def rows(self, **query: t.Any) -> list[dict[str, t.Any]]:
        return [row for page in self.pages(**query) for row in page["deployments"]]

    def labels(self, **query: t.Any) -> list[str]:
        return [row["label"] for row in self.rows(**query)]


def fill(emulator: Emulator, *labels: str, **switches: t.Any) -> None:
    rows = [{"projectId": "1", "label": label, "type": "client"} for label in labels]
    emulator.reset({"deployments": rows}, **switches)
