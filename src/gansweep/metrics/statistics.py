"""Mean and covariance of features: computed in batches, or read from a file of pytorch-fid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gansweep.npz_file import read_array


@dataclass(frozen=True)
class Statistics:
    """Mean and covariance of N features of length D, in float64.

    If N < D, the centred features are stored instead of the covariance. They are smaller, and the trace
    term of a Fréchet distance can be computed from them exactly at low cost.

    Args:
        mean: (D,).
        spread: the covariance S (D, D) with the divisor N - 1; if N < D, a root R (N, D) of it, S = R^T R:
            the centred features divided by sqrt(N - 1).
        count: N.
        is_root: True if `spread` is the root R, False if it is the covariance S.
    """

    mean: Tensor
    spread: Tensor
    count: int
    is_root: bool

    @property
    def covariance(self) -> Tensor:
        """S (D, D)."""
        return self.spread.T @ self.spread if self.is_root else self.spread

    @property
    def trace(self) -> Tensor:
        """Tr S."""
        return self.spread.square().sum() if self.is_root else self.spread.trace()


class Moments:
    """Accumulator of `Statistics` over batches of features, with constant memory.

        mean_ab = mean_a + delta m / (n + m),   delta = mean_b - mean_a
        M_ab = M_a + M_b + delta delta^T n m / (n + m),   S = M / (n - 1)

    Chan, Golub and LeVeque 1983, eq. 2.1, for blocks of a fixed number of rows. The result is bitwise
    independent of the batch size.
    """

    def __init__(self) -> None:
        self.count = 0
        self._waiting: list[Tensor] = []
        self._num_waiting = 0
        self._mean = self._scatter = torch.zeros(())

    def add(self, features: Tensor) -> None:
        """Add features (B, D).

        Raises:
            ValueError: a feature is not finite.
        """
        rows = features.detach().to("cpu", torch.float64, copy=True)
        if not rows.isfinite().all():
            raise ValueError("features are not finite: no statistics of them are meaningful")
        self._waiting.append(rows)
        self._num_waiting += len(features)
        block = max(1024, features.shape[1])
        if self._num_waiting > block:
            rows = torch.cat(self._waiting)
            while len(rows) > block:
                self._fold(rows[:block])
                rows = rows[block:]
            self._waiting, self._num_waiting = [rows.clone()], len(rows)

    def statistics(self) -> Statistics:
        """Return the statistics of all features added; no features can be added afterwards.

        Raises:
            ValueError: there are fewer than two samples.
        """
        total = self.count + self._num_waiting
        if total < 2:
            raise ValueError(f"{total} samples: a covariance needs at least 2")
        rows, self._waiting, self._num_waiting = torch.cat(self._waiting), [], 0
        if total < rows.shape[1]:
            mean = rows.mean(0)
            return Statistics(mean, (rows - mean) / (total - 1) ** 0.5, total, is_root=True)
        self._fold(rows)
        return Statistics(self._mean, self._scatter / (total - 1), total, is_root=False)

    def _fold(self, rows: Tensor) -> None:
        n, m = self.count, len(rows)
        mean = rows.mean(0)
        centred = rows - mean
        if n == 0:
            self._mean, self._scatter = mean, centred.T @ centred
        else:
            delta = mean - self._mean
            self._scatter = self._scatter.addmm(centred.T, centred).addr(delta, delta, alpha=n * m / (n + m))
            self._mean = self._mean + delta * (m / (n + m))
        self.count = n + m


def moments_of(features: Tensor) -> Statistics:
    """Return the mean and covariance of features (N, D)."""
    moments = Moments()
    moments.add(features)
    return moments.statistics()


def load_statistics(path: Path) -> Statistics:
    """Return the statistics in a file of pytorch-fid, which does not contain `count`: 0.

    Raises:
        ValueError: the file is missing, damaged, or has other contents.
    """
    try:
        mean, covariance = (np.asarray(read_array(path, name), np.float64) for name in ("mu", "sigma"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"no statistics ({error})"
        if isinstance(error, KeyError):
            reason = f"no statistics, it has {', '.join(error.args[0]) or 'no arrays'}"
        raise ValueError(f"{path}: {reason}, expected mu (D,) and sigma (D, D) as pytorch-fid saves them") from error
    if mean.ndim != 1 or covariance.shape != 2 * mean.shape:
        raise ValueError(f"{path}: mu {mean.shape} and sigma {covariance.shape}, expected (D,) and (D, D)")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ValueError(f"{path}: mu or sigma are not finite")
    return Statistics(torch.from_numpy(mean), torch.from_numpy(covariance), 0, is_root=False)
