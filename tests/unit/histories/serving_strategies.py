# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Histories of what deployments serve, and of taking over, at random."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from ansible_collections.community.amplitude.tests.unit.histories.story import Kill, OnFlag, Other, Run
from ansible_collections.community.amplitude.tests.unit.histories.strategies import (
    BULK_TYPES,
    FAULTS_OR_NONE,
    FEW_LABELS,
    INFOS,
    PROJECTS,
    RANKS,
    SOME_FAULTS,
    bulk_races,
    by_hand,
    lists,
    of,
    races,
    rows,
)

FEW_KEYS = ["cart", "pay", "hero"]
KEYS = st.sampled_from(FEW_KEYS)
#: The ranks of those deployments that are there in the beginning.
GIVEN = st.integers(2, 4)


@st.composite
def on_flag(draw: t.Any) -> OnFlag:
    kind, row = (
        draw(st.sampled_from(["flags", "flags", "experiments"])),
        draw(st.one_of(st.none(), RANKS, RANKS, RANKS)),
    )
    changes: dict[str, t.Any] = {}
    if row is None:
        changes = dict(projectId=draw(PROJECTS), key=draw(KEYS), enabled=draw(st.booleans()))
    else:
        way = draw(st.integers(0, 9))
        for verb, ways in (("assign", (0, 1, 2, 3)), ("remove", (3, 4, 5, 6))):
            if way in ways:
                changes[verb] = draw(RANKS)
        if way >= 7:
            changes[draw(st.sampled_from(["enabled", "enabled", "archived"]))] = draw(st.booleans())
    return OnFlag(kind, changes, row)


