/** The parts of the page: filter, figures with their switches, the panel of chosen configurations, colours. */

const MOST_IN_LEGEND = 24, MOST_IN_PANEL = 12;

/** Chosen values by key; a key without chosen values does not restrict. @type {Map<string, Set<string>>} */
const filter = new Map();

function isShown(configuration) {
  return configuration.table.keys.every(({ key, values }, n) => {
    const chosen = filter.get(key);
    return !chosen?.size || chosen.has(values[configuration.at[n]]);
  });
}

function buildFilter() {
  const levels = new Map();
  for (const { keys } of data.tables) {
    for (const { key, values } of keys) levels.set(key, new Set([...(levels.get(key) ?? []), ...values]));
  }
  const varied = [...levels].filter(([, values]) => values.size > 1);
  if (!varied.length) return;
  const groups = varied.map(([key, values]) => {
    const boxes = [...values].map((value) => {
      const box = make("input", { type: "checkbox", onchange: () => pick(key, value, box.checked) });
      return make("label", {}, box, ` ${value}`);
    });
    return make("fieldset", {}, make("legend", {}, key), make("div", {}, ...boxes));
  });
  const count = make("span", { role: "status", id: "count" });
  const reset = make("button", { type: "button", id: "reset", hidden: true, onclick: clear }, "Show all");
  const body = make("details", { open: matchMedia("(min-width: 85rem)").matches },
    make("summary", {}, make("strong", {}, "Filter"), " ", count), ...groups);
  document.getElementById("filter").append(body, reset);

  function pick(key, value, isOn) {
    const chosen = filter.get(key) ?? new Set();
    if (isOn) chosen.add(value);
    else chosen.delete(value);
    filter.set(key, chosen);
    apply();
  }
  function clear() {
    filter.clear();
    for (const box of body.querySelectorAll("input")) box.checked = false;
    apply();
    body.querySelector("summary").focus();
  }
  function apply() {
    for (const entry of document.querySelectorAll("main [data-cell]")) {
      const configuration = byCell.get(entry.dataset.cell); // none for runs of edited code, which no table shows
      const isOut = Boolean(configuration) && !isShown(configuration);
      entry.classList.toggle("out", isOut);
      if (entry.matches("li")) entry.hidden = isOut;
    }
    for (const row of document.querySelectorAll("main tbody tr")) {
      const entries = [...row.querySelectorAll("[data-cell]")];
      row.hidden = entries.length > 0 && entries.every((entry) => entry.classList.contains("out"));
    }
    for (const table of document.querySelectorAll("table.sortable")) table.dispatchEvent(new Event("filtered"));
    for (const figure of figures) figure.update();
    write();
  }
  function write() {
    const all = data.tables.flatMap((table) => table.configurations);
    const number = all.filter(isShown).length;
    count.textContent = number === all.length ? `all ${number} configurations` : `${number} of ${all.length}`;
    reset.hidden = number === all.length && ![...filter.values()].some((chosen) => chosen.size);
  }
  write();
}

const figures = new Set();
const viewer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    viewer.unobserve(target);
    target.plot.draw();
    resizer.observe(target.plot.host);
  }
}, { rootMargin: "300px" });
const resizer = new ResizeObserver((entries) => entries.forEach(({ target }) => target.parentElement.plot.resize()));

/** A figure: its switches, panels and legend. */
class Figure {
  /**
   * @param {HTMLElement} host - element that gets the figure.
   * @param {{kind: string, table: Object, options: Object, caption: string}} about - what is drawn.
   * @param {?Configuration[]} only - the configurations to draw; null for all that the filter shows.
   */
  constructor(host, { kind, table, options, caption }, only = null) {
    Object.assign(this, { kind, table, options, caption, only, zoom: null });
    const { rate, method, rest } = table.axes, measured = table.fields[options.field ?? "value"];
    const isCurves = kind === "curves", by = (only ? "" : (isCurves && rate) || method || rate) ?? "";
    this.state = { log: options.log ?? measured.log, seeds: Boolean(only), x: rate, colour: by,
      split: only ? [] : isCurves && rate ? [method, ...rest].filter(Boolean) : rest };
    this.body = make("div", { class: "panels" });
    this.legend = make("ul", { class: "legend", "aria-label": "Legend" });
    this.unzoom = make("button", { type: "button", hidden: true, onclick: () => this.zoomTo(null) }, "Reset zoom");
    host.prepend(make("div", { class: "chart" }, this.switches(), this.body, this.legend));
    this.update();
  }

