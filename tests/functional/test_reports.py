# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of the audit and of the plan in a browser: what is on the screen, and what somebody can do there."""

from __future__ import annotations

import contextlib
import json

import pytest

from ansible_collections.community.amplitude.tests.support import axe, browser, reports

pytestmark = [pytest.mark.once, pytest.mark.skipif(browser.find() is None, reason="needs chromium to look at pages")]

OTHERS = [dict(project_id="201", active=4, archived=1), dict(project_id="202", active=1, archived=0)]
LONG = "a-label-of-a-deployment-that-somebody-has-thought-about-for-long-" * 3
SCREENS = {"desktop": (1400, 900), "tablet": (768, 1024), "phone": (375, 812)}
#: So many rows are drawn at the most, however many there are.
MOST_DRAWN = 400

#: The texts of the rows that are drawn, by the classes of their cells.
ROWS = """Array.from(document.querySelectorAll("#rows tbody:not(.space) tr"), row =>
    Object.fromEntries(Array.from(row.cells, cell => [cell.className, cell.textContent])))"""
#: What is not in sight of the first row, or is cut off.
UNSEEN = """Array.from(document.querySelectorAll("#rows tbody:not(.space) tr:first-child td.kind, "
        + "#rows tbody:not(.space) tr:first-child td.detail, #rows tbody:not(.space) tr:first-child td.label"))
    .slice(0, 3)
    .filter(cell => {
        const box = cell.getBoundingClientRect();
        return !(box.width && box.height && box.left >= 0 && box.top >= 0 && box.right <= innerWidth
            && box.bottom <= innerHeight && cell.scrollWidth <= cell.clientWidth + 1);
    })
    .map(cell => cell.className)"""


@pytest.fixture(scope="module")
def _page():
    with browser.started() as started:
        with contextlib.closing(browser.Page(started)) as page:
            yield page


@pytest.fixture
def show(_page, tmp_path):
    """Shows a page, with what follows in its address."""

    def show(text, fragment="", **screen):
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        _page.show(file.as_uri() + fragment, **screen)
        return _page

    yield show
    # No page asks for anything, or does what its policy forbids.
    assert _page.requests and all(address.startswith("file:") for address in _page.requests)
    assert _page.complaints == []


PAGES = {
    "audit": lambda: reports.audit(reports.every_kind(), other_projects=OTHERS),
    "clean audit": lambda: reports.audit([reports.row(number) for number in range(68)]),
    "plan": reports.plan,
    "plan with problems": lambda: reports.plan(problems=[reports.PROBLEM]),
    "empty plan": lambda: reports.plan([]),
}


def rows(page):
    return page.evaluate(ROWS)


def labels(page):
    return [row["label"] for row in rows(page)]


def said(page):
    return page.evaluate("document.getElementById('shown').textContent")


def tiles(page):
    return page.evaluate("Array.from(document.querySelectorAll('.tile'), tile => tile.textContent)")


