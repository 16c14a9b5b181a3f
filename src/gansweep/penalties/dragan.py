"""A slope to aim at around the real samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from gansweep.layers.per_member import per_member
from gansweep.penalties.length import length


@dataclass(frozen=True)
class DRAGAN:
    """Hold the discriminator's slope near `target` in the neighbourhood of real samples.

        P(D) = weight * E[(|| dD/dx (x_hat) ||_2 - target)^2]
        x_hat = x_real + spread * std * u,   u ~ U[0, 1] drawn for every entry of a sample
        std = standard deviation of all numbers of the member's real batch

    Kodali et al. 2017, arXiv:1705.07215, the penalty of DRAGAN, with the noise of its published
    code: the paper has x + delta with a Gaussian delta, the code this uniform one, which is never
    negative. The code then takes a random point of the line from x to x + delta, as WGAN-GP does, so
    that its points lie half as far out on average; here they are x + delta, as in the paper.

    Args:
        weight: the paper's lambda, 10.
        target: the paper's k, 1: slope to aim at, in logits per unit of pixel value.
        spread: reach of the perturbation in standard deviations, 0.5 in the code.
    """

    weight: float = 10.0
    target: float = 1.0
    spread: float = 0.5
    noise: ClassVar[Literal["sample", "entry"]] = "entry"
    needs_logits: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("weight", "target", "spread"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Choose x_hat (K, B, ...) beside the real samples."""
        std = _mean((real - _mean(real)).square()).sqrt()
        return real + self.spread * std * u

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Price slopes (K, B, ...) -> (K, B)."""
        return (length(slope) - self.target).square()


def _mean(x: Tensor) -> Tensor:
    """Average all numbers of a member, (K, B, ...) -> (K, 1, ...).

    Sample by sample first: one sum over all of a lone member would be split over threads, and
    round differently from the same sum in company.
    """
    return per_member(x.flatten(2).mean(2).mean(1), x)
