# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers that the pages tell are those of the code."""

from __future__ import annotations

import pathlib
import re

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.failures import STATUSES
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import KINDS, MOST_READINGS
from ansible_collections.community.amplitude.plugins.module_utils._api.limits import PAGE_SIZE, Limits
from ansible_collections.community.amplitude.plugins.module_utils._api.waits import Waits
from ansible_collections.community.amplitude.plugins.module_utils._apply.execution import MOST_TAKEN_OVER
from ansible_collections.community.amplitude.plugins.module_utils._errors import SeveralProblems
from ansible_collections.community.amplitude.plugins.module_utils._options import MOST_SECONDS, SHORTEST_KEY
from ansible_collections.community.amplitude.plugins.module_utils._plan.drift import _MOST_NAMED
from ansible_collections.community.amplitude.plugins.module_utils._plan.purge import USUAL_LIMIT
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import USUAL_CONCURRENCY
from ansible_collections.community.amplitude.plugins.plugin_utils._pages import MOST_ROWS
from ansible_collections.community.amplitude.plugins.plugin_utils._screen import MOST
from ansible_collections.community.amplitude.tests.emulator.switches import Switches
from ansible_collections.community.amplitude.tests.support.reports import MANY

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAITS, LIMITS = Waits(), Limits()
WORDS = {3: "three", 4: "four", 5: "five"}
MEBIBYTES = LIMITS.largest_answer / 1024**2
#: What the messages say of the API.
ALLOWS = re.compile(r"the API allows ([\d,]+) requests a second and ([\d,]+) a day")
RATE, QUOTA = (
    int(number.replace(",", ""))
    for number in next(found.groups() for found in (ALLOWS.search(advice) for dummy, advice in STATUSES) if found)
)
#: Active ones, and all of them.
LISTS_OF_FLAGS = 2 * len(KINDS)


def told_by(template, name):
    """How many changes a template tells."""
    text = (ROOT / "playbooks/templates" / template).read_text(encoding="utf-8")
    return int(re.search(name + r"\[:(\d+)\]", text)[1])


