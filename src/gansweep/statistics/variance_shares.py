"""Functional ANOVA: shares of the variance that each setting explains on a full grid."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from gansweep.statistics.crossed_seeds import satterthwaite, variances_of_mean

TINY = 1e-24  # relative variance below which seeds do not differ


@dataclass(frozen=True)
class Effect:
    """Main effect of one setting, or interaction of several.

    Args:
        axes: axes of the settings.
        share: share of the variance over all runs.
        by_chance: expected share of this effect under the null hypothesis.
        p: p-value of the F test against the interaction with the seeds; NaN with one seed.
    """

    axes: tuple[int, ...]
    share: float
    by_chance: float
    p: float


def variance_shares(
    values: np.ndarray, most_axes: int = 2, crossed: np.ndarray | None = None
) -> tuple[list[Effect], float]:
    """Return the variance shares of all effects on a grid, largest first, and the share of the seeds.

        f_U(x_U) = mean over all other settings and seeds - sum over W in U of f_W(x_W)
        share of U = mean of f_U^2 / variance,   of the seeds = variance within the cells / variance

    Sobol's decomposition, known as functional ANOVA in Hutter, Hoos and Leyton-Brown 2014 (ICML, "An efficient approach
    for assessing hyperparameter importance"). It is exact on a full grid with equally many seeds per cell: the shares
    of all effects, those of more than `most_axes` settings included, and of the seeds sum to 1. An effect of pure noise
    has the expected share `by_chance` = (degrees of freedom) / (runs - 1).

    The seeds are common to all cells, and a seed may be good for one method and bad for another at all rates. Each
    effect is therefore tested against its own interaction with the seeds, which are a random factor (Scheffe 1959,
    "The Analysis of Variance", section 8.1):

        F = sum over x_U of f_U(x_U)^2 / sum over x_U of V(x_U)

    V is the variance of the mean over the seeds of the same effect computed from the runs of one seed; for a setting
    with two values, F is the square of the paired t statistic. With crossed seeds, V and the degrees of freedom are
    those of `crossed_seeds.variances_of_mean`. The test assumes normal values and equal variances of the differences.

    Args:
        values: (a, b, ..., n), one axis per setting and the last for the runs of a cell, in the same order of seeds in
            all cells; all finite.
        most_axes: largest number of settings in an interaction; interactions of more are left out.
        crossed: factors of crossed seeds of these runs, (n, kinds); None if all seeds are independent.

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
    within = float(((y - y.mean(axis=-1, keepdims=True)) ** 2).mean())
    crossed = np.empty((n, 0), dtype=np.int64) if crossed is None else crossed
    effects = [
        Effect(axes, float((part.mean(axis=-1) ** 2).mean()) / total, degrees / (runs - 1), _p(part, degrees, crossed))
        for axes, part in _parts(y, most_axes).items()
        for degrees in [math.prod(sizes[axis] - 1 for axis in axes)]
    ]
    return sorted(effects, key=lambda effect: -effect.share), within / total


def _parts(y: np.ndarray, most_axes: int) -> dict[tuple[int, ...], np.ndarray]:
    """Return f_U of every seed (..., n) by the axes U, for up to `most_axes` of them."""
    settings = range(y.ndim - 1)
    parts: dict[tuple[int, ...], np.ndarray] = {(): y.mean(axis=tuple(settings), keepdims=True)}
    for number in range(1, min(most_axes, len(settings)) + 1):
        for axes in itertools.combinations(settings, number):
            part = y.mean(axis=tuple(axis for axis in settings if axis not in axes), keepdims=True)
            for fewer in range(number):
                for lower in itertools.combinations(axes, fewer):
                    part = part - parts[lower]
            parts[axes] = part
    del parts[()]
    return parts


def _p(part: np.ndarray, degrees: int, crossed: np.ndarray) -> float:
    """Return the p-value of an effect (..., n) that was computed from the runs of each seed; NaN if there is no test.

    Args:
        part: the effect of every seed.
        degrees: its degrees of freedom.
        crossed: factors of crossed seeds.
    """
    if part.shape[-1] < 2 or not degrees:
        return math.nan
    squares = float((part.mean(axis=-1) ** 2).sum())
    variances, per_kind = variances_of_mean(part, crossed)
    variances = variances.reshape(-1, variances.shape[-1]).sum(axis=0)
    if variances.sum() <= TINY * squares:
        return math.nan
    return float(special.fdtrc(degrees, degrees * satterthwaite(variances, per_kind), squares / variances.sum()))
