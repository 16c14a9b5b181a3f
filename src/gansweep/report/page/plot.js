/** Charts of one panel each, with the values of the point under the pointer. uPlot provides axes, scales and zoom. */

const NEAR = 30; // pixels

/** Functions that draw one mark; `at` returns the position of a point in pixels of the canvas. */
const PAINT = {
  line(context, mark, at, ratio) {
    const width = (mark.width ?? 1.4) * ratio, { thinFrom = Infinity } = mark;
    context.setLineDash((mark.dash ?? []).map((length) => length * ratio));
    const points = mark.x.map((x, n) => at(x, mark.y[n]));
    for (const [part, share] of [[points.slice(0, thinFrom), 1], [points.slice(Math.max(thinFrom - 1, 0)), 0.5]]) {
      context.lineWidth = share * width;
      context.beginPath();
      let isOpen = false;
      for (const point of part) {
        const isPoint = point.every(Number.isFinite);
        if (isPoint) context[isOpen ? "lineTo" : "moveTo"](...point);
        isOpen = isPoint;
      }
      context.stroke();
    }
  },
  band(context, mark, at) {
    const edge = (ys) => mark.x.map((x, n) => at(x, ys[n])).filter((point) => point.every(Number.isFinite));
    context.globalAlpha = mark.alpha;
    context.beginPath();
    for (const [x, y] of [...edge(mark.low), ...edge(mark.high).reverse()]) context.lineTo(x, y);
    context.fill();
  },
  bars(context, mark, at, ratio) {
    context.lineWidth = ratio;
    context.globalAlpha = 0.8;
    mark.x.forEach((x, n) => {
      if (mark.low[n] === null || mark.high[n] === null) return;
      const [[px, low], [, high]] = [at(x, mark.low[n]), at(x, mark.high[n])];
      context.beginPath();
      context.moveTo(px, Number.isFinite(low) ? low : 1e5);
      context.lineTo(px, high);
      context.stroke();
    });
  },
  dots(context, mark, at, ratio) {
    mark.x.forEach((x, n) => {
      const [px, py] = at(x, mark.y[n]);
      if (!Number.isFinite(py)) return;
      context.beginPath();
      context.arc(px, py, mark.size * ratio, 0, 7);
      context[mark.hollow?.[n] ? "stroke" : "fill"]();
    });
  },
  spans(context, mark, at, ratio) {
    context.lineWidth = 2 * ratio;
    mark.y.forEach((y, n) => {
      if (mark.low[n] === null) return;
      const [[low, py], [high]] = [at(mark.low[n], y), at(mark.high[n], y)];
      context.beginPath();
      context.moveTo(low, py);
      context.lineTo(high, py);
      context.stroke();
    });
  },
  ticks(context, mark, at, ratio) {
    context.lineWidth = 1.6 * ratio;
    mark.x.forEach((x, n) => {
      const [px, py] = at(x, mark.y[n]);
      context.beginPath();
      context.moveTo(px, py - 5 * ratio);
      context.lineTo(px, py + 5 * ratio);
      context.stroke();
    });
  },
  cross(context, mark, at, ratio) {
    context.lineWidth = 1.6 * ratio;
    mark.x.forEach((x, n) => {
      const [px, py] = at(x, mark.y[n]), arm = 4 * ratio;
      context.beginPath();
      for (const sign of [1, -1]) {
        context.moveTo(px - arm, py - sign * arm);
        context.lineTo(px + arm, py + sign * arm);
      }
      context.stroke();
    });
  },
};

/** Draw the marks of a panel, and return the positions of their points in CSS pixels. */
function paint(plot, marks, ink) {
  const context = plot.ctx, { left, top, width, height } = plot.bbox, ratio = uPlot.pxRatio, hits = [];
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  for (const mark of marks) {
    const at = (x, y) => [x === null ? NaN : plot.valToPos(x, "x", true) + (mark.dx ?? 0) * ratio,
      y === null || y === undefined
        ? mark.row === undefined ? NaN : top + (7 + 10 * (mark.row % 6)) * ratio
        : plot.valToPos(y, "y", true)];
    Object.assign(context, { strokeStyle: mark.colour ?? ink, fillStyle: mark.colour ?? ink, globalAlpha: 1 });
    context.setLineDash([]);
    if (mark.kind === "level") {
      const { min, max } = plot.scales.x;
      context.globalAlpha = 0.6;
      PAINT.line(context, { x: [min, max], y: [mark.y, mark.y], dash: mark.dash, width: 1 }, at, ratio);
      continue;
    }
    PAINT[mark.kind](context, mark, at, ratio);
    if (!mark.about) continue;
    mark.x.forEach((x, n) => {
      const [px, py] = at(x, mark.y[n]);
      const isInside = px >= left - 1 && px <= left + width + 1 && py >= top - 1 && py <= top + height + 1;
      if (isInside) hits.push({ x: (px - left) / ratio, y: (py - top) / ratio, mark, n });
    });
  }
  context.restore();
  return hits;
}

