"""A single point, over and over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points


@dataclass(frozen=True)
class PointMass(Points):
    """One number for all samples, the data of the Dirac-GAN.

        x = value

    Mescheder et al. 2018, arXiv:1801.04406, definition 2.1.

    Args:
        num_samples: N.
        seed: without effect here.
        value: of all samples.
    """

    num_samples: int = 10_000
    value: float = 0.0
    name: ClassVar[str] = "point_mass"
    sample_shape: ClassVar[tuple[int, ...]] = (1,)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not math.isfinite(self.value):
            raise ValueError(f"value={self.value}: expected a finite number")

    def draw(self, generator: torch.Generator) -> Tensor:
        """Make float32 (N, 1)."""
        return torch.full((self.num_samples, 1), self.value)
