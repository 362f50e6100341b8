# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Histories at random."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from ansible_collections.community.amplitude.tests.unit.histories.story import (
    MANAGEMENT_KEY,
    ByHand,
    Info,
    Kill,
    Other,
    Race,
    Run,
)

LABELS = st.sampled_from(["web", "api", "job"])
PROJECTS = st.sampled_from(["1", "1", "1", "2"])
TYPES = st.sampled_from(["client", "server"])
#: What makes a list: enough labels for items that do not contradict each other, so few that they meet.
FEW_LABELS = ["web", "api", "job", "hub"]
#: Mostly of one type, so that most lists are granted.
BULK_TYPES = st.sampled_from(["client", "client", "client", "server"])
BULK_ROW_TYPES = st.sampled_from(["client"] * 6 + ["server", None])
ROW_TYPES = st.sampled_from(["client", "client", "server", "server", None])
RANKS = st.integers(0, 6)


SWITCHES = st.fixed_dictionaries(
    {},
    optional=dict(
        ids=st.sampled_from(["number", "string"]),
        opaque_ids=st.booleans(),
        max_page_size=st.integers(1, 3),
        last_page=st.sampled_from(["omit", "null", "empty_string", "empty_page", "empty_page_with_cursor"]),
        cursor=st.sampled_from(["offset", "opaque"]),
        order=st.sampled_from(["oldest_first", "newest_first", "label", "shuffled"]),
        unique_labels=st.sampled_from(["none", "active", "all"]),
        duplicate_status=st.sampled_from([400, 409]),
        error_body=st.sampled_from(["json", "json_nested", "text", "html", "empty"]),
        stale_lists=st.integers(0, 3),
        stale_seconds=st.sampled_from([0.0, 0.05, 0.5, 2.0]),
        extra_fields=st.booleans(),
        omit_deleted=st.booleans(),
        gzip=st.booleans(),
        rate_limit=st.sampled_from([0, 0, 0, 4, 20]),
        retry_after=st.sampled_from(["none", "seconds"]),
        deployment_ids_in_flags=st.sampled_from(["same", "string", "number"]),
        archive_in_use=st.sampled_from(["allowed", "refused"]),
        assigning=st.sampled_from(["adds"] * 5 + ["replaces", "replaces_in_flags", "replaces_in_experiments"]),
        assigned_again_status=st.sampled_from([200, 400, 409]),
        archived_deployment_status=st.sampled_from([200, 400]),
        missing_deployment_status=st.sampled_from([400, 404]),
        refused_assignment=st.sampled_from(["nothing", "rest"]),
        removed_again_status=st.sampled_from([200, 404]),
        last_deployment_status=st.sampled_from([200, 200, 400]),
        archived_flag_status=st.sampled_from([200, 400, 404]),
        archived_field=st.sampled_from(["none", "archived", "deleted"]),
    ),
)

#: An answer that says success and is none, one of them with what must never be repeated.
OTHER_BODIES = st.sampled_from(
    ["", "<html><title>Hi</title></html>", "[]", '{"flags": []}', "Bearer " + MANAGEMENT_KEY]
)


@st.composite
def faults(draw: t.Any) -> dict[str, t.Any]:
    action = draw(st.sampled_from(["status", "status", "cut", "truncate", "delay", "body", "trickle", "redirect"]))
    fault = dict(action=action, method=draw(st.sampled_from(["GET", "POST", "PATCH", "DELETE", None])))
    fault["nth"] = draw(st.integers(1, 4))
    fault["times"] = draw(st.sampled_from([1, 1, 1, 2, 3, 0]))
    # A request that is refused is not carried out.
    moments = ["before", "after"]
    if action == "status":
        fault["status"] = draw(st.sampled_from([500, 502, 503, 504, 429, 403, 404]))
        if draw(st.booleans()):
            fault["body"] = draw(OTHER_BODIES)
        moments = moments if fault["status"] >= 500 else ["before"]
    elif action == "delay":
        fault["seconds"] = draw(st.sampled_from([0.1, 1.0, 2.0]))
    elif action == "body":
        fault["body"] = draw(OTHER_BODIES)
    elif action == "trickle":
        fault["seconds"] = 0
    elif action == "redirect":
        fault["headers"] = {"Location": "/login?" + MANAGEMENT_KEY}
        moments = ["before"]
    fault["moment"] = draw(st.sampled_from(moments))
    return fault


