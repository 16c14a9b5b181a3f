"""A step in units of the gradient's surprise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Beta, Slot
from gansweep.optimizers.betas import checked


@dataclass(frozen=True)
class AdaBelief:
    """Adam that divides by how far gradients are from their running mean, instead of from zero.

        m <- beta1 m + (1 - beta1) g
        s <- beta2 s + (1 - beta2) (g - m)^2 + eps
        theta <- theta - lr m_hat / (sqrt(s_hat) + eps),   hats as in Adam

    Zhuang et al. 2020, arXiv:2010.07468, algorithm 2. eps is added twice, and what is added to s
    stays in it, as in the paper's code; without the rectification that the code has as an option.

    Args:
        betas: memory of m and of s.
        eps: added to s and to its root. The paper's code has 1e-16, with which the root cannot
            fall below 1e-8; its experiments with WGAN have 1e-12.
        weight_decay: fraction that a parameter loses per step and unit of rate, as AdamW.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-16
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked(self.betas))
        for name in ("eps", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make the mean and the belief (K, P)."""
        return {name: torch.zeros_like(theta) for name in ("m", "s")}

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
        beta2 = self.betas[1]
        beta1, product = beta or (self.betas[0], self.betas[0] ** step)
        if self.weight_decay:
            theta.mul_((1 - self.weight_decay * lr).to(theta.dtype))
        m = state["m"].lerp_(gradient, 1 - beta1)
        surprise = gradient - m
        s = state["s"].mul_(beta2).addcmul_(surprise, surprise, value=1 - beta2).add_(self.eps)
        rate = (lr / (1 - product)).to(theta.dtype)
        correction = (1 - beta2**step).rsqrt().to(theta.dtype)
        theta.addcdiv_(m * rate, s.sqrt().mul_(correction).add_(self.eps), value=-1)
