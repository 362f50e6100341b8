# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The pages ``audit.html`` and ``plan.html``: what they say, from what the modules return. No key is part of it."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ..module_utils._options import BASE_URLS
from ..module_utils._version import VERSION
from ._reports import line, render
from ._told import counted, verdict, what

Row = t.Mapping[str, t.Any]

#: How many rows are shown without JavaScript, projects are named at the top, and projects are in a table.
MOST_ROWS, MOST_NAMED, MOST_PROJECTS = 100, 8, 200


class Kind(t.NamedTuple):
    """What a row is, on its chip, and in a tile after a number.

    ``group`` is the tile that counts it too.
    """

    name: str
    one: str
    many: str
    tone: str
    group: str = ""


class About(t.NamedTuple):
    """What a report is about: the address of the account, where the desired state is, and when it was compared."""

    base_url: str
    source: str
    time: str


class Report(t.NamedTuple):
    """What a page says.

    ``rows`` have their kind, ``unused`` or nothing, and a text for every column but the first, or for more than these.
    ``first`` are those that are there without JavaScript, and ``file`` has them all; ``start`` is the tile that is chosen.
    ``projects`` has what is told of each in the list to choose from.
    """

    title: str
    caption: str
    file: str
    kinds: t.Mapping[str, Kind]
    columns: t.Sequence[tuple[str, str]]
    rows: t.Sequence[t.Sequence[str]]
    first: t.Sequence[t.Sequence[str]]
    start: str
    verdict: Row
    tiles: t.Sequence[Row]
    projects: t.Sequence[tuple[str, str]]
    sections: t.Sequence[Row]
    options: Row | None = None


def _drift(name: str, tone: str, one: str, many: str = "") -> Kind:
    return Kind(name, one, many or one, tone, "drift")


#: In the order of the tiles. Those of the group ``drift`` are the kinds of the module.
AUDIT = {
    "missing": _drift("missing", "red", "missing"),
    "archived": _drift(
        "wrongly archived", "orange", "should be active but is archived", "should be active but are archived"
    ),
    "renamed": _drift("renamed", "blue", "has another label than listed", "have another label than listed"),
    "type": _drift("wrong type", "violet", "has another type than listed", "have another type than listed"),
    "duplicate": _drift(
        "duplicate label", "orange", "shares its label with another one", "share their label with another one"
    ),
    "conflict": _drift("conflict", "red", "cannot be set up as listed"),
    "active": _drift(
        "wrongly active", "orange", "should be archived but is active", "should be archived but are active"
    ),
    "replaced": _drift("not taken over", "violet", "has not finished taking over", "have not finished taking over"),
    "unassigned": _drift(
        "serves too little", "blue", "does not serve all that is listed", "do not serve all that is listed"
    ),
    "assigned": _drift("serves too much", "blue", "serves more than is listed", "serve more than is listed"),
    "unlisted": _drift("not listed", "violet", "is active but not listed", "are active but not listed"),
    "fine": Kind("fine", "is as it should be", "are as they should be", "green"),
}
UNUSED = Kind("unused", "is used by no flag or experiment", "are used by no flag or experiment", "grey")


def _change(name: str, tone: str, done: str) -> Kind:
    return Kind(name, done, done, tone, "changes")


#: In the order of the tiles. Those of the group ``changes`` are the actions of the modules.
PLAN = {
    "problem": Kind("problem", "problem to solve first", "problems to solve first", "red"),
    "create": _change("create", "green", "to create"),
    "rename": _change("rename", "blue", "to rename"),
    "restore": _change("restore", "green", "to restore"),
    "archive": _change("archive", "orange", "to archive"),
    "assign": _change("assign", "violet", "to assign to a flag or experiment"),
    "unassign": _change("remove", "orange", "to remove from a flag or experiment"),
}


def audit_page(found: Row, about: About) -> str:
    """The page of an audit.

    :param found: what ``amplitude_drift_info`` returned.
    """
    summary, projects = found["summary"], found["summary"]["projects"]
    counts = dict(summary["kinds"])
    if summary["drift"]:
        counts["fine"] = summary["total"] - summary["drift"]
    rows = [_audited(row) for row in found["deployments"]]
    usage = any(row["unused"] is not None for row in found["deployments"])
    columns = [("kind", "State"), ("label", "Label"), ("detail", "Details"), ("project", "Project")]
    columns += [("type", "Type"), ("id", "ID")] + [("used", "Used")] * usage
    tiles = [_tile("drift", summary["drift"], "differs", "differ", "red")] * bool(summary["drift"])
    tiles += [_tile(kind, counts[kind], *AUDIT[kind][1:4]) for kind in AUDIT if counts.get(kind)]
    tiles += [_tile("unused", summary["unused"], *UNUSED[1:4])] * bool(summary["unused"])
    everything = _tile("all", summary["total"], "in all", "in all", "grey")
    report = Report(
        title="Audit of Amplitude Experiment deployments",
        caption="Deployments, and how they differ from the desired state",
        file="audit.json",
        kinds=AUDIT,
        columns=columns,
        rows=rows,
        first=[row for row in rows if row[0] != "fine"] or rows,
        start="drift" if summary["drift"] else "all",
        verdict=dict(tone="red" if summary["drift"] else "green", text=verdict(summary)),
        tiles=tiles + [everything] if summary["drift"] else [everything, *tiles],
        projects=[(each["project_id"], _told_of_audit(each)) for each in projects],
        sections=[*_sections_of_audit(projects), *_others(found["other_projects"])],
    )
    return _page(report, about)