@st.composite
def options(draw: t.Any, **given: t.Any) -> dict[str, t.Any]:
    """Options of amplitude_deployment; those that are given are not drawn."""
    drawn: dict[str, t.Any] = dict(project_id=draw(PROJECTS))
    if "label" not in given and draw(st.integers(0, 9)) == 0:
        drawn["id"] = draw(RANKS)
    else:
        drawn["label"] = draw(LABELS)
        way = draw(st.integers(0, 9))
        if way == 0:
            drawn["id"] = draw(st.one_of(RANKS, st.just("no-such-id")))
        elif way <= 3:
            drawn["previous_label"] = draw(LABELS.filter(lambda label: label != given.get("label", drawn["label"])))
    if draw(st.integers(0, 4)):
        drawn["type"] = draw(TYPES)
    if draw(st.integers(0, 3)) == 0:
        drawn["state"] = "absent"
    for name in ("restore_archived", "force"):
        if draw(st.integers(0, 3)) == 0:
            drawn[name] = draw(st.booleans())
    if draw(st.integers(0, 7)) == 0:
        drawn["retry_timeout"] = draw(st.sampled_from([0, 1, 10]))
    return dict(drawn, **given)


@st.composite
def lists(draw: t.Any, least: int = 1, most: int = 6) -> dict[str, t.Any]:
    """Options of amplitude_deployments: items that perhaps hand labels on, few of which contradict each other."""
    items: list[dict[str, t.Any]] = []
    absurd = draw(st.integers(0, 19)) == 0
    types = draw(st.sampled_from([st.just("client"), st.just("client"), BULK_TYPES]))
    taken: set[tuple[str, t.Any]] = set()
    sources: set[tuple[str, t.Any]] = set()

    def free(project_id: str, used: set[tuple[str, t.Any]]) -> list[str]:
        return [label for label in FEW_LABELS if absurd or (project_id, label) not in used]

    for dummy in range(draw(st.integers(least, most))):
        item: dict[str, t.Any] = dict(project_id=draw(PROJECTS))
        labels = free(item["project_id"], taken)
        way = draw(st.integers(0, 11))
        if way <= 2:
            item["id"] = draw(RANKS if absurd else st.integers(2, 6))
            item["project_id"] = draw(PROJECTS) if absurd else None
        if (way and labels) or (labels and "id" not in item):
            item["label"] = draw(st.sampled_from(labels))
        if "label" not in item and "id" not in item:
            continue
        if draw(st.integers(0, 6)) == 0:
            item["state"] = "absent"
        elif way >= 7 and "label" in item:
            others = [label for label in free(item["project_id"], sources) if label != item["label"]]
            if others:
                item["previous_label"] = draw(st.sampled_from(others))
        if draw(st.integers(0, 29)) if "id" not in item else draw(st.integers(0, 3)) == 0:
            item["type"] = draw(types)
        taken.add((item["project_id"], item.get("label")))
        sources.add((item["project_id"], item.get("previous_label" if item.get("state") != "absent" else "label")))
        items.append(item)
    if not absurd:
        given = [item["id"] for item in items if "id" in item]
        for item in items:
            if "id" in item:
                item["id"] = min(given) + given.index(item["id"])
    if draw(st.booleans()):
        items.reverse()
    task: dict[str, t.Any] = dict(deployments=items)
    if draw(st.integers(0, 3)) == 0:
        task["purge"] = True
        if draw(st.booleans()):
            task["purge_limit"] = draw(st.integers(0, 4))
        if draw(st.booleans()):
            task["project_id"] = draw(PROJECTS)
    for name in ("restore_archived", "force"):
        if draw(st.integers(0, 3)) == 0:
            task[name] = draw(st.booleans())
    if draw(st.integers(0, 2)) == 0:
        task["concurrency"] = draw(st.integers(2, 8))
    if draw(st.integers(0, 9)) == 0:
        task["retry_timeout"] = draw(st.sampled_from([0, 1, 10]))
    return task


@st.composite
def by_hand(draw: t.Any) -> ByHand:
    changes = {}
    row = draw(st.one_of(st.none(), RANKS))
    if row is None:
        changes = dict(projectId=draw(PROJECTS), label=draw(LABELS), type=draw(TYPES), deleted=draw(st.booleans()))
    else:
        if draw(st.booleans()):
            changes["deleted"] = draw(st.booleans())
        if not changes or draw(st.booleans()):
            changes["label"] = draw(LABELS)
    return ByHand(changes, row)


def of(kind: t.Callable[..., t.Any], *fields: t.Any) -> t.Any:
    """Named tuples of a kind, from strategies for their fields."""
    return st.tuples(*fields).map(lambda drawn: kind(*drawn))


KILLS = of(Kill, st.sampled_from(["before", "after"]), st.integers(1, 5))
SOME_FAULTS = st.lists(faults(), min_size=1, max_size=2)


