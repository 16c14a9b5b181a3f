"""Trajectories over the contours of the quadratic, and the function value over steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.plot_style import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION, panels, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PINK, SKY, GREY)
LOWEST, HIGHEST = 1e-16, 1e4  # of the heights that are drawn; rounding is below
EDGE, FARTHEST = 1.25, 5.0


def maps(paths: Mapping[str, Mapping[str, np.ndarray]], eps: float) -> Figure:
    """Draw one panel per trajectory, one row per optimizer; adjacent contours differ by a factor of 10.

    Args:
        paths: points (R, 2) by optimizer and rate.
        eps: curvature along x.
    """
    columns = max(map(len, paths.values()))
    named = [
        (f"{rule}, {rate}", points, COLOURS[n % len(COLOURS)])
        for row in paths.values()
        for n, (rule, rate, points) in enumerate(_filled(paths, row, columns))
    ]
    with styled():
        figure, axes = panels(len(named), columns, "", (2.0, 2.0))
        for number, (axis, (title, points, colour)) in enumerate(zip(axes, named, strict=True)):
            if not len(points):
                axis.remove()
                continue
            edge = min(max(EDGE, 1.05 * float(np.abs(points[:, 1]).max())), FARTHEST)
            _contours(axis, eps, edge)
            axis.plot(*points.T, color=colour, lw=0.8, marker=".", markersize=3.5, markeredgewidth=0)
            axis.plot(*points[0], color=GREY, marker="s", markersize=5, markeredgecolor="white")
            axis.plot(*points[-1], color=colour, marker="o", markersize=6, markeredgecolor="white")
            axis.set_title(title)
            last_row = number >= len(named) - columns
            axis.set(xlabel="x" if last_row else "", ylabel="y" if number % columns == 0 else "")
        return figure


def heights(paths: Mapping[str, Mapping[str, np.ndarray]], eps: float) -> Figure:
    """Draw f over steps, one panel per optimizer and one line per rate."""
    with styled():
        figure, axes = panels(len(paths), len(paths), "", (3.2, 2.8))
        for axis, (rule, rates) in zip(axes, paths.items(), strict=True):
            for n, (rate, points) in enumerate(rates.items()):
                values = (eps * points[:, 0] ** 2 + points[:, 1] ** 2) / 2
                shown = np.where(values <= HIGHEST, np.maximum(values, LOWEST), np.nan)
                axis.plot(shown, color=COLOURS[n % len(COLOURS)], lw=1.1, label=rate)
            axis.set(yscale="log", xlabel="step", ylabel="f" if axis is axes[0] else "", title=rule)
            axis.legend(title="rate")
        return figure


def _filled(
    paths: Mapping[str, Mapping[str, np.ndarray]], row: Mapping[str, np.ndarray], columns: int
) -> Sequence[tuple[str, str, np.ndarray]]:
    rule = next(name for name, one in paths.items() if one is row)
    there = [(rule, rate, points) for rate, points in row.items()]
    return there + [(rule, "", np.empty((0, 2)))] * (columns - len(there))


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
