"""Learning curves: the metric over training steps or training time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.plot_style import (
    CROSS,
    GREY,
    REFERENCES,
    draw_curve,
    draw_references,
    grid_lines,
    is_wide,
    key,
    legend,
    line,
    panels,
    scale_values,
    shades,
    styled,
)
from gansweep.report.plot_axes import MAX_PANELS, PlotAxes
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import Configuration, Leaderboard
from gansweep.training.record import trained_s

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_A_ROW = 3
LOST = 10.0  # the y axis ends at this factor times the largest value of the runs that did not diverge


def curves_picture(verdict: Verdict, field: str = "value", over_time: bool = False) -> Figure:
    """Draw one panel per method with one curve per rate: mean over seeds, band from minimum to maximum.

    A mean ends at the last step that all seeds have reached; a cross means that a seed diverged after it. Values of
    diverging runs beyond the axis limit are cut off, because they would flatten all other curves.

    Args:
        verdict: the verdict on the runs.
        field: `value`, or `value_2` for the second metric.
        over_time: plot against training time (mean over seeds) instead of steps; all panels share the x axis.
    """
    layout, metric = PlotAxes.of(verdict.leaderboard), metrics(verdict.leaderboard)[field]
    parts = _panels(layout)
    drawn = [configuration for _, inside in parts for configuration in inside]
    styles = _styles(layout)
    clock = Clock([times(configuration, common(configuration, field)[0])[-1:] for configuration in drawn])
    values = _limiting_values(drawn, field)
    crossed, lines = False, dict[str, float]()
    untrained = verdict.leaderboard.untrained if field == "value" else metric.get("untrained")
    with styled():
        size = (5.6, 3.4) if len(parts) == 1 else (3.5, 2.7)
        figure, axes = panels(len(parts), min(len(parts), IN_A_ROW), "", size)
        for n, (axis, (title, inside)) in enumerate(zip(axes, parts, strict=True)):
            for configuration in inside:
                steps, curve = common(configuration, field)
                if not len(steps):
                    continue
                along = times(configuration, steps) / clock.unit_s if over_time else steps
                lost, style = _has_lost_runs(configuration), styles[_place(layout, configuration)]
                draw_curve(axis, along, curve, style, lost, max(values, default=math.inf))
                crossed |= lost
            lines = draw_references(axis, untrained, metric.get("floor"), values)
            scale_values(axis, values)
            grid_lines(axis)
            axis.set(title=title, xlabel=clock.label if over_time else "step (generator updates)")
            if values:
                _limit(axis, min([*values, *lines.values()]), max([*values, *lines.values()]))
            if n % IN_A_ROW == 0:
                axis.set_ylabel(str(metric.get("name", "result")))
            if over_time:
                clock.scale(axis)
            else:
                axis.locator_params(axis="x", nbins=5)
        keys = [key(name, **style, linewidth=1.6) for name, style in zip(_names(layout), styles, strict=True)]
        keys = keys if len(keys) > 1 else []
        if crossed:
            keys.append(key("a seed diverges after this", **CROSS, color=GREY))
        legend(figure, [*keys, *(key(name, **REFERENCES[name]) for name in lines)])
    return figure


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
    """Return the styles of the curves of a panel: shades of the rates, or else one style per method."""
    if layout.rate:
        return [{"color": colour} for colour in shades(len(layout.rates))]
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


def common(configuration: Configuration, field: str = "value") -> tuple[np.ndarray, np.ndarray]:
    """Return the steps at which all seeds have a value, and the values (seeds, steps)."""
    by_step = [
        {e["step"]: e[field] for e in result.metric.get("evaluations", []) if e.get(field) is not None}
        for result in configuration.runs.values()
        if result.metric
    ]
    steps = sorted(set.intersection(*map(set, by_step))) if by_step else []
    table = np.array([[values[step] for step in steps] for values in by_step])
    return np.array(steps), table.reshape(len(by_step), len(steps))


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


def _limiting_values(configurations: Sequence[Configuration], field: str) -> list[float]:
    """Return the values that determine the y limits: all but those far above every run that did not diverge."""
    values = {id(configuration): np.ravel(common(configuration, field)[1]).tolist() for configuration in configurations}
    sound = [
        v
        for configuration in configurations
        if not configuration.num_diverged
        for v in values[id(configuration)]
        if math.isfinite(v)
    ]
    top = LOST * max(sound, default=math.inf)
    return [v for own in values.values() for v in own if v <= top or top <= 0]


def _has_lost_runs(configuration: Configuration) -> bool:
    return bool(configuration.num_diverged) or any(math.isnan(value) for value in configuration.scores.values())
