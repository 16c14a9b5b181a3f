/** Tables that are sorted by clicks on their head, and whose rows can be chosen. */

/** Sort key of an entry: a number, a text, or null for an entry without a number, which comes last. */
function sortKey(entry) {
  const sort = entry.dataset.sort;
  if (sort === undefined) return entry.textContent.trim();
  return sort === "" ? null : Number(sort);
}

function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  if (typeof a === "number") return sign * (a - b);
  return sign * a.localeCompare(b, undefined, { numeric: true });
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].map((row) => [sortKey(row.cells[column]), row]);
      rows.sort(([a], [b]) => compare(a, b, down ? -1 : 1));
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
}

/** Make the rows, or other elements, of a container choosable by click and keyboard: one is in the tab order. */
function choosable(container, selector) {
  const all = () => [...container.querySelectorAll(selector)].filter((one) => !one.hidden);
  const enter = () => all().forEach((one, n) => (one.tabIndex = n ? -1 : 0));
  enter();
  container.addEventListener("filtered", enter);
  container.addEventListener("click", (event) => {
    if (event.target.closest("a, button") || String(getSelection())) return;
    const row = event.target.closest(selector);
    if (row) choose(event.target.closest("[data-cell]") ?? row, row);
  });
  container.addEventListener("keydown", (event) => {
    const row = event.target.closest(selector);
    if (!row || row !== event.target) return;
    const rows = all(), at = rows.indexOf(row);
    const to = {
      ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: rows.length - 1,
    }[event.key];
    if (event.key === "Enter" || event.key === " ") choose(row, row);
    else if (to === undefined) return;
    else if (rows[to]) {
      row.tabIndex = -1;
      rows[to].tabIndex = 0;
      rows[to].focus();
    }
    event.preventDefault();
  });
}

/** Show the configurations of an entry or of all entries of a row. */
function choose(element, opener) {
  const entries = element.matches("[data-cell]") ? [element] : [...element.querySelectorAll("[data-cell]")];
  const chosen = new Set(entries.map((entry) => byCell.get(entry.dataset.cell)).filter(Boolean));
  if (chosen.size) details.show([...chosen], opener);
}
