# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What the playbooks say of the results of modules: sentences that name the project, and counts of what was done."""

from __future__ import annotations

import typing as t

#: How many sentences a message has at the most.
MOST = 20

#: What each action of a change is called once it is done, in the order of the last line of a playbook.
DONE = {
    "create": "created",
    "rename": "renamed",
    "restore": "restored",
    "archive": "archived",
    "assign": "assigned",
    "unassign": "removed",
}
#: Those that are told even if there were none.
ALWAYS = ("created", "renamed", "restored", "archived", "unchanged")

Row = t.Mapping[str, t.Any]


def problems_of(result: Row, source: str, project_id: str | None = None) -> list[dict[str, t.Any]]:
    """What a module that failed has said, one problem each, with ``told``: a sentence that names file and project.

    :param source: where the desired state is written.
    :param project_id: that of all problems that do not name one.
    """
    given = result.get("problems")
    if not isinstance(given, list) or not given:
        # The module of several projects names them in its message.
        where = source if project_id is None else f"{source}, project {project_id}"
        return [{"item": None, "project_id": project_id, "told": f"{where}: {result['msg']}"}]
    problems = []
    for each in given:
        own = each.get("project_id") or project_id
        where = source + (f", project {own}" if own else "") + (f", item {each['item']}" if each.get("item") else "")
        told = f"{where}: {each.get('problem')}; {each.get('advice')}."
        problems.append(dict(each, project_id=own, told=told))
    return problems


def is_of_one_project(result: Row) -> bool:
    """Whether a module has failed because of its project, so that it makes sense to continue with the next one."""
    kind = (result.get("failure") or {}).get("kind", "refused")
    return kind == "refused" or (kind == "input" and any(each.get("item") for each in result.get("problems") or ()))


def message(problems: t.Sequence[Row], last: str = "") -> str:
    """The first of some problems, one a line, how many more there are, and a last sentence."""
    told = [str(each["told"]) for each in problems[:MOST]]
    if len(problems) > MOST:
        more = len(problems) - MOST
        told.append(f"{counted(more, 'more problem')} {'is' if more == 1 else 'are'} in the result.")
    return "\n".join(told + [last] * bool(last))


def counted(number: int, what: str) -> str:
    """How many there are of something, such as ``1 deployment`` and ``2 deployments``."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def what(change: Row) -> str:
    """What the other columns do not tell of a change."""
    action = change["action"]
    if action == "create":
        return str(change["type"])
    if action == "rename":
        return f"from {change['previous_label']}"
    if action in ("assign", "unassign"):
        served = f"experiment {change['experiment']}" if change["flag"] is None else f"flag {change['flag']}"
        return f"{'to' if action == 'assign' else 'from'} {served}"
    return ""


def verdict(summary: Row) -> str:
    """What an audit has found, as a sentence. What is missing is not counted as if it were in the account.

    :param summary: as the module ``amplitude_drift_info`` returns it.
    """
    total, drift, missing = summary["total"], summary["drift"], summary["kinds"]["missing"]
    if not total:
        return "There is no deployment, and there should be none."
    if not drift:
        told = f"All {counted(total, 'deployment')} are as they should be."
        return told if total != 1 else "The deployment is as it should be."
    others, fine = drift - missing, total - drift
    said = []
    if missing:
        said.append(f"{counted(missing, 'deployment')} {'is' if missing == 1 else 'are'} missing")
    if others:
        which = f"{others:,}" if missing else counted(others, "deployment")
        said.append(f"{which} {'differs' if others == 1 else 'differ'} from the desired state")
    rest = f"; {fine:,} {'is as it' if fine == 1 else 'are as they'} should be" if fine else ""
    return ", and ".join(said) + rest + "."


def counts_of(items: t.Sequence[t.Any], result: Row) -> dict[str, int]:
    """How many changes of each kind a module has made, and how many of the items it did not have to change.

    :param items: the deployments that are wanted, as they were given to the module.
    :param result: what it returned, also after a failure.
    """
    counts = dict.fromkeys([*DONE.values(), "unchanged", "pending"], 0)
    changes = list(result.get("changes") or ())
    pending = list(result.get("pending") or ())
    for change in changes:
        counts[DONE.get(change["action"], change["action"])] += 1
    counts["pending"] = len(pending)
    if not result.get("failed") or changes or pending:
        counts["unchanged"] = max(len(items) - len(_touched(items, changes + pending)), 0)
    return counts


def _touched(items: t.Iterable[t.Any], changes: t.Iterable[Row]) -> set[t.Any]:
    """The ids, or else the labels, of the deployments of items that are changed.

    A purge, or a takeover, archives what is not an item itself.
    """
    known = [item for item in items if isinstance(item, dict)]
    absent = _values((item for item in known if item.get("state") == "absent"), "id", "label")
    replaced = _values(known, "replaces")
    return {
        change.get("id") or change.get("label")
        for change in changes
        if str(change.get("id")) not in replaced
        and (change["action"] != "archive" or {str(change.get("id")), str(change.get("label"))} & absent)
    }


def _values(items: t.Iterable[Row], *options: str) -> set[str]:
    """The values that some options have in any of the items, without what is blank."""
    return {str(item[option]) for item in items for option in options if item.get(option) not in (None, "")}


def line_of(counts: t.Iterable[Row], would: bool = False) -> str:
    """One line for the counts of some projects.

    :param would: whether nothing was written, as in check mode.
    """
    total: dict[str, int] = {}
    for each in counts:
        for word, count in each.items():
            total[word] = total.get(word, 0) + count
    words = [*DONE.values(), "unchanged"]
    told = ", ".join(f"{word} {total.get(word, 0)}" for word in words if word in ALWAYS or total.get(word))
    if total.get("pending"):
        told += ", not done {0}".format(total["pending"])
    return ("would be " if would else "") + told
