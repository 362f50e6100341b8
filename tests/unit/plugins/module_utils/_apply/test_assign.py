# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of assignments and removals whose answers do not tell: tables, without a server."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._apply.assign import (
    Assigner,
    is_shown,
    not_shown,
    unseen_warnings,
)
from ansible_collections.community.amplitude.plugins.module_utils._errors import AmplitudeError, ConnectionFailed
from ansible_collections.community.amplitude.plugins.module_utils._plan.serving import Step
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Change
from ansible_collections.community.amplitude.tests.support.rows import flag
from ansible_collections.community.amplitude.tests.support.service import (
    OK,
    REPLACES,
    UNSEEN,
    Answer,
    Service,
    fail,
    lost,
    refused,
)

CART, PAY, FREE, LATER = flag("1", "cart", "7"), flag("2", "pay", "7"), flag("3", "free"), flag("4", "later")
HERO = flag("1", "hero", "7", kind="experiment")
FLAGS = [CART, PAY, FREE, LATER, HERO]
DOWN = Answer(ConnectionFailed("write it", "no connection comes about", "try again"), carried_out=False)


def step(word: str, deployment_id: str, of: t.Any, item: int = 0) -> Step:
    about = {of.kind: of.key}
    return Step(item, of, deployment_id, Change(word, "1", deployment_id, f"label-{deployment_id}", **about))


def assigning(*places: t.Any, ids: t.Sequence[str] = ("8",)) -> list[Step]:
    return [step("assign", each, of) for of in places for each in ids]


def removing(*places: t.Any) -> list[Step]:
    return [step("unassign", "7", of) for of in places]


def told(steps: t.Iterable[Step]) -> str:
    return " ".join(f"{each.flag.key}:{each.deployment_id}" for each in steps)


@pytest.mark.parametrize(
    "word, has, shown",
    [
        ("assign", ["7", "8"], True),
        ("assign", ["7"], False),
        ("assign", None, True),
        ("unassign", ["7", "8"], False),
        ("unassign", ["7"], True),
        ("unassign", None, True),
    ],
)
def test_is_shown(word, has, shown):
    """None: it is archived or gone, so that it needs nothing any more."""
    flags = {} if has is None else {CART.place: CART._replace(deployments=tuple(has))}
    assert is_shown(step(word, "8", CART), flags) is shown


class Case(t.NamedTuple):
    """Steps, how their requests are answered, and what comes of it.

    ``reads``: how often the lists are read. ``error``: words of the sentence, one after the other.
    """

    steps: list[Step]
    answers: list[Answer]
    sent: list[str]
    done: str
    reads: int
    unseen: str = ""
    error: tuple[str, ...] = ()
    patience: float = 1000.0
    has: str | None = None


