"""ADOPT optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import Adam


@dataclass(frozen=True)
class ADOPT:
    """ADOPT: Adam with the second moment of earlier gradients only, which converges for every beta2.

        t = 1:  v <- g^2, without an update
        t > 1:  m <- beta1 m + (1 - beta1) clip(g / max(sqrt(v), eps), -c, c),   c = (t - 1)^(1/4)
                theta <- theta - lr m
                v <- beta2 v + (1 - beta2) g^2

    Taniguchi et al. 2024, arXiv:2411.02853, algorithm 2, with the clipping of the authors' code.

    Args:
        betas: decay rates of m and v.
        eps: smallest divisor.
        weight_decay: L2 penalty, added to the gradient; from the second step on if decoupled.
        decoupled: multiply the parameters by 1 - lr weight_decay instead (AdamW).
        clip: clip the normalised gradient.
    """

    betas: tuple[float, float] = (0.9, 0.9999)
    eps: float = 1e-6
    weight_decay: float = 0.0
    decoupled: bool = False
    clip: bool = True
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checked = Adam(self.betas, self.eps, self.weight_decay)
        object.__setattr__(self, "betas", checked.betas)

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial moments m and v, zeros (K, P)."""
        return {name: torch.zeros_like(theta) for name in ("m", "v")}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        lr, beta1, beta2 = context.lr.to(theta.dtype), context.scheduled(self.betas[0]), self.betas[1]
        m, v, first = state["m"], state["v"], context.step == 1
        g = grad if self.decoupled or not self.weight_decay else grad.add(theta, alpha=self.weight_decay)
        normalised = g / v.sqrt().clamp(min=self.eps)
        if self.clip:
            c = (context.step - 1).clamp(min=0).sqrt().sqrt().to(theta.dtype)
            normalised = normalised.clamp(-c, c)
        m.copy_(torch.where(first, m, m.lerp(normalised, 1 - beta1)))
        rate = torch.where(first, 0.0, lr)
        if self.decoupled and self.weight_decay:
            theta.mul_(1 - self.weight_decay * rate)
        theta.addcmul_(m, rate, value=-1)
        square = g * g
        v.copy_(torch.where(first, square, v.lerp(square, 1 - beta2)))
