"""Paths over the bowl's contours, and how fast the height falls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.figures import BLUE, GREEN, GREY, ORANGE, VERMILION, panels, save, styled
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.quadratic.closed_form import best_heavy_ball, best_rate
from gansweep.quadratic.paths import height, paths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gansweep.interfaces import UpdateRule

LOWEST = 1e-16  # of the heights that are drawn; rounding is below
EDGE = 1.25


def descents(eps: float) -> list[tuple[str, UpdateRule, float, str]]:
    """Return titles, rules, rates and colours: Forsyth's three, and the best rates of the first two."""
    eta, mu = best_heavy_ball(eps)
    best = best_rate(eps)
    return [
        ("gradient descent, 1.0", SGD(), 1.0, GREY),
        (f"gradient descent, best rate {best:.3g}", SGD(), best, ORANGE),
        ("momentum 0.9, 0.1", SGD(momentum=0.9), 0.1, BLUE),
        (f"momentum {mu:.2g}, {eta:.2g}, both best", SGD(momentum=mu), eta, GREEN),
        ("Adam, 0.1", Adam(), 0.1, VERMILION),
    ]


def picture(eps: float, num_steps: int) -> Figure:
    """Draw a panel for every descent, contours ten times apart in height, and one of all heights."""
    with styled():
        chosen = descents(eps)
        figure, axes = panels(
            len(chosen) + 1, 3, f"f(x, y) = ({eps:g} x$^2$ + y$^2$) / 2, {num_steps} steps from (1, 1)", (3.2, 2.6)
        )
        *maps, fall = axes
        for number, (axis, (title, rule, rate, colour)) in enumerate(zip(maps, chosen, strict=True)):
            points = paths(rule, [rate], eps, num_steps)[0].numpy()
            edge = max(EDGE, 1.05 * float(np.abs(points).max()))
            _contours(axis, eps, edge)
            axis.plot(*points.T, color=colour, lw=0.8, marker=".", markersize=3.5, markeredgewidth=0)
            axis.plot(*points[0], color=GREY, marker="s", markersize=5, markeredgecolor="white")
            axis.plot(*points[-1], color=colour, marker="o", markersize=6, markeredgecolor="white")
            axis.set_title(title)
            axis.set(xlabel="x" if number >= 2 else "", ylabel="y" if number % 3 == 0 else "")
        _heights(fall, eps, num_steps)
        return figure


def write(eps: float, num_steps: int, path: Path) -> None:
    """Draw it to a file."""
    with styled():
        save(picture(eps, num_steps), path)


def _contours(axis: Any, eps: float, edge: float) -> None:
    from matplotlib.colors import LogNorm

    x, y = np.meshgrid(np.linspace(-EDGE, EDGE, 301), np.linspace(-edge, edge, 301))
    values = (eps * x**2 + y**2) / 2
    levels = np.logspace(-6, 1, 15)
    axis.contour(
        x, y, np.maximum(values, levels[0] / 10), levels, cmap="Greys_r", norm=LogNorm(levels[0], 30), linewidths=0.5
    )
    axis.set(xlim=(-EDGE, EDGE), ylim=(-edge, edge), xticks=(-1, 0, 1))
    axis.plot(0, 0, color=GREY, marker="+", markersize=8)


def _heights(axis: Any, eps: float, num_steps: int) -> None:
    for title, rule, rate, colour in descents(eps):
        values = height(paths(rule, [rate], eps, num_steps)[0], eps).clamp(min=LOWEST).tolist()
        axis.plot(values, color=colour, lw=1.1, label=title)
    axis.set(yscale="log", xlabel="step", title="f, the lower the better")
    axis.legend(loc="lower left", fontsize=6)
