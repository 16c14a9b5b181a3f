"""Response curve: the expected value as a smooth function of one numeric setting, with a confidence band."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 5  # distinct settings
MOST = 60  # points that a curve is fitted to; the cost grows with their square
GRID = 101


@dataclass(frozen=True)
class ResponseCurve:
    """Fitted mean of the value and its pointwise 95 % band on a grid of settings.

    Args:
        settings: the grid (G,), from the smallest to the largest setting.
        mean: fitted mean (G,).
        low: lower end of the band (G,).
        high: upper end of the band (G,).
    """

    settings: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def best(self) -> int:
        """Index of the lowest mean."""
        return int(np.argmin(self.mean))

    @property
    def not_excluded(self) -> tuple[float, float]:
        """Smallest and largest setting whose band begins below the upper end of the band at the best one."""
        inside = self.settings[self.low <= self.high[self.best]]
        return float(inside.min()), float(inside.max())


def response_curve(settings: Sequence[float], values: Sequence[float]) -> ResponseCurve | None:
    """Fit the mean value as a function of one setting; None with fewer than five distinct settings.

        f minimises sum of w_i (y_i - f(x_i))^2 + lam integral of f''^2
        band = f -+ t(n - tr H) sqrt(sigma^2 H_ii / w_i),   sigma^2 = sum of w_i (y_i - f(x_i))^2 / (n - tr H)

    H is the matrix of the fitted values and w_i the number of values at a setting. The smoothing spline is
    `scipy.interpolate.make_smoothing_spline`, lam is chosen by generalised cross-validation, and the band is that of
    Wahba 1983 (doi:10.1111/j.2517-6161.1983.tb01239.x), which covers the curve with the stated probability on average
    over the settings (Nychka 1988). x is the setting or, if settings are positive and differ by more than a factor of
    3, its logarithm; likewise the logarithm of values that differ by more than a factor of 10. The curve then is the
    geometric mean. Other settings are not inputs: what they change is noise here, so the curve is the mean over them.

    Args:
        settings: one per configuration, finite.
        values: mean of each configuration, finite; lower is better.

    >>> found = response_curve([0, 1, 2, 3, 4, 5, 6], [9.1, 4.0, 0.9, 0.1, 0.9, 4.0, 9.1])
    >>> round(float(found.settings[found.best]), 1)
    3.0
    """
    x, y = np.asarray(settings, dtype=np.float64), np.asarray(values, dtype=np.float64)
    distinct, place, weights = np.unique(x, return_inverse=True, return_counts=True)
    if len(distinct) < FEWEST:
        return None
    log_x, log_y = _spread(x) > 3, _spread(y) > 10
    heights = np.bincount(place, np.log(y) if log_y else y) / weights
    at = np.log(distinct) if log_x else distinct
    if len(at) > MOST:
        chosen = np.linspace(0, len(at) - 1, MOST).round().astype(int)
        at, heights, weights, distinct = at[chosen], heights[chosen], weights[chosen], distinct[chosen]
    unit, grid = (at - at[0]) / np.ptp(at), np.linspace(0, 1, GRID)
    mean, half = _spline(unit, heights, weights.astype(np.float64), grid)
    shown = at[0] + grid * np.ptp(at)
    shown = np.clip(np.exp(shown) if log_x else shown, distinct[0], distinct[-1])
    return ResponseCurve(shown, *(np.exp(curve) if log_y else curve for curve in (mean, mean - half, mean + half)))


def _spread(values: np.ndarray) -> float:
    return float(values.max() / values.min()) if values.min() > 0 else 1.0


def _spline(x: np.ndarray, y: np.ndarray, weights: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smoothing spline and half the width of its band on a grid in [0, 1]."""
    from scipy import stats
    from scipy.interpolate import make_smoothing_spline

    if np.ptp(y) == 0:
        return np.full(len(grid), y[0]), np.zeros(len(grid))
    scores = {}
    for penalty in (np.geomspace(1e-6, 1e2, 25) * weights.mean()).tolist():
        hat = hat_matrix(x, weights, penalty)
        free = len(x) - float(np.trace(hat))
        residual = float((weights * (y - hat @ y) ** 2).sum())
        scores[len(x) * residual / free**2 if free > 0.5 else math.inf] = penalty, hat, residual / max(free, 1.0), free
    penalty, hat, variance, free = scores[min(scores)]  # generalised cross-validation, Wahba 1990, eq. 4.3.1
    half = float(stats.t.ppf(0.975, max(free, 1.0))) * np.sqrt(variance * np.clip(np.diag(hat), 0, 1) / weights)
    return make_smoothing_spline(x, y, weights, penalty)(grid), np.interp(grid, x, half)


def hat_matrix(x: np.ndarray, weights: np.ndarray, penalty: float) -> np.ndarray:
    """Return H (n, n) with fitted values H y of the smoothing spline: H = (W + penalty Q R^-1 Q')^-1 W.

    Green and Silverman 1994, "Nonparametric Regression and Generalized Linear Models", eq. 2.1 to 2.5.
    """
    step, n = np.diff(x), len(x)
    q, r = np.zeros((n, n - 2)), np.zeros((n - 2, n - 2))
    inner = np.arange(n - 2)
    q[inner, inner], q[inner + 2, inner] = 1 / step[:-1], 1 / step[1:]
    q[inner + 1, inner] = -1 / step[:-1] - 1 / step[1:]
    r[inner, inner] = (step[:-1] + step[1:]) / 3
    r[inner[:-1], inner[1:]] = r[inner[1:], inner[:-1]] = step[1:-1] / 6
    return np.linalg.solve(np.diag(weights) + penalty * q @ np.linalg.solve(r, q.T), np.diag(weights))
