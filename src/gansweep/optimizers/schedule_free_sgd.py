"""Schedule-Free SGD optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext


@dataclass(frozen=True)
class ScheduleFreeSGD:
    """Schedule-Free SGD: descent on z, evaluation at its running average x, gradients at a point y between.

        z <- z - lr (g(y) + weight_decay y)
        x <- (1 - c) x + c z,   c = lr^2 / (sum of all lr^2 so far)
        y <- (1 - beta) z + beta x

    Defazio et al. 2024, arXiv:2405.15682, section 2, with the weights c of its algorithm 1, which
    equal 1 / t at a constant learning rate. The trained parameters are y; `Pack.generate` uses x.
    It is intended for `schedule=constant` or a warm-up. With a decreasing learning rate the authors'
    package uses the largest learning rate so far in c; the paper and this class use the current one.
    The weight clipping of `loss=wgan` applies to y only, not to z and x.

    Args:
        beta: interpolation weight of y: 0 at z (Polyak averaging), close to 1 near the average x.
        weight_decay: weight decay, evaluated at y.
    """

    beta: float = 0.9
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise ValueError(f"beta={self.beta}: expected 0 <= beta < 1")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay={self.weight_decay}: expected a number >= 0")

    @property
    def memory(self) -> float:
        """Return beta, the interpolation weight of y between z and x."""
        return self.beta

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial z and x, copies of y (K, P), and the sum of squared learning rates (K,)."""
        return {"z": theta.clone(), "x": theta.clone(), "weight_sum": theta.new_zeros(len(theta))}

    def evaluated(self, theta: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Return the average x (K, P)."""
        return state["x"]

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        g = grad.add(theta, alpha=self.weight_decay) if self.weight_decay else grad
        rate = context.lr.to(theta.dtype)
        z = state["z"].addcmul_(g, rate, value=-1)
        average(theta, z, state["x"], state["weight_sum"], rate, context.scheduled(self.beta))


def average(y: Tensor, z: Tensor, x: Tensor, weight_sum: Tensor, rate: Tensor, beta: float | Tensor) -> None:
    """Update the average x (K, P) with z, weighted by the squared `rate` (K, 1), and y in place."""
    weight = rate[:, 0].square()
    # The clamp avoids 0 / 0 while all learning rates so far are 0.
    c = weight / weight_sum.add_(weight).clamp(min=torch.finfo(y.dtype).tiny)
    x.lerp_(z, c[:, None])
    y.copy_(z.lerp(x, beta))
