"""AdEMAMix optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import check_not_negative, checked_betas


@dataclass(frozen=True)
class AdEMAMix:
    """AdEMAMix: AdamW with a second, much slower mean of the gradients.

        m1 <- beta1 m1 + (1 - beta1) g
        m2 <- beta3 m2 + (1 - beta3) g
        v <- beta2 v + (1 - beta2) g^2
        theta <- theta - lr ((m1_hat + alpha m2) / (sqrt(v_hat) + eps) + weight_decay theta)

    Pagliardini et al. 2024, arXiv:2409.03137, algorithm 1. m2 has no bias correction. With `warmup`, alpha grows
    linearly, alpha t / warmup, and beta3 grows from beta1 so that the half-life of m2 grows linearly (section 3,
    appendix A.1): ln beta3(t) = ln beta1 ln beta3 / ((1 - s) ln beta3 + s ln beta1) with s = t / warmup.

    Args:
        betas: decay rates of m1, v and m2.
        alpha: weight of m2.
        warmup: updates of this player until alpha and beta3 have their values; 0: from the first update on. The
            paper uses the length of the training.
        eps: added to the square root of v_hat.
        weight_decay: decoupled weight decay, multiplied by the learning rate.
    """

    betas: tuple[float, float, float] = (0.9, 0.999, 0.9999)
    alpha: float = 5.0
    warmup: int = 0
    eps: float = 1e-8
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked_betas(self.betas, 3))
        check_not_negative(self, "alpha", "warmup", "eps", "weight_decay")
        if self.warmup and not 0 < self.betas[0] <= self.betas[2]:
            raise ValueError(f"warmup={self.warmup}: needs 0 < beta1 <= beta3, not betas={list(self.betas)}")

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial means m1, m2 and v, zeros (K, P)."""
        return {name: torch.zeros_like(theta) for name in ("m1", "m2", "v")}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        lr, t, (beta1, beta2, _) = context.lr, context.step, self.betas
        alpha, keep = self._warmed_up(t)
        beta1, product = context.beta or (beta1, beta1**t)
        m1 = state["m1"].lerp_(grad, 1 - beta1)
        m2 = state["m2"].lerp_(grad, keep.to(theta.dtype))
        v = state["v"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        fast, slow = (lr / (1 - product)).to(theta.dtype), (lr * alpha).to(theta.dtype)
        correction = (1 - beta2**t).rsqrt().to(theta.dtype)
        if self.weight_decay:
            theta.mul_((1 - self.weight_decay * lr).to(theta.dtype))
        theta.addcdiv_((m1 * fast).addcmul_(m2, slow), v.sqrt().mul_(correction).add_(self.eps), value=-1)

    def _warmed_up(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return alpha and 1 - beta3 in step t, (K, 1) each."""
        beta1, _, beta3 = self.betas
        if not self.warmup:
            return torch.full_like(t, self.alpha), torch.full_like(t, 1 - beta3)
        s = (t / self.warmup).clamp(max=1.0)
        log1, log3 = math.log(beta1), math.log(beta3)
        return self.alpha * s, -torch.expm1(log1 * log3 / ((1 - s) * log3 + s * log1))
