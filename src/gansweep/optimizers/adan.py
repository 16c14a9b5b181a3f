"""Adam that also follows how the gradient changes."""

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
class Adan:
    """Nesterov momentum without a gradient at another point, in units of its running size.

        d = g - g_previous,   0 in the first step
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) d
        n <- beta3 n + (1 - beta3) (g + beta2 d)^2
        theta <- (theta - lr (m_hat + beta2 v_hat) / (sqrt(n_hat) + eps)) / (1 + lr weight_decay)

    Xie et al. 2022, arXiv:2208.06677, algorithm 1. The paper writes 1 - beta for our beta; the
    hats divide by 1 - beta^t, as the authors' code does and the paper's box leaves out.

    Args:
        betas: memory of m, v and n.
        eps: added to the root of n_hat.
        weight_decay: the paper's lambda, applied by a proximal step.
    """

    betas: tuple[float, float, float] = (0.98, 0.92, 0.99)
    eps: float = 1e-8
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked(self.betas, 3))
        for name in ("eps", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make the three means and the gradient before this one (K, P)."""
        return {name: torch.zeros_like(theta) for name in ("m", "v", "n", "gradient")}

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
        beta2, beta3 = self.betas[1:]
        beta1, product = beta or (self.betas[0], self.betas[0] ** step)
        d = torch.where(step > 1, gradient - state["gradient"], 0.0)
        state["gradient"].copy_(gradient)
        m = state["m"].lerp_(gradient, 1 - beta1)
        v = state["v"].lerp_(d, 1 - beta2)
        ahead = gradient.add(d, alpha=beta2)
        n = state["n"].mul_(beta3).addcmul_(ahead, ahead, value=1 - beta3)
        of_m = (lr / (1 - product)).to(theta.dtype)
        of_v = (lr * beta2 / (1 - beta2**step)).to(theta.dtype)
        correction = (1 - beta3**step).rsqrt().to(theta.dtype)
        theta.addcdiv_((m * of_m).addcmul_(v, of_v), n.sqrt().mul_(correction).add_(self.eps), value=-1)
        if self.weight_decay:
            theta.div_((1 + self.weight_decay * lr).to(theta.dtype))
