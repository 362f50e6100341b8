# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the pages of the audit and of the plan say. tests/functional/test_reports.py looks at them in a browser."""

from __future__ import annotations

import html
import json
import re

import pytest

pytest.importorskip("jinja2", reason="reports are made where ansible-core is")

from ansible_collections.community.amplitude.plugins.module_utils._plan.drift import KINDS  # noqa: E402
from ansible_collections.community.amplitude.plugins.module_utils._version import VERSION  # noqa: E402
from ansible_collections.community.amplitude.plugins.plugin_utils import _pages  # noqa: E402
from ansible_collections.community.amplitude.plugins.plugin_utils._told import DONE  # noqa: E402
from ansible_collections.community.amplitude.tests.support import reports  # noqa: E402
from ansible_collections.community.amplitude.tests.support.reports import row  # noqa: E402


def text_of(tags):
    """What some HTML says, without the tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", tags)).split())


def words(page):
    """What a page says without JavaScript."""
    return text_of(page.partition("<body>")[2].partition("<script")[0])


def data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))


def verdict(page):
    return text_of(re.search(r'<p class="verdict \w+">.*?</p>', page).group())


def tiles(page):
    return [text_of(tile) for tile in re.findall(r'<a class="tile.*?</a>', page)]


def test_there_are_words_for_all_there_is():
    assert tuple(kind for kind, each in _pages.AUDIT.items() if each.group == "drift") == KINDS
    assert [kind for kind, each in _pages.PLAN.items() if each.group == "changes"] == list(DONE)


#: The kinds of drift of the rows, and the first sentence. What is missing never counts as one of those that are there.
AUDITS = {
    "nothing": ([], "There is no deployment, and there should be none."),
    "one": ([None], "The deployment is as it should be."),
    "all": ([None] * 68, "All 68 deployments are as they should be."),
    "missing": (["missing"], "1 deployment is missing."),
    "several missing": (["missing"] * 3 + [None], "3 deployments are missing; 1 is as it should be."),
    "another": (["type"] + [None] * 2, "1 deployment differs from the desired state; 2 are as they should be."),
    "others": (["type", "active"], "2 deployments differ from the desired state."),
    "both": (["missing", "active"], "1 deployment is missing, and 1 differs from the desired state."),
    "many": (
        ["missing"] * 1200 + ["unlisted"] * 2 + [None],
        "1,200 deployments are missing, and 2 differ from the desired state; 1 is as it should be.",
    ),
}


@pytest.mark.parametrize("name", AUDITS)
def test_verdict_of_an_audit(name):
    kinds, expected = AUDITS[name]
    assert verdict(reports.audit([row(number, kind) for number, kind in enumerate(kinds)])) == expected


#: How many changes and problems there are, and the first sentence.
PLANS = {
    (0, 0): "Nothing has to be changed.",
    (1, 0): "1 change in 1 project.",
    (7, 0): "7 changes in 2 projects.",
    (0, 1): "1 problem: this plan cannot be carried out.",
    (1, 1): "1 problem: this plan cannot be carried out. Without it, there would be 1 change in 1 project.",
    (7, 2): "2 problems: this plan cannot be carried out. Without them, there would be 7 changes in 2 projects.",
}


@pytest.mark.parametrize("number", PLANS)
def test_verdict_of_a_plan(number):
    changes, problems = number
    page = reports.plan(reports.CHANGES[:changes], [reports.PROBLEM] * problems)
    assert verdict(page) == PLANS[number]


def test_tiles():
    kinds = ["missing"] * 3 + ["active"] * 2 + ["archived"] + [None] * 1234
    rows = [row(number, kind) for number, kind in enumerate(kinds)]
    rows[-1] = rows[-1]._replace(unused=True)
    assert tiles(reports.audit(rows)) == [
        "6 differ",
        "3 missing",
        "1 should be active but is archived",
        "2 should be archived but are active",
        "1,234 are as they should be",
        "1 is used by no flag or experiment",
        "1,240 in all",
    ]
    assert tiles(reports.audit(rows[6:])) == ["1,234 in all", "1 is used by no flag or experiment"]
    assert tiles(reports.plan()) == [
        "7 in all",
        "1 to create",
        "1 to rename",
        "1 to restore",
        "1 to archive",
        "2 to assign to a flag or experiment",
        "1 to remove from a flag or experiment",
    ]
    assert tiles(reports.plan(reports.CHANGES[:1])) == ["1 to create"]


@pytest.mark.parametrize(
    ("base_url", "told"),
    [
        ("https://experiment.amplitude.com", "experiment.amplitude.com (US)"),
        ("https://experiment.eu.amplitude.com", "experiment.eu.amplitude.com (EU)"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
    ],
)
def test_whose_account_it_is(base_url, told):
    about = reports.ABOUT._replace(base_url=base_url)
    for page in (reports.audit([row(1)], about), reports.plan(about=about)):
        assert f"Account {told} " in words(page)
        assert f"Desired state {about.source} Made {about.time} by community.amplitude {VERSION}" in words(page)
    assert "Project 101 Desired state" in words(reports.audit([row(1)], about))
    many = [row(number, project_id=str(100 + number)) for number in range(1010)]
    assert "Projects 1,010: 100, 101, 102, 103, 104, 105, 106, 107 and 1,002 more" in words(reports.audit(many))
    assert "Options purge true, purge_limit 10, restore_archived true, force false" in words(reports.plan())


def test_projects():
    others = [dict(project_id="201", active=4000, archived=1)]
    told = words(reports.audit(reports.every_kind(), other_projects=others))
    assert "1 other project of this account is not in the desired state" in told and "201 4,000 1" in told
    two = words(reports.audit([row(1)], other_projects=others * 2))
    assert "2 other projects of this account are not in the desired state" in two
    # With one project, everything is of it.
    assert "By project" in told and "By project" not in two
    told = words(reports.plan(problems=[reports.PROBLEM]))
    assert "101 1 create, 1 rename, 1 assign 17 102 1 restore, 1 archive, 1 assign, 1 remove 17" in told
    assert "103 1 problem 17 In 1 more project, nothing has to be changed." in told
    many = [row(number, "missing", project_id=str(1000 + number)) for number in range(300)]
    assert "100 more projects are left out." in words(reports.audit(many))


def test_rows():
    rows = [row(1, "missing"), row(2, unused=True), row(3, label="a\nb", type=None, default=True, unused=None)]
    found = data(reports.audit(rows))
    assert found["columns"] == ["kind", "label", "detail", "project", "type", "id", "used"]
    assert found["rows"] == [
        ["missing", "", "app-00001", "it does not exist", "101", "server", "", ""],
        ["fine", "unused", "app-00002", "", "101", "client", "5002", "no"],
        ["fine", "", "a b", "the default deployment of its project", "101", "", "5003", ""],
    ]
    # Where it was not asked for, there is no such column.
    found = data(reports.audit([row(1, unused=None)]))
    assert found["columns"][-1] == "id" and found["rows"] == [["fine", "", "app-00001", "", "101", "server", "5001"]]


def test_what_there_is_without_javascript():
    rows = [row(number, None if number % 2 else "missing") for number in range(1000)]
    page = reports.audit(rows)
    assert page.count('<td class="kind" role="cell">') == 100
    assert "only 100 of 1000 rows are shown: all are in audit.json." in words(page)
    assert page.count('<span class="chip">fine') == 0
    assert "Without JavaScript there is no search. " in words(reports.plan())


@pytest.mark.parametrize("page", [reports.audit(reports.every_kind()), reports.plan()], ids=["audit", "plan"])
def test_nothing_is_loaded(page):
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page).group(1)
    hashed = r"'sha256-[\w+/]{43}='"
    assert re.fullmatch(
        rf"default-src 'none'; style-src {hashed}; script-src {hashed}; base-uri 'none'; form-action 'none'", policy
    )
    assert not re.findall(r"(?:src|srcset|action)=|url\(|@import|href=\"(?!#)", page)
    assert not re.findall(r"<[^>]+ (?:style|on\w+)=", page)
    assert re.findall(r"https?://[^\s<\"]*", page) == []


def test_nothing_gets_out_of_its_place():
    evil = "</script><script>alert(1)</script><!--\u2028\u2029&\"'"
    rows = [row(1, "unlisted", label=evil, detail=evil, project_id=evil)]
    page = reports.audit(rows, _pages.About(evil, evil, evil))
    assert "<script>alert" not in page and "<!--" not in page
    assert page.count("</script>") == 2
    assert data(page)["rows"][0][2] == " ".join(evil.split())
    assert "\u2028" not in re.search(r'id="data">(.*?)</script>', page).group(1)
