"""AdaBelief optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import check_not_negative, checked_betas


@dataclass(frozen=True)
class AdaBelief:
    """AdaBelief: Adam with the second moment of g - m (deviation from the running mean) instead of g.

        m <- beta1 m + (1 - beta1) g
        s <- beta2 s + (1 - beta2) (g - m)^2 + eps
        theta <- theta - lr m_hat / (sqrt(s_hat) + eps),   hats as in Adam

    Zhuang et al. 2020, arXiv:2010.07468, algorithm 2. As in the paper's code, eps is added twice and
    the eps added to s accumulates in it. The optional rectification of that code is not included.

    Args:
        betas: decay rates of m and s.
        eps: added to s and to its square root. The paper's code uses 1e-16, which keeps the square
            root above 1e-8; its WGAN experiments use 1e-12.
        weight_decay: decoupled weight decay, multiplied by the learning rate, as in `AdamW`.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-16
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked_betas(self.betas))
        check_not_negative(self, "eps", "weight_decay")

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial moments m and s, zeros (K, P)."""
        return {name: torch.zeros_like(theta) for name in ("m", "s")}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        lr, t, (beta1, beta2) = context.lr, context.step, self.betas
        beta1, product = context.beta or (beta1, beta1**t)
        if self.weight_decay:
            theta.mul_((1 - self.weight_decay * lr).to(theta.dtype))
        m = state["m"].lerp_(grad, 1 - beta1)
        deviation = grad - m
        s = state["s"].mul_(beta2).addcmul_(deviation, deviation, value=1 - beta2).add_(self.eps)
        rate = (lr / (1 - product)).to(theta.dtype)
        correction = (1 - beta2**t).rsqrt().to(theta.dtype)
        theta.addcdiv_(m * rate, s.sqrt().mul_(correction).add_(self.eps), value=-1)
