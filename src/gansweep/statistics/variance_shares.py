"""Which setting matters: shares of the variance over a full grid."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Effect:
    """What one setting, or several together, do to the value.

    Args:
        axes: the settings, by their axis.
        share: of the variance over all runs.
        by_chance: share that such an effect has on average if it does nothing.
        p: of the F test against the spread between seeds, NaN with one seed.
    """

    axes: tuple[int, ...]
    share: float
    by_chance: float
    p: float


def variance_shares(values: np.ndarray, most_axes: int = 2) -> tuple[list[Effect], float]:
    """Divide the variance of a grid of runs among its settings: effects, the largest first, and the seeds' share.

        f_U(x_U) = mean over all other settings and seeds - sum over W in U of f_W(x_W)
        share of U = mean of f_U^2 / variance,   of the seeds = variance within the cells / variance

    Sobol's decomposition, which is functional ANOVA as Hutter, Hoos and Leyton-Brown 2014 (ICML, "An efficient approach
    for assessing hyperparameter importance") use it. On a full grid with equally many seeds it is exact: the shares of
    all effects and of the seeds sum to 1. Noise alone has a share too, `by_chance` = (degrees of freedom) / (runs - 1).

    Args:
        values: (a, b, ..., n), one axis for every setting and the last for seeds; all finite.
        most_axes: settings that an effect may join; effects of more are left out.

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
