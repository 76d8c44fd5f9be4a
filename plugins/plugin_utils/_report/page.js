/*
 * Copyright: Contributors to the originops.cloudflare project
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Tables that sort by their headers, and filter by text and by kind of finding.

"use strict";
(() => {
  const collator = new Intl.Collator("en", { numeric: true });
  const number = new Intl.NumberFormat("en");

  // Sort a cell by its data-key, as that of an address, else by its text.
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.key ?? cell.textContent.trim();
  };

  function makeSortable(table) {
    const [head] = table.tHead.rows;
    const [body] = table.tBodies;
    for (const header of head.cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const descending = header.getAttribute("aria-sort") === "ascending";
        for (const other of head.cells) other.removeAttribute("aria-sort");
        header.setAttribute("aria-sort", descending ? "descending" : "ascending");
        const sign = descending ? -1 : 1;
        const keyed = [...body.rows].map((row) => ({ row, key: keyOf(row, header.cellIndex) }));
        // Rows without a key are last in both directions.
        keyed.sort((a, b) => !a.key - !b.key || sign * collator.compare(a.key, b.key));
        body.append(...keyed.map(({ row }) => row));
      });
    }
  }

  function makeFilterable(table) {
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, kinds: row.dataset.kinds.split(" ").filter(Boolean) }));
    const tools = document.getElementById("tools").content.firstElementChild.cloneNode(true);
    const [text, kind, count] = tools.querySelectorAll("input, select, output");
    tools.setAttribute("aria-label", table.caption.textContent);

    const isOfKind = ({ kinds }, wanted) => !wanted || (wanted === "*" ? kinds.length > 0 : kinds.includes(wanted));
    for (const option of [...kind.options].filter((option) => option.value)) {
      const matches = rows.filter((item) => isOfKind(item, option.value)).length;
      // Omit choices that would hide no row, or all.
      if (!matches || (option.value === "*" && matches === rows.length)) option.remove();
      else option.textContent += ` (${number.format(matches)})`;
    }

    function update() {
      const words = text.value.toLowerCase().split(/\s+/);
      let shown = 0;
      for (const item of rows) {
        item.text ??= [...item.row.cells].map((cell) => cell.textContent).join("\n").toLowerCase();
        const passes = isOfKind(item, kind.value) && words.every((word) => item.text.includes(word));
        item.row.hidden = !passes;
        shown += passes;
      }
      showCount(shown);
    }

    function showCount(shown) {
      count.textContent = `${number.format(shown)} of ${number.format(rows.length)} rows shown`;
    }

    text.addEventListener("input", update);
    kind.addEventListener("change", update);
    showCount(rows.length);
    table.parentElement.before(tools);
  }

  for (const table of document.querySelectorAll("table")) {
    makeSortable(table);
    makeFilterable(table);
  }
})();
