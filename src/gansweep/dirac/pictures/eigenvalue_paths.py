"""Eigenvalues as a function of a method's hyperparameter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.field import Field
from gansweep.dirac.fields.instance_noise import InstanceNoise
from gansweep.dirac.fields.r1 import R1
from gansweep.dirac.fields.roth import Roth
from gansweep.dirac.notebook import ALGORITHMS, RATE
from gansweep.dirac.spectrum import autograd_jacobian, eigenvalues, moduli
from gansweep.plot_style import BLUE, GREY, ORANGE, VERMILION, panels, save_gif, styled

METHODS: dict[str, tuple[Callable[[Any], Field], str, float, float]] = {
    "R1 and R2": (R1, "$\\gamma$", 1.5, 1.0),
    "Roth et al.": (Roth, "$\\gamma$", 3.0, 2.0),
    "instance noise": (InstanceNoise, "$s$", float(np.sqrt(3.0)), float(np.sqrt(2.0))),
    "consensus optimisation": (Consensus, "$\\gamma$", 3.0, float("inf")),
}
"""By title: method, symbol of its hyperparameter, largest value (R1: 3a, as in the notebook), critical value."""

LOOKS: list[dict[str, Any]] = [
    {"color": BLUE, "linestyle": "-"},
    {"color": ORANGE, "linestyle": "--"},
    {"color": VERMILION, "linestyle": ":"},
]
"""Line styles of the notebook's algorithms."""


def eigenvalue_paths(path: Path, gif: Path | None = None) -> None:
    """Draw the eigenvalues of J in the complex plane (top) and the largest moduli of the algorithms (bottom)."""
    with styled():
        figure, axes = panels(
            2 * len(METHODS),
            len(METHODS),
            f"Eigenvalues of the Dirac-GAN at its equilibrium; moduli for h = {RATE:g}",
            (3.0, 2.8),
        )
        moving = []
        for number, (title, (method, symbol, last, critical)) in enumerate(METHODS.items()):
            values = np.linspace(0, last, 3001)
            found = eigenvalues(_jacobian(method, values))
            dots = _plane(axes[number], values, found, symbol, figure)
            for value in np.linspace(0, last, 7):
                checked = eigenvalues(autograd_jacobian(method(value), 0.0, 0.0))
                axes[number].plot(checked.real, checked.imag, color=GREY, marker="x", markersize=5, linestyle="")
            axes[number].set_title(title if np.isinf(critical) else f"{title}, critical {symbol} = {critical:.3g}")
            line = _moduli(axes[len(METHODS) + number], method, values, symbol, critical)
            moving.append((found, values, dots, line))
        axes[0].set_ylabel("imaginary part of $\\lambda$, per unit of time")
        axes[len(METHODS)].set_ylabel("largest modulus, per step")
        figure.legend(handles=_key(), loc="outside lower center", ncols=5)
        figure.savefig(path)
        if gif is not None:

            def draw(frame: int) -> None:
                for found, values, dots, line in moving:
                    dots.set_data(found[frame].real, found[frame].imag)
                    line.set_xdata([values[frame], values[frame]])

            save_gif(figure, draw, range(0, 3001, 75), gif, per_second=12)


def _jacobian(method: Any, values: np.ndarray) -> np.ndarray:
    return method(values).jacobian()


def _plane(axis: Any, values: np.ndarray, found: Any, symbol: str, figure: Any) -> Any:
    for branch in (0, 1):
        points = axis.scatter(
            found[:, branch].real, found[:, branch].imag, c=values, cmap="cividis_r", s=7, linewidths=0
        )
    figure.colorbar(points, ax=axis, shrink=0.9).ax.set_title(symbol)
    axis.axvline(0, color=GREY, linewidth=0.6)
    axis.axhline(0, color=GREY, linewidth=0.4)
    axis.set(xlabel="real part of $\\lambda$, per unit of time", ylim=(-0.62, 0.62))
    (dots,) = axis.plot([], [], color=VERMILION, marker="o", markersize=6, linestyle="")
    return dots


def _moduli(axis: Any, method: Any, values: np.ndarray, symbol: str, critical: float) -> Any:
    jacobian = _jacobian(method, values)
    for algorithm, look in zip(ALGORITHMS.values(), LOOKS, strict=True):
        axis.plot(values, moduli(algorithm, jacobian, RATE)[:, 0], **look)
    axis.axhline(1, color=GREY, linewidth=0.6)
    if np.isfinite(critical):
        axis.axvline(critical, color=GREY, linewidth=0.6, linestyle="--")
    axis.set(xlabel=symbol, xlim=(0, values[-1]), ylim=(0.68, 1.02))
    return axis.axvline(-1e9, color=VERMILION, linewidth=1)


def _key() -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        *(Line2D([], [], **look, label=name) for name, look in zip(ALGORITHMS, LOOKS, strict=True)),
        Line2D([], [], color=GREY, marker="x", linestyle="", label="autograd"),
        Line2D([], [], color=GREY, linewidth=0.6, linestyle="--", label="critical value"),
    ]
