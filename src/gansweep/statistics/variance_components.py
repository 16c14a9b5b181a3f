"""Variance components: how much of a metric's noise comes from training and how much from the evaluation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


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
    assume normal values. The degrees of freedom of configurations with equally many runs are those of
    `crossed_intervals`, because their runs have equal seeds.

    Args:
        groups: values of every configuration (runs, draws), in the same order of seeds; the number of draws m is the
            same.
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
    degrees = float(between)
    if len({len(a) for a in arrays}) == 1:  # the runs of all configurations have the same seeds
        means = np.array([a.mean(axis=1) - a.mean() for a in arrays])
        _, degrees = _mean_square(means * math.sqrt(m), len(arrays[0]) - 1)
    evaluation = _of_mean_square(mse, within, confidence)
    training = _of_difference(msb, degrees, mse, within, m, confidence)
    return TrainingAndEvaluation(training, evaluation, round(np.mean([len(a) for a in arrays])), m)


def _of_mean_square(square: float, degrees: float, confidence: float) -> Component:
    """Return the component that a mean square estimates, with the interval of chi^2."""
    tail = (1 - confidence) / 2
    low, high = (degrees * square / float(stats.chi2.ppf(q, degrees)) for q in (1 - tail, tail))
    return Component(square, low, high)


def _of_difference(
    square: float, degrees: float, error: float, error_degrees: float, number: float, confidence: float
) -> Component:
    """Return the component (square - error) / number with the interval of Satterthwaite and Williams.

        low = degrees (square - error F_high) / (number chi^2_high)
        high = degrees (square - error F_low) / (number chi^2_low)

    Both mean squares are independent, and F has their degrees of freedom. Burdick and Graybill 1992, section 3.3.

    Args:
        square: mean square whose expectation is `number` times the component above that of the error.
        degrees: its degrees of freedom.
        error: mean square of the error.
        error_degrees: its degrees of freedom.
        number: values in the mean of one level.
        confidence: coverage probability.
    """
    tail = (1 - confidence) / 2
    ends = []
    for q in (1 - tail, tail):
        ratio, chi2 = float(stats.f.ppf(q, degrees, error_degrees)), float(stats.chi2.ppf(q, degrees))
        ends.append(max(0.0, degrees * (square - error * ratio) / (number * chi2)))
    return Component((square - error) / number, *ends)


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
    (error, _), squares = _crossed_squares(np.asarray(values, dtype=np.float64)[None], names)
    found = {name: (square - error) / number for name, (square, _, number) in squares.items()}
    return found | {"interactions and rest": error}


def crossed_intervals(
    grids: Sequence[np.ndarray], names: Sequence[str], confidence: float = 0.95
) -> dict[str, Component]:
    """Return the components of `crossed_components`, averaged over configurations, with their intervals.

    The intervals are those of `training_and_evaluation`: Satterthwaite and Williams for a kind of seed, chi^2 for the
    rest; they assume normal values. The configurations have the same seeds, so their mean squares may be dependent. The
    degrees of freedom of the average of the mean squares of n levels are

        (n - 1) tr(C)^2 / tr(C^2)

    with the covariance C of the level means between configurations (Box 1954, doi:10.1214/aoms/1177728786): n - 1 if
    the effects of the seeds are the same in all configurations, and larger if they are independent.

    Args:
        grids: one full grid per configuration, of equal shapes, with equal seeds.
        names: names of the axes.
        confidence: coverage probability.

    Raises:
        ValueError: an axis has fewer than two levels, or no degree of freedom is left for the residual.
    """
    error, squares = _crossed_squares(np.stack([np.asarray(grid, dtype=np.float64) for grid in grids]), names)
    found = {
        name: _of_difference(square, degrees, *error, number, confidence)
        for name, (square, degrees, number) in squares.items()
    }
    return found | {"interactions and rest": _of_mean_square(*error, confidence)}


def _crossed_squares(
    y: np.ndarray, names: Sequence[str]
) -> tuple[tuple[float, float], dict[str, tuple[float, float, float]]]:
    """Return the mean square of the residual with its degrees of freedom, and those of every factor.

    Each factor has the number of values in the mean of one of its levels too.

    Args:
        y: values (configurations, levels of the first factor, ...).
        names: names of the factors.
    """
    num_grids, *sizes = y.shape
    num_values = math.prod(sizes)
    left = num_values - 1 - sum(size - 1 for size in sizes)
    if min(sizes, default=0) < 2 or left < 1:
        raise ValueError(f"{dict(zip(names, sizes, strict=True))}: expected at least two seeds of two or more kinds")
    axes = range(1, y.ndim)
    rest = y - y.mean(axis=tuple(axes), keepdims=True)
    means = [rest.mean(axis=tuple(other for other in axes if other != axis), keepdims=True) for axis in axes]
    squares = {}
    for name, size, effect in zip(names, sizes, means, strict=True):
        number = num_values / size
        squares[name] = (*_mean_square(effect.reshape(num_grids, size) * math.sqrt(number), size - 1), number)
    rest = rest - sum(means)
    return _mean_square(rest.reshape(num_grids, -1), left), squares


def _mean_square(effects: np.ndarray, degrees: int) -> tuple[float, float]:
    """Return the mean square of effects (configurations, levels), and the degrees of freedom of its average."""
    covariance = effects @ effects.T / degrees
    trace, squares = float(np.trace(covariance)), float((covariance**2).sum())
    return trace / len(effects), degrees * trace**2 / squares if squares else float(degrees)


def full_grid(points: Mapping[tuple[int, ...], float], num_axes: int) -> np.ndarray | None:
    """Return values given by their levels as a full grid; None if a combination is missing or not finite.

    >>> full_grid({(0, 7): 1.0, (0, 8): 2.0, (1, 7): 3.0, (1, 8): 4.0}, 2).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    levels = [sorted({point[axis] for point in points}) for axis in range(num_axes)]
    values = [points.get(combination, math.nan) for combination in itertools.product(*levels)]
    grid = np.array(values).reshape([len(level) for level in levels])
    return grid if np.isfinite(grid).all() else None