def focused(page):
    return page.evaluate("(e => e.id || e.dataset.kind || e.textContent)(document.activeElement)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_keeps_anybody_out(show, name, screen, dark):
    try:
        script = axe.script()
    except axe.Missing as missing:
        pytest.skip(str(missing))
    width, height = SCREENS[screen]
    page = show(PAGES[name](), width=width, height=height, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.evaluate(script)
    found = page.evaluate("axe.run(document)")
    assert found["passes"]
    told = [(rule["id"], rule["help"], rule["nodes"][0]["html"]) for rule in found["violations"]]
    assert told == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_what_is_on_the_screen(show, screen, dark):
    width, height = SCREENS[screen]
    long = [reports.row(0, "renamed", label=LONG)]
    for text in (PAGES["audit"](), PAGES["plan with problems"](), reports.audit(long + reports.every_kind())):
        page = show(text, width=width, height=height, dark=dark)
        assert page.evaluate("innerWidth") == width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(UNSEEN) == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 3 * 128) is dark
    # On a phone the kind and the reason come before all else.
    places = {
        name: page.evaluate(f"document.querySelector('#rows tbody:not(.space) tr td.{name}').getBoundingClientRect().y")
        for name in ("kind", "detail", "label", "project")
    }
    if screen == "phone":
        assert max(places["kind"], places["detail"]) < places["label"] < places["project"]
    else:
        assert max(places.values()) - min(places.values()) < 1


def test_tiles_and_filters(show):
    page = show(PAGES["audit"]())
    assert said(page) == "13 of 68 rows shown"
    assert len(rows(page)) == 13
    assert tiles(page)[:3] == ["13 differ", "2 missing", "2 should be active but are archived"]
    page.click(".tile[data-kind=active]")
    [row] = rows(page)
    assert (row["kind"], row["detail"]) == ("wrongly active", "it is active instead of absent")
    assert page.evaluate("location.hash") == "#kind=active"
    assert page.evaluate("document.querySelectorAll('.tile[aria-current=true]').length") == 1
    # The numbers are those of the project that is chosen.
    page.evaluate("project.value = '102'; project.dispatchEvent(new Event('change'))")
    assert page.evaluate("location.hash") == "#project=102&kind=active"
    assert rows(page) == [] and page.evaluate("document.getElementById('nothing').hidden") is False
    assert tiles(page)[:3] == ["3 differ", "0 missing", "1 should be active but is archived"]
    page.click("#everything")
    assert said(page) == "68 of 68 rows shown" and focused(page) == "search"
    page.click(".tile[data-kind=unused]")
    assert [row["used"] for row in rows(page)] == ["no"]
    page.evaluate("new Promise(done => { addEventListener('popstate', done, {once: true}); history.back(); })")
    page.settle()
    assert said(page) == "68 of 68 rows shown"


def test_search(show):
    page = show(PAGES["audit"](), "#kind=all")
    page.evaluate("search.focus()")
    page.write("PRICE-test  103")
    [row] = rows(page)
    assert (row["kind"], row["project"]) == ("serves too little", "103")
    page.press("Enter")
    assert "q=PRICE-test" in page.evaluate("location.hash")
    page.evaluate("search.select()")
    page.write("wrongly ")
    assert {row["kind"] for row in rows(page)} == {"wrongly archived", "wrongly active"}
    page.evaluate("search.select()")
    page.write("no such thing")
    assert rows(page) == [] and "Nothing fits" in page.evaluate("document.getElementById('nothing').innerText")


def test_sorting(show):
    some = [reports.row(number, "unlisted", id=identifier) for number, identifier in enumerate(["20", "3", "100"])]
    page = show(reports.audit([*some, reports.row(9, "missing", label="Zebra")]))
    listed = labels(page)
    expected = {"ascending": ["3", "20", "100", ""], "descending": ["100", "20", "3", ""]}
    for order, identifiers in expected.items():
        page.click("th.id button")
        assert page.evaluate("document.querySelector('th.id').getAttribute('aria-sort')") == order
        assert [row["id"] for row in rows(page)] == identifiers
    page.click("th.id button")
    assert labels(page) == listed and page.evaluate("location.hash") == ""
    # By what it is, and not by the alphabet.
    page.click("th.kind button")
    assert [row["kind"] for row in rows(page)] == ["missing"] + ["not listed"] * 3
    # On a phone there is no head of the table.
    page = show(reports.audit(some), width=375)
    assert page.evaluate("document.querySelector('th.id button').offsetHeight") == 0
    assert page.evaluate("by.offsetHeight > 0")
    page.evaluate("by.value = '-id'; by.dispatchEvent(new Event('change'))")
    assert [row["id"] for row in rows(page)] == ["100", "20", "3"]


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("", 13),
        ("#project=103", 3),
        ("#project=103&kind=all", 17),
        ("#kind=fine&q=app-00020", 1),
        ("#kind=unused", 1),
        ("#kind=missing&sort=-label", 2),
        # What there is not any more is nothing, and not everything.
        ("#project=999", 0),
        ("#project=103&kind=missing&q=app-00000", 0),
        ("#kind=type&project=103", 0),
        # What there never was is ignored.
        ("#kind=nothing&sort=color&q=", 13),
        ("#__proto__=1&kind=constructor", 13),
    ],
)
def test_deep_links(show, fragment, expected):
    page = show(PAGES["audit"](), fragment)
    assert said(page) == f"{expected} of 68 rows shown"
    assert len(rows(page)) == expected
    if "999" in fragment:
        assert page.evaluate("project.selectedOptions[0].text") == "999 (not in this report)"
    if "sort" in fragment and expected == 2:
        assert labels(page) == ["app-00002", "app-00000"]


