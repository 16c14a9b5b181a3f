"""Stochastic gradient descent with a rate and a decay of its own for biases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.optimizers.columns import columns


@dataclass(frozen=True)
class MatConvNetSGD:
    """Momentum and weight decay, where biases learn faster and do not decay.

        v <- momentum v + g + decay theta
        theta <- theta - factor lr v
        weights: decay = weight_decay, factor = 1;   all others: decay = 0, factor = bias_factor

    The convention of MatConvNet (Vedaldi and Lenc 2015, arXiv:1412.4564; `cnn_train`, whose layers
    have `learningRate` [1 2] and `weightDecay` [1 0]) and of Caffe before it. It equals
    `torch.optim.SGD` with two groups of parameters.

    Args:
        momentum: fraction of the buffer that is kept.
        weight_decay: pull of weights to the origin.
        bias_factor: of the rate, for what is no weight.
    """

    momentum: float = 0.5
    weight_decay: float = 1e-4
    bias_factor: float = 2.0
    elementwise: ClassVar[bool] = False  # it has to know what is a bias

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum={self.momentum}: expected 0 <= momentum < 1")
        for name in ("weight_decay", "bias_factor"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make the momentum buffer (K, P)."""
        return {"momentum": torch.zeros_like(theta)}

    def update(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> None:
        """Move `theta` (K, P) downhill in place."""
        v, rate = state["momentum"].mul_(self.momentum).add_(gradient), lr.to(theta.dtype)
        for slot, own in columns(slots):
            if slot.role == "weight":
                v[:, own].add_(theta[:, own], alpha=self.weight_decay)
                theta[:, own].addcmul_(v[:, own], rate, value=-1)
            else:
                theta[:, own].addcmul_(v[:, own], rate, value=-self.bias_factor)