def plan_page(plan: Row, counts: t.Sequence[Row], about: About) -> str:
    """The page of a plan.

    :param plan: what is written into ``plan.json``.
    :param counts: for each of its projects the counts, of which ``unchanged`` is told.
    """
    projects = plan["projects"]
    problems = [_problem(each) for project in projects for each in project["problems"]]
    changes = [_changed(each) for project in projects for each in project["changes"]]
    number = dict.fromkeys(PLAN, 0)
    for row in problems + changes:
        number[row[0]] += 1
    tiles = [_tile(kind, number[kind], *PLAN[kind][1:4]) for kind in PLAN if number[kind]]
    everything = _tile("all", len(problems + changes), "in all", "in all", "grey")
    report = Report(
        title="Plan for Amplitude Experiment deployments",
        caption="Changes and problems",
        file="plan.json",
        kinds=PLAN,
        columns=[("kind", "Action"), ("label", "Label"), ("detail", "Details"), ("project", "Project"), ("id", "ID")],
        rows=problems + changes,
        first=problems + changes,
        start="all",
        verdict=_verdict_of_plan(len(problems), len(changes), sum(bool(each["changes"]) for each in projects)),
        tiles=[everything, *tiles] if len(tiles) > 1 else tiles,
        projects=[(each["project_id"], _told_of_plan(each)) for each in projects],
        sections=_sections_of_plan(projects, counts),
        options=plan["options"],
    )
    return _page(report, about)


def _page(report: Report, about: About) -> str:
    """Fill in the template."""
    columns, kinds = report.columns, report.kinds
    data = dict(
        columns=[name for name, _title in columns],
        kinds={kind: dict(name=each.name, tone=each.tone, group=each.group) for kind, each in kinds.items()},
        rows=[row[: len(columns) + 1] for row in report.rows],
        start=report.start,
    )
    first = report.first[:MOST_ROWS]
    left_out = ""
    if len(first) < len(report.rows):
        left_out = f", and only {len(first)} of {len(report.rows)} rows are shown: all are in {report.file}"
    page = dict(
        title=report.title,
        about=_about(about, [project_id for project_id, _told in report.projects], report.options),
        verdict=report.verdict,
        tiles=report.tiles,
        sections=report.sections,
        projects=[dict(project_id=project_id, told=f"{project_id} ({told})") for project_id, told in report.projects],
        columns=[dict(name=name, title=title) for name, title in columns],
        caption=report.caption,
        hint="Label, ID, flag …",
        first=[dict(kind=kinds[row[0]], cells=row[2 : len(columns) + 1]) for row in first],
        without_script=f"Without JavaScript there is no search{left_out}.",
        data=data,
    )
    return render("report.html.j2", dict(page=page))


def _about(about: About, projects: t.Sequence[str], options: Row | None) -> list[tuple[str, str]]:
    region = next((name for name, base_url in BASE_URLS.items() if base_url == about.base_url), None)
    address = urlsplit(about.base_url).netloc if region else about.base_url
    named = ", ".join(projects[:MOST_NAMED])
    if len(projects) > MOST_NAMED:
        named = f"{len(projects):,}: {named} and {len(projects) - MOST_NAMED:,} more"
    told = [
        ("Account", address + (f" ({region.upper()})" if region else "")),
        ("Projects" if len(projects) != 1 else "Project", named),
        ("Desired state", about.source),
        ("Made", f"{about.time} by community.amplitude {VERSION}"),
    ]
    if options is not None:
        told.append(("Options", ", ".join(f"{name} {_value(value)}" for name, value in options.items())))
    return told


