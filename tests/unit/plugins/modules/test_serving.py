# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What deployments serve, and what one takes over from another, in both writing modules."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.amplitude.tests.support.bulk import writes
from ansible_collections.community.amplitude.tests.support.modules import run_module
from ansible_collections.community.amplitude.tests.support.serving import ACCOUNT, have, plain

pytestmark = pytest.mark.core


class Case(t.NamedTuple):
    """Options of a deployment of project 1, what is changed, and what the flags and experiments have afterwards."""

    options: dict[str, t.Any]
    changes: str = ""
    flags: str = "cart=7,8 pay=7 gone=7 free= cart=6"
    experiments: str = "hero=7,8 cart="
    serves: tuple[str | None, str | None] = (None, None)
    force: bool = False


SERVED = {
    "nothing is managed": Case(dict(label="web")),
    "it serves that already": Case(dict(label="web", flags=["cart"]), serves=("cart pay", None)),
    "a flag more": Case(
        dict(label="api", flags=["pay", "cart"]),
        "assign 8 api pay",
        "cart=7,8 pay=7,8 gone=7 free= cart=6",
        serves=("cart pay", None),
    ),
    "an experiment that has none": Case(
        dict(label="api", experiments=["cart"]),
        "assign 8 api cart",
        experiments="hero=7,8 cart=8",
        serves=(None, "cart hero"),
    ),
    "of one that is created": Case(
        dict(label="new", type="client", flags=["free", "cart"], experiments=["hero"]),
        "create - new, assign - new cart, assign - new free, assign - new hero",
        "cart=7,8,10001 pay=7 gone=7 free=10001 cart=6",
        "hero=7,8,10001 cart=",
        ("cart free", "hero"),
    ),
    "of one that is restored and renamed": Case(
        dict(id="9", label="new", flags=["free"]),
        "restore 9 old, rename 9 new, assign 9 new free",
        "cart=7,8 pay=7 gone=7 free=9 cart=6",
        serves=("free", None),
    ),
    "exclusive": Case(
        dict(label="api", flags=["pay"], exclusive=True),
        "assign 8 api pay, unassign 8 api cart",
        "cart=7 pay=7,8 gone=7 free= cart=6",
        serves=("pay", None),
    ),
    "exclusive of nothing": Case(
        dict(label="api", flags=[], experiments=[], exclusive=True),
        "unassign 8 api cart, unassign 8 api hero",
        "cart=7 pay=7 gone=7 free= cart=6",
        "hero=7 cart=",
        ("", ""),
    ),
    "the last one of an enabled flag, by force": Case(
        dict(label="web", flags=[], exclusive=True),
        "unassign 7 web cart, unassign 7 web pay",
        "cart=8 pay= gone=7 free= cart=6",
        serves=("", None),
        force=True,
    ),
    "takes over from what has its label": Case(
        dict(label="web", replaces="7"),
        "rename 7 web-superseded-7, create - web, assign - web cart, assign - web pay, assign - web hero",
        "cart=7,8,10001 pay=7,10001 gone=7 free= cart=6",
        "hero=7,8,10001 cart=",
        ("cart pay", "hero"),
    ),
    "takes over, with another type": Case(
        dict(label="web", replaces="7", type="server"),
        "rename 7 web-superseded-7, create - web, assign - web cart, assign - web pay, assign - web hero",
        "cart=7,8,10001 pay=7,10001 gone=7 free= cart=6",
        "hero=7,8,10001 cart=",
        ("cart pay", "hero"),
    ),
    "takes over, and retires": Case(
        dict(label="web", replaces="7", retire=True),
        "rename 7 web-superseded-7, create - web, assign - web cart, assign - web pay, assign - web hero, "
        "unassign 7 web-superseded-7 cart, unassign 7 web-superseded-7 pay, unassign 7 web-superseded-7 hero, "
        "archive 7 web-superseded-7",
        "cart=8,10001 pay=10001 gone=7 free= cart=6",
        "hero=8,10001 cart=",
        ("cart pay", "hero"),
    ),
    "takes over from what has another label": Case(
        dict(label="api", replaces="7", retire=True),
        "assign 8 api pay, unassign 7 web cart, unassign 7 web pay, unassign 7 web hero, archive 7 web",
        "cart=8 pay=8 gone=7 free= cart=6",
        "hero=8 cart=",
        ("cart pay", "hero"),
    ),
    "takes over from what is archived": Case(
        dict(label="old", replaces="9", retire=True), "rename 9 old-superseded-9, create - old", serves=("", "")
    ),
    "does not restore what is archived": Case(
        dict(label="old", replaces="8", flags=["free"], exclusive=True),
        "create - old, assign - old free, assign - old hero",
        "cart=7,8 pay=7 gone=7 free=10001 cart=6",
        "hero=7,8,10001 cart=",
        ("free", "hero"),
    ),
    "takes over from the default deployment, by force": Case(
        dict(label="default", replaces="5", type="client"),
        "rename 5 default-superseded-5, create - default",
        serves=("", ""),
        force=True,
    ),
}  # fmt: skip

