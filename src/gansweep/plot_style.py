"""How all figures look, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which everybody can tell apart.
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
    """Return a figure and its `number` axes, row by row, each `size` inches wide and high.

    It belongs to no window system, so it can be drawn on a machine without a screen.

    Args:
        number: of axes.
        columns: of the grid; the last row may be shorter.
        title: above all, "" for none.
        size: of one of the axes, in inches.
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
    """Return the context in which figures are made and saved."""
    from matplotlib import rc_context

    return rc_context(STYLE)


def save(figure: Figure, path: Path, svg: bool = False) -> list[Path]:
    """Write a picture, as SVG too if asked, and return the files."""
    paths = [path, path.with_name(f"{path.stem}.svg")] if svg else [path]
    for each in paths:
        figure.savefig(each)
    return paths


def save_gif(figure: Figure, draw: Any, frames: Iterable[int], path: Path, per_second: int = 20) -> None:
    """Write an animation: `draw(frame)` changes the figure before each picture."""
    from matplotlib.animation import FuncAnimation, PillowWriter

    # The layout is found once: it would take most of the time of a picture.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")

    def update(frame: int) -> list[Any]:
        draw(frame)
        return []

    FuncAnimation(figure, update, frames=list(frames), init_func=lambda: []).save(
        path, PillowWriter(fps=per_second), dpi=80
    )
