"""EPFL study, figures 1 to 3: generated digits by FID band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansweep.formatting import number
from gansweep.papers.epfl_comparison import Comparison
from gansweep.papers.printed import rate
from gansweep.papers.trained import Trained, last_picture
from gansweep.papers.verdict import band
from gansweep.plot_style import panels, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_A_BAND = 4
SIZE = (2.3, 2.5)


def samples(one: Comparison) -> Figure:
    """Draw samples of up to four cells per band, from lowest to highest value."""
    with styled():
        bands = {_words(one, row): _spread(_in_band(one, row)) for row in range(3)}
        full = {words: chosen for words, chosen in bands.items() if chosen}
        empty = [words for words, chosen in bands.items() if not chosen]
        title = f"no cell {' or '.join(empty)}" if empty else ""
        figure, axes = panels(max(1, len(full)) * IN_A_BAND, IN_A_BAND, title, SIZE)
        for axis in axes:
            axis.axis("off")
        for row, (words, chosen) in enumerate(full.items()):
            for column, cell in enumerate(chosen):
                _show(axes[row * IN_A_BAND + column], cell, words if column == 0 else "")
        return figure


def _in_band(one: Comparison, row: int) -> list[Trained]:
    """Return the first seed's cells of a band that have samples, lowest value first."""
    first = [cell for cell in one.cells if cell.seed == one.seeds[0]]
    found = [cell for cell in first if cell.final is not None and last_picture(cell.directory)]
    return sorted((c for c in found if band(c.final or 0.0, one.borders) == row), key=lambda c: c.final or 0.0)


def _spread(cells: list[Trained]) -> list[Trained]:
    """Return up to four cells, evenly spaced by rank, including the first and the last."""
    if len(cells) <= IN_A_BAND:
        return cells
    return [cells[round(n * (len(cells) - 1) / (IN_A_BAND - 1))] for n in range(IN_A_BAND)]


def _show(axis: Any, cell: Trained, above: str) -> None:
    from matplotlib.image import imread

    path = last_picture(cell.directory)
    assert path is not None and cell.final is not None  # ensured by _in_band
    axis.imshow(imread(path))
    title = f"{cell.said('optimizer')} {rate(cell.lr)}: {number(cell.final)}"
    axis.set_title(f"{above}\n{title}" if above else f"\n{title}", fontsize=8, loc="left")


def _words(one: Comparison, row: int) -> str:
    low, high = (number(border) for border in one.borders)
    return (f"below {low}", f"{low} to {high}", f"above {high}")[row]
