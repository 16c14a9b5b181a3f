"""Base class of the gradient penalties."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class GradientPenalty:
    """Gradient penalty with a weight; subclasses define `points` and `score`.

        P(D) = weight * E[ score(dD/dx (x_hat), D(x_hat)) ],   x_hat = points(real, fake, u)

    Lazy regularisation: with `every` = n > 1, update i of the discriminator, counted from 0, has the penalty

        n P(D) if i mod n = 0, else 0

    Karras et al. 2020 (StyleGAN2), arXiv:1912.04958, section 3.1 and appendix B; R1 with n = 16 there. The penalty is
    part of the same optimizer step as the loss, while StyleGAN2 makes a second step and adapts lr and betas of Adam.

    `not_negative` names the settings that must be finite and at least 0.

    Args:
        weight: factor of the score.
        every: updates of the discriminator between two evaluations of the penalty; its weight is multiplied by it.
    """

    weight: float = 10.0
    every: int = field(default=1, kw_only=True)
    noise: ClassVar[Literal["sample", "entry"]] = "sample"
    needs_logits: ClassVar[bool] = False
    not_negative: ClassVar[tuple[str, ...]] = ("weight",)

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"every={self.every}: expected a whole number >= 1")
        for name in self.not_negative:
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")


def interpolated(real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
    """Return u real + (1 - u) fake, (K, B, ...), for u ~ U[0, 1], (K, B, 1, ...)."""
    return torch.lerp(fake, real, u)
