"""Multipliers of the schedulers in torch.optim."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch.optim.lr_scheduler import LRScheduler


def multipliers(make: Callable[[torch.optim.Optimizer], LRScheduler], total_steps: int) -> np.ndarray:
    """Return the rates of all steps at a base rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = make(optimizer)
    rates = [optimizer.param_groups[0]["lr"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nothing is trained, so the optimizer takes no steps
        for _ in range(total_steps - 1):
            scheduler.step()
            rates.append(optimizer.param_groups[0]["lr"])
    return np.array(rates)
