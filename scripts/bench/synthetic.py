"""Synthetic data set of any shape, for benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Synthetic:
    """Uniform random samples in [-1, 1]; their content does not affect the speed.

    Args:
        shape: of one sample.
    """

    shape: tuple[int, ...] = (1, 28, 28)
    name: str = "synthetic"

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.shape

    @property
    def content_hash(self) -> str:
        """Hash of the content."""
        return f"synthetic-{self.shape}"

    @cached_property
    def samples(self) -> Tensor:
        """All samples, float32 (N, ...)."""
        return torch.rand(4096, *self.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def check(self) -> None:
        """Accept any shape."""