/** A chart of one panel; drawn when it comes into view. */
class Plot {
  constructor(figure, panel) {
    this.figure = figure;
    this.panel = panel;
    this.hits = [];
    this.at = -1; // index of the point under the pointer or the keyboard
    this.host = make("div", { class: "plot", tabindex: 0, role: "application", "aria-roledescription": "chart",
      "aria-label": `${panel.title || figure.caption}. Arrow keys move between values, Enter keeps the value open.`,
      onkeydown: (event) => this.key(event), onblur: () => tip.hide(this) });
    if (panel.height) this.host.style.height = `${panel.height}px`;
    this.ring = make("div", { class: "ring", hidden: true });
    this.trace = document.createElementNS("http://www.w3.org/2000/svg", "svg"); // the line under the pointer, bold
    this.trace.append(document.createElementNS("http://www.w3.org/2000/svg", "polyline"));
    this.trace.setAttribute("class", "trace");
    this.element = make("div", { class: "panel" }, panel.title ? make("p", {}, panel.title) : null, this.host);
    this.element.plot = this;
  }

  /** Draw the chart, again if it is drawn. */
  draw() {
    this.drawn?.destroy();
    const { x, y, marks } = this.panel, ink = getComputedStyle(document.body).color;
    const axis = ({ label, log, ticks, names, size }, isX) => ({
      label, stroke: ink, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 22,
      size: size ?? (isX ? 34 : 58),
      grid: { stroke: "rgba(128,128,128,.22)", width: 1 },
      ticks: { stroke: "rgba(128,128,128,.4)", width: 1 },
      values: (plot, splits) => splits.map((tick) => names?.[tick] ?? format(tick)),
      ...(ticks || log ? { filter: (plot, splits) => splits, splits: (plot, n, low, high) =>
        ticks ? ticks.filter((tick) => tick >= low && tick <= high) : logTicks(low, high) } : {}),
    });
    const scale = (name) => ({ time: false, distr: this.panel[name].log ? 3 : 1,
      range: () => this.figure.zoom?.[name] ?? this.panel[name].range });
    this.drawn = new uPlot({
      mode: 2, width: this.host.clientWidth || 300, height: this.host.clientHeight || 260,
      legend: { show: false }, scales: { x: scale("x"), y: scale("y") }, axes: [axis(x, true), axis(y, false)],
      cursor: { points: { show: false }, dataIdx: () => null, drag: { x: true, y: true, uni: 24, setScale: false } },
      series: [null, { facets: [{ scale: "x", auto: true }, { scale: "y", auto: true }],
        paths: (plot) => { this.hits = paint(plot, marks, ink); return null; } }],
      hooks: { setSelect: [(plot) => this.select(plot)] },
    }, [null, [x.range, y.range]], this.host);
    const { over } = this.drawn;
    over.append(this.trace, this.ring);
    over.addEventListener("mousemove", (event) => this.hover(event));
    over.addEventListener("mouseleave", () => tip.hide(this));
    over.addEventListener("click", () => this.at >= 0 && tip.pin(this));
    over.addEventListener("dblclick", () => this.figure.zoomTo(null));
  }

  resize() {
    if (this.drawn) this.drawn.setSize({ width: this.host.clientWidth, height: this.host.clientHeight });
  }

