"""Variance components: how much of a metric's noise comes from training and how much from the evaluation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

RESAMPLES = 2000


@dataclass(frozen=True)
class Component:
    """Variance of one source of noise.

    Args:
        variance: unbiased estimate; it may be negative if the true variance is small.
        low: lower end of the 95 % interval, at least 0.
        high: upper end of the interval.
    """

    variance: float
    low: float
    high: float


@dataclass(frozen=True)
class TrainingAndEvaluation:
    """Components of values that were measured several times for each run.

    Args:
        training: variance between runs that would be left with exact evaluations.
        evaluation: variance between evaluations of one run, on other latents.
        runs: number of runs n.
        draws: number of evaluations m of each run.
    """

    training: Component
    evaluation: Component
    runs: int
    draws: int

    def variance_of_mean(self, runs: int, draws: int) -> float:
        """Return the variance of the mean of n runs with m evaluations each: (training + evaluation / m) / n."""
        return (max(self.training.variance, 0.0) + self.evaluation.variance / draws) / runs

    def draws_worth_one_run(self) -> int | None:
        """Return the additional evaluations of each run that lower the variance of the mean as much as one more run.

        None if no number does, because the variance of the training alone is larger.
        """
        n, m, training = self.runs, self.draws, max(self.training.variance, 0.0)
        wanted = self.variance_of_mean(n + 1, m) * n - training  # of evaluation / m'
        if wanted <= 0 or self.evaluation.variance <= 0:
            return None
        return max(0, math.ceil(self.evaluation.variance / wanted - 1e-9) - m)


def training_and_evaluation(groups: Sequence[np.ndarray], confidence: float = 0.95) -> TrainingAndEvaluation:
    """Estimate both components by nested analysis of variance, pooled over configurations.

        evaluation = mean square within runs = MSE
        training = (mean square between runs of a configuration - MSE) / m

    Searle, Casella and McCulloch 1992, "Variance Components", chapter 3. The interval of the evaluation is that of
    chi^2, the one of the training that of Satterthwaite and Williams (Burdick and Graybill 1992, section 3.3), which
    assume normal values.

    Args:
        groups: values of every configuration (runs, draws); the number of draws m is the same.
        confidence: coverage probability of the intervals.

    Raises:
        ValueError: there are fewer than two draws, or no configuration has two runs.

    >>> found = training_and_evaluation([np.array([[1.0, 3.0], [5.0, 7.0]])])
    >>> found.evaluation.variance, found.training.variance
    (2.0, 7.0)
    """
    arrays = [np.asarray(group, dtype=np.float64) for group in groups]
    m = arrays[0].shape[1] if arrays else 0
    within, between = (sum(len(a) * (m - 1) for a in arrays), sum(len(a) - 1 for a in arrays))
    if m < 2 or between < 1:
        raise ValueError("expected at least two evaluations of each run and two runs of some configuration")
    mse = float(sum(((a - a.mean(axis=1, keepdims=True)) ** 2).sum() for a in arrays)) / within
    msb = float(sum(m * ((a.mean(axis=1) - a.mean()) ** 2).sum() for a in arrays)) / between
    tail = (1 - confidence) / 2
    chi_low, chi_high = (float(stats.chi2.ppf(q, within)) for q in (1 - tail, tail))
    evaluation = Component(mse, within * mse / chi_low, within * mse / chi_high)
    b_low, b_high = (float(stats.chi2.ppf(q, between)) for q in (1 - tail, tail))
    f_high, f_low = (float(stats.f.ppf(q, between, within)) for q in (1 - tail, tail))
    training = Component(
        (msb - mse) / m,
        max(0.0, between * (msb - mse * f_high) / (m * b_low)),
        max(0.0, between * (msb - mse * f_low) / (m * b_high)),
    )
    return TrainingAndEvaluation(training, evaluation, round(np.mean([len(a) for a in arrays])), m)


def crossed_components(values: np.ndarray, names: Sequence[str]) -> Mapping[str, float]:
    """Return the variance components of crossed random factors, such as seed_init x seed_data x seed_noise.

        mean square of a factor = residual + (number of values at each of its levels) * component

    Main effects and a residual with all interactions; method of moments (Searle et al. 1992, chapter 4). The estimates
    are unbiased and may be negative.

    Args:
        values: a full grid, one axis per factor; all finite.
        names: names of the axes.

    Raises:
        ValueError: an axis has fewer than two levels, or no degree of freedom is left for the residual.
    """
    y = np.asarray(values, dtype=np.float64)
    degrees = [size - 1 for size in y.shape]
    left = y.size - 1 - sum(degrees)
    if min(degrees, default=0) < 1 or left < 1:
        raise ValueError(f"{dict(zip(names, y.shape, strict=True))}: expected at least two seeds of two or more kinds")
    centred = y - y.mean()
    squares = []
    for axis, size in enumerate(y.shape):
        means = centred.mean(axis=tuple(other for other in range(y.ndim) if other != axis))
        squares.append(float((means**2).sum()) * y.size / size)
    residual = (float((centred**2).sum()) - sum(squares)) / left
    components = {
        name: (square / degree - residual) * size / y.size
        for name, square, degree, size in zip(names, squares, degrees, y.shape, strict=True)
    }
    return components | {"interactions and rest": residual}


def crossed_intervals(
    grids: Sequence[np.ndarray], names: Sequence[str], confidence: float = 0.95
) -> dict[str, Component]:
    """Return the components of `crossed_components`, averaged over configurations, with bootstrap intervals.

    The levels of every factor are resampled independently (the "pigeonhole" bootstrap, Owen 2007, arXiv:0712.1111),
    which is conservative. The resamples are the same at every call.

    Args:
        grids: one full grid per configuration, of equal shapes.
        names: names of the axes.
        confidence: coverage probability.
    """
    rng = np.random.default_rng(0)
    found = _mean_components(grids, names)
    resampled: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(RESAMPLES):
        levels = np.ix_(*(rng.integers(size, size=size) for size in grids[0].shape))
        for name, value in _mean_components([grid[levels] for grid in grids], names).items():
            resampled[name].append(value)
    tail = (1 - confidence) / 2
    return {
        name: Component(value, *(max(0.0, float(q)) for q in np.quantile(resampled[name], [tail, 1 - tail])))
        for name, value in found.items()
    }


def _mean_components(grids: Sequence[np.ndarray], names: Sequence[str]) -> dict[str, float]:
    parts = [crossed_components(grid, names) for grid in grids]
    return {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}


def full_grid(points: Mapping[tuple[int, ...], float], num_axes: int) -> np.ndarray | None:
    """Return values given by their levels as a full grid; None if a combination is missing or not finite.

    >>> full_grid({(0, 7): 1.0, (0, 8): 2.0, (1, 7): 3.0, (1, 8): 4.0}, 2).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    levels = [sorted({point[axis] for point in points}) for axis in range(num_axes)]
    values = [points.get(combination, math.nan) for combination in itertools.product(*levels)]
    grid = np.array(values).reshape([len(level) for level in levels])
    return grid if np.isfinite(grid).all() else None
