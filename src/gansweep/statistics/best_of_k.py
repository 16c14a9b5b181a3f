"""How good the best of k trials is: what tuning buys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def expected_best(values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected best of k trials for k = 1 .. N, and the chance that none of the k has a value.

        E[min of k] = sum_i  C(N - i, k - 1) / C(N, k)  v_(i),   v_(1) <= v_(2) <= ...

    The mean of the best over all sets of k different trials among the N that were made. Dodge et al. 2019,
    arXiv:1909.03004, ask for it and draw with replacement, which is biased; without replacement it is
    not, Tang et al. 2020, arXiv:2004.13705. A trial without a value never is the best, and the
    mean is over the sets that have one; how many have none is the second number.

    Args:
        values: of N trials, lower is better, NaN for one without a value.

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
        # Row i is the best with chance prod over the others; by recursion, for binomials overflow.
        chance = k / total
        for i in range(min(have, total - k + 1)):
            weights[i] = chance
            left = total - i - 1
            chance *= (left - k + 1) / left if left else 0.0
        found = weights.sum()
        none[k - 1] = max(0.0, 1 - found) if found < 1 - 1e-12 else 0.0
        if found > 0:
            best[k - 1] = float(weights @ known / found)
    return best, none
