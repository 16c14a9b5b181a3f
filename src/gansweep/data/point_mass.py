"""Point mass: data that are all equal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points


@dataclass(frozen=True)
class PointMass(Points):
    """Point mass: all samples are the same number, as in the Dirac-GAN.

        x = value

    Mescheder et al. 2018, arXiv:1801.04406, definition 2.1.

    Args:
        num_samples: number of samples N.
        seed: has no effect here.
        value: value of all samples.
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
        """Return the samples, float32 (N, 1)."""
        return torch.full((self.num_samples, 1), self.value)
