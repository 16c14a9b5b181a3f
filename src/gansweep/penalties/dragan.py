"""DRAGAN gradient penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from gansweep.layers.layer import per_member
from gansweep.penalties.gradient_penalty import GradientPenalty
from gansweep.penalties.length import length


@dataclass(frozen=True)
class DRAGAN(GradientPenalty):
    """DRAGAN: gradient penalty at randomly perturbed real samples.

        P(D) = weight * E[(|| dD/dx (x_hat) ||_2 - target)^2]
        x_hat = x_real + spread * std * u,   u ~ U[0, 1] drawn for every entry of a sample
        std = standard deviation of all entries of the member's real batch

    Kodali et al. 2017, arXiv:1705.07215. The norm is taken over all D numbers of a sample. The paper
    uses x_hat = x + delta with Gaussian delta; its published code draws the uniform, non-negative
    delta used here. The code then interpolates between x and x + delta with a random factor, as
    WGAN-GP does, which halves the mean perturbation; here x_hat = x + delta, as in the paper.

    Args:
        weight: the paper's lambda, 10.
        target: target gradient norm, the paper's k = 1; in logits per unit of pixel value.
        spread: largest perturbation, in standard deviations; 0.5 in the published code.
    """

    target: float = 1.0
    spread: float = 0.5
    noise: ClassVar[Literal["sample", "entry"]] = "entry"
    not_negative: ClassVar[tuple[str, ...]] = ("weight", "target", "spread")

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat (K, B, ...), the perturbed real samples."""
        std = _mean((real - _mean(real)).square()).sqrt()
        return real + self.spread * std * u

    def score(self, grad: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return the unweighted penalty (K, B) for input gradients `grad` (K, B, ...)."""
        return (length(grad) - self.target).square()


def _mean(x: Tensor) -> Tensor:
    """Return the mean over all entries of a member, (K, B, ...) -> (K, 1, ...).

    The mean is taken per sample first. With K = 1, a single sum over all entries would be split over
    threads and would round differently than with K > 1.
    """
    return per_member(x.flatten(2).mean(2).mean(1), x)
