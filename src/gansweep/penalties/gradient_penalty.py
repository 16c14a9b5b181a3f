"""Base class of the gradient penalties."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class GradientPenalty:
    """Gradient penalty with a weight; subclasses define `points` and `score`.

        P(D) = weight * E[ score(dD/dx (x_hat), D(x_hat)) ],   x_hat = points(real, fake, u)

    `not_negative` names the settings that must be finite and at least 0.

    Args:
        weight: factor of the score.
    """

    weight: float = 10.0
    noise: ClassVar[Literal["sample", "entry"]] = "sample"
    needs_logits: ClassVar[bool] = False
    not_negative: ClassVar[tuple[str, ...]] = ("weight",)

    def __post_init__(self) -> None:
        for name in self.not_negative:
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")


def interpolated(real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
    """Return u real + (1 - u) fake, (K, B, ...), for u ~ U[0, 1], (K, B, 1, ...)."""
    return torch.lerp(fake, real, u)
