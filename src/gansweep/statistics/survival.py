"""Survival analysis: the share of runs that have not diverged by a step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def survival(steps: Sequence[float], diverged: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Kaplan-Meier estimate of the share of runs that reach a step without divergence.

        S(t) = product over steps t_i <= t at which runs diverged of (1 - d_i / n_i)

    Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452. d_i runs diverged at step t_i, and n_i runs reached it. A
    run that ended without divergence is censored at its last step.

    Args:
        steps: last step of every run.
        diverged: whether it diverged there.

    Returns:
        Steps (n,) at which the curve falls, starting with 0, and the value (n,) of the curve from each step on.

    >>> falls, height = survival([5, 10, 10, 20], [True, True, False, False])
    >>> falls.tolist(), height.tolist()
    ([0.0, 5.0, 10.0], [1.0, 0.75, 0.5])
    """
    last, dead = np.asarray(steps, dtype=np.float64), np.asarray(diverged, dtype=bool)
    falls = np.unique(last[dead])
    height = [1 - (last[dead] == t).sum() / (last >= t).sum() for t in falls]
    return np.concatenate([[0.0], falls]), np.concatenate([[1.0], np.cumprod(height)])