def _value(value: object) -> str:
    """An option as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else "not set" if value is None else str(value)


def _tile(kind: str, count: int, one: str, many: str, tone: str) -> Row:
    return dict(kind=kind, count=count, one=one, many=many, tone=tone)


def _audited(row: Row) -> list[str]:
    used = "" if row["unused"] is None else "no" if row["unused"] else "yes"
    return [
        row["drift"] or "fine",
        "unused" if row["unused"] else "",
        line(row["label"]),
        line(row["detail"]) or ("the default deployment of its project" if row["default"] else ""),
        line(row["project_id"]),
        line(row["type"]),
        line(row["id"]),
        used,
    ]


def _told_of_audit(project: Row) -> str:
    drift = project["drift"]
    return f"{drift:,} {'differs' if drift == 1 else 'differ'}" if drift else "fine"


def _verdict_of_plan(problems: int, changes: int, projects: int) -> Row:
    which = f"{counted(changes, 'change')} in {counted(projects, 'project')}"
    if problems:
        rest = f" Without {'it' if problems == 1 else 'them'}, there would be {which}." if changes else ""
        told = f"{counted(problems, 'problem')}: this plan cannot be carried out."
        return dict(tone="red", text=told + rest)
    if changes:
        return dict(tone="blue", text=f"{which}.")
    return dict(tone="green", text="Nothing has to be changed.")


def _section(
    title: str,
    heads: t.Sequence[str],
    rows: t.Sequence[t.Sequence[str]],
    text: str = "",
    rest: str = "",
    texts: int = 2,
    links: bool = True,
) -> Row:
    """A table of projects that opens with a click.

    :param text: what stands above it.
    :param rest: and below it.
    :param texts: so many columns are no numbers.
    :param links: whether the rows of a project can be shown.
    """
    left = len(rows) - MOST_PROJECTS
    below = " ".join([f"{left:,} more projects are left out."] * (left > 0) + [rest] * bool(rest))
    return dict(title=title, heads=heads, rows=rows[:MOST_PROJECTS], text=text, texts=texts, links=links, below=below)


def _sections_of_audit(projects: t.Sequence[Row]) -> list[Row]:
    """How many deployments of each project differ, and how."""
    if len(projects) < 2:
        return []
    rows = [
        [
            each["project_id"],
            _counted(AUDIT, each["kinds"]),
            f"{each['total'] - each['drift']:,}",
            f"{each['unused']:,}",
        ]
        for each in sorted(projects, key=lambda each: not each["drift"])
    ]
    return [_section("By project", ["Project", "Differences", "Fine", "Unused"], rows)]


def _counted(kinds: t.Mapping[str, Kind], counts: t.Mapping[str, int]) -> str:
    """How many there are of each kind, of those that there are."""
    return ", ".join(f"{counts[kind]:,} {each.name}" for kind, each in kinds.items() if counts.get(kind)) or "none"


def _others(projects: t.Sequence[Row]) -> list[Row]:
    """The projects that the key covers and the desired state does not list."""
    if not projects:
        return []
    which = "project of this account is" if len(projects) == 1 else "projects of this account are"
    return [
        _section(
            f"{len(projects):,} other {which} not in the desired state",
            ["Project", "Active", "Archived"],
            [[each["project_id"], f"{each['active']:,}", f"{each['archived']:,}"] for each in projects],
            "Nothing there was compared. Add a project to the desired state, or to amplitude_ignore_projects.",
            texts=1,
            links=False,
        )
    ]


def _changed(change: Row) -> list[str]:
    action = change["action"]
    if action == "create":
        detail = f"a new {change['type']} deployment"
    elif action == "rename":
        detail = f"it is called {change['previous_label']} now"
    elif action in ("assign", "unassign"):
        detail = what(change)
    else:
        detail = "it is archived now" if action == "restore" else "it is active now"
    return [action, "", line(change["label"]), line(detail), line(change["project_id"]), line(change["id"])]


def _problem(problem: Row) -> list[str]:
    where = f"item {problem['item']}: " if problem["item"] else ""
    advice = f"; {problem['advice']}" if problem["advice"] else ""
    return [
        "problem",
        "",
        line(problem["label"]),
        line(f"{where}{problem['problem']}{advice}"),
        line(problem["project_id"]),
        line(problem["id"]),
    ]


def _told_of_plan(project: Row) -> str:
    changes, problems = len(project["changes"]), len(project["problems"])
    told = [counted(changes, "change")] * bool(changes) + [counted(problems, "problem")] * bool(problems)
    return ", ".join(told) or "nothing to do"


def _sections_of_plan(projects: t.Sequence[Row], counts: t.Sequence[Row]) -> list[Row]:
    """What would be done in each project that is not as it should be."""
    if len(projects) < 2:
        return []
    rows = []
    for each, count in zip(projects, counts):
        kinds = ["problem"] * len(each["problems"]) + [change["action"] for change in each["changes"]]
        if kinds:
            told = _counted(PLAN, {kind: kinds.count(kind) for kind in PLAN})
            rows.append([each["project_id"], told, f"{count['unchanged']:,}"])
    rest = len(projects) - len(rows)
    told = f"In {counted(rest, 'more project')}, nothing has to be changed." if rest else ""
    return [_section("By project", ["Project", "Changes and problems", "Unchanged"], rows, rest=told)] if rows else []
