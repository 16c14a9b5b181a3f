"""Performance profiles (Dolan and Moré 2002)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gansweep.plot_style import panels, styled
from gansweep.report.pictures import marks
from gansweep.report.targets import MOST_RATIO, Targets
from gansweep.statistics.performance_profile import profile

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def profiles_picture(found: Targets) -> Figure:
    """Draw the share of tasks that a method solves within tau times the steps of the fastest method."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    taus = np.geomspace(1, 2 * MOST_RATIO, 400)
    with styled():
        figure, (axis,) = panels(1, 1, "", (5.6, 3.2))
        for n, heights in enumerate(profile(found.times, taus)):
            look = marks.look(n)
            axis.step(taus, heights, where="post", color=look["color"], linestyle=marks.LINES[n % 4], linewidth=1.6)
        axis.set_xscale("log")
        axis.set_xticks([1, 2, 4, 8], minor=False)
        axis.set_xticks([1.5, 3, 6], minor=True)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.xaxis.set_minor_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.set(xlabel="steps to target / steps of the fastest method", ylabel="tasks solved", ylim=(-0.03, 1.03))
        axis.set_xlim(1, 2 * MOST_RATIO)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        marks.grid(axis)
        marks.legend(
            figure,
            [
                Line2D([], [], color=marks.COLOURS[n % 6], linestyle=marks.LINES[n % 4], lw=1.6, label=name)
                for n, name in enumerate(found.methods)
            ],
        )
    return figure