def test_only_the_keyboard(show):
    page = show(PAGES["audit"]())
    order = []
    for _time in range(40):
        page.press("Tab")
        order.append(focused(page))
        style = "getComputedStyle(document.activeElement)"
        assert page.evaluate(f"{style}.outlineStyle !== 'none' && {style}.outlineWidth !== '0px'"), order[-1]
        if order[-1] == "Used":
            break
    assert order[:2] == ["drift", "missing"]
    assert order.index("all") < order.index("By project") < order.index("search") < order.index("project")
    assert order[-7:] == ["State", "Label", "Details", "Project", "Type", "ID", "Used"]
    page.press("Tab", 5, shift=True)
    assert focused(page) == "Label"
    page.press("Enter")
    assert labels(page) == sorted(labels(page))
    page.press("Space")
    assert labels(page) == sorted(labels(page), reverse=True)
    page.evaluate("document.querySelector('.tile[data-kind=missing]').focus()")
    page.press("Enter")
    assert said(page) == "2 of 68 rows shown" and focused(page) == "missing"


def test_what_a_screen_reader_is_told(show):
    page = show(PAGES["audit"]())
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    told = [(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]]
    for expected in (
        ("table", "Deployments, and how they differ from the desired state"),
        ("navigation", "Show only"),
        ("link", "2 should be active but are archived"),
        ("columnheader", "Label"),
        ("searchbox", "Search"),
        ("combobox", "Project"),
        ("heading", "Audit of Amplitude Experiment deployments"),
    ):
        assert expected in told, expected
    assert len([role for role, _name in told if role == "row"]) == 14
    assert "status" in [role for role, _name in told]
    # So many there are, also if not all are drawn.
    assert page.evaluate("document.getElementById('rows').getAttribute('aria-rowcount')") == "14"
    # On a phone they are no boxes of a table any more, and are told as one.
    page = show(PAGES["audit"](), width=375)
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    assert len([node for node in nodes if not node["ignored"] and node["role"]["value"] == "row"]) >= 13


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_so_many_rows_that_they_are_drawn_as_they_are_needed(show, screen):
    number = reports.MANY
    all_rows = [
        reports.row(each, "unlisted", detail="it is active, but not listed " * (each % 4)) for each in range(number)
    ]
    width, height = SCREENS[screen]
    page = show(reports.audit(all_rows), width=width, height=height)

    def first_in_sight():
        page.settle()
        assert 0 < page.evaluate("document.querySelectorAll('#rows tr').length") < MOST_DRAWN
        # Cards have some space between them.
        row = page.evaluate(
            "(e => e && [Number(e.getAttribute('aria-rowindex')) - 2, e.cells[1].textContent])"
            "(Array.from(document.querySelectorAll('#rows tbody:not(.space) tr')).map(e => [e, e.getBoundingClientRect()])"
            f".filter(([e, box]) => box.bottom > {height // 2} && box.top < {height // 2 + 10}).map(([e]) => e)[0])"
        )
        assert row is not None, "nothing is drawn where somebody looks"
        return row

    assert said(page) == "50,000 of 50,000 rows shown"
    assert page.evaluate("document.getElementById('rows').getAttribute('aria-rowcount')") == "50001"
    for part in (0.2, 0.5, 0.9):
        page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {part})")
        place, label = first_in_sight()
        assert label == f"app-{place:05d}" and abs(place / number - part) < 0.1
    page.evaluate("scrollTo(0, 1e9)")
    page.settle()
    page.evaluate("scrollTo(0, 1e9)")
    page.settle()
    assert labels(page)[-1] == "app-49999"
    # Upwards in small steps, nothing jumps, and no row is left out.
    place, _label = first_in_sight()
    for _step in range(30):
        page.evaluate("scrollBy(0, -300)")
        now, label = first_in_sight()
        assert label == f"app-{now:05d}" and 0 <= place - now <= 300 / 20 + 1
        place = now
    page.evaluate("search.value = 'app-4321'; search.dispatchEvent(new Event('input'))")
    assert labels(page) == [f"app-4321{digit}" for digit in range(10)]
    page.evaluate("search.value = ''; search.dispatchEvent(new Event('input'))")
    page.evaluate("by.value = '-label'; by.dispatchEvent(new Event('change')); scrollTo(0, 0)")
    page.settle()
    assert labels(page)[0] == "app-49999"


