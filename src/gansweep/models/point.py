"""Generator of a single learned point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers import Network, Pass
from gansweep.layers.layer import Parameterless

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder


@dataclass(frozen=True)
class Point:
    """Generator whose output is a learned point, for algorithm=quadratic.

        G(z) = theta

    z is ignored. All samples of a batch are equal, which is not reported as mode collapse.

    Args:
        start: initial value of theta.
    """

    start: tuple[float, ...] = (1.0, 1.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", tuple(self.start))
        if not self.start or not all(math.isfinite(value) for value in self.start):
            raise ValueError(f"start={list(self.start)}: expected finite numbers, one for each coordinate")

    @property
    def latent_dim(self) -> int:
        """Dimension of z, 1; z is ignored."""
        return 1

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the generator: z (K, B, 1) -> theta (K, B, D)."""
        if tuple(sample_shape) != (len(self.start),):
            raise ValueError(
                f"start={list(self.start)}: samples are {tuple(sample_shape)}, expected a number for each coordinate"
            )
        return Network([Theta(self.start)], Start(self.start))

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Raise ValueError: this model has no discriminator."""
        raise ValueError("point has no discriminator; it is for algorithm=quadratic")


class Theta(Parameterless):
    """Layer that returns its parameters (D,) for every input."""

    ignores_input = True

    def __init__(self, start: Sequence[float]) -> None:
        self.slots = (Slot("theta", (len(start),)),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return theta (K, B, D) for x (K, B, ...)."""
        return params[0][:, None].expand(-1, x.shape[1], -1)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx, which is zero: the output does not depend on x."""
        return torch.zeros_like(x)

    def plain(self, x: Any, build: Builder) -> Any:
        """Add the parameters and their expansion to the batch."""
        return build.parameter(self.slots[0])[None].expand(x.shape[0], -1)


@dataclass(frozen=True)
class Start:
    """Initialisation with given values (D,)."""

    values: tuple[float, ...]

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Return the values, independently of the seed."""
        return torch.tensor(self.values, device=generator.device)
