# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployment
from ansible_collections.community.amplitude.plugins.module_utils._api.flags import Flag
from ansible_collections.community.amplitude.plugins.module_utils._plan.served import Served
from ansible_collections.community.amplitude.plugins.module_utils._plan.serving import Subject, plan_serving
from ansible_collections.community.amplitude.plugins.module_utils._plan.wanted import Rules
from ansible_collections.community.amplitude.tests.support.rows import flag, row, want

OLD = row("7", "web-superseded-7")
WEB = row("11", "web")
NEW = WEB._replace(id=None, key=None)
API = row("12", "api")


def experiment(identifier: str, key: str, *deployments: str, **more: t.Any) -> Flag:
    return flag(identifier, key, *deployments, kind="experiment", **more)


def subject(
    deployment: Deployment = WEB, item: int = 0, replaced: Deployment | None = None, **options: t.Any
) -> Subject:
    if replaced is not None:
        options["replaces"] = replaced.id
    wanted = want(deployment.label, **options)
    return Subject(item, wanted, deployment, deployment.id is None, replaced)


def told(step):
    change = step.change
    of = change.flag or change.experiment
    return f"{change.action} {change.id or 'new'} {of}"


class Case(t.NamedTuple):
    """What is wanted of one or several deployments, what the flags and experiments have, and what comes of it."""

    subjects: list[Subject]
    flags: list[Flag]
    steps: list[str] = []
    served: tuple[str, str] = ("", "")
    before: tuple[str, str] | None = None
    problems: tuple[str, ...] = ()
    active: str = "7 11 12"
    force: bool = False


