# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has made, and the client that writes to nothing else."""

from __future__ import annotations

import json
import secrets
import typing as t
from urllib.parse import quote, unquote

from ansible_collections.community.amplitude.plugins.module_utils._api import client as api_client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import (
    Deployment,
    Deployments,
    identifier_from,
)
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Flag
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
        #: The flags and experiments that are there for this test, as they were before: without deployments.
        self.flags: list[Flag] = []

    def claim(self, *identifiers: str, in_turn: bool = False) -> None:
        """Remember what this run has made."""
        new = [each for each in identifiers if each not in self.before]
        self.made += [each for each in new if each not in self.made]
        if in_turn:
            self.in_turn += [each for each in new if each not in self.in_turn]

    def found(self, rows: t.Iterable[Deployment]) -> list[Deployment]:
        """Those of the deployments in a list that this run has made; they are remembered."""
        rows = list(rows)
        ours = [row for row in rows if row.project_id == self.project_id and row.label.startswith(self.prefix)]
        self.claim(*(row.id for row in ours))
        # By their ids too: it is not known beforehand where the API reads a label, and what it makes of two.
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

    def allow_serving(self, path: str, deployment_ids: t.Collection[str]) -> None:
        """Let an assignment or a removal pass.

        :param path: that of the deployments of a flag or an experiment.
        :raises Stopped: it is to another flag or experiment, or of deployments that this run has not made.
        """
        if path not in map(path_of, self.flags):
            raise Stopped(
                "A flag or an experiment that is not there for this test was about to be changed: this is a bug."
            )
        if not deployment_ids or not set(deployment_ids) <= set(self.made):
            raise Stopped("A deployment that this run has not made was about to be assigned or removed: this is a bug.")

    def check_alone(self, flag: Flag) -> None:
        """Make sure that a flag or an experiment has no deployments but those of this run.

        :raises Stopped: it has.
        """
        if not set(flag.deployments) <= set(self.made):
            raise Stopped(
                f"Somebody else has assigned a deployment to the {flag.described} meanwhile. This test needs it for itself."
            )


def path_of(flag: Flag) -> str:
    """The path of the deployments of a flag or an experiment."""
    return f"/api/1/{flag.kind}s/{quote(flag.id, safe='')}/deployments"


class Probe(api_client.Client):
    """The client of the collection. It also keeps the form of the answers, and writes what :class:`Ours` allows."""

    def __init__(self, ours: Ours, **options: t.Any) -> None:
        super().__init__(**options)
        self.ours = ours
        self.documents: list[dict[str, t.Any]] = []
        self.created: list[dict[str, t.Any]] = []
        #: Whether the fields of a PATCH are sent in the query, too.
        self.also_in_query = False
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

    def post_json(
        self, path: str, doing: str, body: t.Mapping[str, t.Any], query: t.Mapping[str, t.Any] | None = None
    ) -> t.Any:
        """POST a JSON document, and fields in the query, too, if they are given."""
        for fields in (body, query or body):
            self.ours.allow(fields)
        answer = self._json(self._request("POST", path, doing, params=query, body=body), doing)
        identifier = identifier_from(answer.get("id")) if isinstance(answer, dict) else None
        if identifier is not None:
            self.created.append(answer)
            self.ours.claim(identifier, in_turn=True)
        return answer

    def patch_ok(
        self, path: str, doing: str, body: t.Mapping[str, t.Any], query: t.Mapping[str, t.Any] | None = None
    ) -> None:
        """PATCH with a JSON document, and fields in the query, too, if they are given."""
        if query is None and self.also_in_query:
            query = {name: json.dumps(value) if isinstance(value, bool) else value for name, value in body.items()}
        for fields in (body, query or body):
            self.ours.allow(fields, unquote(path.rpartition("/")[2]))
        self._ok(self._request("PATCH", path, doing, params=query, body=body), doing)

    def post_ok(self, path: str, doing: str, body: t.Mapping[str, t.Any]) -> None:
        self.ours.allow_serving(path, body["deployments"])
        super().post_ok(path, doing, body)

    def delete_ok(self, path: str, doing: str) -> None:
        flag, dummy, deployment = path.rpartition("/")
        self.ours.allow_serving(flag, [unquote(deployment)])
        super().delete_ok(path, doing)

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
