"""Learning curves: the metric over training steps or training time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.plot_style import GREY, panels, styled
from gansweep.report.pictures import marks
from gansweep.report.plot_axes import MOST_PANELS, Roles
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import Candidate, Contest
from gansweep.training.record import trained_s

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_A_ROW = 3
LOST = 10.0  # the y axis ends at this factor times the largest value of the runs that did not diverge


def curves_picture(verdict: Verdict, key: str = "value", over_time: bool = False) -> Figure:
    """Draw one panel per method with one curve per rate: mean over seeds, band from minimum to maximum.

    A mean ends at the last step that all seeds have reached; a cross means that a seed diverged after it. Values of
    diverging runs beyond the axis limit are cut off, because they would flatten all other curves.

    Args:
        verdict: the verdict on the runs.
        key: `value`, or `value_2` for the second metric.
        over_time: plot against training time (mean over seeds) instead of steps; all panels share the x axis.
    """
    from matplotlib.lines import Line2D

    contest, roles = verdict.contest, Roles.of(verdict.contest)
    parts = []
    for title, candidates in roles.panels():
        for method in roles.methods if roles.rate else [None]:
            words = ", ".join(
                filter(None, (f"{roles.method}={roles.label(method)}" if method is not None else "", title))
            )
            inside = roles.with_method(candidates, method) if roles.rate else candidates
            if inside:
                parts.append((words, inside))
    parts = parts[:MOST_PANELS]
    keys = roles.rates if roles.rate else roles.methods
    looks = [{"color": c} for c in marks.shades(len(keys))] if roles.rate else [line(n) for n in range(len(keys))]
    metric = metrics(contest)[key]
    clock = Clock([times(one, common(one, key)[0])[-1:] for _, inside in parts for one in inside])
    crossed, floor = False, []
    with styled():
        size = (5.6, 3.4) if len(parts) == 1 else (3.5, 2.7)
        figure, axes = panels(len(parts), min(len(parts), IN_A_ROW), "", size)
        every = _worth_room([one for _, inside in parts for one in inside], key)
        for n, (axis, (title, inside)) in enumerate(zip(axes, parts, strict=True)):
            for one in inside:
                place = keys.index(roles.rate_of(one) if roles.rate else one.settings.get(roles.method or ""))
                steps, values = common(one, key)
                along = times(one, steps) / clock.unit_s if over_time else steps
                crossed |= _draw(axis, one, along, values, looks[place], max(every, default=math.inf))
            floor = marks.reference(axis, metric, every)
            marks.scale_values(axis, every)
            marks.grid(axis)
            axis.set(title=title, xlabel=clock.label if over_time else "step (generator updates)")
            if every:
                low, high = min(every + floor), max(every)
                pad = 0.04 * (high - low) or 0.04 * abs(high) or 1.0
                room = 1.08 * (high / low) ** 0.02 if axis.get_yscale() == "log" else 1.0
                axis.set_ylim(*((low / room, high * room) if room > 1 else (low - pad, high + pad)))
            if n % IN_A_ROW == 0:
                axis.set_ylabel(str(metric.get("name", "result")))
            if over_time:
                clock.scale(axis)
            else:
                axis.locator_params(axis="x", nbins=5)
        handles: list[Any] = []
        if len(keys) > 1:
            handles = [
                Line2D([], [], **look, linewidth=1.6, label=f"{roles.rate}={key:g}" if roles.rate else roles.label(key))
                for key, look in zip(keys, looks, strict=True)
            ]
        if crossed:
            cross = {"marker": "x", "linestyle": "", "markersize": 5}
            handles.append(Line2D([], [], color=GREY, label="a seed diverges after this", **cross))
        if floor:
            handles.append(Line2D([], [], color=GREY, linestyle="--", linewidth=1, label="real against real"))
        marks.legend(figure, handles)
    return figure


def line(place: int) -> dict[str, Any]:
    """Return colour and line style of the n-th method, without marker."""
    return {name: value for name, value in marks.look(place).items() if name != "marker"}


def metrics(contest: Contest) -> dict[str, Mapping[str, Any]]:
    """Return the metric entries of the records by key: `value`, and `value_2` if there is a second metric."""
    second = next((metric for run in contest.results if (metric := (run.record or {}).get("metric_2"))), None)
    return {"value": contest.metric} | ({"value_2": second} if second else {})


def common(one: Candidate, key: str = "value") -> tuple[np.ndarray, np.ndarray]:
    """Return the steps at which all seeds have a value, and the values (seeds, steps)."""
    by_step = [
        {e["step"]: e[key] for e in result.metric.get("evaluations", []) if e.get(key) is not None}
        for result in one.runs.values()
        if result.metric
    ]
    steps = sorted(set.intersection(*map(set, by_step))) if by_step else []
    table = np.array([[values[step] for step in steps] for values in by_step])
    return np.array(steps), table.reshape(len(by_step), len(steps))


def times(one: Candidate, steps: np.ndarray) -> np.ndarray:
    """Return the training time in seconds at the given steps, mean over seeds; NaN if no record has it."""
    by_step = [trained_s(result.record) for result in one.runs.values() if result.record and result.metric]
    seconds = [[values[step] for values in by_step if step in values] for step in steps.tolist()]
    return np.array([np.mean(values) if values else math.nan for values in seconds])


class Clock:
    """Time axis shared by all panels.

    Args:
        ends: per candidate, the training time in seconds at its last value, an array of length 1 or 0.
    """

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
        if marks.is_wide(ends):
            drawn = [x for line in axis.lines for x in np.ravel(line.get_xdata()) if x > 0]
            axis.set_xscale("log", nonpositive="mask")  # 0 is masked: a clipped line would be flat at its start
            axis.set_xlim(min(*ends, *drawn) / 1.3, max(ends) * 1.3)
        else:
            axis.set_xlim(-0.03 * max(ends), 1.05 * max(ends))
            axis.locator_params(axis="x", nbins=5)


def _worth_room(candidates: Sequence[Candidate], key: str) -> list[float]:
    """Return the values that determine the y limits."""
    sound = [v for one in candidates if not one.num_diverged for v in np.ravel(common(one, key)[1]).tolist()]
    top = LOST * max((v for v in sound if math.isfinite(v)), default=math.inf)
    every = [v for one in candidates for v in np.ravel(common(one, key)[1]).tolist()]
    return [v for v in every if v <= top] if top > 0 else every


def _draw(
    axis: Any, one: Candidate, along: np.ndarray, values: np.ndarray, look: Mapping[str, Any], top: float
) -> bool:
    if not len(along):
        return False
    mean = values.mean(axis=0)
    axis.plot(along, mean, **look, linewidth=1.5)
    colour = look["color"]
    if len(values) > 1:
        axis.fill_between(along, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
    if any(math.isnan(value) for value in one.scores.values()) or one.num_diverged:
        axis.plot(along[-1], min(mean[-1], top), "x", color=colour, markersize=5, markeredgewidth=1.5, clip_on=False)
        return True
    return False
