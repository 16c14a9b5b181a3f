"""The best evaluation of a run, without the luck of having been chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def best_of_halves(chosen_by: Sequence[float], reported: Sequence[float]) -> tuple[int, float] | None:
    """Choose an evaluation by one half of the latents and report the other half's value.

        i = argmin chosen_by,   value = reported[i]

    The least of n noisy values lies below what it measures, by about sd sqrt(2 log n): it was chosen for its noise,
    too. The noise of the other half knows nothing of the choice, so its value is off on neither side.

    Args:
        chosen_by: of every evaluation, lower is better, NaN where there is none.
        reported: of the same evaluations, from other latents.

    Returns:
        Place and value, None without any.

    >>> best_of_halves([3.0, 1.0, 2.0], [3.1, 1.4, 1.9])
    (1, 1.4)
    """
    first, second = np.asarray(chosen_by, dtype=np.float64), np.asarray(reported, dtype=np.float64)
    known = np.isfinite(first) & np.isfinite(second)
    if not known.any():
        return None
    place = int(np.argmin(np.where(known, first, np.inf)))
    return place, float(second[place])
