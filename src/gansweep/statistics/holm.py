"""Many questions asked of one sweep, and still few wrong answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float], family: int | None = None) -> np.ndarray:
    """Adjust p-values so that the chance of any false rejection is held.

        adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j)),   p_(1) <= p_(2) <= ...

    Holm 1979, "A simple sequentially rejective multiple test procedure". It asks nothing of how the
    questions depend on each other. Compare what it returns with the level itself.

    Args:
        p_values: of the questions looked at.
        family: m, how many there were in all, if some were left out because they were not of interest.

    Raises:
        ValueError: the family is smaller than what was asked.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    m = len(p) if family is None else family
    if m < len(p):
        raise ValueError(f"family={m}: expected at least {len(p)}, the number of p-values")
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(np.minimum(1.0, (m - np.arange(len(p))) * p[order]))
    out = np.empty_like(p)
    out[order] = adjusted
    return out