  shown() {
    return this.only ?? this.table.configurations.filter(isShown);
  }

  /** The buttons above the panels. */
  switches() {
    const { state, table, kind } = this, several = table.configurations.some((one) => one.runs.length > 1);
    const bar = make("div", { class: "switches", role: "toolbar", "aria-label": `Display of: ${this.caption}` });
    const toggle = (words, name) => {
      const button = make("button", { type: "button", "aria-pressed": String(state[name]), onclick: () => {
        state[name] = !state[name];
        button.setAttribute("aria-pressed", state[name]);
        this.zoom = null;
        this.update();
      } }, words);
      bar.append(button);
    };
    const select = (label, name, choices) => {
      if (choices.length < 2) return;
      const chosen = make("select", { "aria-label": label, onchange: () => {
        state[name] = JSON.parse(chosen.value);
        this.zoom = null;
        this.update();
      } }, ...choices.map(([words, value]) => make("option", { value: JSON.stringify(value) }, words)));
      chosen.value = JSON.stringify(state[name]);
      bar.append(make("label", {}, `${label} `, chosen));
    };
    toggle("log scale", "log");
    if (kind === "lines") bar.append(this.unzoom);
    if (kind === "lines" || kind === "heat") return bar;
    if (several) toggle("every seed", "seeds");
    if (this.only) {
      bar.append(this.unzoom);
      return bar;
    }
    const keys = table.keys.filter((one) => one.values.length > 1);
    const splits = [state.split, [], ...keys.map(({ key }) => [key])];
    const distinct = new Map(splits.map((split) => [split.join(", ") || "one", split]));
    if (kind !== "leaderboard") select("panels", "split", [...distinct]);
    select("colour", "colour", keys.map(({ key }) => [key, key]));
    const sizes = keys.filter(({ numbers }) => numbers).map(({ key }) => [key, key]);
    if (kind === "rates") select("x", "x", [...sizes, ["training time", ""]]);
    bar.append(this.unzoom);
    return bar;
  }

  zoomTo(zoom) {
    this.zoom = zoom;
    this.update();
    this.unzoom.hidden = !zoom;
  }

  /** Build the panels again; those in view are drawn at once, the others when they come into view. */
  update() {
    tip.unpin();
    const { panels = [], tables = [], legend, lines, notes } = KINDS[this.kind](this);
    const focused = [...this.body.children].findIndex((one) => one.contains(document.activeElement));
    for (const { plot } of this.body.children) {
      if (!plot) continue;
      plot.drawn?.destroy();
      viewer.unobserve(plot.element);
      resizer.unobserve(plot.host);
    }
    const plots = panels.filter(({ marks }) => marks.length).map((panel) => new Plot(this, panel).element);
    this.body.classList.toggle("single", plots.length === 1);
    this.body.classList.toggle("tables", tables.length > 0);
    this.body.replaceChildren(...plots, ...tables);
    if (!plots.length && !tables.length) this.body.append(make("p", {}, "No configuration fits the filter."));
    for (const element of plots) viewer.observe(element);
    if (focused >= 0) plots[focused]?.plot.host.focus({ preventScroll: true });
    const item = ({ label, colour, dash }) => {
      const swatch = make("span", { class: `swatch${dash.length ? " dashed" : ""}` });
      swatch.style.color = colour ?? "";
      return make("li", {}, swatch, label);
    };
    const more = legend.length - MOST_IN_LEGEND;
    this.legend.replaceChildren(...[...legend.slice(0, MOST_IN_LEGEND), ...lines].map(item),
      ...[...(more > 0 ? [`and ${more} more`] : []), ...notes].map((note) => make("li", {}, note)));
  }
}

