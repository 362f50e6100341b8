# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is called drift of what deployments serve and replace; and that drift is what amplitude_deployments would do."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import KINDS as KINDS_OF_FLAGS
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Flag
from ansible_collections.community.amplitude.plugins.module_utils._errors import AmplitudeError, ApiError
from ansible_collections.community.amplitude.plugins.module_utils._plan.drift import KINDS, Row, find_drift
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Purge, Rules, Wanted
from ansible_collections.community.amplitude.plugins.module_utils._plan.whole import decide
from ansible_collections.community.amplitude.tests.support.rows import flag, reading, row, validate_all, want

WEB, OLD, API = (row(*each)._replace(key="a-secret") for each in (("11", "web"), ("7", "web"), ("12", "api")))
SUPERSEDED = row("7", "web-superseded-7")
DEFAULT = row("9", "default", None)
CART, HERO = flag("1", "cart", "7"), flag("3", "hero", "7", kind="experiment")


class Case(t.NamedTuple):
    """What is wanted and there, and of each row that differs: label, id, kind and its detail."""

    wanted: list[Wanted]
    rows: list[Deployment]
    flags: list[Flag]
    drift: list[tuple[str | None, str | None, str, str]] = []


CASES = {
    "it serves what is wanted": Case([want("web", flags=("cart",))], [WEB], [flag("1", "cart", "7", "11")]),
    "it does not serve what is wanted": Case(
        [want("web", flags=("cart", "pay"), experiments=("hero",))],
        [WEB],
        [flag("1", "cart"), flag("2", "pay"), flag("3", "hero", kind="experiment")],
        [("web", "11", "unassigned", "it does not serve the flags 'cart', 'pay' and the experiment 'hero'")],
    ),
    "as much as is read": Case(
        [want("web", flags=tuple(f"f{number:02d}" for number in range(20)))],
        [WEB],
        [flag(str(number), f"f{number:02d}") for number in range(20)],
        [("web", "11", "unassigned", f"it does not serve the flags {', '.join(repr(f'f{n:02d}') for n in range(20))}")],
    ),
    "more than anybody wants to read": Case(
        [want("web", flags=tuple(f"f{number:02d}" for number in range(23)))],
        [WEB],
        [flag(str(number), f"f{number:02d}") for number in range(23)],
        [("web", "11", "unassigned", f"the flags {', '.join(repr(f'f{n:02d}') for n in range(20))} and 3 more")],
    ),
    "it serves something else": Case([want("web", flags=())], [WEB], [flag("1", "cart", "11")]),
    "it serves something else than what is exclusive": Case(
        [want("web", flags=(), exclusive=True), want("api")],
        [WEB, API],
        [flag("1", "cart", "11", "12"), flag("3", "hero", "11", kind="experiment")],
        [("web", "11", "assigned", "it serves the flag 'cart' in addition to what is listed")],
    ),
    "both": Case(
        [want("web", flags=("pay",), exclusive=True), want("api")],
        [WEB, API],
        [flag("1", "cart", "11", "12"), flag("2", "pay")],
        [
            (
                "web",
                "11",
                "unassigned",
                "it does not serve the flag 'pay' and it serves the flag 'cart' in addition to what is listed",
            )
        ],
    ),
    "missing, with what it is to serve": Case(
        [want("web", type="client", flags=("pay",))],
        [],
        [flag("2", "pay")],
        [("web", None, "missing", "it does not exist and it does not serve the flag 'pay'")],
    ),
    "renamed, with what it is to serve": Case(
        [want("web", id="12", flags=("pay",))],
        [API],
        [flag("2", "pay")],
        [("web", "12", "renamed", "it has the label 'api' and it does not serve the flag 'pay'")],
    ),
    "a key that does not exist": Case(
        [want("web", flags=("nothing",))],
        [WEB],
        [],
        [("web", "11", "conflict", "there is no flag with the key 'nothing' in the project; correct the key")],
    ),
    "two keys that are refused": Case(
        [want("web", flags=("gone",), experiments=("twin",))],
        [WEB],
        [flag("1", "gone", archived=True), *(flag(each, "twin", kind="experiment") for each in "45")],
        [("web", "11", "conflict", "restore the flag in Amplitude. the key 'twin' belongs to 2 experiments")],
    ),
    "it would leave an enabled flag without any": Case(
        [want("web", flags=(), exclusive=True)],
        [WEB],
        [flag("1", "cart", "11")],
        [("web", "11", "conflict", "no active deployment would serve the enabled flag 'cart'")],
    ),
    "to be taken over": Case(
        [want("web", replaces="7")],
        [OLD],
        [CART, HERO],
        [
            (
                "web",
                None,
                "missing",
                "it does not exist and deployment 'web' (id 7), which it replaces, still has its label and it has not "
                "taken over the flag 'cart' and the experiment 'hero' from deployment 'web' (id 7)",
            )
        ],
    ),
    "half taken over": Case(
        [want("web", replaces="7", flags=("pay",))],
        [SUPERSEDED, WEB],
        [CART, flag("2", "pay"), flag("3", "hero", "7", "11", kind="experiment")],
        [
            (
                "web",
                "11",
                "replaced",
                "it has not taken over the flag 'cart' from deployment 'web-superseded-7' (id 7) and it does not serve the "
                "flag 'pay'",
            )
        ],
    ),
    "taken over, and not to be retired": Case(
        [want("web", replaces="7")], [SUPERSEDED, WEB], [flag("1", "cart", "7", "11")]
    ),
    "taken over, and not retired yet": Case(
        [want("web", replaces="7", retire=True)],
        [SUPERSEDED, WEB],
        [flag("1", "cart", "7", "11")],
        [
            (
                "web",
                "11",
                "replaced",
                "deployment 'web-superseded-7' (id 7), which it replaces, is not archived and serves the flag 'cart'",
            )
        ],
    ),
    "retired, but for the last step": Case(
        [want("web", replaces="7", retire=True)],
        [SUPERSEDED, WEB],
        [],
        [("web", "11", "replaced", "deployment 'web-superseded-7' (id 7), which it replaces, is not archived")],
    ),
    "retired": Case(
        [want("web", replaces="7", retire=True)],
        [SUPERSEDED._replace(deleted=True), WEB],
        [CART._replace(archived=True)],
    ),
    "archived with the label": Case(
        [want("web", replaces="7", retire=True)],
        [OLD._replace(deleted=True), WEB],
        [],
        [("web", "11", "replaced", "deployment 'web' (id 7), which it replaces, still has its label")],
    ),
    "only what is listed is taken over": Case(
        [want("web", replaces="7", flags=(), exclusive=True)], [SUPERSEDED, WEB], [CART]
    ),
    "nothing to replace": Case(
        [want("web", replaces="77", type="client")],
        [WEB],
        [],
        [("web", "11", "conflict", "there is no deployment with the id 77; correct replaces")],
    ),
    "neither of them is there": Case(
        [want("web", replaces="77", type="client")], [], [], [("web", None, "missing", "no deployment with the id 77")]
    ),
    "of another project": Case(
        [want("web", replaces="5", type="client")],
        [WEB, row("5", "other", project_id="2")],
        [],
        [("web", "11", "conflict", "belongs to project 2; correct replaces or project_id")],
    ),
    "the default one": Case(
        [want("web", replaces="9", retire=True)],
        [WEB, DEFAULT],
        [],
        [("web", "11", "conflict", "has no key with the prefix")],
    ),
    "the default one, which has the label": Case(
        [want("default", replaces="9", type="client")],
        [DEFAULT],
        [],
        [("default", None, "conflict", "has no key with the prefix")],
    ),
    "several beside what is replaced": Case(
        [want("web", replaces="7")],
        [OLD, WEB, row("13", "web")],
        [],
        [("web", None, "duplicate", "with the ids 11, 13; archive or rename all but one")],
    ),
    "replaced and wanted": Case(
        [want("web", replaces="7"), want("api", id="7")],
        [SUPERSEDED, WEB],
        [],
        [
            ("api", "7", "renamed", "it has the label 'web-superseded-7'"),
            ("web", "11", "conflict", "both mean the deployment 'web-superseded-7' with the id 7"),
        ],
    ),
    "used although it is to be absent": Case(
        [want("web", state="absent")],
        [WEB],
        [flag("1", "cart", "11")],
        [("web", "11", "active", "is used by flag 'cart'; remove it there in Amplitude")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_kinds(name):
    case = CASES[name]
    found = find_drift(case.wanted, {"1"}, Observed(case.rows), Rules(), reading(case.flags))
    told = [each for each in found if each.drift]
    ids = [each.id for each in found if each.id]
    assert len(ids) == len(set(ids)), "nothing is told twice"
    assert [(each.label, each.id, each.drift) for each in told] == [each[:3] for each in case.drift]
    for each, (*_which, words) in zip(told, case.drift):
        assert words in each.detail
        assert each.detail == words or not words.startswith("it does")
    assert "a-secret" not in repr(found)


def test_what_is_replaced_counts_as_listed():
    """It is told as long as it is active, with the label that it is to have, and is no drift itself."""
    [web, old] = find_drift([want("web", replaces="7")], {"1"}, Observed([OLD]), Rules(), reading())
    assert (web.id, web.drift, [change["action"] for change in web.changes]) == (None, "missing", ["rename", "create"])
    assert old == Row("1", "web-superseded-7", "7", "client", False, True, False, None, None, (), None)
    elsewhere = row("5", "other", project_id="2")
    for replaced in (SUPERSEDED._replace(deleted=True), elsewhere):
        wanted = [want("web", replaces=replaced.id, retire=True)]
        [web] = find_drift(wanted, {"1"}, Observed([WEB, replaced]), Rules(), reading())
        assert web.id == "11"
    rows = find_drift([want("web", replaces="9", retire=True)], {"1"}, Observed([WEB, DEFAULT]), Rules(), reading())
    assert [(each.id, each.listed, each.drift) for each in rows] == [("9", True, None), ("11", True, "conflict")]


def test_what_is_read():
    """Nothing, where nobody says what is served and nothing is to be archived."""
    asked = []

    def read(project_id, kind):
        asked.append((project_id, kind))
        return []

    def told(*wanted):
        asked.clear()
        find_drift(wanted, {"1", "2"}, Observed([WEB, API, OLD]), Rules(), read)
        return sorted(set(asked))

    assert told(want("web", id="11"), want("more"), want("gone", state="absent")) == []
    assert told(want("api", flags=())) == [("1", "flag")]
    assert told(want("web", replaces="7")) == told(want("api", state="absent")) == [("1", "experiment"), ("1", "flag")]


def test_usage_that_cannot_be_read():
    """What is to be archived is active, and nobody knows whether it may be archived. The others are told as ever."""

    def read(project_id, kind):
        raise ApiError("list the flags", "403", "ask", 403)

    wanted = [want("api", state="absent"), want("new", type="client")]
    api, new = find_drift(wanted, {"1"}, Observed([API]), Rules(), read)
    assert (api.id, api.drift, api.changes) == ("12", "active", ()) and "list the flags: 403" in api.detail
    assert (new.drift, len(new.changes)) == ("missing", 1)


#: Few different things, so that often several of them have to do with each other.
LABELS = st.sampled_from(["web", "api", "web-superseded-1"])
PROJECTS = st.sampled_from(["1", "1", "1", "1", "2"])
IDS = st.integers(1, 5).map(str)
SELDOM = st.sampled_from([False, False, False, False, True])
ROWS = st.lists(
    st.builds(row, IDS, LABELS, st.sampled_from(["client", "client", "server", None]), SELDOM, PROJECTS),
    min_size=2,
    max_size=5,
    unique_by=lambda each: each.id,
)
KEYS = st.sampled_from(["cart", "pay"])
FLAGS = st.lists(
    st.builds(
        Flag,
        st.sampled_from(KINDS_OF_FLAGS),
        st.integers(1, 20).map(str),
        PROJECTS,
        KEYS,
        st.none(),
        st.sampled_from([True, False, None]),
        SELDOM,
        st.frozensets(IDS, max_size=4).map(lambda ids: tuple(sorted(ids))),
    ),
    min_size=4,
    max_size=6,
    unique_by=lambda each: (each.kind, each.id),
)
SERVED = st.one_of(st.none(), st.frozensets(KEYS, max_size=1).map(tuple))
IDENTITIES = st.one_of(
    st.just({}),
    st.builds(dict, id=IDS),
    st.builds(dict, replaces=IDS, retire=st.booleans()),
    st.builds(dict, replaces=IDS),
)
WISHES = st.lists(
    st.builds(
        lambda project, label, type, state, flags, experiments, exclusive, identity: _usable(
            Wanted(project, label, type, state, flags=flags, experiments=experiments, exclusive=exclusive, **identity)
        ),
        PROJECTS,
        LABELS,
        st.sampled_from([None, None, None, "client", "server"]),
        st.sampled_from(["present", "present", "present", "absent"]),
        SERVED,
        SERVED,
        st.booleans(),
        IDENTITIES,
    ),
    min_size=1,
    max_size=4,
    unique_by=(lambda each: (each.project_id, each.label), lambda each: each.id or object()),
)


def _usable(item):
    """The same without what makes no sense together, which is refused before anything is planned."""
    if item.state == "absent":
        return Wanted(item.project_id, item.label, item.type, item.state, item.id)
    if item.flags is None and item.experiments is None:
        return item._replace(exclusive=False)
    return item


def _possible(found, rows):
    """The same without deployments of another project, which it cannot have."""
    foreign = {each.id for each in rows if each.project_id != found.project_id}
    return found._replace(deployments=tuple(each for each in found.deployments if each not in foreign))


def plain(changes):
    return sorted(repr(sorted(change.items())) for change in changes)


@given(WISHES, ROWS, FLAGS, st.booleans())
def test_drift_is_what_would_be_done(wanted, rows, flags, restore_archived):
    """The drift is the changes of a plan with purge and its problems, and nothing else."""
    rules, projects, observed = Rules(restore_archived), frozenset({"1", "2"}), Observed(rows)
    try:
        validate_all(wanted)
    except AmplitudeError:
        return
    flags = [_possible(each, rows) for each in flags]
    drift = find_drift(wanted, projects, observed, rules, reading(flags))
    plan = decide(wanted, observed, rules, reading(flags), Purge(projects, 100))

    purged = {each.before.id for place, each in plan.plans.items() if place >= len(plan.places)}
    purged |= {problem.id for problem in plan.problems if problem.item is None}
    assert sorted(each.id for each in drift if each.drift and not each.listed) == sorted(purged)
    changes = [plan.changes_of(place) for place in plan.plans if place < len(wanted)]
    told = [each for each in drift if each.drift and each.listed]
    assert plain(change for each in told for change in each.changes) == plain(
        change.as_result() for each in changes for change in each
    )
    refused = [problem for problem in plan.problems if problem.item is not None]
    assert all(any(problem.error.problem in each.detail for each in told) for problem in refused)
    assert len(told) == sum(map(bool, changes)) + len({problem.item for problem in refused})
    assert all((each.drift in KINDS) == bool(each.detail) for each in drift)
    assert not [each for each in drift if not each.drift and each.changes]
