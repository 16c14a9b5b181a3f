"""Isotropic Gaussian in the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points, check_not_negative


@dataclass(frozen=True)
class Gaussian(Points):
    """Isotropic Gaussian in the plane, centred at the origin.

        x ~ N(0, std^2 I)

    Mescheder et al. 2018, arXiv:1801.04406, section 6.1; the paper does not give the standard
    deviation.

    Args:
        num_samples: number of points N.
        seed: seed of the points.
        std: standard deviation of each coordinate.
    """

    std: float = 1.0
    name: ClassVar[str] = "gaussian"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(std=self.std)

    def draw(self, generator: torch.Generator) -> Tensor:
        """Return the points, float32 (N, 2)."""
        return self.std * torch.randn(self.num_samples, 2, generator=generator)
