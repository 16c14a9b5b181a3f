"""Expected best value of k configurations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gansweep.plot_style import panels, styled
from gansweep.report.pictures import marks
from gansweep.report.tuning import tuned
from gansweep.report.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tuning_picture(verdict: Verdict) -> Figure:
    """Draw the expected best mean of k configurations, drawn without replacement, for every method."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    contest, curves = verdict.contest, tuned(verdict)
    with styled():
        figure, (axis,) = panels(1, 1, "", (5.6, 3.3))
        heights = []
        for n, one in enumerate(curves):
            k = np.arange(1, len(one.best) + 1)
            # No value is shown where more than half of the draws contain only N/A.
            shown = np.where(one.none <= 0.5, one.best, np.nan)
            look = marks.look(n)
            axis.plot(k, shown, color=look["color"], linestyle=look["linestyle"], linewidth=1.4)
            axis.plot(k, shown, look["marker"], color=look["color"], markersize=4)
            heights += [value for value in shown if math.isfinite(value)]
        marks.scale_values(axis, heights)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set(xlabel="configurations tried, k", ylabel=f"expected best {contest.how} {contest.metric_name}")
        marks.grid(axis)
        marks.legend(
            figure,
            [Line2D([], [], **marks.look(n), markersize=4, lw=1.4, label=one.name) for n, one in enumerate(curves)],
        )
    return figure
