"""How many runs are still alive after so many steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def survival(steps: Sequence[float], diverged: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the share of runs that reach a step without having diverged.

        S(t) = product over steps t_i <= t at which runs diverged of (1 - d_i / n_i)

    Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452. d_i diverged at t_i, n_i had come so far. A run that
    ended sound is known to have lived as long as it was watched, no longer.

    Args:
        steps: last step of every run.
        diverged: whether it diverged there.

    Returns:
        The steps at which the curve falls, after a first 0, and its height from each on.

    >>> at, height = survival([5, 10, 10, 20], [True, True, False, False])
    >>> at.tolist(), height.tolist()
    ([0.0, 5.0, 10.0], [1.0, 0.75, 0.5])
    """
    last, dead = np.asarray(steps, dtype=np.float64), np.asarray(diverged, dtype=bool)
    falls = np.unique(last[dead])
    height = [1 - (last[dead] == t).sum() / (last >= t).sum() for t in falls]
    return np.concatenate([[0.0], falls]), np.concatenate([[1.0], np.cumprod(height)])
