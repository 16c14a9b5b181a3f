"""Generated digits in the paper's bands of the FID: its figures 1 to 3."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.figures import panels, styled
from gansweep.papers.epfl_comparison import Comparison
from gansweep.papers.printed import rate
from gansweep.papers.trained import Trained
from gansweep.papers.verdict import band
from gansweep.sweep.table import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_A_BAND = 4
SIZE = (2.3, 2.5)


def samples(one: Comparison) -> Figure:
    """Show up to four cells of every band, from its lowest value to its highest."""
    with styled():
        figure, axes = panels(3 * IN_A_BAND, IN_A_BAND, "", SIZE)
        for place, axis in enumerate(axes):
            axis.axis("off")
            row, column = divmod(place, IN_A_BAND)
            chosen = _spread(_in_band(one, row))
            if column == 0 and not chosen:
                axis.text(0, 0.5, f"{_words(one, row)}:\nno cell", transform=axis.transAxes)
            if column < len(chosen):
                _show(axis, chosen[column], _words(one, row) if column == 0 else "")
        return figure


def _in_band(one: Comparison, row: int) -> list[Trained]:
    """List the first seed's cells of a band that have a picture, the lowest value first."""
    found = [cell for cell in one.cells if cell.seed == one.seeds[0] and cell.final is not None and _picture(cell)]
    return sorted((c for c in found if band(c.final or 0.0, one.borders) == row), key=lambda c: c.final or 0.0)


def _spread(cells: list[Trained]) -> list[Trained]:
    """Take some, evenly by rank, first and last among them."""
    if len(cells) <= IN_A_BAND:
        return cells
    return [cells[round(n * (len(cells) - 1) / (IN_A_BAND - 1))] for n in range(IN_A_BAND)]


def _picture(cell: Trained) -> Path | None:
    return max(cell.directory.glob("samples/step_*.png"), default=None)


def _show(axis: Any, cell: Trained, above: str) -> None:
    from matplotlib.image import imread

    path = _picture(cell)
    assert path is not None and cell.final is not None  # so they were chosen
    axis.imshow(imread(path), interpolation="nearest")
    title = f"{cell.said('optimizer')} {rate(cell.lr)}: {number(cell.final)}"
    axis.set_title(f"{above}\n{title}" if above else f"\n{title}", fontsize=8, loc="left")


def _words(one: Comparison, row: int) -> str:
    low, high = (number(border) for border in one.borders)
    return (f"below {low}", f"{low} to {high}", f"above {high}")[row]