CART, PAY, HERO = flag("1", "cart"), flag("2", "pay"), experiment("3", "hero")
CASES = {
    "nothing is wanted": Case([subject(flags=())], [CART], served=("", "")),
    "a flag that lacks it": Case([subject(flags=("cart",))], [CART], ["assign 11 cart"], ("cart", ""), ("", "")),
    "a flag that has it": Case([subject(flags=("cart",))], [flag("1", "cart", "11")], [], ("cart", ""), ("cart", "")),
    "what it serves besides stays": Case(
        [subject(flags=("cart",))], [CART, flag("2", "pay", "11")], ["assign 11 cart"], ("cart pay", ""), ("pay", "")
    ),
    "it is still to be created": Case([subject(NEW, flags=("cart",))], [CART], ["assign new cart"], ("cart", "")),
    "flags before experiments, by key": Case(
        [subject(flags=("pay", "cart"), experiments=("hero",))],
        [HERO, PAY, CART],
        ["assign 11 cart", "assign 11 pay", "assign 11 hero"],
        ("cart pay", "hero"),
    ),
    "a flag and an experiment with one key are two": Case(
        [subject(experiments=("cart",))], [CART, experiment("1", "cart")], ["assign 11 cart"], ("", "cart")
    ),
    "a flag and an experiment with one id are two": Case(
        [subject(flags=("cart",), experiments=("hero",), exclusive=True)],
        [
            flag("1", "cart", "11"),
            experiment("1", "hero", "11"),
            flag("2", "pay", "7", "11"),
            experiment("2", "cta", "7", "11"),
        ],
        ["unassign 11 pay", "unassign 11 cta"],
        ("cart", "hero"),
        ("cart pay", "cta hero"),
    ),
    "a key that is given twice": Case([subject(flags=("cart", "cart"))], [CART], ["assign 11 cart"], ("cart", "")),
    "a key of another project": Case(
        [subject(flags=("cart",))],
        [flag("1", "cart", project_id="2")],
        problems=(
            "Could not assign deployment 'web' in project 1 to flag 'cart': there is no flag with the key 'cart' in",
        ),
    ),
    "a key that differs in case": Case(
        [subject(flags=("Cart",))], [CART], problems=("there is no flag with the key 'Cart'",)
    ),
    "a key that is archived": Case(
        [subject(flags=("cart",))], [flag("1", "cart", archived=True)], problems=("the flag 'cart' is archived (id 1)",)
    ),
    "a key that is archived, and there again": Case(
        [subject(flags=("cart",))],
        [flag("1", "cart", "11", archived=True), flag("4", "cart")],
        ["assign 11 cart"],
        ("cart", ""),
    ),
    "a key that two have": Case(
        [subject(flags=("cart",))],
        [CART, flag("4", "cart")],
        problems=("the key 'cart' belongs to 2 flags, with the ids 1, 4",),
    ),
    "all keys that are wrong": Case(
        [subject(flags=("cart", "no")), subject(API, 1, experiments=("none",))],
        [CART],
        ["assign 11 cart"],
        ("cart", ""),
        problems=("flag 'no'", "experiment 'none'"),
    ),
    # exclusive
    "exclusive": Case(
        [subject(flags=("cart",), exclusive=True)],
        [flag("1", "cart", "11"), flag("2", "pay", "11", "12")],
        ["unassign 11 pay"],
        ("cart", ""),
        ("cart pay", ""),
    ),
    "exclusive, of kinds that are set": Case(
        [subject(flags=("cart",), exclusive=True)],
        [flag("1", "cart", "11"), experiment("3", "hero", "11")],
        served=("cart", "hero"),
    ),
    "exclusive, of nothing": Case(
        [subject(experiments=(), exclusive=True)], [experiment("3", "hero", "11", "12")], ["unassign 11 hero"]
    ),
    "archived ones are left alone": Case(
        [subject(flags=(), exclusive=True)], [flag("1", "cart", "11", archived=True)], []
    ),
    # no enabled one is left without an active deployment
    "the last one of an enabled flag": Case(
        [subject(flags=(), exclusive=True)],
        [flag("1", "cart", "11")],
        ["unassign 11 cart"],
        problems=(
            "without it no active deployment would serve the enabled flag 'cart' (id 1); assign another deployment",
        ),
    ),
    "the last one, by force": Case(
        [subject(flags=(), exclusive=True)], [flag("1", "cart", "11")], ["unassign 11 cart"], force=True
    ),
    "the last one of a flag that is disabled": Case(
        [subject(flags=(), exclusive=True)], [flag("1", "cart", "11", enabled=False)], ["unassign 11 cart"]
    ),
    "the last one of a flag that does not tell whether it is enabled": Case(
        [subject(flags=(), exclusive=True)],
        [flag("1", "cart", "11", enabled=None)],
        ["unassign 11 cart"],
        problems=("no active deployment would serve",),
    ),
    "the last one that is active": Case(
        [subject(flags=(), exclusive=True)],
        [flag("1", "cart", "11", "12", "13")],
        ["unassign 11 cart"],
        problems=("no active deployment would serve",),
        active="11",
    ),
    "the last one, of which another item takes the place": Case(
        [subject(flags=(), exclusive=True), subject(NEW._replace(label="new"), 1, flags=("cart",))],
        [flag("1", "cart", "11")],
        ["assign new cart", "unassign 11 cart"],
    ),
    "the last two, removed by two items": Case(
        [subject(flags=(), exclusive=True), subject(API, 1, flags=(), exclusive=True)],
        [flag("1", "cart", "11", "12")],
        ["unassign 11 cart", "unassign 12 cart"],
        problems=("remove deployment 'web'", "remove deployment 'api'"),
    ),
    # taking over
    "takes over what the other serves": Case(
        [subject(NEW, replaced=OLD)],
        [flag("1", "cart", "7"), flag("2", "pay"), experiment("3", "hero", "7", "12")],
        ["assign new cart", "assign new hero"],
        ("cart", "hero"),
    ),
    "has taken over a part": Case(
        [subject(replaced=OLD)],
        [flag("1", "cart", "7", "11"), flag("2", "pay", "7")],
        ["assign 11 pay"],
        ("cart pay", ""),
    ),
    "has taken over all": Case([subject(replaced=OLD)], [flag("1", "cart", "7", "11")], [], ("cart", "")),
    "takes over, and serves more": Case(
        [subject(replaced=OLD, flags=("pay",))],
        [flag("1", "cart", "7"), PAY],
        ["assign 11 cart", "assign 11 pay"],
        ("cart pay", ""),
    ),
    "takes over only what is listed, of a kind that is exclusive": Case(
        [subject(replaced=OLD, flags=("pay",), exclusive=True)],
        [flag("1", "cart", "7"), flag("2", "pay", "7"), experiment("3", "hero", "7")],
        ["assign 11 pay", "assign 11 hero"],
        ("pay", "hero"),
    ),
    "takes over from an archived one": Case(
        [subject(replaced=OLD._replace(deleted=True), retire=True)],
        [flag("1", "cart", "7")],
        ["assign 11 cart"],
        ("cart", ""),
    ),
    "takes over, and retires the other": Case(
        [subject(NEW, replaced=OLD, retire=True)],
        [flag("1", "cart", "7"), flag("4", "gone", "7", archived=True), experiment("3", "hero", "7")],
        ["assign new cart", "assign new hero", "unassign 7 cart", "unassign 7 hero"],
        ("cart", "hero"),
        active="",
    ),
    "retires what serves more than is taken over": Case(
        [subject(replaced=OLD, retire=True, flags=(), exclusive=True)],
        [flag("1", "cart", "7")],
        ["unassign 7 cart"],
        problems=("Could not remove deployment 'web-superseded-7' (id 7) from what it serves",),
    ),
    "retires what another item serves too": Case(
        [subject(replaced=OLD, retire=True, flags=(), exclusive=True), subject(API, 1, flags=("cart",))],
        [flag("1", "cart", "7")],
        ["assign 12 cart", "unassign 7 cart"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_plan(name):
    case = CASES[name]
    plan = plan_serving(case.subjects, case.flags, case.active.split(), Rules(force=case.force))
    problems = [str(problem) for _item, problem in plan.problems]
    assert len(problems) == len(case.problems) and all(words in each for words, each in zip(case.problems, problems)), (
        problems
    )
    assert list(map(told, [*plan.assigns, *plan.removals])) == case.steps
    before, after = plan.served[0]
    assert after == Served(*(tuple(keys.split()) for keys in case.served))
    if case.before is not None:
        assert before == Served(*(tuple(keys.split()) for keys in case.before))


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_left_to_do_once_it_is_done(name):
    case = CASES[name]
    if case.problems:
        return
    ids = {None: "50"}
    flags = {(each.kind, each.id): each for each in case.flags}
    plan = plan_serving(case.subjects, case.flags, case.active.split(), Rules(case.force))
    for step in plan.assigns:
        of = (step.flag.kind, step.flag.id)
        flags[of] = flags[of].with_more([step.deployment_id or ids[None]])
    for step in plan.removals:
        of = (step.flag.kind, step.flag.id)
        flags[of] = flags[of]._replace(deployments=tuple(set(flags[of].deployments) - {step.deployment_id}))
    subjects = [
        each._replace(
            deployment=each.deployment._replace(id=each.deployment.id or "50"),
            replaced=each.replaced and each.replaced._replace(deleted=each.replaced.deleted or each.retires),
        )
        for each in case.subjects
    ]
    again = plan_serving(subjects, list(flags.values()), [*case.active.split(), "50"], Rules(case.force))
    assert (again.assigns, again.removals, again.problems) == ((), (), ())
    assert {item: after for item, (_before, after) in plan.served.items()} == {
        item: before for item, (before, _after) in again.served.items()
    }


def test_what_the_replaced_one_serves():
    """It keeps all of it, or nothing but what is archived."""
    flags = [flag("1", "cart", "7"), experiment("3", "hero", "7")]
    kept = plan_serving([subject(replaced=OLD)], flags, ["7", "11"], Rules())
    assert kept.replaced == {0: (Served(("cart",), ("hero",)), Served(("cart",), ("hero",)))}
    retired = plan_serving([subject(replaced=OLD, retire=True)], flags, ["11"], Rules())
    assert retired.replaced == {0: (Served(("cart",), ("hero",)), Served())}


def test_changes():
    """The id is not told of what is created, and an archived one has the label that it gets before."""
    plan = plan_serving([subject(NEW, replaced=OLD, retire=True)], [flag("1", "cart", "7")], [], Rules())
    [assign], [removal] = plan.assigns, plan.removals
    assert assign.change.as_result() == dict(
        action="assign",
        project_id="1",
        id=None,
        label="web",
        previous_label=None,
        type=None,
        flag="cart",
        experiment=None,
    )
    assert removal.change.as_result() == dict(
        assign.change.as_result(), action="unassign", id="7", label="web-superseded-7"
    )
    again = plan_serving([subject(replaced=OLD)._replace(created=True)], [flag("1", "cart", "7")], [], Rules())
    assert again.assigns[0].change == assign.change and again.assigns[0].deployment_id == "11"
