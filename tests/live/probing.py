# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the API itself, with deployments of the run."""

from __future__ import annotations

import json
import time
import typing as t
from urllib.parse import quote

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import (
    Deployment,
    Deployments,
    identifier_from,
    type_of_key,
)
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._errors import ApiError
from ansible_collections.community.amplitude.tests.live import words
from ansible_collections.community.amplitude.tests.live.ours import Stopped
from ansible_collections.community.amplitude.tests.live.service import Service, end_unless_refused

PATH = "/api/1/deployments"
DOCUMENTED_FIELDS = ("id", "projectId", "label", "key", "deleted")
#: The labels that the deployments have in the end that the parts of the playbook make, one after the other.
PROBE = "n-probe"
LAST_LABELS = ("a-one", "x-many", PROBE, "s-serve")

BODY, QUERY = "the body", "the query"
ONE_PAGE = "not observable: one page holds the whole list"


class Probing:
    """Probes of the list of deployments, and of what is written to it; each puts down facts.

    :param service: where, and what was observed.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.ours = service.ours
        self.facts = service.facts

    def fields(self) -> str:
        """Create and rename a deployment with one label in the body and another one in the query.

        The API's page calls the fields query parameters, and shows a JSON body.

        :return: the id of the deployment, which is archived then.
        :raises Stopped: they are read from the query, so that nothing else can be done through the collection.
        """
        create, edit = "Where the fields of a POST are read", "Where the fields of a PATCH are read"
        self.facts[create], identifier = self._probe_fields_of_post()
        self.facts[edit] = self._probe_fields_of_patch(identifier)
        wrong = [fact for fact in (create, edit) if self.facts[fact] == QUERY]
        if self.facts[edit] == QUERY:
            self.service.probe.also_in_query = True
        Deployments(self.service.probe).edit(self._own(identifier), archive=True)
        if wrong:
            raise Stopped(
                "The collection sends fields in the body, and the API reads them from the query: see the table."
            )
        return identifier

    def _probe_fields_of_post(self) -> tuple[str, str]:
        """Create a deployment; which of two labels it has, and its id."""
        labels = {self.ours.prefix + "b-body": BODY, self.ours.prefix + "q-query": QUERY}
        body, query = (dict(projectId=self.ours.project_id, label=label, type="client") for label in labels)
        doing = "create a deployment with fields in the body and in the query"
        try:
            answer = self.service.probe.post_json(PATH, doing, body, query)
        except ApiError as error:
            end_unless_refused(error)
            told = f"not observable: fields in the body and in the query are refused: {self.service.probe.refusal}"
            return told, Deployments(self.service.probe).create(self.ours.project_id, body["label"], "client")
        identifier = identifier_from(answer.get("id")) if isinstance(answer, dict) else None
        if identifier is None:
            raise Stopped("The answer to a POST has no ID.")
        dummy, row = self.service.lag(lambda rows: rows.get(identifier))
        return labels.get(row.label, "it has neither label") if row else "no list shows it", identifier

    def _probe_fields_of_patch(self, identifier: str) -> str:
        """Rename a deployment; which of two labels it gets."""
        labels = {self.ours.prefix + "b-body-2": BODY, self.ours.prefix + "q-query-2": QUERY}
        body, query = (dict(label=label) for label in labels)
        doing = "rename a deployment with fields in the body and in the query"
        try:
            self.service.probe.patch_ok(f"{PATH}/{quote(identifier, safe='')}", doing, body, query)
        except ApiError as error:
            end_unless_refused(error)
            return f"not observable: fields in the body and in the query are refused: {self.service.probe.refusal}"
        dummy, where = self.service.lag(lambda rows: identifier in rows and labels.get(rows[identifier].label))
        return where or "neither label was seen in the list"

    def _own(self, identifier: str, label: str = "", deleted: bool = False) -> Deployment:
        """A deployment of this run, as far as it has to be known to be edited."""
        return Deployment(identifier, self.ours.project_id, self.ours.prefix + label, None, "client", deleted)

    def deployments(self) -> tuple[str, bool]:
        """Create, archive, restore and rename.

        :return: the id of a deployment that is archived then, and whether an archived deployment keeps its label from
            being used again.
        """
        deployments, project = Deployments(self.service.probe), self.ours.project_id
        label = self.ours.prefix + "m-probe"
        identifier = deployments.create(project, label, "client")
        self.facts["Time until a list shows a new deployment"], row = self.service.lag(
            lambda rows: rows.get(identifier)
        )
        known = type_of_key(row.key) if row else None
        self.facts["Whether the key of a new client deployment begins with ``client-``"] = (
            "yes" if known == "client" else "no"
        )
        taken = "POST with the label of an {0} deployment of the project"
        self.facts[taken.format("active")], dummy = self._probe_duplicate(label, identifier)
        row = Deployment(identifier, project, label, None, "client", False)
        deployments.edit(row, archive=True)
        self.facts["Time until a list shows that a deployment was archived"], dummy = self.service.lag(
            lambda rows: identifier in rows and rows[identifier].deleted
        )
        self.facts[taken.format("archived")], archived_count = self._probe_duplicate(label, identifier)
        row = row._replace(deleted=True)
        for deleted in (False, True):
            fact = f"PATCH with ``label`` and ``archive: {str(deleted).lower()}``"
            wanted = row._replace(label=self.ours.prefix + (PROBE if deleted else "o-probe"), deleted=deleted)
            self.facts[fact], row = self._probe_both(row, wanted)
        if row != wanted:
            raise Stopped(
                "A deployment could not be renamed and archived at once, as the table tells, which is assumed."
            )
        return identifier, archived_count

    def _probe_duplicate(self, label: str, first: str) -> tuple[str, bool]:
        """Create a second deployment with a label; what came of it, and whether that was refused."""
        try:
            second = Deployments(self.service.probe).create(self.ours.project_id, label, "client")
        except ApiError as error:
            end_unless_refused(error)
            return f"refused: {self.service.probe.refusal}", True
        if second == first:
            return "no second one: it answers with the ID of the first", True
        Deployments(self.service.probe).edit(
            Deployment(second, self.ours.project_id, label, None, "client", False), archive=True
        )
        return "creates a second one", False

    def _probe_both(self, before: Deployment, wanted: Deployment) -> tuple[str, Deployment]:
        """Rename, and archive or restore at once; what came of it, and the deployment as it is then."""
        try:
            Deployments(self.service.probe).edit(before, label=wanted.label, archive=wanted.deleted)
        except ApiError as error:
            end_unless_refused(error)
            return f"refused: {self.service.probe.refusal}", before
        ends, row = time.monotonic() + Waits().edit_shows, before
        while (row.label, row.deleted) != (wanted.label, wanted.deleted) and time.monotonic() < ends:
            time.sleep(0.2)
            row = {each.id: each for each in self.service.list_and_check()}.get(t.cast(str, before.id), row)
        label, archive = row.label == wanted.label, row.deleted == wanted.deleted
        told = {(True, True): "both are carried out", (True, False): "only ``label`` is carried out"}
        told.update({(False, True): "only ``archive`` is carried out", (False, False): "neither was seen in the list"})
        return told[label, archive], row

    def errors(self) -> None:
        """Send what should be refused."""
        for fact, label, kind in (
            ("Answer to a label with a space in it", "not allowed", "client"),
            ("Answer to a ``type`` that does not exist", "no-type", "neither"),
        ):
            try:
                identifier = Deployments(self.service.probe).create(
                    self.ours.project_id, self.ours.prefix + label, kind
                )
            except ApiError as error:
                if error.status < 500:
                    end_unless_refused(error)
                self.facts[fact] = self.service.probe.refusal
            else:
                self.facts[fact] = "it is accepted"
                row = Deployment(identifier, self.ours.project_id, self.ours.prefix + label, None, None, False)
                Deployments(self.service.probe).edit(row, archive=True)

    def look(self) -> None:
        """Observe what a list shows after all that."""
        rows = self.service.list_and_check()
        pages = list(self.service.probe.documents)
        own, keys = self.ours.found(rows), [row.key for row in rows]
        if any(keys.count(row.key) > 1 for row in own):
            raise Stopped("A deployment of this run has a key that another one has too.")
        for label in LAST_LABELS:
            self.ours.claim(*(row.id for row in own if row.label == self.ours.prefix + label), in_turn=True)
        all_rows = [row for page in pages for row in page["deployments"]]
        newest = [answer["id"] for answer in self.service.probe.created]
        self.facts["IDs of deployments in a list"] = words.kinds(row["id"] for row in all_rows)
        self.facts["IDs of projects in a list"] = words.kinds(row["projectId"] for row in all_rows)
        self.facts["ID in the answer to a POST"] = words.kinds(newest)
        self.facts["Whether IDs count up"] = self._counting()
        self.facts["Order of the list"] = self._order(rows)
        whole = [page for page in pages if page["deployments"]]
        self.facts["Rows of a page with ``limit=1000``"] = (
            str(len(whole[0]["deployments"])) if len(whole) > 1 else ONE_PAGE
        )
        short = self.service.probe.get_json(PATH, "list the deployments without a limit")["deployments"]
        self.facts["Rows of a page without ``limit``"] = str(len(short)) if len(short) < len(rows) else ONE_PAGE
        self.facts["``nextCursor`` of a page that is not the last"] = words.kinds(
            page["nextCursor"] for page in pages if page.get("nextCursor")
        )
        self.facts["``nextCursor`` of the last page"] = words.ending(pages)
        active = {
            json.dumps(row["deleted"]) if "deleted" in row else "no" for row in all_rows if not row.get("deleted")
        }
        self.facts["Whether active deployments have ``deleted: false``"] = (
            "yes"
            if active <= {"false"}
            else "no: some have " + " or ".join(f"{each} ``deleted``" for each in sorted(active - {"false"}))
        )
        self.facts["Further fields of a row"] = words.fields(all_rows, DOCUMENTED_FIELDS)
        self.facts["Further fields of a list"] = words.fields(pages, ("deployments", "nextCursor"))
        self.facts["Further fields of the answer to a POST"] = words.fields(self.service.probe.created, ("id",))
        self.facts["``Retry-After`` of a 429"] = (
            "; ".join(sorted(self.service.probe.retry_after)) or "not observed: what was probed met no 429"
        )

    def _counting(self) -> str:
        if not all(each.isdigit() for each in self.ours.in_turn):
            return "no: they are not numbers"
        made = [int(each) for each in self.ours.in_turn]
        if made != sorted(made):
            return "no"
        highest = max([int(each) for each in self.ours.before if each.isdigit()], default=0)
        above = "all" if made[0] > highest else "not all"
        return f"yes: {len(made)} made one after the other, {above} above those of older deployments"

    def _order(self, rows: t.Sequence[Deployment]) -> str:
        """The orders that the list is in."""
        ages = [self.ours.in_turn.index(row.id) for row in rows if row.id in self.ours.in_turn]
        ids = [int(row.id) for row in rows if row.id.isdigit()]
        labels = [row.label for row in rows]
        orders = {
            "oldest first": len(ages) > 1 and ages == sorted(ages),
            "newest first": len(ages) > 1 and ages == sorted(ages, reverse=True),
            "by ascending ID": len(ids) == len(rows) and ids == sorted(ids),
            "by descending ID": len(ids) == len(rows) and ids == sorted(ids, reverse=True),
            "by label": labels == sorted(labels) or labels == sorted(labels, key=str.lower),
        }
        return " and ".join(name for name, fits in orders.items() if fits) or "none by age, ID or label"