def one_in(count: int) -> t.Any:
    """True once in so many times. Hypothesis likes the ends of a range too well for that."""
    return st.integers(0, count - 1).map(lambda number: number == count // 2)


@st.composite
def serving(draw: t.Any, label: str, takes_over: bool) -> dict[str, t.Any]:
    """An item that says what its deployment serves, or from which one it takes over."""
    item: dict[str, t.Any] = dict(project_id="1", label=label)
    if takes_over:
        item.update(project_id=None, replaces=draw(GIVEN))
        if not draw(one_in(3)):
            item["retire"] = True
    elif draw(one_in(6)):
        item.update(project_id=None, id=draw(GIVEN))
    elif draw(one_in(6)):
        item["previous_label"] = draw(st.sampled_from([each for each in FEW_LABELS if each != label]))
    if draw(one_in(8)) if takes_over or "id" in item else not draw(one_in(4)):
        item["type"] = draw(BULK_TYPES)
    for kind in ("flags", "experiments"):
        if draw(one_in(4)) if takes_over else (kind == "flags" or draw(st.booleans())):
            item[kind] = draw(st.lists(KEYS, max_size=3, unique=True))
            if draw(one_in(20)):
                item[kind].append("none-such")
    if draw(one_in(3)) and ("flags" in item or "experiments" in item):
        item["exclusive"] = True
    if draw(one_in(30)):
        item["state"] = "absent"
    return item


@st.composite
def serving_options(draw: t.Any, *takes_over: bool, **given: t.Any) -> dict[str, t.Any]:
    """Options of amplitude_deployment; those that are given are not drawn."""
    item = draw(serving(draw(st.sampled_from(FEW_LABELS)), draw(st.sampled_from(takes_over or (False, True)))))
    if draw(one_in(4)):
        item["force"] = True
    if draw(one_in(10)):
        item["retry_timeout"] = draw(st.sampled_from([0, 1, 10]))
    return dict(item, **given)


@st.composite
def serving_lists(draw: t.Any, least: int = 1) -> dict[str, t.Any]:
    """Options of amplitude_deployments: items of which some serve something, and some take over."""
    if draw(one_in(5)):
        task = draw(lists(least, most=4))
    else:
        labels = draw(st.lists(st.sampled_from(FEW_LABELS), min_size=least, max_size=4, unique=True))
        ways = draw(st.lists(one_in(3), min_size=len(labels), max_size=len(labels)))
        items = [draw(serving(label, takes_over)) for label, takes_over in zip(labels, ways)]
        task = dict(deployments=items, concurrency=draw(st.integers(1, 4)))
        for name in ("purge", "force"):
            if draw(one_in(5)):
                task[name] = True
        if draw(one_in(10)):
            task["retry_timeout"] = draw(st.sampled_from([0, 1, 10]))
    # No two of them mean the same, unless by their labels.
    for number, item in enumerate(task["deployments"]):
        for name in ("id", "replaces"):
            if name in item and not draw(one_in(10)):
                item[name] = 2 + number
    return task


HANDS = st.one_of(by_hand(), on_flag(), on_flag())
SERVING_OTHERS = st.lists(
    of(Other, st.sampled_from(["GET", "GET", "GET", "POST", "POST", "PATCH", "DELETE"]), st.integers(1, 6), HANDS),
    min_size=1,
    max_size=2,
)
LATER_KILLS = of(Kill, st.sampled_from(["before", "after"]), st.integers(1, 14))


def serving_races(**more: t.Any) -> t.Any:
    """Several runs of which some serve something, or take over."""
    return races(options=serving_options, hands=HANDS, **more)


def serving_bulk_races(**more: t.Any) -> t.Any:
    """The same with lists."""
    return bulk_races(lists=serving_lists, hands=HANDS, **more)


def hindered(options: t.Any) -> t.Any:
    """Runs that nothing hinders, with faults, and that are killed."""
    return st.one_of(
        of(Run, options),
        of(Run, options, SOME_FAULTS, st.none(), st.booleans()),
        of(Run, options, FAULTS_OR_NONE, LATER_KILLS, st.booleans()),
    )


def among_others(options: t.Any) -> t.Any:
    """Runs during which others do something."""
    return of(Run, options, st.just([]), st.none(), st.just(True), SERVING_OTHERS)


#: The kinds in which there are flags and experiments.
SERVING_STEPS = {
    "serving": hindered(serving_options(False)),
    "serving others": among_others(serving_options(False)),
    "taking over": hindered(serving_options(True)),
    "taking over others": among_others(serving_options(True)),
    "serving races": st.one_of(serving_races(), serving_races(faults=SOME_FAULTS), serving_races(kills=LATER_KILLS)),
    "serving bulk": hindered(serving_lists()),
    "serving bulk others": among_others(serving_lists()),
    "serving bulk races": st.one_of(
        serving_bulk_races(),
        serving_bulk_races(faults=SOME_FAULTS),
        serving_bulk_races(kills=LATER_KILLS),
        serving_bulk_races(others=SERVING_OTHERS),
    ),
}
SERVING_BETWEEN = st.one_of(of(Run, serving_options()), HANDS, INFOS)


@st.composite
def served_rows(draw: t.Any, unique_labels: str) -> list[dict[str, t.Any]]:
    """Deployments in the beginning: some of project 1 with labels of their own, and perhaps others."""
    found = [
        dict(
            id=str(11 + number),
            projectId="1",
            label=label,
            type=draw(st.sampled_from(["client"] * 7 + ["server"])),
            deleted=draw(one_in(6)),
        )
        for number, label in enumerate(draw(st.permutations(FEW_LABELS))[:3])
    ]
    more = [dict(row, id=str(int(row["id"]) + 3)) for row in draw(rows(unique_labels, st.sampled_from(FEW_LABELS)))]
    if draw(one_in(3)) and unique_labels == "none":
        found += more[:2]
    return found


@st.composite
def users(draw: t.Any, rows: t.Sequence[dict[str, t.Any]], first: int) -> list[dict[str, t.Any]]:
    """Flags or experiments in the beginning, which use some of these deployments, or a default one.

    :param first: the id of the first one.
    """
    found: list[dict[str, t.Any]] = []
    keys = [("1", key) for key in FEW_KEYS if not draw(one_in(10))]
    if draw(one_in(4)):
        keys.append((draw(PROJECTS), draw(KEYS)))
    for number, (project_id, key) in enumerate(keys):
        own = [row["id"] for row in rows if row["projectId"] == project_id]
        found.append(
            dict(
                id=str(first + number),
                projectId=project_id,
                key=key,
                enabled=not draw(one_in(4)),
                archived=draw(one_in(10)),
                deployments=draw(st.lists(st.sampled_from([*own * 3, project_id]), max_size=3, unique=True)),
            )
        )
    return found
