"""Lion optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import check_not_negative, checked_betas


@dataclass(frozen=True)
class Lion:
    """Lion: step of size lr in the sign of an interpolation between momentum and gradient.

        theta <- theta - lr (sign(beta1 m + (1 - beta1) g) + weight_decay theta)
        m <- beta2 m + (1 - beta2) g

    Chen et al. 2023, arXiv:2302.06675, algorithm 2. Every entry changes by lr in every step, so the
    learning rate should be 3 to 10 times smaller than Adam's and the weight decay larger by the same
    factor (section 5).

    Args:
        betas: beta1, weight of m in the update direction; beta2, decay rate of m.
        weight_decay: decoupled weight decay, multiplied by the learning rate.
    """

    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked_betas(self.betas))
        check_not_negative(self, "weight_decay")

    @property
    def memory(self) -> float:
        """Return beta1, the weight of m in the update direction."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial momentum, zeros (K, P)."""
        return {"m": torch.zeros_like(theta)}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        lr, beta1, beta2 = context.lr, context.scheduled(self.betas[0]), self.betas[1]
        c = state["m"].lerp(grad, 1 - beta1).sign_()
        state["m"].lerp_(grad, 1 - beta2)
        if self.weight_decay:
            theta.mul_((1 - self.weight_decay * lr).to(theta.dtype))
        theta.addcmul_(c, lr.to(theta.dtype), value=-1)