#: Whatever the API makes of what is not documented.
WORLDS: dict[str, dict[str, t.Any]] = {
    "as documented": {},
    "text ids, strict": dict(
        ids="string", assigned_again_status=409, last_deployment_status=400, archived_flag_status=404
    ),
    "lists that lag, in small pages": dict(stale_lists=2, max_page_size=1, cursor="opaque", assigned_again_status=400),
    "lenient": dict(removed_again_status=200, archived_field="archived", last_page="empty_page", order="newest_first"),
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", SERVED)
def test_check_apply_rerun(emulator, serve, name, world):
    case = SERVED[name]
    emulator.reset(ACCOUNT, **WORLDS[world])
    if world == "text ids, strict" and "last one" in name:
        return

    check = serve(case.options, check_mode=True, force=case.force)
    assert not check.get("failed"), check["msg"]
    assert writes(emulator) == []
    apply = serve(case.options, force=case.force)
    assert not apply.get("failed"), apply["msg"]
    assert ", ".join(map(plain, apply["changes"])) == case.changes
    for field in ("changed", "changes", "diff"):
        assert apply[field] == check[field]
    assert dict(apply["deployment"], id=None, key=None) == dict(check["deployment"], id=None, key=None)
    assert tuple(apply["deployment"][kind] for kind in ("flags", "experiments")) == tuple(
        keys if keys is None else keys.split() for keys in case.serves
    )
    assert have(emulator.flags()) == case.flags
    assert have(emulator.experiments()) == case.experiments
    again = serve(case.options, force=case.force)
    assert not again.get("failed") and not again["changed"] and again["changes"] == [] and writes(emulator) == []
    assert again["deployment"] == apply["deployment"]


@pytest.mark.parametrize("name", [name for name, case in SERVED.items() if not case.force])
def test_drift_is_what_is_done(emulator, connection, name):
    """The audit tells the same changes as the check mode of the writing module, and none after it."""
    emulator.reset(ACCOUNT)
    case = SERVED[name]

    def drift():
        emulator.forget_requests()
        projects = [dict(project_id="1", deployments=[case.options])]
        result = run_module("amplitude_drift_info", projects=projects, **connection)
        assert not result.get("failed"), result["msg"]
        assert {request["method"] for request in emulator.requests()} == {"GET"}
        return [row for row in result["deployments"] if row["listed"] and row["drift"]]

    found = [change for row in drift() for change in row["changes"]]
    assert ", ".join(map(plain, found)) == case.changes
    result = run_module("amplitude_deployments", **dict(connection, project_id="1", deployments=[case.options]))
    assert result["changes"] == found
    assert drift() == []


@pytest.mark.parametrize(
    "item, include_usage, lists",
    [
        (dict(label="web"), False, {}),
        (dict(label="web", flags=[]), False, {"flags": 2}),
        (dict(label="web", replaces="7"), False, {"flags": 2, "experiments": 2}),
        (dict(label="web", state="absent"), False, {"flags": 2, "experiments": 2}),
        (dict(label="web", replaces="7"), True, {"flags": 2, "experiments": 2}),
    ],
)
def test_drift_reads_each_list_once(emulator, connection, item, include_usage, lists):
    """With and without archived ones; and none of them if nothing needs it."""
    emulator.reset(ACCOUNT)
    projects = [dict(project_id="1", deployments=[item])]
    run_module("amplitude_drift_info", projects=projects, include_usage=include_usage, **connection)
    paths = [request["path"].rsplit("/", 1)[1] for request in emulator.requests()]
    assert {path: paths.count(path) for path in paths if path != "deployments"} == lists


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "real"])
def test_what_is_pending_where_another_item_is_refused(emulator, connection, check_mode):
    """All that would be done about the others, also what they would serve."""
    emulator.reset(ACCOUNT)
    case = SERVED["takes over, and retires"]
    items = [dict(label="api", flags=["nothing"]), case.options, dict(label="old", state="absent")]

    result = run_module("amplitude_deployments", check_mode, **dict(connection, project_id="1", deployments=items))

    assert result["failed"] and "there is no flag with the key 'nothing'" in result["msg"]
    assert ", ".join(map(plain, result["pending"])) == case.changes
    assert writes(emulator) == []
