"""Learning rates, errors and samples of the twelve experiments, in the layout of the study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.papers import gamma2
from gansweep.papers.trained import Trained, last_picture
from gansweep.plot_style import BLUE, VERMILION, panels, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_A_ROW = 4


def curves(cells: Mapping[int, Trained]) -> Figure:
    """Draw one panel per experiment: generator learning rate on the left axis, error on the right axis."""
    from matplotlib.ticker import LogLocator, NullFormatter

    with styled():
        figure, axes = panels(len(cells), IN_A_ROW, "", (2.9, 2.0))
        for n, (axis, (exp, cell)) in enumerate(zip(axes, cells.items(), strict=True)):
            axis.plot(gamma2.rates(cell), color=BLUE, drawstyle="steps-post")
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(numticks=5))
            axis.yaxis.set_minor_formatter(NullFormatter())
            axis.tick_params(axis="y", labelcolor=BLUE)
            right = axis.twinx()
            points = cell.record.get("curves") or []
            errors = [point.get("reconstruction_error") for point in points]
            right.plot(
                [point["step"] for point in points], [float("nan") if e is None else e for e in errors], VERMILION
            )
            right.set_ylim(bottom=0)
            right.tick_params(axis="y", labelcolor=VERMILION)
            if n % IN_A_ROW == 0:
                axis.set_ylabel("rate (Gamma2)", color=BLUE)
            if n % IN_A_ROW == IN_A_ROW - 1 or n == len(cells) - 1:
                right.set_ylabel("reconstruction error", color=VERMILION)
            if n >= len(cells) - IN_A_ROW:
                axis.set_xlabel("step")
            axis.set_title(f"({exp}) {gamma2.rows()[exp].schedule}", fontsize=8)
        return figure


def images(cells: Mapping[int, Trained]) -> Figure:
    """Draw the last samples of descriptor and generator for every experiment."""
    with styled():
        figure, axes = panels(2 * len(cells), IN_A_ROW, "", (2.6, 2.7))
        places = iter(axes)
        for exp, cell in cells.items():
            for folder, words in (("descriptor", "descriptor"), ("samples", "generator")):
                _show(next(places), cell.directory, folder, f"({exp}) {words}")
        return figure


def _show(axis: Any, directory: Path, folder: str, title: str) -> None:
    from matplotlib.image import imread

    axis.axis("off")
    axis.set_title(title, fontsize=8, loc="left")
    path = last_picture(directory, folder)
    if path is not None:
        axis.imshow(imread(path), interpolation="nearest")
