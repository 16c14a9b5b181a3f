"""Report section: expected best value of a method as a function of the tuning budget k."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.formatting import number
from gansweep.plot_curves import draw_references, reference_keys
from gansweep.plot_style import grid_lines, is_wide, key, legend, line, look, panels, scale_values, styled
from gansweep.report import charts
from gansweep.report.pivot import REFERENCES, references
from gansweep.report.plot_axes import PlotAxes
from gansweep.report.verdict import Verdict
from gansweep.results.configuration import Configuration
from gansweep.section import Chart, Paragraph, Picture, Section, Table
from gansweep.statistics.best_of_k import expected_best

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Expected best of k settings"
SHOWN = (1, 2, 3, 5, 10, 20, 50)


@dataclass(frozen=True)
class Tuned:
    """Tuning curve of one method.

    Args:
        name: name of the method.
        best: expected best value of k configurations, k = 1, 2, ...
        none: probability that none of the k configurations has a value.
    """

    name: str
    best: np.ndarray
    none: np.ndarray


def tuned(verdict: Verdict) -> list[Tuned]:
    """Return the tuning curve of every method with several configurations.

    The value of a configuration is its mean over seeds; it has no value if a seed is N/A.
    """
    leaderboard, layout = verdict.leaderboard, PlotAxes.of(verdict.leaderboard)
    curves = []
    for method in layout.methods:
        own = [one for one in layout.with_method(leaderboard.configurations, method) if one.scores]
        if len(own) > 1:
            best, none = expected_best([leaderboard.sign * _value(one) for one in own])
            name = f"{layout.method}={layout.label(method)}" if layout.method else "all settings"
            curves.append(Tuned(name, leaderboard.sign * best, none))
    return curves


def _value(one: Configuration) -> float:
    return math.nan if one.estimate.num_na else one.estimate.mean


def section(verdict: Verdict) -> Section | None:
    """Return the section; None if no method has several configurations."""
    curves = tuned(verdict)
    if not curves:
        return None
    ks = [k for k in SHOWN if k <= max(len(curve.best) for curve in curves)]
    text = (
        f"Expected best {verdict.leaderboard.how} {verdict.leaderboard.metric_label} (mean over seeds) of k "
        "configurations drawn at random (Dodge et al. 2019; without replacement, Tang et al. 2020). A configuration "
        "with an N/A seed is never the best; the number in brackets is the probability that all k have one."
    )
    ends = references(verdict.leaderboard)
    rows = [[curve.name, *(_entry(curve, k) for k in ks), *ends] for curve in curves]
    table = Table(["", *(f"k={k}" for k in ks), *REFERENCES], rows)
    chart = Chart("lines", partial(tuning_lines, verdict))
    picture = Picture(TITLE, partial(tuning_picture, verdict), chart, name="expected_best_of_k")
    return Section(TITLE, [Paragraph(text), table, picture])


def _entry(curve: Tuned, k: int) -> str:
    if k > len(curve.best):
        return "-"
    none = f" ({curve.none[k - 1]:.0%})" if curve.none[k - 1] > 0.005 else ""
    return f"{number(curve.best[k - 1])}{none}" if math.isfinite(curve.best[k - 1]) else "N/A"


def _drawn(curve: Tuned) -> np.ndarray:
    """Return the values of a curve to draw: NaN where more than half of the draws contain only N/A."""
    return np.where(curve.none <= 0.5, curve.best, np.nan)


def tuning_lines(verdict: Verdict) -> dict[str, Any]:
    """Return what `tuning_picture` draws, as options of the chart `lines`."""
    leaderboard, curves = verdict.leaderboard, tuned(verdict)
    lines = [charts.line(curve.name, range(1, len(curve.best) + 1), _drawn(curve).tolist()) for curve in curves]
    label = f"expected best {leaderboard.how} {leaderboard.metric_label}"
    is_log = is_wide([value for curve in curves for value in _drawn(curve).tolist()])
    levels = dict(zip(("untrained", "floor"), leaderboard.ends, strict=True))
    return {"panels": [{"lines": lines}], "x": "configurations tried, k", "y": label, "log": is_log, "levels": levels}


def tuning_picture(verdict: Verdict) -> Figure:
    """Draw the expected best mean of k configurations, drawn without replacement, for every method."""
    from matplotlib.ticker import MaxNLocator

    leaderboard, curves = verdict.leaderboard, tuned(verdict)
    with styled():
        figure, (axis,) = panels(1, 1, "", (5.6, 3.3))
        heights = []
        for n, curve in enumerate(curves):
            k = np.arange(1, len(curve.best) + 1)
            shown = _drawn(curve)
            axis.plot(k, shown, **line(n), linewidth=1.4)
            axis.plot(k, shown, look(n)["marker"], color=look(n)["color"], markersize=4)
            heights += [value for value in shown if math.isfinite(value)]
        scale_values(axis, heights)
        drawn = draw_references(axis, *leaderboard.ends, heights)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set(xlabel="configurations tried, k", ylabel=f"expected best {leaderboard.how} {leaderboard.metric_label}")
        grid_lines(axis)
        keys = [key(curve.name, **look(n), markersize=4, lw=1.4) for n, curve in enumerate(curves)]
        legend(figure, [*keys, *reference_keys(drawn, *leaderboard.ends)])
    return figure
