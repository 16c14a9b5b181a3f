"""Figure of the stable region in the plane of both learning rates, with the planned cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gansweep.edge.linear_rule import NotLinear
from gansweep.edge.verdicts import BEYOND, Rates, Stability, Verdict
from gansweep.plot_style import (
    BLUE,
    GREY,
    ORANGE,
    RATE_NAMES,
    VERMILION,
    num_columns,
    panel_title,
    panels,
    save,
    styled,
)

POINTS = 24  # of the grid on each axis
AROUND = 10.0  # factor by which the axes exceed the rates of the cells
SIZE = (4.4, 3.6)  # inches of a panel
STABLE = {"marker": "o", "color": BLUE, "label": "within the boundary"}
MARKS = {
    "": STABLE,
    BEYOND: {"marker": "s", "color": ORANGE, "label": BEYOND},
}
FAILING = {"marker": "X", "color": VERMILION, "label": "expected to fail"}


class Region(NamedTuple):
    """One panel.

    Args:
        title: the settings that its cells share.
        stability: of their runs.
        cells: rates and verdict of each cell.
    """

    title: str
    stability: Stability
    cells: Sequence[tuple[Rates, Verdict]]


def picture(regions: Sequence[Region], path: Path) -> None:
    """Draw the region that is stable at the initial parameters, and the cells as points, and save the figure."""
    with styled():
        columns = num_columns(len(regions))
        figure, axes = panels(len(regions), columns, "", SIZE)
        for axis, region, title in zip(axes, regions, titles([region.title for region in regions]), strict=True):
            _draw(axis, region)
            axis.set_title(panel_title(title, SIZE[0]))
        save(figure, path)


def titles(lines: Sequence[str]) -> list[str]:
    """Return the words of each line that not all lines share; a single line as it is.

    >>> titles(["data=ring optimizer=sgd", "data=ring optimizer=adam"])
    ['optimizer=sgd', 'optimizer=adam']
    """
    words = [line.split() for line in lines]
    shared = set(words[0]).intersection(*words[1:]) if len(lines) > 1 else set()
    return [" ".join(word for word in line if word not in shared) for line in words]


def excesses(stability: Stability, lr: np.ndarray, lr_d: np.ndarray) -> np.ndarray:
    """Return the growth at each pair of rates that is due to the size of the steps, minus the tolerance, (D, G).

    NaN without a linearization at the initial parameters.
    """
    if isinstance(stability.start, NotLinear):
        return np.full((len(lr_d), len(lr)), math.nan)
    growths = stability.start.growth([(g, d) for d in lr_d for g in lr])
    return np.array([growth.excess - stability.tolerance for growth in growths]).reshape(len(lr_d), len(lr))


def _draw(axis: Any, region: Region) -> None:
    lr, lr_d = (_around([rates[player] for rates, _ in region.cells]) for player in (0, 1))
    values = excesses(region.stability, lr, lr_d)
    # The same limit on both sides: otherwise a large excess beyond the boundary would move the contour to a grid point.
    values = np.where(np.isfinite(values), np.clip(values / region.stability.tolerance, -1.0, 1.0), 1.0)
    axis.set(xscale="log", yscale="log", xlabel=RATE_NAMES["lr"], ylabel=RATE_NAMES["lr_d"])
    axis.contourf(lr, lr_d, values, levels=[-2.0, 0.0], colors=[BLUE], alpha=0.15)
    if values.min() < 0 < values.max():
        axis.contour(lr, lr_d, values, levels=[0.0], colors=[GREY])
    axis.set(xlim=(lr[0], lr[-1]), ylim=(lr_d[0], lr_d[-1]))
    if values.min() < 0:
        axis.fill_between([], [], color=BLUE, alpha=0.15, label="stable at the initial parameters")
    shown = set()
    for rates, verdict in region.cells:
        mark = MARKS.get(verdict.warning, FAILING)
        label = None if mark["label"] in shown else mark["label"]
        shown.add(mark["label"])
        axis.plot(*rates, linestyle="", markersize=6, **mark | {"label": label})
    axis.legend(loc="best")


def _around(rates: Sequence[float]) -> np.ndarray:
    return np.geomspace(min(rates) / AROUND, max(rates) * AROUND, POINTS)