@pytest.mark.parametrize("name", PAGES)
def test_without_javascript(show, name):
    page = show(PAGES[name](), javascript=False)
    # Only what tests evaluate still runs.
    text = page.evaluate("document.body.innerText")
    for told in ("experiment.amplitude.com (US)", "/srv/amplitude/deployments.yml", "Without JavaScript"):
        assert told in text
    assert "Search" not in text
    if name == "audit":
        assert "2 deployments are missing, and 11 differ" in text
        assert len(rows(page)) == 13 and "only 13 of 68 rows are shown: all are in audit.json" in text


def test_print(show):
    page = show(reports.audit([reports.row(number, "missing") for number in range(500)]))
    assert page.printed().startswith(b"%PDF")
    page.send("Emulation.setEmulatedMedia", media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(rows(page)) == 500
    assert page.evaluate("document.getElementById('filters').offsetHeight") == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.send("Emulation.setEmulatedMedia", media="")
    assert len(rows(page)) < 500


def test_what_somebody_has_written_into_a_label(show):
    """It is shown as it is, and never carried out, wherever it stands."""
    evil = [
        "</script><script>document.title = 'broken'</script>",
        "<img src=x onerror=\"document.title = 'broken'\">",
        "<!--<script>",
        "line\u2028separator",
        "\"'`&amp;${1}{{ 1 }}",
        "\u202egnp.exe",
        "\U0001f680",
    ]
    all_rows = [reports.row(number, "unlisted", label=label, detail=label) for number, label in enumerate(evil)]
    all_rows += [reports.row(7, "unlisted", project_id="<b>\"'&1</b>")]
    about = reports.About("https://proxy.example.com/<i>", "/srv/</script><b>.yml", "now")
    text = reports.audit(all_rows, about, other_projects=[dict(project_id="<u>", active=1, archived=0)])
    page = show(text)
    assert [row["label"].split() for row in rows(page)][: len(evil)] == [label.split() for label in evil]
    assert page.evaluate("document.title") == "Audit of Amplitude Experiment deployments"
    assert page.evaluate("document.querySelectorAll('img, i, u, main b:not(.tile b)').length") == 0
    page = show(text, "#project=%3Cb%3E%22%27%261%3C%2Fb%3E")
    assert labels(page) == ["app-00007"]


def test_the_policy_holds(show):
    """What got into the page nevertheless is not carried out."""
    text = PAGES["audit"]().replace(
        "</main>", "<script>document.title = 'broken'</script><p style='color: red'></p></main>"
    )
    page = show(text)
    assert page.evaluate("document.title") == "Audit of Amplitude Experiment deployments"
    assert len(page.complaints) == 2 and all("Content Security Policy" in each for each in page.complaints)
    page.complaints.clear()


def test_plan(show):
    page = show(PAGES["plan with problems"]())
    assert tiles(page)[:2] == ["8 in all", "1 problem to solve first"]
    shown = [(row["kind"], row["label"], row["detail"]) for row in rows(page)]
    assert shown[0][0] == "problem" and shown[0][2].startswith("item 3: 2 active deployments")
    assert shown[1:] == [
        ("create", "checkout-api", "a new server deployment"),
        ("rename", "storefront", "it is called web-shop now"),
        ("assign", "checkout-api", "to flag fast-search"),
        ("restore", "loyalty-app", "it is archived now"),
        ("assign", "loyalty-app", "to experiment price-test"),
        ("remove", "old-app", "from flag double-points"),
        ("archive", "old-app", "it is active now"),
    ]
    page = show(PAGES["plan"](), "#project=102&kind=assign")
    assert labels(page) == ["loyalty-app"]
    assert json.loads(page.evaluate("document.getElementById('data').textContent"))["start"] == "all"


def test_a_link_to_a_kind_that_there_is_not_any_more(show):
    clean = [reports.row(number) for number in range(3)]
    for fragment, expected in (("#kind=missing", 0), ("#kind=drift", 0), ("#kind=unused", 0), ("#kind=fine", 3)):
        assert said(show(reports.audit(clean), fragment)) == f"{expected} of 3 rows shown"


def test_the_tile_that_is_chosen_is_in_sight_on_a_phone(show):
    page = show(PAGES["audit"](), "#kind=unlisted", width=375)
    left, right = page.evaluate(
        "(box => [box.left, box.right])(document.querySelector('.tile[aria-current]').getBoundingClientRect())"
    )
    assert 0 <= left < right <= 375
    assert page.evaluate("[scrollX, scrollY]") == [0, 0]
