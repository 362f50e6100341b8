// SPDX-FileCopyrightText: The community.amplitude contributors
// SPDX-License-Identifier: GPL-3.0-or-later
"use strict";
// Shows the rows of a report that fit the filters, and draws only those near what is on screen. What is chosen is in the
// fragment of the address: #project=…&kind=…&q=…&sort=…
(() => {
  const find = id => document.getElementById(id);
  const data = JSON.parse(find("data").textContent);
  const { columns, kinds, start } = data;
  // Each row is its kind, whether it is unused too, and a cell for each other column.
  const KIND = 0, ALSO = 1, CELLS = 1;
  const PROJECT = CELLS + columns.indexOf("project");
  // Rows are drawn in blocks of so many, as far as so many screens above and below.
  const BLOCK = 40, SCREENS = 1, MOST_PRINTED = 3000;
  const table = find("rows"), search = find("search"), project = find("project"), by = find("by");
  const heads = Array.from(table.tHead.rows[0].cells);
  const titles = heads.map(head => head.textContent.trim());
  const tiles = Array.from(document.querySelectorAll("a.tile"));
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const order = Object.keys(kinds);
  const known = new Set([...order, ...order.map(kind => kinds[kind].group), ...tiles.map(tile => tile.dataset.kind), "unused"]);
  let chosen, rows = [], texts;

  function read() {
    const given = new URLSearchParams(location.hash.slice(1));
    const value = name => given.get(name) || "";
    // A link may be older than the page: what no longer exists is shown as nothing, and not as everything.
    if (!Array.from(project.options).some(option => option.value === value("project"))) {
      project.add(new Option(value("project") + " (not in this report)", value("project")));
    }
    chosen = {
      project: value("project"),
      kind: value("kind") && known.has(value("kind")) ? value("kind") : start,
      q: value("q"),
      sort: columns.includes(value("sort").replace(/^-/, "")) ? value("sort") : "",
    };
  }

  function address(changes) {
    const all = Object.entries({ ...chosen, ...changes }).filter(([name, value]) => value && (name !== "kind" || value !== start));
    return "#" + new URLSearchParams(all);
  }

  function choose(changes) {
    Object.assign(chosen, changes);
    history.replaceState(null, "", address());
    show();
  }

  const isOf = (row, kind) => kind === "all" || row[KIND] === kind || row[ALSO] === kind
    || (kind in kinds ? false : kinds[row[KIND]].group === kind);
  const textOf = row => [kinds[row[KIND]].name, row[ALSO], ...row.slice(CELLS + 1)].join("\n").toLowerCase();

  function fitting() {
    const words = chosen.q.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !texts) texts = new Map(data.rows.map(row => [row, textOf(row)]));
    const found = data.rows.filter(row => (!chosen.project || row[PROJECT] === chosen.project) && isOf(row, chosen.kind)
      && words.every(word => texts.get(row).includes(word)));
    if (!chosen.sort) return found;
    const sign = chosen.sort[0] === "-" ? -1 : 1, place = columns.indexOf(chosen.sort.replace(/^-/, ""));
    if (place === 0) return found.sort((a, b) => sign * (order.indexOf(a[KIND]) - order.indexOf(b[KIND])));
    // What is empty comes last either way.
    const at = CELLS + place;
    return found.sort((a, b) => (!a[at] - !b[at]) || sign * compare(a[at], b[at]));
  }

  function show() {
    rows = fitting();
    project.value = chosen.project;
    by.value = chosen.sort;
    if (search.value.trim() !== chosen.q) search.value = chosen.q;
    const inProject = data.rows.filter(row => !chosen.project || row[PROJECT] === chosen.project);
    for (const tile of tiles) {
      const kind = tile.dataset.kind, count = inProject.filter(row => isOf(row, kind)).length;
      tile.firstElementChild.textContent = count.toLocaleString("en");
      tile.lastElementChild.textContent = count === 1 ? tile.dataset.one : tile.dataset.many;
      tile.classList.toggle("none", !count);
      tile.href = address({ kind });
      if (kind === chosen.kind) {
        tile.setAttribute("aria-current", "true");
        // On a phone the tiles are pushed sideways.
        const strip = tile.closest("ul"), box = tile.getBoundingClientRect();
        if (box.left < 0 || box.right > innerWidth) strip.scrollLeft += box.left - strip.getBoundingClientRect().left - 16;
      } else {
        tile.removeAttribute("aria-current");
      }
    }
    heads.forEach((head, place) => {
      const sorted = chosen.sort.replace(/^-/, "") === columns[place];
      if (sorted) head.setAttribute("aria-sort", chosen.sort[0] === "-" ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const count = number => number.toLocaleString("en");
    find("shown").textContent = `${count(rows.length)} of ${count(data.rows.length)} rows shown`;
    find("nothing").hidden = rows.length > 0;
    table.hidden = !rows.length;
    table.setAttribute("aria-rowcount", rows.length + 1);
    forget();
    draw();
  }

  function element(name, role, className, text) {
    const made = document.createElement(name);
    made.setAttribute("role", role);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function drawn(row, place) {
    const kind = kinds[row[KIND]], line = element("tr", "row", kind.tone);
    line.setAttribute("aria-rowindex", place + 2);
    const first = element("td", "cell", "kind");
    first.append(element("span", "", "chip", kind.name));
    first.firstChild.removeAttribute("role");
    line.append(first);
    columns.slice(1).forEach((column, at) => {
      const cell = element("td", "cell", column, row[CELLS + 1 + at]);
      // On a phone there is no head of the table.
      if (column !== "label" && column !== "detail") cell.dataset.name = titles[at + 1];
      line.append(cell);
    });
    return line;
  }

  // What is drawn: the blocks from here to there. The others are two spaces, as high as they are known or thought to be.
  let heights = [], from = 0, to = 0, bodies = new Map();
  const before = space(), after = space();

  function space() {
    const body = element("tbody", "presentation", "space");
    body.setAttribute("aria-hidden", "true");
    const line = document.createElement("tr"), cell = document.createElement("td");
    cell.colSpan = columns.length;
    line.append(cell);
    body.append(line);
    return body;
  }

  function forget() {
    // The head stays, since it may have the focus.
    for (const body of Array.from(table.tBodies)) body.remove();
    table.append(before, after);
    bodies = new Map();
    from = to = 0;
    heights = new Array(Math.ceil(rows.length / BLOCK)).fill(0);
    resize();
  }

  function resize() {
    const sum = (some, start) => some.reduce((all, height) => all + height, start);
    before.rows[0].cells[0].style.height = sum(heights.slice(0, from), 0) + "px";
    after.rows[0].cells[0].style.height = sum(heights.slice(to), 0) + "px";
    before.hidden = from === 0;
    after.hidden = to === heights.length;
  }

  function near() {
    const margin = SCREENS * innerHeight;
    const head = table.getBoundingClientRect().top + table.tHead.offsetHeight;
    let top = head, first = heights.length, last = 0;
    heights.forEach((height, block) => {
      if (top + height > -margin && top < innerHeight + margin) {
        first = Math.min(first, block);
        last = block + 1;
      }
      top += height;
    });
    // Scrolled beyond the end.
    return first < last ? [first, last] : [Math.max(heights.length - 1, 0), heights.length];
  }

  function put(first, last) {
    for (const [block, body] of bodies) {
      if (block < first || block >= last) {
        body.remove();
        bodies.delete(block);
      }
    }
    let next = after;
    for (let block = last - 1; block >= first; block--) {
      let body = bodies.get(block);
      if (!body) {
        body = element("tbody", "rowgroup");
        const begin = block * BLOCK;
        body.append(...rows.slice(begin, begin + BLOCK).map((row, place) => drawn(row, begin + place)));
        next.before(body);
        bodies.set(block, body);
      }
      next = body;
    }
    from = first;
    to = last;
  }

  function draw() {
    if (!rows.length) return;
    if (!heights[0]) {
      // One block tells how high the others are, about.
      put(0, 1);
      heights.fill(bodies.get(0).getBoundingClientRect().height || BLOCK);
      resize();
    }
    for (let tries = 0; tries < 6; tries++) {
      const [first, last] = near();
      if (first === from && last === to) return;
      const kept = Array.from(bodies).find(([block]) => block >= first && block < last);
      const was = kept && kept[1].getBoundingClientRect().top;
      put(first, last);
      for (const [block, body] of bodies) heights[block] = body.getBoundingClientRect().height;
      resize();
      // What is on screen stays where it is.
      const moved = kept ? kept[1].getBoundingClientRect().top - was : 0;
      if (Math.abs(moved) >= 1) scrollBy(0, moved);
    }
  }

  let width = innerWidth, waiting = false;
  function later() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (width !== innerWidth) {
        width = innerWidth;
        forget();
      }
      draw();
    });
  }

  columns.forEach((column, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heads[place].childNodes);
    heads[place].append(button);
    button.addEventListener("click", () => {
      choose({ sort: chosen.sort === column ? "-" + column : chosen.sort === "-" + column ? "" : column });
    });
    by.add(new Option("Sort by " + titles[place].toLowerCase(), column));
    by.add(new Option("Sort by " + titles[place].toLowerCase() + ", descending", "-" + column));
  });
  by.options[0].text = "As listed";
  project.addEventListener("change", () => choose({ project: project.value }));
  by.addEventListener("change", () => choose({ sort: by.value }));
  // The address only once it is written: browsers limit how often it changes.
  search.addEventListener("input", () => {
    chosen.q = search.value.trim();
    show();
  });
  search.addEventListener("change", () => choose({ q: search.value.trim() }));
  find("filters").addEventListener("submit", event => event.preventDefault());
  find("everything").addEventListener("click", () => {
    choose({ project: "", q: "", kind: "all" });
    search.focus();
  });
  addEventListener("hashchange", () => {
    read();
    show();
  });
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  addEventListener("beforeprint", () => {
    put(0, Math.min(heights.length, Math.ceil(MOST_PRINTED / BLOCK)));
    find("left").hidden = rows.length <= MOST_PRINTED;
  });
  addEventListener("afterprint", () => {
    find("left").hidden = true;
    forget();
    draw();
  });
  find("filters").hidden = false;
  read();
  show();
})();
