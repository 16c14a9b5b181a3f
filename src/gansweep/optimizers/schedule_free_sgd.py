"""Gradient descent that needs no schedule, because its iterates are averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Beta, Slot


@dataclass(frozen=True)
class ScheduleFreeSGD:
    """Descend with z, judge its average x, and take gradients at a point y between the two.

        z <- z - lr (g(y) + weight_decay y)
        x <- (1 - c) x + c z,   c = lr^2 / (sum of all lr^2 so far)
        y <- (1 - beta) z + beta x

    Defazio et al. 2024, arXiv:2405.15682, section 2, with the weights of its algorithm 1, which
    at a constant rate are 1 / t. The parameters that train are y; x is what `Pack.generate` draws
    from. It is meant for `schedule=constant` or a warm-up: under a falling rate the authors' package
    takes the largest rate so far for lr in c, where the paper and this class take the current one.
    The clipping of `loss=wgan` bounds y where gradients are taken, and leaves z and x as they are.

    Args:
        beta: where gradients are taken: 0 at z (Polyak averaging), towards 1 at the average.
        weight_decay: pull of y to the origin.
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
        """Return beta, the place of y between z and x."""
        return self.beta

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make z and x (K, P), which start where y does, and the sum of squared rates (K,)."""
        return {"z": theta.clone(), "x": theta.clone(), "weight_sum": theta.new_zeros(len(theta))}

    def evaluated(self, theta: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Return the average x (K, P)."""
        return state["x"]

    def update(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        lr: Tensor,
        step: Tensor,
        beta: Beta | None = None,
    ) -> None:
        """Move `theta` (K, P) downhill in place."""
        g = gradient.add(theta, alpha=self.weight_decay) if self.weight_decay else gradient
        rate = lr.to(theta.dtype)
        z = state["z"].addcmul_(g, rate, value=-1)
        average(theta, z, state["x"], state["weight_sum"], rate, self.beta if beta is None else beta.now)


def average(y: Tensor, z: Tensor, x: Tensor, weight_sum: Tensor, rate: Tensor, beta: float | Tensor) -> None:
    """Move x (K, P) towards z by the weight of this step's rate (K, 1), and put y between them."""
    weight = rate[:, 0].square()
    # A rate of 0 weighs nothing; before any other, that would be 0 / 0.
    c = weight / weight_sum.add_(weight).clamp(min=torch.finfo(y.dtype).tiny)
    x.lerp_(z, c[:, None])
    y.copy_(z.lerp(x, beta))