  /** Zoom to the range selected with the pointer. */
  select(plot) {
    const { left, top, width, height } = plot.select;
    if (width < 4 && height < 4) return;
    const x = width < 4 ? null : [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    const y = height < 4 ? null : [plot.posToVal(top + height, "y"), plot.posToVal(top, "y")];
    const isWhole = (side, all) => side >= all - 1;
    this.figure.zoomTo({
      x: x && !isWhole(width, plot.over.clientWidth) ? x : this.figure.zoom?.x,
      y: y && !isWhole(height, plot.over.clientHeight) ? y : this.figure.zoom?.y,
    });
  }

  /** Emphasize the point with this index and its line, -1 for none. */
  mark(at) {
    this.at = at;
    const hit = this.hits[at];
    this.ring.hidden = !hit;
    const line = hit?.mark.kind === "line" ? this.hits.filter(({ mark }) => mark === hit.mark) : [];
    this.trace.firstChild.setAttribute("points", line.map(({ x, y }) => `${x},${y}`).join(" "));
    this.trace.style.color = hit?.mark.colour ?? "";
    if (hit) Object.assign(this.ring.style, { left: `${hit.x}px`, top: `${hit.y}px` });
  }

  hover(event) {
    if (tip.isPinned) return;
    const area = this.drawn.over.getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    let best = NEAR ** 2, at = -1;
    this.hits.forEach((hit, n) => {
      const distance = (hit.x - x) ** 2 + (hit.y - y) ** 2;
      if (distance < best) [best, at] = [distance, n];
    });
    this.go(at);
  }

  /** Show the point with this index, -1 for none. */
  go(at) {
    if (at < 0) tip.hide(this);
    else tip.show(this, at);
  }

  key(event) {
    if (event.target !== this.host) return;
    const hit = this.hits[this.at], same = (to) => this.hits.findIndex((one) => one.mark === hit.mark && one.n === to);
    const marks = [...new Set(this.hits.map((one) => one.mark))];
    const other = (sign) => {
      const mark = marks.at((marks.indexOf(hit.mark) + sign) % marks.length);
      const distances = this.hits.map((one) => (one.mark === mark ? Math.abs(one.x - hit.x) : Infinity));
      return distances.indexOf(Math.min(...distances));
    };
    const step = (sign) => (same(hit.n + sign) < 0 ? this.at : same(hit.n + sign));
    const moves = {
      ArrowRight: () => step(1), ArrowLeft: () => step(-1), ArrowUp: () => other(-1), ArrowDown: () => other(1),
    };
    if (event.key in moves && this.hits.length) this.go(hit ? moves[event.key]() : 0);
    else if (event.key === "Enter" && hit) tip.pin(this);
    else if (event.key === "c" && hit) tip.copy(hit);
    else if (event.key === "Escape") this.figure.zoomTo(null);
    else return;
    event.preventDefault();
  }
}

/** The values of the point under the pointer; pinned, it has buttons. */
const tip = {
  element: make("div", { class: "tip", role: "status", hidden: true }),
  plot: null,
  isPinned: false,

  show(plot, at) {
    const hit = plot.hits[at], { configuration, run, rows, title } = hit.mark.about(hit.n);
    if (this.plot !== plot) this.plot?.mark(-1);
    Object.assign(this, { plot, about: { configuration, run } });
    const seed = run && configuration.runs.length > 1 ? `, seed ${run.seed}` : "";
    this.element.replaceChildren(
      make("strong", {}, configuration ? `${configuration.name}${seed}` : title),
      make("dl", {}, ...rows.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])),
      configuration ? make("code", {}, command(configuration, run)) : "");
    this.element.hidden = false;
    plot.mark(at);
    this.place(plot.ring.getBoundingClientRect());
  },
  /** Place the element beside a point, inside the window. */
  place(point) {
    const { offsetWidth: width, offsetHeight: height } = this.element, room = 12;
    const right = point.right + room, below = point.bottom + room;
    const left = right + width < innerWidth ? right : Math.max(4, point.left - room - width);
    const top = below + height < innerHeight ? below : Math.max(4, point.top - room - height);
    Object.assign(this.element.style, { left: `${left}px`, top: `${top}px` });
  },
  pin(plot) {
    if (this.plot !== plot || !this.about.configuration) return;
    this.isPinned = true;
    this.element.classList.add("pinned");
    const { configuration, run } = this.about;
    const show = () => {
      this.unpin();
      details.show([configuration], plot.host);
    };
    const copyLine = () => copy(command(configuration, run), copying);
    const copying = make("button", { type: "button", onclick: copyLine }, "Copy command");
    const showing = make("button", { type: "button", onclick: show }, "Show curves and samples");
    this.element.append(make("div", { class: "buttons" }, copying, showing));
    this.place(plot.ring.getBoundingClientRect());
    copying.focus({ preventScroll: true });
  },
  copy(hit) {
    const { configuration, run } = hit.mark.about(hit.n);
    if (configuration) copy(command(configuration, run), null);
  },
  hide(plot) {
    if (this.isPinned || this.plot !== plot) return;
    this.element.hidden = true;
    plot.mark(-1);
  },
  unpin(focus) {
    if (!this.plot) return;
    this.isPinned = false;
    this.element.classList.remove("pinned");
    this.hide(this.plot);
    if (focus) this.plot.host.focus({ preventScroll: true });
  },
};
