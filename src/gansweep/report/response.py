"""Report section: the value as a function of each swept numeric setting, averaged over the other settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gansweep.formatting import number
from gansweep.plot_curves import draw_references, reference_keys
from gansweep.plot_style import grid_lines, key, legend, look, panels, scale_rates, scale_values, styled
from gansweep.report.pivot import REFERENCES, references
from gansweep.report.plot_axes import PlotAxes
from gansweep.report.verdict import Verdict
from gansweep.section import Block, Paragraph, Picture, Section, Table
from gansweep.statistics.improvement import LEAST
from gansweep.statistics.response_curve import FEWEST, ResponseCurve, response_curve
from gansweep.sweep.sweep_keys import is_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Response curves"
MAX_KEYS = 6


@dataclass(frozen=True)
class Response:
    """Response of the value of one method to one setting.

    Args:
        key: the setting.
        method: name of the method; empty if only numbers were swept.
        place: index of the method, for its colour.
        x: settings of the configurations.
        y: their means.
        curve: fitted to the signed means, so that lower is better.
        num_left_out: number of configurations with an N/A run.
    """

    key: str
    method: str
    place: int
    x: list[float]
    y: list[float]
    curve: ResponseCurve
    num_left_out: int


def responses(verdict: Verdict) -> list[Response]:
    """Return the curves of all swept numeric settings with enough values, for every method."""
    board, layout = verdict.leaderboard, PlotAxes.of(verdict.leaderboard)
    keys = [k for k in board.keys if k != layout.method and all(map(is_number, board.values(k)))]
    found = []
    for name in [k for k in keys if len(board.values(k)) >= FEWEST][:MAX_KEYS]:
        for place, method in enumerate(layout.methods):
            own = [one for one in layout.with_method(board.configurations, method) if one.scores]
            whole = [one for one in own if not one.estimate.num_na]
            x, y = [float(one.settings[name]) for one in whole], [one.estimate.mean for one in whole]
            curve = response_curve(x, [board.sign * value for value in y]) if whole else None
            if curve is not None:
                label = f"{layout.method}={layout.label(method)}" if layout.method else ""
                found.append(Response(name, label, place, x, y, curve, len(own) - len(whole)))
    return found


def section(verdict: Verdict) -> Section | None:
    """Return the section; None if no numeric setting has at least five values."""
    found = responses(verdict)
    if not found:
        return None
    board = verdict.leaderboard
    text = (
        f"Mean {board.how} {board.metric_label} as a smooth function of one setting, averaged over all other settings "
        "(smoothing spline by generalised cross-validation, 95 % band of Wahba 1983). Column best at: minimum of the "
        "curve, or maximum where higher is better. Column not excluded: settings whose band reaches the band there. A "
        "configuration with an N/A run is left out."
    )
    head = ["setting", "method", "best at", "not excluded", "value there", "95 % band", "left out", *REFERENCES]
    rows = [[*_row(verdict, one), *references(board)] for one in found]
    blocks: list[Block] = [Paragraph(text), Table(head, rows, num_labels=2)]
    return Section(TITLE, [*blocks, Picture(TITLE, partial(response_picture, verdict))])


def _row(verdict: Verdict, one: Response) -> list[str]:
    board, curve = verdict.leaderboard, one.curve
    value, (low, high) = board.sign * curve.mean[curve.best], curve.not_excluded
    untrained = board.untrained
    if untrained is not None and board.sign * (untrained - value) <= LEAST * abs(untrained):
        return [one.key, one.method, "no better than untrained", "-", number(value), "-", str(one.num_left_out)]
    band = sorted(board.sign * end for end in (curve.low[curve.best], curve.high[curve.best]))
    return [
        one.key,
        one.method,
        f"{curve.settings[curve.best]:.2g}",
        f"{low:.2g} to {high:.2g}",
        number(value),
        f"{number(band[0])} to {number(band[1])}",
        str(one.num_left_out),
    ]


def response_picture(verdict: Verdict) -> Figure:
    """Draw the curves with their bands, one panel per setting, and every configuration as a point."""
    board, found = verdict.leaderboard, responses(verdict)
    keys = list(dict.fromkeys(one.key for one in found))
    values = [value for one in found for value in one.y if math.isfinite(value)]
    lines: dict[str, float] = {}
    with styled():
        figure, axes = panels(len(keys), min(len(keys), 3), "", (5.6, 3.3) if len(keys) == 1 else (4.0, 3.0))
        for axis, name in zip(axes, keys, strict=True):
            for one in (one for one in found if one.key == name):
                colour, curve = look(one.place)["color"], one.curve
                axis.plot(one.x, one.y, look(one.place)["marker"], color=colour, markersize=3, alpha=0.5)
                axis.plot(curve.settings, board.sign * curve.mean, color=colour, linestyle=look(one.place)["linestyle"])
                ends = (np.sort(board.sign * np.array([curve.low, curve.high]), axis=0)).tolist()
                axis.fill_between(curve.settings, *ends, color=colour, alpha=0.15, linewidth=0)
            rates = [x for one in found if one.key == name for x in one.x]
            if min(rates) > 0:
                scale_rates(axis, rates, name)
            else:
                axis.set_xlabel(name)
            scale_values(axis, values)
            lines = draw_references(axis, *board.ends, values)
            axis.set_ylabel(f"{board.how} {board.metric_label}")
            grid_lines(axis)
        methods = {one.method: one.place for one in found if one.method}
        keys_ = [key(name, **look(place), markersize=3) for name, place in methods.items()]
        legend(figure, [*keys_, *reference_keys(lines, *board.ends)])
    return figure
