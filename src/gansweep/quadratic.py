"""Ill-conditioned quadratic (eps x^2 + y^2) / 2: optimizer trajectories and their figures.

Iterates of gradient descent and momentum in closed form, those of any update rule in float64.
Forsyth, "Building a working autoencoder - III, Optimization tricks", the examples before procedure
18.1. His first slide swaps x and y. The coordinates are independent, so the closed forms are those
of one coordinate of curvature lam (eps or 1).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext, UpdateRule
from gansweep.plot_style import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION, panels, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SLOTS = (Slot("theta", (2,)),)
START = (1.0, 1.0)
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PINK, SKY, GREY)
LOWEST, HIGHEST = 1e-16, 1e4  # of the heights that are drawn; rounding is below
EDGE, FARTHEST = 1.25, 5.0


def gradient_descent(lam: float, eta: float, r: int) -> float:
    """Return the iterate (1 - eta lam)^r of gradient descent started at 1."""
    return (1 - eta * lam) ** r


def momentum(lam: float, eta: float, mu: float, r: int) -> float:
    """Return theta_r of momentum (procedure 18.1) from theta_0 = 1, v = 0.

        v <- mu v + lam theta,   theta <- theta - eta v
        theta_{r+1} = (1 + mu - eta lam) theta_r - mu theta_{r-1},   theta_1 = 1 - eta lam

    The solution is A a^r + B b^r with the roots a and b of z^2 - (1 + mu - eta lam) z + mu.

    >>> round(momentum(0.01, 0.1, 0.9, 100), 10), round(momentum(1.0, 0.1, 0.9, 100), 10)
    (0.3686285999, 0.0037387333)
    """
    a, b = roots(lam, eta, mu)
    first = 1 - eta * lam
    if abs(a - b) < 1e-9:  # both nearly z: (1 + (theta_1 / z - 1) r) z^r
        z = (a + b).real / 2
        return z**r + (first - z) * r * z ** (r - 1) if r else 1.0
    return (((first - b) * a**r - (first - a) * b**r) / (a - b)).real


def roots(lam: float, eta: float, mu: float) -> tuple[complex, complex]:
    """Return the roots of the recurrence; the larger modulus is the asymptotic factor per step."""
    middle = (1 + mu - eta * lam) / 2
    spread = cmath.sqrt(middle**2 - mu)
    return middle + spread, middle - spread


def factor(eps: float, eta: float, mu: float) -> float:
    """Return the asymptotic factor per step of the distance to the minimum; above 1 it diverges.

    >>> round(factor(0.01, 1.0, 0.0), 10), round(factor(0.01, 0.1, 0.9), 7)
    (0.99, 0.9888732)
    """
    return max(abs(root) for lam in (eps, 1.0) for root in roots(lam, eta, mu))


def best_rate(eps: float) -> float:
    """Return the optimal rate of gradient descent; its factor is (1 - eps) / (1 + eps).

    >>> round(best_rate(0.01), 10)
    1.9801980198
    """
    return 2 / (1 + eps)


def best_heavy_ball(eps: float) -> tuple[float, float]:
    """Return the optimal rate and momentum; the factor per step is (1 - sqrt eps) / (1 + sqrt eps).

    Polyak 1964.

    >>> [round(value, 7) for value in best_heavy_ball(0.01)]
    [3.3057851, 0.6694215]
    """
    root = math.sqrt(eps)
    return (2 / (1 + root)) ** 2, ((1 - root) / (1 + root)) ** 2


def path(rule: UpdateRule, rates: Sequence[float], eps: float, start: Sequence[float] = START) -> Tensor:
    """Minimize f(x, y) = (eps x^2 + y^2) / 2 and return all points (len(rates) + 1, 2)."""
    curvature = torch.tensor([eps, 1.0], dtype=torch.float64)
    theta = torch.tensor([list(start)], dtype=torch.float64)
    state, points = rule.state(SLOTS, theta), [theta.clone()]
    for step, rate in enumerate(rates, 1):
        lr, count = (torch.full((1, 1), float(number), dtype=torch.float64) for number in (rate, step))
        rule.update(theta, curvature * theta, state, UpdateContext(lr, count, SLOTS))
        points.append(theta.clone())
    return torch.cat(points)


def height(points: Any, eps: float) -> Any:
    """Return f (...) at points (..., 2), a tensor or an array."""
    return (eps * points[..., 0] ** 2 + points[..., 1] ** 2) / 2


def maps(paths: Mapping[str, Mapping[str, np.ndarray]], eps: float) -> Figure:
    """Draw one panel per trajectory, one row per optimizer."""
    columns = max(map(len, paths.values()))
    cells = [
        (f"{rule}, {rate}", points, COLOURS[n % len(COLOURS)])
        for rule, row in paths.items()
        for n, (rate, points) in enumerate([*row.items(), *[("", None)] * (columns - len(row))])
    ]
    with styled():
        figure, axes = panels(len(cells), columns, "", (2.0, 2.0))
        for number, (axis, (title, points, colour)) in enumerate(zip(axes, cells, strict=True)):
            if points is None:
                axis.remove()
                continue
            edge = min(max(EDGE, 1.05 * float(np.abs(points[:, 1]).max())), FARTHEST)
            _contours(axis, eps, edge)
            axis.plot(*points.T, color=colour, lw=0.8, marker=".", markersize=3.5, markeredgewidth=0)
            axis.plot(*points[0], color=GREY, marker="s", markersize=5, markeredgecolor="white")
            axis.plot(*points[-1], color=colour, marker="o", markersize=6, markeredgecolor="white")
            axis.set_title(title)
            last_row = number >= len(cells) - columns
            axis.set(xlabel="x" if last_row else "", ylabel="y" if number % columns == 0 else "")
        return figure


def heights(paths: Mapping[str, Mapping[str, np.ndarray]], eps: float) -> Figure:
    """Draw f over steps, one panel per optimizer and one line per rate."""
    with styled():
        figure, axes = panels(len(paths), len(paths), "", (3.2, 2.8))
        for axis, (rule, rates) in zip(axes, paths.items(), strict=True):
            for n, (rate, points) in enumerate(rates.items()):
                values = height(points, eps)
                shown = np.where(values <= HIGHEST, np.maximum(values, LOWEST), np.nan)
                axis.plot(shown, color=COLOURS[n % len(COLOURS)], lw=1.1, label=rate)
            axis.set(yscale="log", xlabel="step", ylabel="f" if axis is axes[0] else "", title=rule)
            axis.legend(title="rate")
        return figure


def _contours(axis: Any, eps: float, edge: float) -> None:
    from matplotlib.colors import LogNorm

    x, y = np.meshgrid(np.linspace(-EDGE, EDGE, 301), np.linspace(-edge, edge, 301))
    values = (eps * x**2 + y**2) / 2
    levels = np.logspace(-6, 1, 15)
    axis.contour(
        x, y, np.maximum(values, levels[0] / 10), levels, cmap="Greys_r", norm=LogNorm(levels[0], 30), linewidths=0.5
    )
    axis.set(xlim=(-EDGE, EDGE), ylim=(-edge, edge), xticks=(-1, 0, 1))
    axis.plot(0, 0, color=GREY, marker="+", markersize=8)