@st.composite
def races(
    draw: t.Any,
    faults: t.Any = st.just([]),
    kills: t.Any = st.none(),
    options: t.Callable[..., t.Any] = options,
    hands: t.Any = by_hand(),
) -> Race:
    count = draw(st.integers(2, 4))
    way = draw(st.integers(0, 3))
    if way == 0:
        first = draw(options())
        writers = [first] * count
    elif way == 1:
        writers = [dict(draw(options()), project_id="1", label="web", state="present") for dummy in range(count)]
        for writer in writers:
            writer.pop("id", None)
            if writer.get("previous_label") == "web":
                writer["previous_label"] = "api"
    else:
        writers = [draw(options(project_id="1")) for dummy in range(count)]
    if draw(st.integers(0, 5)) == 0:
        writers[-1] = dict(writers[-1], check_mode=True)
    hand = draw(hands) if draw(st.integers(0, 5)) == 0 else None
    return Race(writers, draw(faults), draw(kills), hand)


OTHERS = st.lists(
    of(Other, st.sampled_from(["GET", "GET", "POST", "PATCH"]), st.integers(1, 4), by_hand()), min_size=1, max_size=2
)


@st.composite
def bulk_races(
    draw: t.Any,
    faults: t.Any = st.just([]),
    kills: t.Any = st.none(),
    others: t.Any = st.just([]),
    lists: t.Callable[..., t.Any] = lists,
    hands: t.Any = by_hand(),
) -> Race:
    """Runs of one list, of lists that overlap, or of a list and of some of its items alone."""
    first = draw(lists(least=2))
    writers = [first]
    for dummy in range(draw(st.integers(1, 2))):
        way = draw(st.integers(0, 3))
        if way == 0:
            writers.append(draw(lists()))
        elif way == 1:
            item = draw(st.sampled_from(first["deployments"]))
            rules = {name: first[name] for name in ("restore_archived", "force") if name in first}
            writers.append(dict(rules, **item))
        elif way == 2:
            some = draw(st.lists(st.sampled_from(range(len(first["deployments"]))), min_size=1, unique=True))
            writers.append(dict(first, deployments=[first["deployments"][number] for number in some]))
        else:
            writers.append(first)
    hand = draw(hands) if draw(st.integers(0, 5)) == 0 else None
    return Race(writers, draw(faults), draw(kills), hand, draw(others))


INFOS = of(
    Info,
    st.fixed_dictionaries(
        {},
        optional=dict(
            project_id=PROJECTS,
            labels=st.lists(LABELS, max_size=2, unique=True),
            type=TYPES,
            include_archived=st.booleans(),
        ),
    ),
    st.one_of(st.just([]), SOME_FAULTS),
)
QUIET = of(Run, options())
FAULTS_OR_NONE = st.one_of(st.just([]), SOME_FAULTS)
STEPS = {
    "quiet": QUIET,
    "faults": of(Run, options(), SOME_FAULTS, st.none(), st.booleans()),
    "kills": of(Run, options(), FAULTS_OR_NONE, KILLS, st.booleans()),
    "races": st.one_of(races(), races(), races(SOME_FAULTS), races(kills=KILLS)),
    "others": of(Run, options(), st.just([]), st.none(), st.just(True), OTHERS),
    "bulk quiet": of(Run, lists()),
    "bulk faults": of(Run, lists(), SOME_FAULTS, st.none(), st.booleans()),
    "bulk kills": of(Run, lists(), FAULTS_OR_NONE, KILLS, st.booleans()),
    "bulk races": st.one_of(
        bulk_races(), bulk_races(), bulk_races(SOME_FAULTS), bulk_races(kills=KILLS), bulk_races(others=OTHERS)
    ),
    "bulk others": of(Run, lists(), st.just([]), st.none(), st.just(True), OTHERS),
}
BETWEEN = st.one_of(QUIET, by_hand(), INFOS)


@st.composite
def rows(draw: t.Any, unique_labels: str, labels: t.Any = LABELS, types: t.Any = ROW_TYPES) -> list[dict[str, t.Any]]:
    """Deployments in the beginning, with labels as unique as they have to be."""
    found: list[dict[str, t.Any]] = []
    for number in range(draw(st.integers(0, 6))):
        row = dict(
            id=str(11 + number),
            projectId=draw(PROJECTS),
            label=draw(labels),
            type=draw(types),
            deleted=draw(st.integers(0, 2)) == 0,
        )
        same = [other for other in found if all(other[name] == row[name] for name in ("projectId", "label"))]
        taken = {"none": [], "active": [other for other in same if not other["deleted"] and not row["deleted"]]}
        if not taken.get(unique_labels, same):
            found.append(row)
    return found
