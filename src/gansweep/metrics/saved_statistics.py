"""Reading of statistics in pytorch-fid's file format: an .npz with mu (D,) and sigma (D, D)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gansweep.metrics.statistics import Statistics
from gansweep.npz_file import read_array


def load_statistics(path: Path) -> Statistics:
    """Return the statistics in a file saved by pytorch-fid; `count` is 0, because the file does not contain it.

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
