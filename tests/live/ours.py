# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has made, and the client that writes to nothing else."""

from __future__ import annotations

import secrets
import typing as t
from urllib.parse import unquote

from ansible_collections.community.amplitude.plugins.module_utils._api import client as api_client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import (
    Deployment,
    Deployments,
    identifier_from,
)
from ansible_collections.community.amplitude.plugins.module_utils._errors import ApiError
from ansible_collections.community.amplitude.tests.live import words


class Stopped(Exception):
    """The run cannot go on; the text is for the person who started it."""


class Ours:
    """What this run has made. All that this program writes is allowed here first.

    :param project_id: the project of the run.
    """

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id
        self.prefix = f"ansible-live-{secrets.token_hex(4)}-"
        #: The deployments that were there before, by id.
        self.before: dict[str, Deployment] = {}
        #: The ids of those made since.
        self.made: list[str] = []
        #: Those of them that were made one after the other, in this order.
        self.in_turn: list[str] = []

    def claim(self, *identifiers: str, in_turn: bool = False) -> None:
        """Remember what this run has made."""
        new = [each for each in identifiers if each not in self.before]
        self.made += [each for each in new if each not in self.made]
        if in_turn:
            self.in_turn += [each for each in new if each not in self.in_turn]

    def found(self, rows: t.Iterable[Deployment]) -> list[Deployment]:
        """Those of the deployments in a list that this run has made; they are remembered."""
        rows = [row for row in rows if row.project_id == self.project_id and row.label.startswith(self.prefix)]
        self.claim(*(row.id for row in rows))
        return [row for row in rows if row.id in self.made]

    def allow(self, body: t.Mapping[str, t.Any], identifier: str | None = None) -> None:
        """Let a POST or PATCH pass.

        :raises Stopped: it would touch what this run has not made, or make what could not be told from that.
        """
        if not body.get("label", self.prefix).startswith(self.prefix):
            raise Stopped("A label without the prefix of this run was about to be written: this is a bug.")
        if identifier is None and body["projectId"] != self.project_id:
            raise Stopped("A deployment was about to be created in another project: this is a bug.")
        if identifier is not None and identifier not in self.made:
            raise Stopped("A deployment that this run has not made was about to be changed: this is a bug.")


class Probe(api_client.Client):
    """The client of the collection. It also keeps the form of the answers, and writes what :class:`Ours` allows."""

    def __init__(self, ours: Ours, **options: t.Any) -> None:
        super().__init__(**options)
        self.ours = ours
        self.documents: list[dict[str, t.Any]] = []
        self.created: list[dict[str, t.Any]] = []
        self.refusal = ""
        self.retry_after: set[str] = set()

    def get_json(
        self,
        path: str,
        doing: str,
        params: t.Mapping[str, t.Any] | None = None,
        keep: frozenset[str] | None = None,
    ) -> t.Any:
        document = super().get_json(path, doing, params, keep)
        self.documents.append(document)
        return document

    def post_json(self, path: str, doing: str, body: t.Mapping[str, t.Any]) -> t.Any:
        self.ours.allow(body)
        answer = super().post_json(path, doing, body)
        identifier = identifier_from(answer.get("id")) if isinstance(answer, dict) else None
        if identifier is not None:
            self.created.append(answer)
            self.ours.claim(identifier, in_turn=True)
        return answer

    def patch_ok(self, path: str, doing: str, body: t.Mapping[str, t.Any]) -> None:
        self.ours.allow(body, unquote(path.rpartition("/")[2]))
        super().patch_ok(path, doing, body)

    def list(self) -> list[Deployment]:
        """All deployments; ``documents`` has the pages as they came."""
        self.documents.clear()
        return Deployments(self).list()

    def _refusal(self, doing: str, response: t.Any, answer: bytes) -> ApiError:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self.refusal = f"{response.status_code}, {words.shape(answer)}{words.sent_as(kind)}"
        if response.status_code == 429:
            self.retry_after.add(words.form_of_retry_after(response.headers.get("Retry-After")))
        return super()._refusal(doing, response, answer)
