"""Style, layout and saving of figures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The palette of Okabe and Ito, which is safe for colour-blind readers.
BLUE, ORANGE, GREEN, PINK, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
GREY = "#666666"

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "savefig.dpi": 110,
}


def panels(number: int, columns: int, title: str, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure and its `number` axes in row-major order.

    The figure uses the Agg backend and needs no display.

    Args:
        number: number of axes.
        columns: columns of the grid; the last row may be shorter.
        title: title of the figure, "" for none.
        size: width and height of one of the axes, in inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-number // columns)
    figure = Figure(figsize=(size[0] * columns, size[1] * rows + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False)
    if title:
        figure.suptitle(title, fontsize=11)
    axes: list[Any] = list(grid.flat)
    for spare in axes[number:]:
        spare.remove()
    return figure, axes[:number]


def styled() -> Any:
    """Return the matplotlib context in which figures are drawn and saved."""
    from matplotlib import rc_context

    return rc_context(STYLE)


def save(figure: Figure, path: Path, svg: bool = False) -> list[Path]:
    """Save a figure, optionally as SVG too, and return the paths."""
    paths = [path, path.with_name(f"{path.stem}.svg")] if svg else [path]
    for file in paths:
        figure.savefig(file)
    return paths


def save_gif(figure: Figure, draw: Any, frames: Iterable[int], path: Path, per_second: int = 20) -> None:
    """Save an animation; `draw(frame)` updates the figure before each frame."""
    from matplotlib.animation import FuncAnimation, PillowWriter

    # Compute the layout once: it would take most of the time of each frame.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")

    def update(frame: int) -> list[Any]:
        draw(frame)
        return []

    FuncAnimation(figure, update, frames=list(frames), init_func=lambda: []).save(
        path, PillowWriter(fps=per_second), dpi=80
    )
