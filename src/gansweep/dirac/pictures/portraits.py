"""Phase portraits: gradient vector field and trajectory of every method, as in the paper's figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.dirac.descent import Algorithm, trajectory
from gansweep.dirac.notebook import METHODS, START
from gansweep.plot_style import BLUE, GREY, ORANGE, VERMILION, panels, save_gif, styled

EDGE = 2.2


def portraits(
    name: str, algorithm: Algorithm, rate: float, num_steps: int, path: Path, gif: Path | None = None
) -> None:
    """Draw every method of the notebook under one algorithm; also write an animation if `gif` is given."""
    with styled():
        figure, axes = panels(
            len(METHODS), 4, f"Dirac-GAN, {name} descent, h = {rate:g}, {num_steps} steps from (1, 1)", (2.6, 2.6)
        )
        paths, lines = [], []
        for number, (axis, (title, field)) in enumerate(zip(axes, METHODS.items(), strict=True)):
            positions = trajectory(field, algorithm, START, rate, num_steps)
            distance = float(np.hypot(*positions[-1]))
            draw_field(axis, field)
            lines.append(draw_path(axis, positions))
            paths.append(positions)
            axis.set_title(f"{title}\nr = {distance:.2g} at the end")
            axis.set(xlabel="$\\theta$" if number // 4 == 2 else "", ylabel="$\\psi$" if number % 4 == 0 else "")
        figure.legend(handles=key(), loc="outside lower center", ncols=4)
        figure.savefig(path)
        if gif is not None:
            heading = figure.suptitle("step", fontsize=11)
            # Changes are largest early, so frames are spaced geometrically.
            frames = np.unique(np.geomspace(1, num_steps, 80).astype(int))

            def draw(step: int) -> None:
                for (line, end), positions in zip(lines, paths, strict=True):
                    line.set_data(*positions[: step + 1].T)
                    end.set_data(*positions[step : step + 1].T)
                heading.set_text(f"Dirac-GAN, {name} descent, h = {rate:g}, step {step} of {num_steps}")

            save_gif(figure, draw, frames.tolist(), gif, per_second=12)


def draw_field(axis: Any, field: Callable[[Any, Any], tuple[Any, Any]], edge: float = EDGE) -> None:
    """Draw v on a 10 x 10 grid with arrows of equal length; a larger norm is darker.

    Args:
        axis: matplotlib axis, drawn from -edge to edge; the default places the arrows as in the notebook.
        field: maps theta and psi, arrays (10, 10), to both components of v.
        edge: half width of the square.
    """
    last = edge / EDGE * 2
    theta, psi = np.meshgrid(np.linspace(-last, last, 10), np.linspace(-last, last, 10))
    v = np.array(field(theta, psi))
    size = np.hypot(*v)
    unit = v / np.where(size > 0, size, 1)
    axis.quiver(theta, psi, *unit, size, cmap="Greys", norm=_from_light(size), pivot="mid", scale=15, width=0.006)
    frame(axis, edge)


def frame(axis: Any, edge: float = EDGE) -> None:
    """Set the limits of an axis, and draw lines through the equilibrium."""
    ticks = (-2, 0, 2) if edge == EDGE else None
    axis.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
    if ticks is not None:
        axis.set(xticks=ticks, yticks=ticks)
    axis.axhline(0, color=GREY, linewidth=0.4, zorder=0)
    axis.axvline(0, color=GREY, linewidth=0.4, zorder=0)


def _from_light(size: np.ndarray) -> Any:
    from matplotlib.colors import Normalize

    return Normalize(-0.7 * size.max(), 1.1 * size.max())


def draw_path(axis: Any, positions: np.ndarray) -> tuple[Any, Any]:
    """Draw positions (T, 2) with their start, their end and the equilibrium; return the line and its end."""
    (line,) = axis.plot(*positions.T, color=BLUE, linewidth=0.7, marker=".", markersize=3.5, markeredgewidth=0)
    axis.plot(*positions[0], color=ORANGE, marker="s", markersize=5, linestyle="", markeredgecolor="white")
    axis.plot(0, 0, color=GREY, marker="+", markersize=8, linestyle="")
    (end,) = axis.plot(*positions[-1], color=VERMILION, marker="o", markersize=5, linestyle="", markeredgecolor="white")
    return line, end


def key(path: str = "path, one dot per step") -> list[Any]:
    """Return the legend handles; `path` is the label of the trajectory."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=BLUE, marker=".", linewidth=0.9, label=path),
        Line2D([], [], color=ORANGE, marker="s", linestyle="", label="start"),
        Line2D([], [], color=VERMILION, marker="o", linestyle="", label="end"),
        Line2D([], [], color=GREY, marker="+", linestyle="", label="equilibrium"),
    ]
