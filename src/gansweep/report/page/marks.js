/**
 * What a chart shows: the functions in KINDS turn configurations into panels of marks in data coordinates.
 *
 * @typedef {{kind: string, x: number[], y: number[], colour: string, about: function(number): Object}} Mark
 * @typedef {{label: string, log: boolean, range: number[], ticks: ?number[]}} Axis
 * @typedef {{title: string, marks: Mark[], x: Axis, y: Axis}} Panel
 */

const LOG_RATIO = 8, MANY_BANDS = 12;

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
const channels = (hex) => [1, 3, 5].map((n) => parseInt(hex.slice(n, n + 2), 16));
const mixed = (a, b, part) => {
  const [from, to] = [channels(a), channels(b)];
  return `rgb(${from.map((value, n) => Math.round(value + part * (to[n] - value))).join(",")})`;
};

/** Colour at a position from 0 to 1 of a colour map. */
function fromMap(name, position) {
  const stops = data.maps[name], at = Math.min(Math.max(position, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return mixed(stops[low], stops[low + 1], at - low);
}

/** Style of the n-th of several unordered values: as in the figures, colour and then dash. */
function styleOf(n) {
  const colour = data.colours[n % data.colours.length];
  const dash = [[], [6, 3], [6, 3, 1, 3], [1, 3]][Math.floor(n / data.colours.length) % 4];
  return { colour: mixed(colour, "#ffffff", isDark() ? 0.3 : 0), dash };
}

/** Style of one of several ordered values. */
const shadeOf = (n, number) => ({
  colour: fromMap("viridis", (isDark() ? 0.3 : 0) + (isDark() ? 0.7 : 0.9) * (n / Math.max(number - 1, 1))),
  dash: [],
});

/** Return the style of every configuration, and the entries of the legend; an empty key gives each its own. */
function styles(table, key, configurations) {
  const n = table.keys.findIndex((one) => one.key === key);
  if (n < 0) {
    const list = configurations.map((one, place) => ({ label: one.name, ...styleOf(place) }));
    return { of: (one) => list[configurations.indexOf(one)], legend: list };
  }
  const { values, numbers } = table.keys[n];
  const list = values.map((value, place) => ({
    label: `${key}=${value}`, ...(numbers && values.length > 1 ? shadeOf(place, values.length) : styleOf(place)),
  }));
  const used = new Set(configurations.map((one) => one.at[n]));
  return { of: (one) => list[one.at[n]], legend: list.filter((_, place) => used.has(place)) };
}

/** Divide configurations by the values of some keys: title and configurations of every combination. */
function divided(table, keys, configurations) {
  const places = keys.map((key) => table.keys.findIndex((one) => one.key === key));
  const parts = new Map();
  for (const one of configurations) {
    const title = places.map((n) => `${table.keys[n].key}=${table.keys[n].values[one.at[n]]}`).join(", ");
    parts.set(title, [...(parts.get(title) ?? []), one]);
  }
  return [...parts];
}

/** Smallest and largest of some values. */
const extremes = (values) => [Infinity, -Infinity].map((start, n) => values.reduce(n ? (a, b) => Math.max(a, b)
  : (a, b) => Math.min(a, b), start));

/** Range of an axis for some values, with a margin. */
function rangeOf(values, log, margin = 0.05) {
  const [low, high] = extremes(values.filter((value) => Number.isFinite(value) && (!log || value > 0)));
  if (low > high) return log ? [1, 10] : [0, 1];
  if (log) {
    const room = (high / low) ** margin || 1;
    return high > low ? [low / room, high * room] : [low / 1.2, high * 1.2];
  }
  const room = margin * (high - low) || 0.05 * Math.abs(high) || 1;
  return [low - room, high + room];
}

const isWide = (values) => {
  const [low, high] = extremes(values);
  return low > 0 && high > LOG_RATIO * low;
};

/** Ticks of a logarithmic axis: at most about eight, also on an axis shorter than a power of ten. */
function logTicks(low, high) {
  for (const factors of [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      ticks.push(...factors.map((factor) => Number(`${factor}e${power}`)));
    }
    const inside = ticks.filter((tick) => tick >= low && tick <= high);
    if (inside.length >= 3) return inside.filter((_, n) => n % Math.ceil(inside.length / 8) === 0);
  }
  const step = 10 ** Math.floor(Math.log10((high - low) / 2));
  const first = Math.ceil(low / step), number = Math.floor(high / step) - first + 1;
  return Array.from({ length: number }, (_, n) => Number(((first + n) * step).toPrecision(12)))
    .filter((_, n) => n % Math.ceil(number / 6) === 0);
}

/** The lines of untrained generators, of real samples and of a target, unless they are far from the values. */
function references({ untrained, floor, target = null }, values, log) {
  const [low, high] = extremes(values), far = log ? 10 : 3;
  return [["untrained", untrained, [1, 3]], ["real against real", floor, [6, 4]], ["target", target, [6, 4]]]
    .filter(([, y]) => y !== null && y > low / far && y < high * far)
    .map(([label, y, dash]) => ({ kind: "level", y, dash, label }));
}

/** Add reference lines and axes to panels. */
const withLines = (panels, lines, x, y) =>
  panels.map((panel) => ({ ...panel, marks: panel.marks.length ? [...lines, ...panel.marks] : [], x, y }));

/** Learning curves: one line for each seed, or the mean of the seeds with a band from minimum to maximum. */
function curves(figure) {
  const { table, state, options } = figure, { field } = options, measured = table.fields[field];
  const shown = figure.shown(), style = styles(table, state.colour, shown);
  const axis = options.over_time ? table.times : table.steps;
  const ends = shown.flatMap(({ runs }) => runs.map((run) => axis[run[options.over_time ? "times" : "steps"]].at(-1)));
  const longest = Math.max(...ends.filter(Number.isFinite), 0);
  const [unit, name] = longest < 120 ? [1, "s"] : longest < 7200 ? [60, "min"] : [3600, "h"];
  const along = (curve) =>
    options.over_time ? table.times[curve.times].map((x) => (x === null ? null : x / unit)) : table.steps[curve.steps];
  const xLabel = options.over_time ? `training time (${name})` : "step (generator updates)";
  const values = [], xs = [];
  const line = (one, run, y, x, look, extra) => {
    y.forEach((value, n) => {
      if (value === null || x[n] === null || x[n] === undefined) return;
      if (measured.top === null || value <= measured.top) values.push(value);
      xs.push(x[n]);
    });
    return { kind: "line", x, y, ...look, about: (n) => ({ configuration: one, run, rows: [
      [xLabel, format(x[n])], [measured.name, format(y[n])], ...(extra?.(n) ?? [])] }) };
  };
  const marksOf = (one, count) => {
    const mean = one.curves?.[field], marks = [];
    if (state.seeds || !mean) {
      one.runs.forEach((run, place) => {
        const look = count === 1 && !state.colour ? styleOf(place) : style.of(one);
        const drawn = line(one, run, run[field], along(run), { ...look, width: one.runs.length > 1 ? 1 : 1.6 });
        marks.push(drawn);
        const last = run[field].findLastIndex((value) => value !== null);
        if (run.state === "diverged" && last >= 0) marks.push(crossAt(drawn, last, measured.top));
      });
      return marks;
    }
    const look = style.of(one), x = along(mean);
    const alpha = count > MANY_BANDS ? 0.05 : 0.18;
    const about = (n) => [["lowest to highest seed", `${format(mean.low[n])} to ${format(mean.high[n])}`],
      ["seeds", one.runs.filter((run) => valueAt(run, table.steps[mean.steps][n]) !== null).length]];
    const drawn = line(one, null, mean.mean, x, { ...look, width: 1.8 }, about);
    values.push(...[...mean.low, ...mean.high].filter((value) => measured.top === null || value <= measured.top));
    marks.push({ kind: "band", x, low: mean.low, high: mean.high, colour: look.colour, alpha },
      { ...drawn, thinFrom: mean.common }, ...mean.lost.map((n) => crossAt(drawn, n, measured.top)));
    return marks;
  };
  const valueAt = (run, step) => run[field][table.steps[run.steps].indexOf(step)] ?? null;
  const panels = divided(table, state.split, shown).map(([title, inside]) => ({
    title, marks: inside.flatMap((one) => marksOf(one, shown.length)),
  }));
  const lines = references(measured, values, state.log);
  const heights = [...values, ...lines.map((one) => one.y)];
  const y = { label: measured.name, log: state.log, range: rangeOf(heights, state.log) };
  const xLog = Boolean(options.over_time) && isWide(ends.filter((end) => end > 0));
  const x = { label: xLabel, log: xLog, range: rangeOf(xs, xLog, 0.03) };
  const legend = shown.length > 1 ? style.legend
    : state.seeds && shown.length ? shown[0].runs.map((run, n) => ({ label: `seed ${run.seed}`, ...styleOf(n) })) : [];
  const all = panels.flatMap(({ marks }) => marks), notes = [];
  if (all.some(({ kind }) => kind === "band")) notes.push("line: mean of the seeds, band: lowest to highest seed");
  if (all.some(({ kind }) => kind === "cross")) notes.push("× a seed diverges after this");
  if (all.some((mark) => mark.thinFrom < mark.x.length)) notes.push("thin: mean of the other seeds");
  return { panels: withLines(panels, lines, x, y), legend, lines, notes };
}

const crossAt = (line, n, top) => ({ kind: "cross", x: [line.x[n]], y: [Math.min(line.y[n], top ?? line.y[n])],
  colour: line.colour, about: () => line.about(n) });

/** The x axis of `rates`: a setting with numbers, or the training time, where every run has its own position. */
function position(table, key) {
  const n = table.keys.findIndex((one) => one.key === key);
  if (n < 0) {
    const of = (run) => table.times[run.times].at(-1) ?? null;
    const mean = (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : null);
    return { label: "training time (s)", of: (one, run) => (run ? of(run) : mean(one.runs.map(of).filter(Boolean))) };
  }
  const { numbers } = table.keys[n];
  return { label: key, numbers, of: (one) => numbers[one.at[n]] };
}

/** The metric against a number: means with intervals and seeds, crosses at the top for runs without a value. */
function rates(figure) {
  const { table, state } = figure, shown = figure.shown(), style = styles(table, state.colour, shown);
  const axis = position(table, state.x), measured = table.fields.value, heights = [], order = style.legend;
  const marksOf = (inside) => order.flatMap((look, place) => {
    const group = inside.filter((one) => style.of(one).label === look.label);
    group.sort((a, b) => axis.of(a) - axis.of(b));
    const dx = axis.numbers ? (place - (order.length - 1) / 2) * Math.min(5, 30 / order.length) : 0;
    const x = group.map((one) => axis.of(one)), common = { colour: look.colour, dash: look.dash, dx };
    const about = (one, run, rows) =>
      ({ configuration: one, run, rows: [[axis.label, format(axis.of(one, run))], ...rows] });
    const seeds = group.flatMap((one) => one.runs.filter((run) => run.score !== null).map((run) => [one, run]));
    heights.push(...seeds.map(([, run]) => run.score));
    const several = group.some((one) => one.runs.length > 1), lost = group.filter((one) => one.na);
    return [
      !state.seeds && { kind: "bars", x, ...common, low: group.map((one) => one.low),
        high: group.map((one) => one.high) },
      !state.seeds && axis.numbers && { kind: "line", x, y: group.map((one) => one.mean), width: 1.5, ...common },
      (state.seeds || several) && { kind: "dots", x: seeds.map((pair) => axis.of(...pair)),
        y: seeds.map(([, run]) => run.score), size: state.seeds ? 3 : 1.6, ...common,
        about: (n) => about(...seeds[n], [[measured.name, format(seeds[n][1].score)]]) },
      !state.seeds && { kind: "dots", x, y: group.map((one) => one.mean), size: 4, ...common,
        hollow: group.map((one) => one.na > 0), about: (n) => about(group[n], null, summary(group[n])) },
      lost.length && { kind: "cross", x: lost.map((one) => axis.of(one)), y: lost.map(() => null), row: place,
        ...common, about: (n) => about(lost[n], null, summary(lost[n])) },
    ].filter(Boolean);
  });
  const panels = divided(table, state.split, shown).map(([title, inside]) => ({ title, marks: marksOf(inside) }));
  const lines = references(measured, heights, state.log);
  const used = shown.flatMap((one) => one.runs.map((run) => axis.of(one, run))).filter((value) => value !== null);
  const [low, high] = extremes(axis.numbers ?? used), xLog = low > 0 && high > 3 * low;
  const ticks = axis.numbers && axis.numbers.length <= 8 ? axis.numbers : null;
  const x = { label: axis.label, log: xLog, range: rangeOf(used, xLog, 0.1), ticks };
  const y = { label: `${table.how} ${table.metric}`, log: state.log,
    range: rangeOf([...heights, ...lines.map((one) => one.y)], state.log, 0.12) };
  const notes = [state.seeds ? "every seed" : "means with 95 % intervals, seeds as small dots"];
  if (shown.some((one) => one.na)) notes.push("× N/A runs", "hollow: some seeds are N/A");
  return { panels: withLines(panels, lines, x, y), legend: order.length > 1 ? order : [], lines, notes };
}

const summary = (one) => [["mean", format(one.mean)],
  ...(one.low === null ? [] : [["95 % interval", `${format(one.low)} to ${format(one.high)}`]]),
  ["runs", `${one.runs.length}${one.na ? `, ${one.na} N/A` : ""}`]];

/** The means as coloured tables: one row for each method, one column for each rate. */
function heat(figure) {
  const { table, state } = figure, shown = figure.shown(), { rate, method } = table.axes;
  const [across, down] = [rate, method].map((key) => table.keys.findIndex((one) => one.key === key));
  const means = shown.map((one) => one.mean).filter((mean) => mean !== null && (!state.log || mean > 0));
  const scaled = (value) => (state.log ? Math.log(value) : value);
  const [low, high] = [Math.min(...means), Math.max(...means)].map(scaled);
  const used = (n) => [...new Set(shown.map((one) => one.at[n]))].sort((a, b) => a - b);
  const columns = used(across);
  const tables = divided(table, table.axes.rest, shown).map(([title, inside]) => {
    const head = make("tr", {}, make("th", { scope: "col" }, `${method}, ${rate}`),
      ...columns.map((column) => make("th", { scope: "col", class: "number" }, table.keys[across].values[column])));
    const rows = used(down).map((row) => make("tr", {}, make("th", { scope: "row" }, table.keys[down].values[row]),
      ...columns.map((column) => heatCell(inside.find((one) => one.at[across] === column && one.at[down] === row)))));
    const made = make("table", { class: "heat", "aria-label": title || figure.caption },
      title ? make("caption", {}, title) : null, make("thead", {}, head), make("tbody", {}, ...rows));
    choosable(made, "td[data-cell]");
    return make("div", { class: "scroll" }, made);
  });
  function heatCell(one) {
    if (!one) return make("td", {}, "-");
    const text = one.mean === null ? "N/A" : significant(one.mean, 4);
    const title = `${one.name}: ${summary(one).map((row) => row.join(" ")).join(", ")}`;
    const kind = one.mean === null ? "number na" : "number";
    const cell = make("td", { "data-cell": one.runs[0].cell, class: kind, title },
      one.na && one.mean !== null ? `${text} (${one.na} N/A)` : text);
    if (one.mean === null || !Number.isFinite(scaled(one.mean))) return cell;
    const position = high > low ? (scaled(one.mean) - low) / (high - low) : 0.5;
    const colour = fromMap("cividis", table.lower ? position : 1 - position);
    const [r, g, b] = colour.match(/\d+/g).map(Number);
    cell.style.background = colour;
    cell.style.color = 0.299 * r + 0.587 * g + 0.114 * b > 128 ? "#000" : "#fff";
    return cell;
  }
  const { untrained, floor } = table.fields.value;
  const ends = [["untrained", untrained], ["real against real", floor]].filter(([, value]) => value !== null)
    .map(([label, value]) => `${label}: ${significant(value, 4)}`);
  return { tables, legend: [], lines: [], notes: ["darker is better", ...ends] };
}

/** Lines whose values are in the options: panels of named lines; a panel is of one cell, a line of a configuration. */
function lines(figure) {
  const { options, state } = figure, isIn = ({ cell }) => !cell || isShown(byCell.get(cell));
  const names = [...new Set(options.panels.flatMap((part) => part.lines.map(({ name }) => name)))];
  const shown = options.panels.filter(isIn).map((part) => ({ ...part, lines: part.lines.filter(isIn) }));
  const all = shown.flatMap((part) => part.lines);
  const xLog = Boolean(options.x_log);
  const xs = [...new Set(all.flatMap((one) => one.x))];
  const x = { label: options.x, log: xLog, range: rangeOf(xs, xLog, 0.02), ticks: xs.length <= 8 ? xs : null };
  const values = all.flatMap((one) => one.y).filter((value) => value !== null);
  const levels = options.levels ? references(options.levels, values, state.log) : [];
  const y = { label: options.y, log: state.log, range: rangeOf([...values, ...levels.map((one) => one.y)], state.log) };
  const marksOf = (cell) => (line) => {
    const configuration = byCell.get(line.cell ?? cell), run = configuration?.runs.find((one) => one.cell === cell);
    const about = (n) => ({ configuration, run, title: line.name,
      rows: [[options.x, format(line.x[n])], [`${options.y} (${line.name})`, format(line.y[n])]] });
    return { kind: "line", x: line.x, y: line.y, width: 1.4, ...styleOf(names.indexOf(line.name)), about };
  };
  const panels = shown.map(({ title, cell, lines: inside }) =>
    ({ title: title ?? "", x, y, marks: [...levels, ...inside.map(marksOf(cell))] }));
  const every = Math.max(...all.map((one) => one.every)), drawn = new Set(all.map(({ name }) => name));
  const legend = names.map((label, n) => ({ label, ...styleOf(n) })).filter(({ label }) => drawn.has(label));
  return { panels, lines: levels, legend, notes: every > 1 ? [`1 of ${every} values is drawn`] : [] };
}

const KINDS = { curves, rates, heat, lines };
