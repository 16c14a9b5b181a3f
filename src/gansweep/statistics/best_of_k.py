"""Expected best of k trials: the gain from hyperparameter tuning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def expected_best(values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected best of k trials (N,) and the probability (N,) that none of the k has a value, k = 1 .. N.

        E[min of k] = sum_i  C(N - i, k - 1) / C(N, k)  v_(i),   v_(1) <= v_(2) <= ...

    This is the mean of the minimum over all subsets of k of the N trials. Dodge et al. 2019, arXiv:1909.03004,
    propose the quantity and draw with replacement, which is biased. Drawing without replacement is unbiased (Tang et
    al. 2020, arXiv:2004.13705). A trial without a value is never the best. The mean is over the subsets in which at
    least one trial has a value; the second result is the share of the other subsets.

    Args:
        values: one value per trial (N,), lower is better, NaN for a trial without a value.

    >>> best, none = expected_best([1.0, 2.0, 3.0])
    >>> best.round(4).tolist(), none.tolist()
    ([2.0, 1.3333, 1.0], [0.0, 0.0, 0.0])
    """
    every = np.asarray(values, dtype=np.float64)
    known = np.sort(every[np.isfinite(every)])
    total, have = len(every), len(known)
    best, none = np.full(total, np.nan), np.ones(total)
    for k in range(1, total + 1):
        weights = np.zeros(have)
        # Probability that trial i is the best of k, computed recursively because binomial coefficients overflow.
        probability = k / total
        for i in range(min(have, total - k + 1)):
            weights[i] = probability
            left = total - i - 1
            probability *= (left - k + 1) / left if left else 0.0
        weight_sum = weights.sum()
        none[k - 1] = max(0.0, 1 - weight_sum) if weight_sum < 1 - 1e-12 else 0.0
        if weight_sum > 0:
            best[k - 1] = float(weights @ known / weight_sum)
    return best, none
