"""Mixture of Gaussians on a circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points, check_not_negative, polar


@dataclass(frozen=True)
class Ring(Points):
    """Mixture of equally likely Gaussians on a circle, a test of mode collapse.

        x = radius (cos a, sin a) + std n,   a = 2 pi k / num_modes,   k uniform,   n ~ N(0, I)

    Metz et al. 2017, arXiv:1611.02163, section 3.1, in the sizes of Nagarajan and Kolter's code
    (2017, arXiv:1706.04156). One mode at radius 0 with std 1 is the Gaussian N(0, I).

    Args:
        num_samples: number of points N.
        seed: seed of the points.
        num_modes: number of Gaussians.
        radius: radius of the circle.
        std: standard deviation of each Gaussian in each direction.
    """

    num_modes: int = 8
    radius: float = 2.0
    std: float = 0.02
    name: ClassVar[str] = "ring"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_modes < 1:
            raise ValueError(f"num_modes={self.num_modes}: expected 1 or more")
        check_not_negative(radius=self.radius, std=self.std)

    @property
    def centres(self) -> Tensor:
        """Means of the Gaussians, float32 (num_modes, 2)."""
        return polar(torch.tensor(self.radius), 2 * math.pi * torch.arange(self.num_modes) / self.num_modes)

    def draw(self, generator: torch.Generator) -> Tensor:
        """Return the points, float32 (N, 2)."""
        mode = torch.randint(self.num_modes, (self.num_samples,), generator=generator)
        centres = polar(torch.tensor(self.radius), 2 * math.pi * mode / self.num_modes)
        return centres + self.std * torch.randn(self.num_samples, 2, generator=generator)
