"""Phase diagram: simulated convergence factor as colour, stability boundary of the eigenvalues as a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.dirac.atlas import Sheet
from gansweep.plot_style import panels, styled

LIMIT = 0.3
"""Decades per step at the ends of the colour scale."""


def phase_diagram(title: str, sheets: Sequence[Sheet], measured: Sequence[np.ndarray], path: Path) -> None:
    """Draw the sheets of one figure; `measured` has one array (height, width) per sheet."""
    from_sheet = _columns(len(sheets))
    with styled():
        figure, axes = panels(len(sheets), from_sheet, title, (2.8, 2.7))
        image: Any = None
        for number, (axis, sheet, decades) in enumerate(zip(axes, sheets, measured, strict=True)):
            height, width = decades.shape
            x, y = sheet.points(width, height)
            image = axis.pcolormesh(x, y, np.clip(decades, -LIMIT, LIMIT), cmap="RdBu_r", norm=_norm(), rasterized=True)
            _boundary(axis, sheet)
            axis.set(
                xscale="log" if sheet.x.logarithmic else "linear",
                yscale="log" if sheet.y.logarithmic else "linear",
                title=sheet.title,
                xlabel=sheet.x.label if number + from_sheet >= len(sheets) else "",
                ylabel=sheet.y.label if number % from_sheet == 0 else "",
            )
        bar = figure.colorbar(
            image, ax=axes, shrink=0.7, label="change of the distance in decades per step (simulated)", extend="both"
        )
        bar.set_ticks([-0.3, -0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1, 0.3])
        bar.set_ticklabels(["-0.3", "-0.1", "-0.01", "-0.001", "0", "0.001", "0.01", "0.1", "0.3"])
        figure.legend(handles=_key(), loc="outside lower center", ncols=3)
        figure.savefig(path)


def _boundary(axis: Any, sheet: Sheet) -> None:
    """Draw the contour where the largest modulus is 1."""
    x, y = sheet.points(160, 160)
    largest = sheet.largest_modulus(x, y)
    if largest is None:
        axis.text(0.03, 0.96, "no matrix", transform=axis.transAxes, va="top", bbox={"color": "white", "alpha": 0.7})
        return
    # Without damping, moduli are 1 up to rounding over whole regions; a level slightly above 1 gives their boundary.
    axis.contour(x, y, largest, levels=[1 + 1e-9], colors="black", linewidths=1.4)


def _columns(number: int) -> int:
    return 4 if number > 6 else 3


def _norm() -> Any:
    from matplotlib.colors import SymLogNorm

    return SymLogNorm(linthresh=1e-3, linscale=0.5, vmin=-LIMIT, vmax=LIMIT)


def _key() -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], color="black", linewidth=1.4, label="largest modulus of the eigenvalues = 1"),
        Patch(facecolor="#2166ac", label="converges"),
        Patch(facecolor="#b2182b", label="diverges"),
    ]
