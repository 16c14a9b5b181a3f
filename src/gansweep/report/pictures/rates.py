"""Metric against learning rate, one line per method."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gansweep.plot_style import GREY, panels, styled
from gansweep.report.pictures import marks
from gansweep.report.plot_axes import Roles
from gansweep.report.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (5.6, 3.6)
STRIP = 0.055  # height of one row of crosses, as a fraction of the axis


def rates_picture(verdict: Verdict) -> Figure:
    """Draw means with 95 % intervals, every seed as a dot, and crosses at the top for N/A runs."""
    from matplotlib.lines import Line2D

    contest, roles = verdict.contest, Roles.of(verdict.contest)
    assert roles.rate is not None
    parts = roles.panels()
    with styled():
        size = SIZE if len(parts) == 1 else (4.2, 3.2)
        figure, axes = panels(len(parts), min(len(parts), 3), "", size)
        values = [v for one in contest.candidates for v in one.scores.values() if math.isfinite(v)]
        hollow = crossed = False
        floor: list[float] = []
        for axis, (title, candidates) in zip(axes, parts, strict=True):
            lost: list[tuple[float, str, int]] = []
            for place, method in enumerate(roles.methods):
                own = roles.with_method(candidates, method)
                hollow |= _line(axis, roles, own, place)
                lost += [(roles.rate_of(one), _part(one), place) for one in own if one.estimate.num_na]
            floor = marks.reference(axis, contest.metric, values)
            marks.scale_values(axis, values)
            marks.scale_rates(axis, roles.rates, roles.rate)
            marks.grid(axis)
            axis.set(title=title, ylabel=f"{contest.how} {contest.metric_name}")
            _limits(axis, values + floor, len({place for *_, place in lost}))
            crossed |= _crosses(axis, lost)
        handles: list[Any] = []
        if roles.method:
            handles += [
                Line2D([], [], **marks.look(n), markersize=4, linewidth=1.4, label=roles.label(method))
                for n, method in enumerate(roles.methods)
            ]
        handles.append(Line2D([], [], color=GREY, marker="|", markersize=9, linestyle="", label="95 % interval"))
        if hollow:
            handles.append(
                Line2D([], [], color=GREY, marker="o", markersize=4, mfc="white", linestyle="", label="some seeds N/A")
            )
        if crossed:
            handles.append(
                Line2D([], [], color=GREY, marker="x", markersize=5, linestyle="", label="N/A: all seeds, or n of N")
            )
        if floor:
            handles.append(Line2D([], [], color=GREY, linestyle="--", linewidth=1, label="real against real"))
        marks.legend(figure, handles)
    return figure


def _line(axis: Any, roles: Roles, own: list[Any], place: int) -> bool:
    """Draw one method; return whether some of its points have N/A seeds."""
    look = marks.look(place)
    known = [one for one in own if one.estimate.n]
    # The line is interrupted at a rate without any value.
    heights = [one.estimate.mean if one.estimate.n else math.nan for one in own]
    axis.plot([roles.rate_of(one) for one in own], heights, color=look["color"], linestyle=look["linestyle"], lw=1.4)
    for one in known:
        found, x = one.estimate, roles.rate_of(one)
        if math.isfinite(found.low):
            axis.plot([x, x], [found.low, found.high], color=look["color"], linewidth=1, alpha=0.8)
        values = [value for value in one.scores.values() if math.isfinite(value)]
        if len(values) > 1:
            axis.plot([x] * len(values), values, ".", color=look["color"], markersize=2.5, alpha=0.5)
        axis.plot(
            x,
            found.mean,
            look["marker"],
            color=look["color"],
            markersize=4.5,
            mfc="white" if found.num_na else look["color"],
        )
    return any(one.estimate.num_na for one in known)


def _part(one: Any) -> str:
    return f"{one.estimate.num_na}/{len(one.scores)}" if one.estimate.n else ""


def _limits(axis: Any, values: list[float], rows: int) -> None:
    """Set y limits with room for the crosses above the data; a wide interval of few seeds may be cut off."""
    if not values:
        axis.set_yticks([])
        return
    there = axis.transScale.transform
    low, high = (there((1, value))[1] for value in (min(values), max(values)))
    pad = 0.06 * (high - low) or abs(high) * 0.05 or 1.0
    top = (high + pad - (low - pad)) / (1 - STRIP * rows - (0.02 if rows else 0)) + low - pad
    axis.set_ylim(*(axis.transScale.inverted().transform((0, y))[1] for y in (low - pad, top)))


def _crosses(axis: Any, lost: list[tuple[float, str, int]]) -> bool:
    across = axis.get_xaxis_transform()
    rows = sorted({place for *_, place in lost})
    for x, text, place in lost:
        y = 0.975 - STRIP * rows.index(place)
        colour = marks.COLOURS[place % 6]
        axis.plot(x, y, "x", color=colour, markersize=4.5, transform=across, clip_on=False)
        axis.annotate(text, (x, y), xycoords=across, xytext=(4, 0), textcoords="offset points", va="center",
                      fontsize=6.5, color=colour)  # fmt: skip
    return bool(lost)