CASES = {
    "all of one flag in one request": Case(
        assigning(FREE, ids=["8", "9"]), [], ["assign 8,9 to free"], "free:8 free:9", 1, has="free=8,9"
    ),
    "the first one of a kind that has others goes alone": Case(
        assigning(FREE, CART, PAY, HERO),
        [],
        ["assign 8 to cart", "assign 8 to hero", "assign 8 to free", "assign 8 to pay"],
        "cart:8 hero:8 free:8 pay:8",
        3,
    ),
    "none has others": Case(assigning(FREE, LATER), [], ["assign 8 to free", "assign 8 to later"], "free:8 later:8", 1),
    "the first one is not shown": Case(
        assigning(CART, PAY),
        [UNSEEN],
        ["assign 8 to cart"],
        "cart:8",
        7,
        "cart:8",
        ("assign deployment 8 to flag 'cart'", "does not list deployment 8 yet", "run this again"),
    ),
    "another one is not shown": Case(
        assigning(CART, PAY), [OK, UNSEEN], ["assign 8 to cart", "assign 8 to pay"], "cart:8 pay:8", 8, "pay:8"
    ),
    "it replaces": Case(
        assigning(CART, PAY),
        [REPLACES],
        ["assign 8 to cart", "assign 7,8 to cart"],
        "cart:8",
        1,
        error=("has replaced the deployments 7 instead of adding", "they were assigned again, and nothing more was"),
        has="cart=7,8",
    ),
    "it replaces, and cannot be put back": Case(
        assigning(CART),
        [REPLACES, refused(403)],
        ["assign 8 to cart", "assign 7,8 to cart"],
        "cart:8",
        1,
        error=(
            "has replaced",
            "they could not be assigned again: it is refused with 403",
            "assign them again in Amplitude",
        ),
    ),
    "one is refused, and the others are not": Case(
        assigning(FREE, LATER, CART),
        [OK, refused(403)],
        ["assign 8 to cart", "assign 8 to free", "assign 8 to later"],
        "cart:8 later:8",
        2,
        error=("it is refused with 403",),
    ),
    "all are refused": Case(
        assigning(FREE, LATER),
        [refused(403), refused(403)],
        ["assign 8 to free", "assign 8 to later"],
        "",
        1,
        error=("it is refused with 403 (1 more could not be assigned, see pending)",),
    ),
    "the key is not valid any more": Case(
        assigning(CART, PAY, HERO),
        [refused(401)],
        ["assign 8 to cart"],
        "",
        1,
        error=("it is refused with 401 (2 more could not be assigned, see pending)",),
    ),
    "no connection comes about any more": Case(
        assigning(FREE, LATER),
        [DOWN],
        ["assign 8 to free"],
        "",
        1,
        error=("no connection comes about (1 more could not be assigned, see pending)",),
    ),
    "lost, and carried out": Case(assigning(CART), [lost(True)], ["assign 8 to cart"], "cart:8", 1),
    "lost, and not carried out": Case(
        assigning(CART), [lost(False)], ["assign 8 to cart", "assign 8 to cart"], "cart:8", 5
    ),
    "lost, and there is no patience": Case(
        assigning(CART),
        [lost(False)],
        ["assign 8 to cart"],
        "",
        1,
        error=("no answer, so it is not known whether it was carried out",),
        patience=0.0,
    ),
    "lost, which does not stop the others": Case(
        assigning(FREE, LATER),
        [lost(False)],
        ["assign 8 to free", "assign 8 to later"],
        "later:8",
        1,
        error=("no answer, so it is not known whether it was carried out",),
        patience=0.0,
    ),
    "it is there already": Case(assigning(CART, ids=["7"]), [], ["assign 7 to cart"], "cart:7", 1, has="cart=7"),
    "refused, as it is there already": Case(
        assigning(CART, ids=["7"]), [refused(409)], ["assign 7 to cart"], "", 1, has="cart=7"
    ),
    "refused, as a part of it is there already": Case(
        assigning(CART, ids=["7", "8"]),
        [refused(400)],
        ["assign 7,8 to cart", "assign 8 to cart"],
        "cart:8",
        5,
        has="cart=7,8",
    ),
    "refused, and carried out all the same": Case(
        assigning(FREE, ids=["8", "9"]), [refused(400, carried_out=True)], ["assign 8,9 to free"], "free:8 free:9", 1
    ),
    "refused": Case(
        assigning(CART), [refused(400)], ["assign 8 to cart"], "", 4, error=("it is refused with 400",), has="cart=7"
    ),
    "removed": Case(
        removing(CART, PAY), [], ["remove 7 from cart", "remove 7 from pay"], "cart:7 pay:7", 1, has="cart="
    ),
    "removed, and not shown": Case(removing(CART), [UNSEEN], ["remove 7 from cart"], "cart:7", 7, "cart:7"),
    "removed by somebody else": Case(removing(FREE), [refused(404)], ["remove 7 from free"], "", 1),
    "not removed": Case(
        removing(CART, PAY),
        [refused(403), refused(403)],
        ["remove 7 from cart", "remove 7 from pay"],
        "",
        1,
        error=("it is refused with 403 (1 more could not be removed, see pending)",),
    ),
    "lost, and not removed": Case(
        removing(CART), [lost(False)], ["remove 7 from cart"], "", 4, error=("no answer, so it is not known",)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of_it(name):
    case = CASES[name]
    service = Service(flags=FLAGS, answers=case.answers, patience=case.patience)
    assigner = Assigner(service.client, service.read_flags, lambda: {"7", "8", "9"}, 1)
    is_removal = case.steps[0].change.action == "unassign"
    error = ""
    try:
        assigner.remove(case.steps) if is_removal else assigner.assign(case.steps)
    except AmplitudeError as raised:
        error = str(raised)
    assert (service.sent, told(assigner.done), told(assigner.unseen)) == (case.sent, case.done, case.unseen)
    assert bool(error) is bool(case.error), error
    at = [error.find(words) for words in case.error]
    assert -1 not in at and at == sorted(at), error
    assert len(service.reads) == case.reads
    if case.has is not None:
        key = case.has.split("=")[0]
        assert [f"{key}={','.join(each.deployments)}" for each in service.flags.values() if each.key == key] == [
            case.has
        ]


@pytest.mark.parametrize(
    "active, answers, sent, words",
    [
        (["7", "6"], [OK], ["assign 6,7,8 to cart"], "they were assigned again"),
        (
            ["7"],
            [refused(400)],
            ["assign 6,7,8 to cart", "assign 7,8 to cart"],
            "those that are active (7) were assigned again",
        ),
        (["7"], [refused(403)], ["assign 6,7,8 to cart"], "they could not be assigned again"),
        ([], [refused(400)], ["assign 6,7,8 to cart"], "they could not be assigned again"),
        (["6", "7"], [refused(400)], ["assign 6,7,8 to cart"], "they could not be assigned again"),
    ],
)
def test_what_is_put_back(active, answers, sent, words):
    """Whether what is archived can be assigned is not documented; what is active does not wait for that."""
    cart = CART._replace(deployments=("6", "7"))
    service = Service(flags=[cart], answers=[REPLACES, *answers])
    with pytest.raises(AmplitudeError) as raised:
        Assigner(service.client, service.read_flags, lambda: active, 1).assign(assigning(cart))
    assert service.sent == ["assign 8 to cart", *sent] and words in str(raised.value)


def test_it_is_known_to_add():
    """Once it was seen of a kind, no other one of that kind goes alone."""
    service = Service(flags=FLAGS)
    assigner = Assigner(service.client, service.read_flags, set, 1)
    for of, reads in ((CART, 1), (PAY, 2), (HERO, 3)):
        assigner.assign(assigning(of, FREE, ids=["8"]) if of is HERO else assigning(of))
        assert len(service.reads) == reads + (of is HERO)


def test_flag_that_is_archived_meanwhile():
    """Nobody can see then whether it was added to, and nothing depends on it any more."""
    service = Service(flags=FLAGS)
    service.before_read = lambda number: service.flags.pop(CART.place, None)
    assigner = Assigner(service.client, service.read_flags, set, 1)
    assigner.assign(assigning(CART, PAY))
    assert service.sent == ["assign 8 to cart", "assign 8 to pay"] and assigner.unseen == []


def test_lists_with_what_they_do_not_show_yet():
    service = Service(flags=FLAGS, answers=[OK, UNSEEN, UNSEEN])
    assigner = Assigner(service.client, service.read_flags, set, 1)
    assigner.assign(assigning(CART, FREE))
    assigner.remove(removing(PAY))
    found = {each.key: each.deployments for each in assigner.overlaid([CART, PAY, FREE])}
    assert found == {"cart": ("7",), "pay": (), "free": ("8",)}
    assert [each.key for each in assigner.overlaid([LATER])] == ["later"]


def test_failure_to_read_back():
    service = Service(flags=FLAGS)
    service.before_read = fail
    assigner = Assigner(service.client, service.read_flags, set, 1)
    with pytest.raises(AmplitudeError, match="refused with 500, so what was written could not be read back"):
        assigner.assign(assigning(CART))
    assert told(assigner.done) == told(assigner.unseen) == "cart:8"


def test_words():
    steps = [*assigning(CART, PAY), *removing(HERO)]
    assert "flag 'cart' does not list deployment 8 yet (and 1 more)" in str(not_shown(steps[:2]))
    assert "experiment 'hero' still lists deployment 7;" in str(not_shown(steps[2:], "retire it"))
    assert str(not_shown(steps[2:], "retire it")).startswith("Could not retire it: ")
    other = step("unassign", "7", HERO, item=3)
    warnings = unseen_warnings([*steps[:2], other])
    assert list(warnings) == [0, 3]
    assert warnings[0].startswith("The assignment of deployment 8 to flag 'cart' (id 1) in project 1 (and 1 more) was ")
    assert warnings[3].startswith(
        "The removal of deployment 7 from experiment 'hero' (id 1) in project 1 was accepted, "
    )
