"""What all sets of points have in common: drawn once from a seed of their own."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.memory import require_memory
from gansweep.seeding import Streams

MOST_SAMPLES = 10**8  # 800 MB


@dataclass(frozen=True)
class Points(ABC):
    """Points in the plane, drawn once: every member of every sweep learns from the same ones.

    Args:
        num_samples: N.
        seed: of the points, whatever the seeds of the members.
    """

    num_samples: int = 10_000
    seed: int = 0
    name: ClassVar[str]
    sample_shape: ClassVar[tuple[int, ...]] = (2,)

    def __post_init__(self) -> None:
        if not 1 <= self.num_samples <= MOST_SAMPLES:
            raise ValueError(f"num_samples={self.num_samples}: expected 1 to {MOST_SAMPLES}")
        if self.seed < 0:
            raise ValueError(f"seed={self.seed}: expected a whole number, 0 or above")

    @abstractmethod
    def draw(self, generator: torch.Generator) -> Tensor:
        """Draw float32 (N, 2)."""

    def check(self) -> None:
        """Raise ValueError if they do not fit in memory; there is nothing to read."""
        if "samples" not in vars(self):
            require_memory("num_samples", self.num_samples, f"the points of {self.name}", 4 * self.sample_shape[0])

    @cached_property
    def samples(self) -> Tensor:
        """All points, float32 (N, 2)."""
        return self.draw(Streams(self.seed)[f"data/{self.name}"])

    @cached_property
    def content_hash(self) -> str:
        """Hash of the points themselves."""
        return hashlib.sha256(self.samples.numpy().tobytes()).hexdigest()


def polar(radius: Tensor, angle: Tensor) -> Tensor:
    """Turn radius and angle (N,) into points (N, 2)."""
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


def check_not_negative(**numbers: float) -> None:
    """Raise ValueError unless all are finite numbers, 0 or more."""
    for name, value in numbers.items():
        if not (0 <= value < math.inf):
            raise ValueError(f"{name}={value}: expected a finite number, 0 or more")
