"""Base class of two-dimensional toy data sets, drawn once from their own seed."""

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

MAX_SAMPLES = 10**8  # maximum number of points; they take 800 MB


@dataclass(frozen=True)
class Points(ABC):
    """Finite sample from a distribution in the plane, the same in all sweeps.

    Args:
        num_samples: number of points N.
        seed: seed of the points, independent of the seeds of the members.
    """

    num_samples: int = 10_000
    seed: int = 0
    name: ClassVar[str]
    sample_shape: ClassVar[tuple[int, ...]] = (2,)

    def __post_init__(self) -> None:
        if not 1 <= self.num_samples <= MAX_SAMPLES:
            raise ValueError(f"num_samples={self.num_samples}: expected 1 to {MAX_SAMPLES}")
        if self.seed < 0:
            raise ValueError(f"seed={self.seed}: expected a whole number, 0 or above")

    @abstractmethod
    def draw(self, generator: torch.Generator) -> Tensor:
        """Return the points, float32 (N, 2)."""

    def check(self) -> None:
        """Raise ValueError if the points do not fit in memory; no files are read."""
        if "samples" not in vars(self):
            require_memory("num_samples", self.num_samples, f"the points of {self.name}", 4 * self.sample_shape[0])

    @cached_property
    def samples(self) -> Tensor:
        """All points, float32 (N, 2)."""
        return self.draw(Streams(self.seed)[f"data/{self.name}"])

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the points."""
        return hashlib.sha256(self.samples.numpy().tobytes()).hexdigest()


def polar(radius: Tensor, angle: Tensor) -> Tensor:
    """Return the points (N, 2) with the given radius and angle (N,)."""
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


def check_not_negative(**numbers: float) -> None:
    """Raise ValueError unless all numbers are finite and not negative."""
    for name, value in numbers.items():
        if not (0 <= value < math.inf):
            raise ValueError(f"{name}={value}: expected a finite number, 0 or more")
