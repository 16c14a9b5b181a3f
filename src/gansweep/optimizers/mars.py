"""MARS optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.layers.layer import row_sum
from gansweep.optimizers.adam import check_not_negative, checked_betas
from gansweep.update_rule import columns


@dataclass(frozen=True)
class MARS:
    """MARS-AdamW: AdamW on gradients with variance reduction.

        c = g + gamma beta1 / (1 - beta1) (g - g_previous),   c = g in the first step
        c <- c / max(1, ||c||_2)                              separately for each parameter tensor
        m <- beta1 m + (1 - beta1) c
        v <- beta2 v + (1 - beta2) c^2
        theta <- theta - lr (m_hat / (sqrt(v_hat) + eps) + weight_decay theta)

    Yuan et al. 2024, arXiv:2411.10438, algorithm 2, in its approximate form (section 3.3): g_previous is the gradient
    of the previous step, on its own batch. The authors' code uses g_previous = 0 in the first step, and AdamW for
    biases.

    Args:
        betas: decay rates of m and v.
        gamma: weight of the correction; 0 gives AdamW on clipped gradients.
        eps: added to the square root of v_hat.
        weight_decay: decoupled weight decay, multiplied by the learning rate.
    """

    betas: tuple[float, float] = (0.95, 0.99)
    gamma: float = 0.025
    eps: float = 1e-8
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked_betas(self.betas))
        check_not_negative(self, "gamma", "eps", "weight_decay")

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial moments m and v and the previous gradient, zeros (K, P)."""
        return {name: torch.zeros_like(theta) for name in ("m", "v", "gradient")}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        lr, t, (beta1, beta2) = context.lr, context.step, self.betas
        beta1, product = context.beta or (beta1, beta1**t)
        c = grad + torch.where(t > 1, grad - state["gradient"], 0.0) * (self.gamma * beta1 / (1 - beta1))
        state["gradient"].copy_(grad)
        for _, span in columns(context.slots):
            c[:, span] /= row_sum(c[:, span].square()).sqrt().clamp(min=1.0)
        m = state["m"].lerp_(c, 1 - beta1)
        v = state["v"].mul_(beta2).addcmul_(c, c, value=1 - beta2)
        rate = (lr / (1 - product)).to(theta.dtype)
        correction = (1 - beta2**t).rsqrt().to(theta.dtype)
        if self.weight_decay:
            theta.mul_((1 - self.weight_decay * lr).to(theta.dtype))
        theta.addcdiv_(m * rate, v.sqrt().mul_(correction).add_(self.eps), value=-1)
