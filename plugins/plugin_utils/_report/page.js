/*
 * Copyright: Contributors to the originops.cloudflare project
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Tables that sort and filter; mappings and repairs, drawn from the data when they are opened; ages of times.

"use strict";
(() => {
  const MAX_DRAWN = 100; // rows after a change; a button draws as many more
  const MAX_TIERS = 5; // data centres of an origin with a bar of their own
  const MARKS = [["other", "other"], ["expected", "\u2713 expected"], ["unsure", "? not known"]]; // class and text
  const collator = new Intl.Collator("en", { numeric: true });
  const number = new Intl.NumberFormat("en");
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
  const { kinds, zones, locations, colos } = read("data");

  // Undo _delta of html.py.
  function expand(texts) {
    let previous = "";
    return texts.map((text) => {
      const [start, end] = [text.charCodeAt(0) - 63, text.charCodeAt(1) - 63];
      previous = previous.slice(0, start) + text.slice(2) + previous.slice(previous.length - end);
      return previous;
    });
  }

  function element(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function drawing(tag, attributes, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function button(text, action) {
    const control = element("button", { type: "button" }, text);
    control.addEventListener("click", action);
    return control;
  }

  // Parts of rows, as html.py builds them.

  const names = (text) =>
    text.split(/(?<=[.,/])(?=\S)/).flatMap((part, index) => (index ? [element("wbr", {}), part] : [part]));

  function twoLines(first, second, className) {
    const lines = first ? [element("div", { class: className }, ...names(first))] : [];
    return second ? [...lines, element("div", { class: "soft" }, ...names(second))] : lines;
  }

  const badge = (kind) => element("span", { class: `kind ${kinds[kind][1]}` }, kinds[kind][0]);
  const nameOf = (location) => (location < 0 ? "" : locations[location].slice(0, 2).filter(Boolean).join("/"));
  const colosOf = (location) => (location < 0 ? "" : locations[location][2]);
  const locationCell = (location) => twoLines(nameOf(location), colosOf(location), "location");

  // Bars of the data centres of an origin, with the share of its requests.
  function tiersOf(item) {
    const bars = item.tiers.slice(0, MAX_TIERS).map((tier) => {
      const share = (100 * tier.requests) / item.requests;
      const rectangle = drawing("rect", { width: share.toFixed(2), height: "1" });
      const bar = drawing("svg", { viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" }, rectangle);
      const [className, mark] = MARKS[tier.mark];
      const text = ` ${number.format(tier.requests)}, ${share.toFixed(1).replace(/\.0$/, "")} % `;
      const parts = [element("span", {}, ...names(tier.colo)), bar, element("span", { class: "count" }, text)];
      if (item.location >= 0) parts.push(element("span", { class: "mark" }, mark));
      return element("li", { class: className }, ...parts);
    });
    const rest = item.tiers.slice(MAX_TIERS);
    const notes = [];
    if (rest.length) {
      const others = rest.reduce((sum, tier) => sum + tier.requests, 0);
      notes.push(`${number.format(others)} through ${rest.length} other${rest.length === 1 ? "" : "s"}`);
    }
    if (item.direct) notes.push(`${number.format(item.direct)} without an upper tier`);
    const list = bars.length ? [element("ul", { class: "tiers" }, ...bars)] : [];
    return notes.length ? [...list, element("div", { class: "soft" }, notes.join("; "))] : list;
  }

  // Columns: the key to sort by, and the contents of a cell. Empty keys come last in both orders.

  const findingColumns = [
    [(item) => `${item.kinds[0]}`, (item) => item.kinds.map(badge)],
    [(item) => zones[item.zone][0], (item) => [element("a", { href: `#zone-${item.zone}` }, ...names(zones[item.zone][0]))]],
    [(item) => (item.rank < 0 ? "" : `${item.rank}`), (item) => twoLines(item.ip, item.hosts, "address")],
    [(item) => nameOf(item.actual), (item) => locationCell(item.actual)],
    [(item) => nameOf(item.expected), (item) => locationCell(item.expected)],
    [(item) => item.message, (item) => [item.message]],
  ];
  const mappingColumns = [
    [(item) => `${item.rank}`, (item) => twoLines(item.ip, item.hosts, "address")],
    [(item) => nameOf(item.location), (item) => locationCell(item.location)],
    [(item) => item.kinds.join(" "), (item) => item.kinds.flatMap((kind) => [badge(kind), " "])],
  ];

  const trafficColumns = [
    [(item) => `${item.requests}`, (item) => [number.format(item.requests)]],
    [(item) => item.tiers[0]?.colo ?? "", tiersOf],
  ];
  const mappedColumns = [
    ...mappingColumns.slice(0, 2),
    [
      (item) => (item.share === null ? "" : `${Math.round(10 * item.share)}`),
      (item) => [item.share === null ? "not known" : `${item.share} % `, ...item.kinds.map(badge)],
    ],
    ...trafficColumns,
  ];
  const unmappedColumns = [
    mappingColumns[0],
    [(item) => item.message, (item) => names(item.message)],
    ...trafficColumns,
  ];

  function findingItems() {
    const data = read("data-findings");
    const [ip, hosts, message] = [data.ip, data.hosts, data.message].map(expand);
    return data.kind.map((kind, index) => {
      const [actual, expected] = [data.actual[index], data.expected[index]];
      const item = { kinds: [kind], zone: data.zone[index], ip: ip[index], rank: data.rank[index], actual, expected };
      return Object.assign(item, { hosts: hosts[index], message: message[index] });
    });
  }

  function mappingItems(data) {
    const [ip, hosts] = [data.ip, data.hosts].map(expand);
    const items = ip.map((_text, index) => {
      return { ip: ip[index], rank: index, hosts: hosts[index], location: data.location[index], kinds: data.kinds[index] ?? [] };
    });
    return items.sort((a, b) => !a.kinds.length - !b.kinds.length);
  }

  function trafficItems(data) {
    return expand(data.ip).map((ip, rank) => {
      const tiers = [];
      for (let index = 0; index < data.tiers[rank].length; index += 2) {
        const [code, requests] = data.tiers[rank].slice(index, index + 2);
        tiers.push({ colo: colos[Math.floor(code / 3)], mark: code % 3, requests });
      }
      const requests = tiers.reduce((sum, tier) => sum + tier.requests, 0);
      return { ip, rank, hosts: "", kinds: [], location: -1, direct: data.direct[rank], tiers, requests };
    });
  }

  // Misrouted origins come first, then those with most requests.
  function mappedItems(data) {
    const hosts = expand(data.hosts);
    const misrouted = new Set(data.misrouted);
    const kind = kinds.findIndex(([title]) => title === "Misrouted");
    const items = trafficItems(data).map((item, rank) => {
      const found = misrouted.has(rank) ? [kind] : [];
      return { ...item, hosts: hosts[rank], location: data.location[rank], share: data.share[rank], kinds: found };
    });
    return items.sort((a, b) => b.kinds.length - a.kinds.length || b.requests - a.requests);
  }

  function unmappedItems(data) {
    const published = expand(data.published);
    return trafficItems(data).map((item) => ({ ...item, message: published[item.rank] }));
  }

  const textOf = (item) =>
    [item.zone === undefined ? "" : zones[item.zone][0], item.ip, item.hosts, item.message ?? ""]
      .concat(item.kinds.map((kind) => kinds[kind][0]), item.tiers?.map((tier) => tier.colo) ?? [])
      .concat([item.location, item.actual, item.expected].flatMap((location = -1) => [nameOf(location), colosOf(location)]))
      .join("\n");

  // Add tools to a table: a filter, choices, and sorting by its headers.
  // noun names its items; load returns them; keysOf has a key for each column; draw returns the row of an item.
  // choices are [label, [[value, text]], isChosen(item, value)].
  function equip(table, { noun, total, load, keysOf, textOf, draw, choices }) {
    const tools = copyOf("tools");
    const [field, count] = tools.querySelectorAll("input, output");
    const more = button("", () => update(body.rows.length + MAX_DRAWN));
    const [body] = table.tBodies;
    const selects = choices.map(([label, options]) => {
      const select = element("select", {}, ...options.map(([value, text]) => element("option", { value }, text)));
      count.before(element("label", {}, `${label} `, select));
      return select;
    });
    let items;
    let column = -1;
    let sign = 1;
    let matches = total;

    function prepare() {
      items ??= load().map((item) => ({ item, text: textOf(item).toLowerCase() }));
    }

    function find() {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      const active = selects.map((select, index) => [choices[index][2], select.value]).filter(([, value]) => value);
      return items.filter(
        ({ item, text }) => words.every((word) => text.includes(word)) && active.every(([test, value]) => test(item, value)),
      );
    }

    function update(limit = MAX_DRAWN) {
      prepare();
      const found = find();
      if (column >= 0) {
        const keyed = found.map((entry) => ({ item: entry.item, key: keysOf[column](entry.item) }));
        keyed.sort((a, b) => !a.key - !b.key || sign * collator.compare(a.key, b.key));
        body.replaceChildren(...keyed.slice(0, limit).map(({ item }) => draw(item)));
      } else {
        body.replaceChildren(...found.slice(0, limit).map(({ item }) => draw(item)));
      }
      matches = found.length;
      show();
    }

    function show() {
      const drawn = body.rows.length;
      const all = `${number.format(total)} ${noun}${total === 1 ? "" : "s"}`;
      const some = matches === total ? all : `${number.format(matches)} of ${all}`;
      count.textContent = drawn < matches ? `${some}, first ${number.format(drawn)} shown` : some;
      more.hidden = drawn >= matches;
      more.textContent = `Show ${number.format(Math.min(MAX_DRAWN, matches - drawn))} more`;
    }

    for (const header of table.tHead.rows[0].cells) {
      const sort = button("", () => {
        const descending = header.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        header.setAttribute("aria-sort", descending ? "descending" : "ascending");
        [column, sign] = [header.cellIndex, descending ? -1 : 1];
        update();
      });
      sort.append(...header.childNodes);
      header.append(sort);
    }
    field.addEventListener("focus", prepare);
    field.addEventListener("input", () => update());
    for (const select of selects) select.addEventListener("change", () => update());
    tools.setAttribute("aria-label", table.caption.textContent);
    more.className = "more";
    table.parentElement.before(tools);
    table.parentElement.after(more);
    show();
    return { selects, field, update };
  }

  // A choice of kinds, without those that would hide no item, or all. countOf returns the number of a kind, and of * for any.
  function choiceOfKinds(noun, total, countOf) {
    const options = [["*", "With findings"], ...kinds.map(([title], kind) => [`${kind}`, title])]
      .map(([value, text]) => [value, text, countOf(value)])
      .filter(([value, , matches]) => matches && (value !== "*" || matches < total))
      .map(([value, text, matches]) => [value, `${text} (${number.format(matches)})`]);
    return ["Show", [["", `All ${noun}s`], ...options], hasKind];
  }

  const hasKind = (item, value) => (value === "*" ? item.kinds.length > 0 : item.kinds.includes(Number(value)));

  function row(item, columns) {
    const cells = columns.map(([, contents]) => element("td", { role: "cell" }, ...contents(item)));
    return element("tr", { role: "row" }, ...cells);
  }

  function equipItems(table, noun, items, columns, choices, total, load = () => items) {
    const keysOf = columns.map(([key]) => key);
    return equip(table, { noun, total, load, keysOf, textOf, draw: (item) => row(item, columns), choices });
  }

  // Zones: their rows are all there.

  function equipZones(table) {
    const [body] = table.tBodies;
    const items = [...body.rows].map((drawn) => {
      return { drawn, kinds: drawn.dataset.kinds.split(" ").filter(Boolean).map(Number) };
    });
    const countOf = (value) => items.filter((item) => hasKind(item, value)).length;
    const keyOf = (column) => (item) => {
      const text = (item.drawn.cells[column]?.textContent ?? "").trim();
      return column === 0 ? text : /^[\d,]+$/.test(text) ? text.replaceAll(",", "") : "";
    };
    equip(table, {
      noun: "zone",
      total: items.length,
      load: () => items,
      keysOf: [...table.tHead.rows[0].cells].map((_cell, column) => keyOf(column)),
      textOf: (item) => item.drawn.cells[0].textContent,
      draw: (item) => item.drawn,
      choices: [choiceOfKinds("zone", items.length, countOf)],
    });
  }

  // Findings: the first are there.

  function equipFindings(table) {
    const total = kinds.reduce((sum, [, , number]) => sum + number, 0);
    const countOf = (value) => (value === "*" ? total : kinds[value][2]);
    const found = zones.map(([label, , , findings], zone) => [`${zone}`, label, findings]).filter(([, , findings]) => findings);
    const options = found.map(([zone, label, findings]) => [zone, `${label} (${number.format(findings)})`]);
    const choices = [choiceOfKinds("finding", total, countOf)];
    if (options.length > 1) {
      choices.push(["Zone", [["", "All zones"], ...options], (item, value) => item.zone === Number(value)]);
    }
    const { selects, field, update } = equipItems(table, "finding", null, findingColumns, choices, total, findingItems);
    // A number in the table of zones shows its findings.
    document.getElementById("zones").addEventListener("click", (event) => {
      const link = event.target.closest("[data-kind]");
      if (!link) return;
      field.value = "";
      selects[0].value = link.dataset.kind;
      if (selects[1]) selects[1].value = link.dataset.zone;
      update();
    });
  }

  // Details of a zone

  // Add the table of a template to what is opened.
  function drawItems(details, name, noun, columns, items) {
    const region = copyOf(name);
    const table = region.querySelector("table");
    const caption = `${table.caption.textContent} of ${zones[details.dataset.zone][0]}`;
    table.caption.textContent = caption;
    region.setAttribute("aria-label", caption);
    details.append(region);
    const countOf = (value) => items.filter((item) => hasKind(item, value)).length;
    const choices = countOf("*") ? [choiceOfKinds(noun, items.length, countOf)] : [];
    equipItems(table, noun, items, columns, choices, items.length).update();
  }

  function drawMappings(details) {
    const items = mappingItems(read(`data-zone-${details.dataset.zone}`));
    drawItems(details, "mappings", "mapping", mappingColumns, items);
  }

  function drawMapped(details) {
    const items = mappedItems(read(`data-traffic-${details.dataset.zone}`).mapped);
    drawItems(details, "mapped-traffic", "mapped origin", mappedColumns, items);
  }

  function drawUnmapped(details) {
    const items = unmappedItems(read(`data-traffic-${details.dataset.zone}`).unmapped);
    drawItems(details, "unmapped-traffic", "unmapped origin", unmappedColumns, items);
  }

  // A YAML string in printable ASCII. What looks like a template is marked, so that Ansible does not evaluate it.
  function yaml(value) {
    const text = JSON.stringify(value).replace(/[^\x20-\x7e]/gu, (character) => {
      const code = character.codePointAt(0).toString(16);
      return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
    });
    return /\{[{%#]/.test(value) ? `!unsafe ${text}` : text;
  }

  function repairOf(zone) {
    const { present, absent } = read(`data-zone-${zone}`);
    const [label, name, id] = zones[zone];
    const task = (title, state, items) => [
      `- name: ${yaml(`${title} ${label}`)}`,
      "  originops.cloudflare.origin_cloud_region_batch:",
      `    ${id ? "zone_id" : "zone"}: ${yaml(id || name)}`,
      `    state: ${state}`,
      "    mappings:",
      ...items.map((item) => `      - ${item}`),
    ];
    const values = (location) => `vendor: ${yaml(locations[location][0])}, region: ${yaml(locations[location][1])}`;
    const upserts = expand(present.ip).map((ip, index) => `{origin_ip: ${yaml(ip)}, ${values(present.location[index])}}`);
    return [
      ...(upserts.length ? task("Correct mappings of", "present", upserts) : []),
      ...(absent.length ? task("Delete stale mappings of", "absent", expand(absent).map(yaml)) : []),
      "",
    ].join("\n");
  }

  function drawRepair(details) {
    const zone = details.dataset.zone;
    const label = `Tasks that repair ${zones[zone][0]}`;
    const text = element("pre", { tabindex: "0", role: "region", "aria-label": label }, repairOf(zone));
    const result = element("output", { role: "status" });
    const copy = button("Copy the tasks", async () => {
      getSelection().selectAllChildren(text);
      // Pages from plain HTTP have no clipboard but this command.
      const copied = navigator.clipboard
        ? await navigator.clipboard.writeText(text.textContent).then(() => true, () => false)
        : document.execCommand("copy");
      result.textContent = copied ? "Copied" : "Selected: copy it with the keyboard";
    });
    const advice = "Tasks for a playbook: run it with --check --diff first.";
    details.append(element("div", { class: "tools" }, copy, element("span", { class: "soft" }, advice), result), text);
  }

  function openTarget(hash) {
    const target = document.getElementById(hash.slice(1));
    if (target?.matches("details")) target.open = true;
  }

  // Ages of times

  const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];

  function age(time) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["minute", 60];
    return ` (${relative.format(-Math.trunc(seconds / size), unit)})`;
  }

  for (const note of document.querySelectorAll(".scriptless")) note.remove();
  for (const time of document.querySelectorAll("time")) time.after(element("span", { class: "age" }, age(time)));
  const contents = { all: drawMappings, repair: drawRepair, mapped: drawMapped, unmapped: drawUnmapped };
  for (const [name, draw] of Object.entries(contents)) {
    for (const details of document.querySelectorAll(`details.${name}`)) {
      details.addEventListener("toggle", () => draw(details), { once: true });
    }
  }
  for (const [selector, start] of [["table.zones", equipZones], ["table.findings", equipFindings]]) {
    const table = document.querySelector(selector);
    if (table) start(table);
  }
  document.addEventListener("click", (event) => openTarget(event.target.closest("a[href^='#']")?.hash ?? ""));
  openTarget(location.hash);
})();
