/** The leaderboard of a track: one row for each entry, with the median and the interval of its steps to the target. */

const ROW = 20, LETTER = 7; // pixels

function leaderboard(figure) {
  const { table, state, options } = figure, shown = figure.shown(), style = styles(table, state.colour, shown);
  const edge = options.steps * 1.03, end = (value) => (value === null ? edge : value);
  const xs = [options.every, edge];
  const marks = shown.flatMap((one, place) => {
    const { entry } = one, y = shown.length - 1 - place, { colour } = style.of(one);
    const rows = [["score", entry.score === null ? "N/A" : `${format(entry.score)} steps`],
      ["median steps", entry.median === null ? "N/A" : format(entry.median)],
      ["95 % interval", entry.interval.map((value) => (value === null ? "N/A" : format(value))).join(" to ")],
      ["reached by", `${entry.reached} of ${one.runs.length} seeds`], ["diverged", entry.diverged],
      ["median seconds", format(entry.seconds)], ["against the record", one.verdict]];
    const about = () => ({ configuration: one, run: null, rows });
    const seeds = one.runs.filter((run) => run.score !== null);
    xs.push(...seeds.map((run) => run.score));
    return [
      { kind: "spans", x: [], y: [y], low: [end(entry.interval[0])], high: [end(entry.interval[1])], colour },
      state.seeds && { kind: "dots", x: seeds.map((run) => run.score), y: seeds.map(() => y), size: 2, colour,
        about: (n) => ({ configuration: one, run: seeds[n], rows: [["steps to target", format(seeds[n].score)]] }) },
      { kind: "dots", x: [end(entry.median)], y: [y], size: 4, colour, hollow: [entry.median === null], about },
      entry.score !== null && { kind: "ticks", x: [entry.score], y: [y], colour, about },
    ].filter(Boolean);
  });
  const names = shown.map((one) => one.name).reverse();
  const widest = Math.max(...names.map((name) => name.length)) * LETTER + 16;
  const ticks = names.map((_, n) => n);
  const x = { label: "steps to target", log: state.log, range: rangeOf(xs, state.log, 0.03) };
  const y = { label: "", log: false, range: [-0.7, shown.length - 0.3], ticks, names, size: Math.min(widest, 190) };
  const notes = ["dot: median, hollow if not reached", "line: 95 % interval", "tick: score"];
  const legend = style.legend.length > 1 ? style.legend : [];
  return { panels: [{ title: "", marks, x, y, height: ROW * shown.length + 60 }], legend, lines: [], notes };
}

KINDS.leaderboard = leaderboard;
