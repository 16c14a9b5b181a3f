"""Learning curves: the metric over training steps or training time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gansweep.formatting import metric_label
from gansweep.plot_curves import draw_curve, draw_references, reference_keys
from gansweep.plot_style import (
    CROSS,
    GREY,
    band_key,
    grid_lines,
    is_wide,
    key,
    legend,
    line,
    panel_title,
    panels,
    scale_values,
    shades,
    styled,
)
from gansweep.report.plot_axes import MAX_PANELS, PlotAxes
from gansweep.report.verdict import Verdict
from gansweep.results.configuration import Configuration
from gansweep.results.leaderboard import Leaderboard
from gansweep.sweep.cell import State
from gansweep.training.record import trained_s

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_A_ROW = 3
LOST = 10.0  # the y axis ends at this factor times the largest value of the runs that did not diverge


def curves_picture(verdict: Verdict, field: str = "value", over_time: bool = False) -> Figure:
    """Draw one panel per method with one curve per rate: mean over seeds, band from minimum to maximum.

    A mean is thinner after the step where a seed diverged, which a cross marks: the other seeds go on. Values of
    diverging runs beyond the axis limit are cut off, because they would flatten all other curves.

    Args:
        verdict: the verdict on the runs.
        field: `value`, or `value_2` for the second metric.
        over_time: plot against training time (mean over seeds) instead of steps; all panels share the x axis.
    """
    layout, metric = PlotAxes.of(verdict.leaderboard), metrics(verdict.leaderboard)[field]
    parts = _panels(layout)
    curves = {id(one): by_seed(one, field) for _, inside in parts for one in inside}
    styles = _styles(layout)
    clock = Clock([times(one, curves[id(one)].steps)[-1:] for _, inside in parts for one in inside])
    values = limiting_values([one for _, inside in parts for one in inside], field)
    untrained = verdict.leaderboard.untrained if field == "value" else metric.get("untrained")
    lines: dict[str, float] = {}
    with styled():
        size = (5.6, 3.4) if len(parts) == 1 else (3.5, 2.7)
        figure, axes = panels(len(parts), min(len(parts), IN_A_ROW), "", size)
        for n, (axis, (title, inside)) in enumerate(zip(axes, parts, strict=True)):
            for one in inside:
                steps, by_step, lost = curves[id(one)]
                if len(steps):
                    x = times(one, steps) / clock.unit_s if over_time else steps
                    draw_curve(axis, x, by_step, styles[_place(layout, one)], lost, max(values, default=math.inf))
            scale_values(axis, values)
            lines = draw_references(axis, untrained, metric.get("floor"), values)
            grid_lines(axis)
            axis.set(title=panel_title(title, size[0]), xlabel=clock.label if over_time else "step (generator updates)")
            if values:
                _limit(axis, min([*values, *lines.values()]), max([*values, *lines.values()]))
            if n % IN_A_ROW == 0:
                axis.set_ylabel(metric_label(str(metric.get("name", "result"))))
            if over_time:
                clock.scale(axis)
            else:
                axis.locator_params(axis="x", nbins=5)
        keys = [key(name, **style, linewidth=1.6) for name, style in zip(_names(layout), styles, strict=True)]
        marks = _keys_of_marks(list(curves.values()))
        references = reference_keys(lines, untrained, metric.get("floor"))
        legend(figure, [*(keys if len(keys) > 1 else []), *marks, *references])
    return figure


def _keys_of_marks(curves: Sequence[Curves]) -> list[Any]:
    """Return the legend entries of the band and of diverged seeds, as far as they occur."""
    keys = []
    if any(len(curve.values) > 1 for curve in curves):
        keys.append(band_key("lowest to highest seed"))
    if any(any(curve.lost) for curve in curves):
        keys.append(key("a seed diverges after this", **CROSS, color=GREY))
    if any(not np.isfinite(curve.values).all() for curve in curves):
        keys.append(key("mean of the other seeds", color=GREY, linewidth=0.75))
    return keys


def _panels(layout: PlotAxes) -> list[tuple[str, list[Configuration]]]:
    """Return title and configurations of each panel: one per method if there are rates, which are then the curves."""
    if not layout.rate:
        return layout.panels()[:MAX_PANELS]
    parts = []
    for title, configurations in layout.panels():
        for method in layout.methods:
            name = f"{layout.method}={layout.label(method)}" if method is not None else ""
            parts.append((", ".join(filter(None, (name, title))), layout.with_method(configurations, method)))
    return [part for part in parts if part[1]][:MAX_PANELS]


def _styles(layout: PlotAxes) -> list[dict[str, Any]]:
    """Return the styles of the curves of a panel: those of the rates, or else one per method."""
    if layout.rate:
        return shades(len(layout.rates))
    return [line(n) for n in range(len(layout.methods))]


def _names(layout: PlotAxes) -> list[str]:
    if layout.rate:
        return [f"{layout.rate}={rate:g}" for rate in layout.rates]
    return [layout.label(method) for method in layout.methods]


def _place(layout: PlotAxes, configuration: Configuration) -> int:
    """Return the index of a configuration's curve among the curves of its panel."""
    if layout.rate:
        return layout.rates.index(layout.rate_of(configuration))
    return layout.methods.index(configuration.settings.get(layout.method or ""))


