"""Figures of the Dirac-GAN: phase portraits, paths of eigenvalues, and phase diagrams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.dirac.atlas import Sheet
from gansweep.dirac.descent import Algorithm, trajectory
from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.gaussian import InstanceNoise
from gansweep.dirac.fields.r1 import R1, Roth
from gansweep.dirac.notebook import ALGORITHMS, METHODS, RATE, START
from gansweep.dirac.spectrum import autograd_jacobian, eigenvalues, moduli
from gansweep.plot_style import BLUE, GREY, ORANGE, VERMILION, panels, save_gif, styled

EDGE = 2.2


def portraits(
    name: str, algorithm: Algorithm, rate: float, num_steps: int, path: Path, gif: Path | None = None
) -> None:
    """Draw every method of the notebook under one algorithm, with `gif` also as an animation."""
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
        axis: matplotlib axis, drawn from -edge to edge; the default places the arrows as in the
            notebook.
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
    """Draw positions (T, 2) and the equilibrium; return the line and its end."""
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


FAMILIES: dict[str, tuple[Any, str, float, float]] = {
    "R1 and R2": (R1, "$\\gamma$", 1.5, 1.0),
    "Roth et al.": (Roth, "$\\gamma$", 3.0, 2.0),
    "instance noise": (InstanceNoise, "$s$", float(np.sqrt(3.0)), float(np.sqrt(2.0))),
    "consensus optimisation": (Consensus, "$\\gamma$", 3.0, float("inf")),
}
"""By title: method, symbol of its hyperparameter, largest value and critical value."""

LINE_STYLES: list[dict[str, Any]] = [
    {"color": BLUE, "linestyle": "-"},
    {"color": ORANGE, "linestyle": "--"},
    {"color": VERMILION, "linestyle": ":"},
]
"""Line styles of the notebook's algorithms."""


def eigenvalue_paths(path: Path, gif: Path | None = None) -> None:
    """Draw eigenvalues of J in the complex plane, and below them the largest moduli."""
    with styled():
        figure, axes = panels(
            2 * len(FAMILIES),
            len(FAMILIES),
            f"Eigenvalues of the Dirac-GAN at its equilibrium; moduli for h = {RATE:g}",
            (3.0, 2.8),
        )
        moving = []
        for number, (title, (method, symbol, last, critical)) in enumerate(FAMILIES.items()):
            values = np.linspace(0, last, 3001)
            lambdas = eigenvalues(method(values).jacobian())
            dots = _draw_eigenvalues(axes[number], values, lambdas, symbol, figure)
            for value in np.linspace(0, last, 7):
                z = eigenvalues(autograd_jacobian(method(value), 0.0, 0.0))
                axes[number].plot(z.real, z.imag, color=GREY, marker="x", markersize=5, linestyle="")
            axes[number].set_title(title if np.isinf(critical) else f"{title}, critical {symbol} = {critical:.3g}")
            line = _draw_moduli(axes[len(FAMILIES) + number], method, values, symbol, critical)
            moving.append((lambdas, values, dots, line))
        axes[0].set_ylabel("imaginary part of $\\lambda$, per unit of time")
        axes[len(FAMILIES)].set_ylabel("largest modulus, per step")
        figure.legend(handles=_eigenvalue_legend(), loc="outside lower center", ncols=5)
        figure.savefig(path)
        if gif is not None:

            def draw(frame: int) -> None:
                for lambdas, values, dots, line in moving:
                    dots.set_data(lambdas[frame].real, lambdas[frame].imag)
                    line.set_xdata([values[frame], values[frame]])

            save_gif(figure, draw, range(0, 3001, 75), gif, per_second=12)


def _draw_eigenvalues(axis: Any, values: np.ndarray, lambdas: Any, symbol: str, figure: Any) -> Any:
    for branch in (0, 1):
        points = axis.scatter(
            lambdas[:, branch].real, lambdas[:, branch].imag, c=values, cmap="cividis_r", s=7, linewidths=0
        )
    figure.colorbar(points, ax=axis, shrink=0.9).ax.set_title(symbol)
    axis.axvline(0, color=GREY, linewidth=0.6)
    axis.axhline(0, color=GREY, linewidth=0.4)
    axis.set(xlabel="real part of $\\lambda$, per unit of time", ylim=(-0.62, 0.62))
    (dots,) = axis.plot([], [], color=VERMILION, marker="o", markersize=6, linestyle="")
    return dots


def _draw_moduli(axis: Any, method: Any, values: np.ndarray, symbol: str, critical: float) -> Any:
    jacobian = method(values).jacobian()
    for algorithm, style in zip(ALGORITHMS.values(), LINE_STYLES, strict=True):
        axis.plot(values, moduli(algorithm, jacobian, RATE)[:, 0], **style)
    axis.axhline(1, color=GREY, linewidth=0.6)
    if np.isfinite(critical):
        axis.axvline(critical, color=GREY, linewidth=0.6, linestyle="--")
    axis.set(xlabel=symbol, xlim=(0, values[-1]), ylim=(0.68, 1.02))
    return axis.axvline(-1e9, color=VERMILION, linewidth=1)


def _eigenvalue_legend() -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        *(Line2D([], [], **style, label=name) for name, style in zip(ALGORITHMS, LINE_STYLES, strict=True)),
        Line2D([], [], color=GREY, marker="x", linestyle="", label="autograd"),
        Line2D([], [], color=GREY, linewidth=0.6, linestyle="--", label="critical value"),
    ]


LIMIT = 0.3
"""Decades per step at the ends of the colour scale."""


def phase_diagram(title: str, sheets: Sequence[Sheet], measured: Sequence[np.ndarray], path: Path) -> None:
    """Draw the sheets of one figure; `measured` has one array (height, width) per sheet."""
    columns = 4 if len(sheets) > 6 else 3
    with styled():
        figure, axes = panels(len(sheets), columns, title, (2.8, 2.7))
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
                xlabel=sheet.x.label if number + columns >= len(sheets) else "",
                ylabel=sheet.y.label if number % columns == 0 else "",
            )
        bar = figure.colorbar(
            image, ax=axes, shrink=0.7, label="change of the distance in decades per step (simulated)", extend="both"
        )
        bar.set_ticks([-0.3, -0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1, 0.3])
        bar.set_ticklabels(["-0.3", "-0.1", "-0.01", "-0.001", "0", "0.001", "0.01", "0.1", "0.3"])
        figure.legend(handles=_phase_legend(), loc="outside lower center", ncols=3)
        figure.savefig(path)


def _boundary(axis: Any, sheet: Sheet) -> None:
    """Draw the contour where the largest modulus is 1."""
    x, y = sheet.points(160, 160)
    largest = sheet.largest_modulus(x, y)
    if largest is None:
        axis.text(0.03, 0.96, "no matrix", transform=axis.transAxes, va="top", bbox={"color": "white", "alpha": 0.7})
        return
    # Without damping, moduli are 1 up to rounding over whole regions, hence a level above 1.
    axis.contour(x, y, largest, levels=[1 + 1e-9], colors="black", linewidths=1.4)


def _norm() -> Any:
    from matplotlib.colors import SymLogNorm

    return SymLogNorm(linthresh=1e-3, linscale=0.5, vmin=-LIMIT, vmax=LIMIT)


def _phase_legend() -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], color="black", linewidth=1.4, label="largest modulus of the eigenvalues = 1"),
        Patch(facecolor="#2166ac", label="converges"),
        Patch(facecolor="#b2182b", label="diverges"),
    ]
