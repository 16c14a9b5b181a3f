"""Functional ANOVA: shares of the variance that each setting explains on a full grid."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Effect:
    """Main effect of one setting, or interaction of several.

    Args:
        axes: axes of the settings.
        share: share of the variance over all runs.
        by_chance: expected share of this effect under the null hypothesis.
        p: p-value of the F test against the variance between seeds; NaN with one seed.
    """

    axes: tuple[int, ...]
    share: float
    by_chance: float
    p: float


def variance_shares(values: np.ndarray, most_axes: int = 2) -> tuple[list[Effect], float]:
    """Return the variance shares of all effects on a grid, largest first, and the share of the seeds.

        f_U(x_U) = mean over all other settings and seeds - sum over W in U of f_W(x_W)
        share of U = mean of f_U^2 / variance,   of the seeds = variance within the cells / variance

    Sobol's decomposition, known as functional ANOVA in Hutter, Hoos and Leyton-Brown 2014 (ICML, "An efficient approach
    for assessing hyperparameter importance"). It is exact on a full grid with equally many seeds per cell: the shares
    of all effects and of the seeds sum to 1. An effect of pure noise has the expected share
    `by_chance` = (degrees of freedom) / (runs - 1).

    Args:
        values: (a, b, ..., n), one axis per setting and the last for seeds; all finite.
        most_axes: largest number of settings in an interaction; interactions of more are left out.

    Raises:
        ValueError: a value is not finite.
    """
    y = np.asarray(values, dtype=np.float64)
    if not np.isfinite(y).all():
        raise ValueError("values: some are not finite; expected ranks where a run has no value")
    *sizes, n = y.shape
    runs, total = y.size, float(((y - y.mean()) ** 2).mean())
    if total == 0:
        return [], 0.0
    cells = y.mean(axis=-1)
    within = float(((y - cells[..., None]) ** 2).mean())
    degrees_within = math.prod(sizes) * (n - 1)
    parts: dict[tuple[int, ...], np.ndarray] = {(): cells.mean(keepdims=True)}
    effects = []
    for number in range(1, min(most_axes, len(sizes)) + 1):
        for axes in itertools.combinations(range(len(sizes)), number):
            others = tuple(axis for axis in range(len(sizes)) if axis not in axes)
            part = cells.mean(axis=others, keepdims=True)
            for fewer in range(number):
                for lower in itertools.combinations(axes, fewer):
                    part = part - parts[lower]
            parts[axes] = part
            squares, degrees = float((part**2).mean()), math.prod(sizes[axis] - 1 for axis in axes)
            p = math.nan
            if degrees_within and within > 0 and degrees:
                p = float(special.fdtrc(degrees, degrees_within, squares / degrees / (within / degrees_within)))
            effects.append(Effect(axes, squares / total, degrees / (runs - 1), p))
    return sorted(effects, key=lambda effect: -effect.share), within / total
