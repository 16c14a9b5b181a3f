"""Swiss roll: a spiral in the plane."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points, check_not_negative, polar


@dataclass(frozen=True)
class SwissRoll(Points):
    """Swiss roll: a noisy spiral of one and a half turns whose outer end is at `radius`.

        x = radius (t / t_max) (cos t, sin t) + std n,   t ~ U[t_max / 3, t_max],   t_max = 9 pi / 2

    Marsland 2014, "Machine Learning: An Algorithmic Perspective", as in scikit-learn's
    `make_swiss_roll`, without the third axis. Gulrajani et al. 2017 plot critics on it (figure 1).

    Args:
        num_samples: number of points N.
        seed: seed of the points.
        radius: radius of the outer end.
        std: standard deviation of the noise in each direction.
    """

    radius: float = 2.0
    std: float = 0.02
    name: ClassVar[str] = "swiss_roll"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(radius=self.radius, std=self.std)

    def draw(self, generator: torch.Generator) -> Tensor:
        """Return the points, float32 (N, 2)."""
        end = 4.5 * math.pi
        t = torch.empty(self.num_samples).uniform_(end / 3, end, generator=generator)
        return polar(self.radius * t / end, t) + self.std * torch.randn(self.num_samples, 2, generator=generator)
