"""The metric over the steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.figures import GREY, panels, styled
from gansweep.report.candidate import Candidate
from gansweep.report.pictures import marks
from gansweep.report.roles import MOST_PANELS, Roles
from gansweep.report.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_A_ROW = 3


def curves_picture(verdict: Verdict) -> Figure:
    """Draw a panel for every method, in it the mean over seeds for every rate, and from the least to the greatest.

    A mean is drawn as far as all its seeds have come; a cross says that one diverged after it.
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
    colours = marks.shades(len(keys)) if roles.rate or len(keys) > 6 else [marks.COLOURS[n] for n in range(len(keys))]
    crossed, floor = False, []
    with styled():
        size = (5.6, 3.4) if len(parts) == 1 else (3.5, 2.7)
        figure, axes = panels(len(parts), min(len(parts), IN_A_ROW), "", size)
        every = [v for _, inside in parts for one in inside for v in np.ravel(common(one)[1]).tolist()]
        for n, (axis, (title, inside)) in enumerate(zip(axes, parts, strict=True)):
            for one in inside:
                place = keys.index(roles.rate_of(one) if roles.rate else one.settings.get(roles.method or ""))
                crossed |= _draw(axis, one, colours[place])
            floor = marks.reference(axis, contest.metric, every)
            marks.scale_values(axis, every)
            marks.grid(axis)
            axis.set(title=title, xlabel="step (generator updates)")
            if every:
                low, high = min(every + floor), max(every)
                pad = 0.04 * (high - low)
                axis.set_ylim(*((low / 1.08, high * 1.08) if axis.get_yscale() == "log" else (low - pad, high + pad)))
            if n % IN_A_ROW == 0:
                axis.set_ylabel(contest.metric_name)
            axis.locator_params(axis="x", nbins=5)
        handles: list[Any] = []
        if len(keys) > 1:
            handles = [
                Line2D(
                    [],
                    [],
                    color=colour,
                    linewidth=1.6,
                    label=f"{roles.rate}={key:g}" if roles.rate else roles.label(key),
                )
                for key, colour in zip(keys, colours, strict=True)
            ]
        if crossed:
            cross = {"marker": "x", "linestyle": "", "markersize": 5}
            handles.append(Line2D([], [], color=GREY, label="a seed diverges after this", **cross))
        if floor:
            handles.append(Line2D([], [], color=GREY, linestyle="--", linewidth=1, label="real against real"))
        marks.legend(figure, handles)
    return figure


def common(one: Candidate) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps that all seeds have a value at, and the values (seeds, steps)."""
    found = [
        {e["step"]: e["value"] for e in result.metric.get("evaluations", []) if e.get("value") is not None}
        for result in one.runs.values()
        if result.metric
    ]
    steps = sorted(set.intersection(*map(set, found))) if found else []
    return np.array(steps), np.array([[own[step] for step in steps] for own in found]).reshape(len(found), len(steps))


def _draw(axis: Any, one: Candidate, colour: Any) -> bool:
    steps, values = common(one)
    if not len(steps):
        return False
    mean = values.mean(axis=0)
    axis.plot(steps, mean, color=colour, linewidth=1.5)
    if len(values) > 1:
        axis.fill_between(steps, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
    if any(math.isnan(value) for value in one.scores.values()) or one.num_diverged:
        axis.plot(steps[-1], mean[-1], "x", color=colour, markersize=5, markeredgewidth=1.5, clip_on=False)
        return True
    return False