def _limit(axis: Any, low: float, high: float) -> None:
    if axis.get_yscale() == "log":
        room = 1.08 * (high / low) ** 0.02
        axis.set_ylim(low / room, high * room)
    else:
        pad = 0.04 * (high - low) or 0.04 * abs(high) or 1.0
        axis.set_ylim(low - pad, high + pad)


def metrics(leaderboard: Leaderboard) -> dict[str, Mapping[str, Any]]:
    """Return the metric entries of the records by field: `value`, and `value_2` if there is a second metric."""
    second = next((metric for run in leaderboard.results if (metric := (run.record or {}).get("metric_2"))), None)
    return {"value": leaderboard.metric} | ({"value_2": second} if second else {})


class Curves(NamedTuple):
    """Values of the seeds of one configuration over the steps.

    Args:
        steps: steps at which at least one seed has a value.
        values: (seeds, steps), NaN where a seed has none.
        lost: whether each seed diverged or is N/A.
    """

    steps: np.ndarray
    values: np.ndarray
    lost: list[bool]


def by_seed(configuration: Configuration, field: str = "value") -> Curves:
    """Return the values of all seeds of a configuration that have one."""
    tables, lost = [], []
    for seed, result in configuration.runs.items():
        table = {e["step"]: e[field] for e in result.metric.get("evaluations", []) if e.get(field) is not None}
        if table:
            tables.append(table)
            lost.append(result.state is State.DIVERGED or math.isnan(configuration.scores.get(seed, 0.0)))
    steps = sorted(set().union(*tables))
    values = np.array([[table.get(step, math.nan) for step in steps] for table in tables], dtype=float)
    return Curves(np.array(steps), values.reshape(len(tables), len(steps)), lost)


def times(configuration: Configuration, steps: np.ndarray) -> np.ndarray:
    """Return the training time in seconds at the given steps, mean over seeds; NaN if no record has it."""
    by_step = [trained_s(result.record) for result in configuration.runs.values() if result.record and result.metric]
    seconds = [[values[step] for values in by_step if step in values] for step in steps.tolist()]
    return np.array([np.mean(values) if values else math.nan for values in seconds])


class Clock:
    """Time axis shared by all panels."""

    def __init__(self, ends: Sequence[np.ndarray]) -> None:
        self.ends = [end for end in np.concatenate([*ends, np.empty(0)]).tolist() if math.isfinite(end) and end > 0]
        longest = max(self.ends, default=1.0)
        self.unit_s, unit = (1, "s") if longest < 120 else (60, "min") if longest < 7200 else (3600, "h")
        self.label = f"training time ({unit})"

    def scale(self, axis: Any) -> None:
        """Set the shared x axis of a panel; logarithmic if the training times differ by a large factor."""
        ends = [end / self.unit_s for end in self.ends]
        if not ends:
            return
        if is_wide(ends):
            drawn = [x for curve in axis.lines for x in np.ravel(curve.get_xdata()) if x > 0]
            axis.set_xscale("log", nonpositive="mask")  # 0 is masked: a clipped line would be flat at its start
            axis.set_xlim(min(*ends, *drawn) / 1.3, max(ends) * 1.3)
        else:
            axis.set_xlim(-0.03 * max(ends), 1.05 * max(ends))
            axis.locator_params(axis="x", nbins=5)


def limiting_values(configurations: Sequence[Configuration], field: str) -> list[float]:
    """Return the values that determine the y limits: all but those far above every run that did not diverge."""
    values = {
        id(configuration): np.ravel(by_seed(configuration, field).values).tolist() for configuration in configurations
    }
    sound = [
        v
        for configuration in configurations
        if not configuration.num_diverged
        for v in values[id(configuration)]
        if math.isfinite(v)
    ]
    top = LOST * max(sound, default=math.inf)
    return [v for own in values.values() for v in own if math.isfinite(v) and (v <= top or top <= 0)]
