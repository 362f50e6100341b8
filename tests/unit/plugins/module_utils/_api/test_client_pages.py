# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists in pages."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._api.limits import Limits
from ansible_collections.community.amplitude.plugins.module_utils._errors import UnexpectedAnswer
from ansible_collections.community.amplitude.tests.support.client import (
    KEY,
    PATH,
    SENTENCE,
    failure,
    hand_in,
    impatient,
    list_of,
    seed,
)
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.support.servers import RawServer, http
from ansible_collections.community.amplitude.tests.support.values import (
    LIST,
    NUMBERS,
    ROW,
    TEXTS,
    VALUES,
    answer_of,
    bounded,
)

pytestmark = pytest.mark.core

# Pages


@pytest.mark.parametrize("rows", [0, 1, 6, 7])
@pytest.mark.parametrize("cursor", ["offset", "opaque"])
@pytest.mark.parametrize("last_page", ["omit", "null", "empty_string", "empty_page", "empty_page_with_cursor"])
def test_pages_give_each_row_once(emulator, client, last_page, cursor, rows):
    emulator.reset(seed(rows), rate_limit=0, max_page_size=3, last_page=last_page, cursor=cursor)
    pages = list(client.pages(PATH, "deployments", "list the deployments"))
    assert [row["id"] for page in pages for row in page] == list(range(7, 7 + rows))
    queries = [request["query"] for request in emulator.requests()]
    assert {query["limit"] for query in queries} == {"1000"}
    assert "cursor" not in queries[0]
    assert len(queries) <= (rows + 2) // 3 + 1, "at most one request beyond the pages with rows"


def test_other_parameters_go_with_every_page(emulator, client):
    emulator.reset(seed(4), rate_limit=0, max_page_size=3)
    list(client.pages(PATH, "deployments", "list the deployments", {"projectId": "1"}))
    assert [request["query"]["projectId"] for request in emulator.requests()] == ["1", "1"]


@pytest.mark.parametrize("rows", [1, 3, 7])
@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_cursor_that_repeats_is_an_error(emulator, client, cursor, rows):
    emulator.reset(seed(rows), rate_limit=0, max_page_size=3, cursor=cursor, cursor_repeats=True)
    if cursor == "offset" and rows <= 3:
        assert len(list_of(client)) == rows, "the offset 0 leads nowhere but to the beginning"
    else:
        error = failure(list_of, client, UnexpectedAnswer)
        assert "a nextCursor that it had sent before, so the list would never end" in str(error)
    assert len(emulator.requests()) <= (rows + 2) // 3 + 1


@pytest.mark.parametrize("end", [0, False])
def test_number_or_word_that_ends_a_list(end):
    pages = iter([dict(deployments=[ROW], nextCursor=3), dict(deployments=[dict(ROW, id=2)], nextCursor=end)])
    with RawServer(lambda dummy: answer_of(next(pages))) as server, impatient(server.url) as client:
        assert [row.id for row in list_of(client)] == ["1", "2"]


def test_cursors_that_go_in_a_circle_are_an_error():
    circle = {b"cursor=a ": "b", b"cursor=b ": "c", b"cursor=c ": "a"}

    def answer(request):
        cursor = next((circle[mark] for mark in circle if mark in request.partition(b"HTTP")[0]), "a")
        return http("200 OK", json.dumps(dict(deployments=[{}], nextCursor=cursor)))

    with RawServer(answer) as server, impatient(server.url) as client:
        error = failure(lambda client: list(client.pages(PATH, "deployments", "list")), client, UnexpectedAnswer)
        assert "a nextCursor that it had sent before" in str(error)
        assert len(server.requests) == 4


@pytest.mark.parametrize("cursor", ["offset", "opaque"])
def test_list_without_an_end_is_an_error(emulator, cursor):
    emulator.reset(seed(), rate_limit=0, cursor=cursor, endless_pages=True)
    with impatient(emulator.url, limits=Limits(most_pages=5)) as client:
        error = failure(list_of, client, UnexpectedAnswer)
    assert "with yet another page after 5;" in str(error)
    assert len(emulator.requests()) == 5


def test_row_that_is_sent_twice_counts_once(emulator, client):
    old, new = (dict(id=7, projectId=1, label=label, key="k", deleted=False) for label in ("old", "new"))
    emulator.misbehave(action="body", body=dict(deployments=[old], nextCursor="x"))
    emulator.misbehave(action="body", nth=2, body=dict(deployments=[new, dict(new, id="8")]))
    found = Deployments(client).list()
    assert [(row.id, row.label) for row in found] == [("7", "new"), ("8", "new")]


@pytest.mark.parametrize("value", VALUES)
def test_next_cursor(value):
    answers = iter([answer_of(dict(deployments=[ROW], nextCursor=VALUES[value])), http("200 OK", LIST)])
    with RawServer(lambda dummy: next(answers)) as server, impatient(server.url) as client:
        if value in ("null", "empty text", "false", "zero"):
            assert len(list_of(client)) == 1 and len(server.requests) == 1
        elif value in NUMBERS or value in TEXTS and value not in ("lone surrogate", "long text"):
            assert len(list_of(client)) == 1
            query = parse_qs(urlsplit(server.requests[1].split(b" ")[1].decode()).query)
            assert query == dict(limit=["1000"], cursor=[str(VALUES[value])])
        else:
            error = failure(list_of, client, UnexpectedAnswer)
            assert "nextCursor" in str(error) and len(server.requests) == 1


# Lists without an end


def test_cursor_of_megabytes_is_not_sent_back():
    with RawServer(answer_of(dict(deployments=[ROW], nextCursor="x" * 7 * 2**20))) as server:
        with impatient(server.url) as client, bounded():
            assert "nextCursor" in str(failure(list_of, client, UnexpectedAnswer))
        assert len(server.requests) == 1


@pytest.mark.parametrize("module", ["amplitude_deployment", "amplitude_deployment_info"])
def test_module_that_is_sent_pages_without_an_end(emulator, connection, monkeypatch, module):
    hand_in(monkeypatch, Limits(most_pages=20))
    emulator.reset(dict(keys={KEY: [1]}, deployments=[dict(ROW, key=None, type="client")]), endless_pages=True)
    options = dict(connection, project_id="1", **(dict(label="new", type="client") if module[-1] == "t" else {}))
    result = run_module(module, **options)
    assert result["failed"] and SENTENCE.fullmatch(result["msg"])
    assert " with yet another page after 20; " in result["msg"]
    assert [request["method"] for request in emulator.requests()] == ["GET"] * 20