const details = {
  element: make("dialog", { id: "details", "aria-labelledby": "details-title" }),
  figure: null,

  /** Show curves, runs, samples and command lines of configurations. */
  show(configurations, opener) {
    this.close();
    this.opener = opener;
    const shown = configurations.slice(0, MOST_IN_PANEL), [first] = shown, { table } = first;
    const title = configurations.length > 1 ? `${configurations.length} configurations` : first.name;
    const chart = make("div", {});
    const closing = make("button", { type: "button", onclick: () => this.close(true) }, "Close");
    this.element.replaceChildren(make("header", {}, make("h2", { id: "details-title" }, title), closing), chart,
      ...shown.map((one) => this.part(one, configurations.length > 1)),
      configurations.length > shown.length ? make("p", {}, `and ${configurations.length - shown.length} more`) : "");
    this.element.show();
    if (shown.some(({ runs }) => runs.some((run) => run.value.some((value) => value !== null)))) {
      this.figure = new Figure(chart, { kind: "curves", table, options: { field: "value", over_time: false },
        caption: `${table.metric} of ${title}` }, shown);
      figures.add(this.figure);
    }
    this.element.scrollTop = 0;
    closing.focus({ preventScroll: true });
  },
  /** Runs, samples and command line of one configuration. */
  part(one, isOneOfSeveral) {
    const row = (run) => make("tr", {}, make("th", { scope: "row" }, run.seed), make("td", {}, run.state),
      make("td", { class: "number" }, format(run.score)), make("td", { class: "wrap" }, run.trouble));
    const head = [one.table.repeated.join(", "), "state", `${one.table.how} ${one.table.metric}`, "problem"];
    const heads = make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name)));
    const runs = make("table", {}, make("thead", {}, heads), make("tbody", {}, ...one.runs.map(row)));
    const rank = one.rank === null ? one.verdict : `rank ${one.rank}: ${one.verdict}`;
    return make("section", {}, isOneOfSeveral ? make("h3", {}, one.name) : null, make("p", {}, rank),
      make("div", { class: "scroll" }, runs), this.sample(one), commandLine(command(one)));
  },
  /** The sample image: the one on the page, or the file in the directory of the run if it is there. */
  sample(one) {
    const source = document.querySelector(`.samples [data-cell="${one.runs[0].cell}"] img`)?.src ?? one.sample;
    if (!source) return null;
    return make("img", { class: "sample", src: source, alt: `Samples of ${one.name}, run with the median value`,
      onerror: (event) => event.target.remove() });
  },
  close(focus) {
    if (!this.element.open) return;
    figures.delete(this.figure);
    this.element.close();
    if (focus) this.opener?.focus();
  },
};

function buildTheme() {
  const button = make("button", { type: "button", onclick: () => set(isDark() ? "light" : "dark") });
  const write = () => (button.textContent = isDark() ? "Light colours" : "Dark colours");
  const redraw = () => {
    write();
    for (const figure of figures) figure.update();
  };
  function set(theme) {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("gansweep-theme", theme);
    } catch { /* pages opened from disk may have no storage */ }
    redraw();
  }
  try {
    const stored = localStorage.getItem("gansweep-theme");
    if (stored) document.documentElement.dataset.theme = stored;
  } catch { /* as above */ }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  document.getElementById("tools").append(button);
  write();
}

document.documentElement.classList.add("js");
document.body.append(details.element, tip.element);
buildTheme();
for (const table of document.querySelectorAll("table.sortable")) {
  sortable(table);
  for (const row of table.tBodies[0].rows) row.classList.toggle("choosable", Boolean(row.querySelector("[data-cell]")));
  choosable(table, "tr.choosable");
}
buildFilter();
for (const figure of document.querySelectorAll("figure[data-chart]")) {
  const { chart: kind, table, options } = figure.dataset;
  const caption = figure.querySelector("figcaption").textContent;
  figures.add(new Figure(figure, { kind, table: data.tables[table], options: JSON.parse(options), caption }));
  figure.classList.add("drawn");
}
addEventListener("scroll", () => tip.unpin(), { passive: true });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (tip.isPinned) tip.unpin(true);
  else details.close(true);
});
document.addEventListener("mousedown", (event) => {
  if (tip.isPinned && !tip.element.contains(event.target)) tip.unpin();
});
