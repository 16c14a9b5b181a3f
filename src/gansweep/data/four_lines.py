"""Four separate lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points, check_not_negative


@dataclass(frozen=True)
class FourLines(Points):
    """The middle parts of a square's sides, equally likely: upright at x = +-distance, flat at y = +-distance.

        x = (s distance, u) or (u, s distance),   s = +-1,   u ~ U[-length / 2, length / 2]

    Mescheder et al. 2018, arXiv:1801.04406, section 6.1; the paper does not give the sizes.

    Args:
        num_samples: N.
        seed: of the points.
        distance: of every line from the origin.
        length: of every line.
    """

    distance: float = 1.0
    length: float = 1.0
    name: ClassVar[str] = "four_lines"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(distance=self.distance, length=self.length)

    def draw(self, generator: torch.Generator) -> Tensor:
        """Draw float32 (N, 2)."""
        which = torch.randint(4, (self.num_samples,), generator=generator)
        u = torch.empty(self.num_samples).uniform_(-self.length / 2, self.length / 2, generator=generator)
        upright = torch.stack([torch.where(which % 2 == 0, self.distance, -self.distance), u], 1)
        return torch.where(which[:, None] < 2, upright, upright.flip(1))
