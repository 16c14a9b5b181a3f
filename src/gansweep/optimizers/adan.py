"""Adan optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import check_not_negative, checked_betas


@dataclass(frozen=True)
class Adan:
    """Adan: adaptive Nesterov momentum, reformulated to need no gradient at an extrapolated point.

        d = g - g_previous,   0 in the first step
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) d
        n <- beta3 n + (1 - beta3) (g + beta2 d)^2
        theta <- (theta - lr (m_hat + beta2 v_hat) / (sqrt(n_hat) + eps)) / (1 + lr weight_decay)

    Xie et al. 2022, arXiv:2208.06677, algorithm 1. The paper's beta is 1 - beta here. Hats denote bias
    correction, division by 1 - beta^t; it is part of the authors' code but not of algorithm 1.

    Args:
        betas: decay rates of m, v and n.
        eps: added to the square root of n_hat.
        weight_decay: the paper's lambda, applied as a proximal step.
    """

    betas: tuple[float, float, float] = (0.98, 0.92, 0.99)
    eps: float = 1e-8
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked_betas(self.betas, 3))
        check_not_negative(self, "eps", "weight_decay")

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial moments m, v and n and the previous gradient, zeros (K, P)."""
        return {name: torch.zeros_like(theta) for name in ("m", "v", "n", "gradient")}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        lr, t, (beta1, beta2, beta3) = context.lr, context.step, self.betas
        beta1, product = context.beta or (beta1, beta1**t)
        d = torch.where(t > 1, grad - state["gradient"], 0.0)
        state["gradient"].copy_(grad)
        m = state["m"].lerp_(grad, 1 - beta1)
        v = state["v"].lerp_(d, 1 - beta2)
        nesterov = grad.add(d, alpha=beta2)
        n = state["n"].mul_(beta3).addcmul_(nesterov, nesterov, value=1 - beta3)
        m_factor = (lr / (1 - product)).to(theta.dtype)
        v_factor = (lr * beta2 / (1 - beta2**t)).to(theta.dtype)
        correction = (1 - beta3**t).rsqrt().to(theta.dtype)
        theta.addcdiv_((m * m_factor).addcmul_(v, v_factor), n.sqrt().mul_(correction).add_(self.eps), value=-1)
        if self.weight_decay:
            theta.div_((1 + self.weight_decay * lr).to(theta.dtype))
