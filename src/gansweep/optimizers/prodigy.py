"""Prodigy optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import RunLength, Slot, UpdateContext
from gansweep.layers.layer import row_sum
from gansweep.optimizers.adam import Adam

MIN_PLAUSIBLE_LR = 0.01  # a base lr below this was probably chosen for another optimizer


@dataclass(frozen=True)
class Prodigy:
    """Prodigy: Adam with a step size d that is estimated during training and never decreases.

        m <- beta1 m + (1 - beta1) d g,   v <- beta2 v + (1 - beta2) d^2 g^2
        r <- sqrt(beta2) r + (1 - sqrt(beta2)) lr d^2 <g, theta_0 - theta>
        s <- sqrt(beta2) s + (1 - sqrt(beta2)) lr d^2 g
        theta <- theta - lr d m / (sqrt(v) + d eps)
        d <- max(d, r / |s|_1)

    Mishchenko and Defazio 2023, arXiv:2306.06101, algorithm 4. d estimates the distance to the
    solution; each member has its own d, computed from all its parameters. The learning rate multiplies
    d: the paper uses `lr=1` with any schedule, and a value such as 1e-4 makes the updates far too small.

    Args:
        betas: decay rates of m and v; r and s decay with sqrt(beta2).
        eps: added to the square root of v, in units of d.
        weight_decay: decoupled weight decay, multiplied by lr d.
        d0: initial d; should be far below any useful learning rate.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    d0: float = 1e-6
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checked = Adam(self.betas, self.eps, self.weight_decay)
        object.__setattr__(self, "betas", checked.betas)
        if not 0 < self.d0 < math.inf:
            raise ValueError(f"d0={self.d0}: expected a number above 0")

    def without_effect(self, length: RunLength) -> list[str]:
        """Return a warning if the base learning rate, which multiplies d, is below `MIN_PLAUSIBLE_LR`."""
        warning = f"lr={length.lr:g}: multiplies the step size that Prodigy estimates; the paper uses lr=1"
        return [warning] * (length.lr < MIN_PLAUSIBLE_LR)

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial m, v, s and theta_0 (K, P), and r and d (K, 1)."""
        rows = {name: torch.zeros_like(theta) for name in ("m", "v", "s")}
        zeros = theta.new_zeros(len(theta), 1)
        return rows | {"start": theta.clone(), "r": zeros, "d": zeros + self.d0}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        beta1, beta2 = self.betas
        beta3 = math.sqrt(beta2)
        rate, d = context.lr.to(theta.dtype), state["d"]
        if context.beta is None:
            m = state["m"].mul_(beta1).addcmul_(grad, d, value=1 - beta1)
        else:
            m = state["m"].mul_(context.beta.now).addcmul_(grad, d * (1 - context.beta.now))
        scaled = grad * d
        v = state["v"].mul_(beta2).addcmul_(scaled, scaled, value=1 - beta2)
        # r and s are divided by d0^2, which cancels in r / |s|_1. In the paper's units they are tiny.
        weight = (1 - beta3) * rate * (d / self.d0) ** 2
        r = state["r"].mul_(beta3).add_(weight * row_sum(grad * (state["start"] - theta)))
        s = state["s"].mul_(beta3).addcmul_(grad, weight)
        if self.weight_decay:
            theta.mul_(1 - self.weight_decay * rate * d)
        theta.addcdiv_(m * (rate * d), v.sqrt().add_(d * self.eps), value=-1)
        torch.maximum(d, r / row_sum(s.abs()).clamp(min=torch.finfo(s.dtype).tiny), out=d)
