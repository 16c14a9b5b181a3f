"""Placeholder loss for algorithms that define their own loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True)
class NoGame:
    """Placeholder for algorithms without a discriminator; both losses raise NotImplementedError."""

    relativistic: ClassVar[bool] = False

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Raise NotImplementedError."""
        raise NotImplementedError("there is no discriminator")

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Raise NotImplementedError."""
        raise NotImplementedError("the algorithm defines its own loss")
