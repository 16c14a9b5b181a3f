"""Agreement of several rankings of partly the same items: Kendall's tau, a permutation test, Friedman's test."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

RESAMPLES = 10_000


@dataclass(frozen=True)
class Agreement:
    """Agreement of rankings.

    Args:
        tau: mean of Kendall's tau over the pairs of rankings; NaN if no pair has one.
        p: one-sided p-value of the hypothesis that the rankings are independent.
        pairs: tau and number of common items of every pair of rankings that has a tau, by their indices.
    """

    tau: float
    p: float
    pairs: Mapping[tuple[int, int], tuple[float, int]]


def kendall(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b (...,) of values (..., n), NaN where all values of a side are equal.

        tau = sum over i < j of sign(x_i - x_j) sign(y_i - y_j) / sqrt(T_x T_y)

    T_x is the number of pairs with x_i != x_j. Kendall 1945, doi:10.1093/biomet/33.3.239. Infinite values are tied.

    >>> kendall(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])).round(4).item()
    0.3333
    """
    x, y = _signs(first), _signs(second)
    norm = np.sqrt((x != 0).sum(axis=-1) * (y != 0).sum(axis=-1))
    return np.divide((x * y).sum(axis=-1), norm, out=np.full(norm.shape, np.nan), where=norm > 0)


def agreement(rankings: Sequence[Mapping[str, float]], compared: Sequence[tuple[int, int]] | None = None) -> Agreement:
    """Compare rankings, each given by a value for every item; lower is better.

    The statistic is the mean of tau over the pairs of rankings, each over the items that both have. Its distribution
    under independence is that after random permutations of the values of each ranking, the same at every call:

        p = (1 + number of permutations with a mean of at least the observed one) / (1 + number of permutations)

    Args:
        rankings: the rankings.
        compared: pairs of indices of rankings that are compared; None for all.
    """
    rng = np.random.default_rng(0)
    observed = [_codes(ranking)[None] for ranking in rankings]
    permuted = [rng.permuted(np.repeat(values, RESAMPLES, axis=0), axis=1) for values in observed]
    taus, drawn = {}, []
    for a, b in itertools.combinations(range(len(rankings)), 2) if compared is None else compared:
        common = [item for item in rankings[a] if item in rankings[b]]
        places = [[list(rankings[n]).index(item) for item in common] for n in (a, b)]
        tau = float(kendall(observed[a][:, places[0]], observed[b][:, places[1]])[0]) if len(common) > 1 else np.nan
        if np.isfinite(tau):
            taus[a, b] = (tau, len(common))
            drawn.append(np.nan_to_num(kendall(permuted[a][:, places[0]], permuted[b][:, places[1]])))
    if not taus:
        return Agreement(np.nan, 1.0, {})
    mean = float(np.mean([tau for tau, _ in taus.values()]))
    reached = int((np.mean(drawn, axis=0) >= mean - 1e-12).sum())
    return Agreement(mean, (1 + reached) / (1 + RESAMPLES), taus)


def _codes(ranking: Mapping[str, float]) -> np.ndarray:
    """Return ranks of values, so that differences of infinite values are zero."""
    return np.unique(list(ranking.values()), return_inverse=True)[1].astype(np.int16)


def _signs(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    a, b = np.triu_indices(values.shape[-1], 1)
    if values.dtype.kind == "f":
        values = np.unique(values, return_inverse=True)[1].reshape(values.shape)
    return np.sign(values[..., a] - values[..., b]).astype(np.int16)


def friedman(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean rank (m,) of every treatment over the blocks, and the p-value that no treatment matters.

    Values are ranked within each block; ties share the mean of their ranks. Under the null hypothesis all orders of
    the values of a block have the same probability. The statistic, the sum of squared rank sums, orders the
    permutations as Friedman's chi-square does (Friedman 1937, doi:10.1080/01621459.1937.10503522). The p-value is from
    random permutations, the same at every call, because the chi-square approximation needs many blocks:

        p = (1 + number of permutations with at least the observed statistic) / (1 + number of permutations)

    Args:
        values: (n blocks, m treatments), lower is better; infinite values are tied.

    >>> ranks, p = friedman(np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]]))
    >>> ranks.tolist()
    [1.0, 2.5, 2.5]
    """
    ranks = stats.rankdata(values, axis=1)
    rng = np.random.default_rng(0)
    sums = sum(rng.permuted(np.repeat(block[None], RESAMPLES, axis=0), axis=1) for block in ranks)
    observed = float((ranks.sum(axis=0) ** 2).sum())
    reached = int(((np.asarray(sums) ** 2).sum(axis=1) >= observed * (1 - 1e-12)).sum())
    return ranks.mean(axis=0), (1 + reached) / (1 + RESAMPLES)
