"""What stands for the loss where an algorithm has its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True)
class NoGame:
    """There are no two players, and nobody asks what they want."""

    relativistic: ClassVar[bool] = False

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Refuse."""
        raise NotImplementedError("there is no discriminator")

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Refuse."""
        raise NotImplementedError("the algorithm has a loss of its own")