#: What pages say, and the numbers from the code that stand in it.
SENTENCES = [
    ("api.rst", "a page is larger than {} MiB", MEBIBYTES),
    ("api.rst", "{} requests a second and {} a day per project", RATE, QUOTA),
    ("api.rst", "no more than {} requests", WAITS.requests_per_second),
    ("api.rst", "``limit`` is capped at " + str(PAGE_SIZE)),
    ("api.rst", "``limit=" + str(PAGE_SIZE)),
    ("api.rst", "after {} pages", LIMITS.most_pages),
    ("api.rst", "until two readings agree, at most {} times", WORDS[MOST_READINGS]),
    ("api.rst", "within about {} seconds", WAITS.edit_shows),
    ("api.rst", "ends with a warning after about {} seconds", WAITS.edit_shows),
    ("api.rst", "{} seconds are assumed to be long enough", WAITS.list_lag),
    ("playbooks.rst", "at least {} more requests", WORDS[LISTS_OF_FLAGS]),
    ("bulk.rst", "one request per {} deployments", PAGE_SIZE),
    ("bulk.rst", "The API allows {} requests a second", RATE),
    ("bulk.rst", "an answer takes up to {} milliseconds", 1000 * USUAL_CONCURRENCY / RATE),
    ("bulk.rst", "At most ``purge_limit`` deployments ({} by default)", USUAL_LIMIT),
    ("faults.rst", "retried for {} seconds only", WAITS.rarely_passes),
    ("faults.rst", "After a POST they read it for {} seconds", WAITS.list_lag),
    ("faults.rst", "nothing is found within {} seconds", WAITS.list_lag),
    ("faults.rst", "leaves less than {} seconds", WAITS.list_lag),
    ("faults.rst", "first reads the list for up to {} seconds", WAITS.list_lag),
    ("faults.rst", "does not show it within {} seconds", WAITS.edit_shows),
    ("faults.rst", "waits up to {} seconds", WAITS.races_settle),
    ("review.rst", "up to {} changes on the screen", MOST),
    ("audits.rst", "up to {} deployments with drift on the screen", MOST),
    ("audits.rst", "stays usable with {} deployments", MANY),
    ("audits.rst", "the first {} deployments with drift", MOST_ROWS),
    ("review.rst", "the first {} changes", told_by("plan.md.j2", "changes")),
    ("rotation.rst", "after {} rounds", WORDS[MOST_TAKEN_OVER]),
    ("troubleshooting.rst", "each of the first {} problems", SeveralProblems.MOST_TOLD),
    ("troubleshooting.rst", "more than {} requests a second or {} a day", RATE, QUOTA),
    ("troubleshooting.rst", "give up after {} seconds", WAITS.rarely_passes),
    ("troubleshooting.rst", "larger than {} MiB", MEBIBYTES),
    ("troubleshooting.rst", "wait up to {} seconds", WAITS.races_settle),
    ("troubleshooting.rst", "stayed active for {} seconds", WAITS.races_settle),
    ("troubleshooting.rst", "more than {} problems", SeveralProblems.MOST_TOLD),
    ("troubleshooting.rst", "within {} seconds. Run", WAITS.races_settle),
    ("CONTRIBUTING.md", "waits {} seconds", WAITS.races_settle),
    ("plugins/doc_fragments/connection.py", "fewer than {} characters", SHORTEST_KEY),
    ("plugins/doc_fragments/connection.py", "is tried for {} seconds", WAITS.rarely_passes),
    ("plugins/doc_fragments/connection.py", f"from 0.001 to {MOST_SECONDS}"),
    ("plugins/doc_fragments/connection.py", f"from 0 to {MOST_SECONDS}"),
    ("plugins/modules/amplitude_deployment.py", "per {} deployments", PAGE_SIZE),
    ("plugins/modules/amplitude_deployment_info.py", "at least {} more requests", WORDS[LISTS_OF_FLAGS]),
    ("plugins/modules/amplitude_drift_info.py", "at least {} more requests", WORDS[LISTS_OF_FLAGS]),
    ("plugins/modules/amplitude_drift_info.py", "the first {} keys", _MOST_NAMED),
    ("plugins/modules/amplitude_deployments.py", "the limit is V({})", USUAL_LIMIT),
    ("plugins/modules/amplitude_deployments.py", "each of the first {}.", SeveralProblems.MOST_TOLD),
    ("plugins/modules/amplitude_deployments.py", "the {} requests a second that the API allows", RATE),
    (
        "plugins/modules/amplitude_deployments.py",
        "an answer takes up to {} milliseconds",
        1000 * USUAL_CONCURRENCY / RATE,
    ),
]
#: Numbers that are no limits of the code. What was measured is compared below.
EXAMPLES = [
    ("rotation.rst", "Taking over 200 flags takes 200 requests to assign"),
    ("faults.rst", "three times as long as it took"),
    ("CONTRIBUTING.md", "at most 125 characters"),
]
NUMBER = re.compile(
    r"\b(?:[\d,]*\d|three|four|five) (?:more )?"
    r"(?:seconds|MiB|pages|requests|characters|changes|problems|keys|rounds|times|deployments)\b"
    r"|(?:first|up to|at most|more than) \d[\d,]*"
)


#: The guide on what is inside tells how things are tested, and not what users meet.
GUIDES = {path.name for path in (ROOT / "docs/docsite/rst").glob("*.rst")} - {"architecture.rst"}
PLUGINS = {
    str(path.relative_to(ROOT))
    for kind in ("modules", "lookup", "doc_fragments")
    for path in ROOT.glob(f"plugins/{kind}/*.py")
}
PAGES = sorted(GUIDES | PLUGINS | {page for page, *dummy in SENTENCES})


def text_of(page):
    """A page, or the documentation of a plugin, on one line."""
    path = ROOT / "docs/docsite/rst" / page if page in GUIDES else ROOT / page
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        text = re.sub(r"(?m)^[ -]*\w+:", ";", " ".join(re.findall(r'r"""(.*?)"""', text, re.DOTALL)))
    return " ".join(text.split())


@pytest.mark.parametrize("page", PAGES)
def test_numbers_are_those_of_the_code(page):
    text = text_of(page)
    sentences = [
        sentence.format(*(value if isinstance(value, str) else f"{value:,g}" for value in values))
        for each, sentence, *values in SENTENCES
        if each == page
    ]
    assert [sentence for sentence in sentences if sentence not in text] == []
    others = [pattern for each, pattern in EXAMPLES if each == page]
    assert [pattern for pattern in others if not re.search(pattern, text)] == []
    rest = re.sub("|".join([*map(re.escape, sentences), *others]) or "$", "…", text)
    assert NUMBER.findall(rest) == [], "these are compared with nothing"


def test_pace_is_that_of_the_api():
    assert WAITS.requests_per_second <= RATE == Switches().rate_limit
