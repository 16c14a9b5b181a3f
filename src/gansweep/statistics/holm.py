"""Holm's correction for multiple comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float], family: int | None = None, max_true: int | None = None) -> np.ndarray:
    """Return p-values (m,) adjusted to control the familywise error rate.

        adjusted_(i) = max over j <= i of min(1, min(m - j + 1, max_true) p_(j)),   p_(1) <= p_(2) <= ...

    Holm 1979, "A simple sequentially rejective multiple test procedure". The correction is valid for any dependence
    between the tests. Reject where the adjusted p-value is at most the level. If at most `max_true` of the null
    hypotheses can be true together, no larger factor is needed (Shaffer 1986, doi:10.1080/01621459.1986.10478341).

    Args:
        p_values: p-values of the tests.
        family: m, the total number of tests, if p-values of some were left out; None: the number of p-values.
        max_true: largest number of null hypotheses that can be true together; None: m.

    Raises:
        ValueError: `family` is smaller than the number of p-values.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    m = len(p) if family is None else family
    if m < len(p):
        raise ValueError(f"family={m}: expected at least {len(p)}, the number of p-values")
    order = np.argsort(p, kind="stable")
    factors = np.minimum(m - np.arange(len(p)), m if max_true is None else max_true)
    adjusted = np.maximum.accumulate(np.minimum(1.0, factors * p[order]))
    out = np.empty_like(p)
    out[order] = adjusted
    return out
