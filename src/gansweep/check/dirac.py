"""The smallest GAN: two numbers, which are wherever one wants them to be."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers import Network, Pass
from gansweep.layers.layer import Parameterless


class _Point(Parameterless):
    slots = (Slot("theta", (1,)),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        return params[0][:, None].expand(-1, x.shape[1], -1)


class _Line(Parameterless):
    slots = (Slot("psi", (1,)),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        return params[0][:, None] * x

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        return params[0][:, None] * slope


class Dirac:
    """G(z) = theta, D(x) = psi x, for samples (1,); with all data at 0 they rest at (0, 0).

    Mescheder et al. 2018, arXiv:1801.04406, definition 2.1.
    """

    @property
    def latent_dim(self) -> int:
        """One number that is not looked at."""
        return 1

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build z (K, B, 1) -> theta (K, B, 1)."""
        return Network([_Point()], _one)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build x (K, B, 1) -> psi x (K, B, 1)."""
        return Network([_Line()], _one)


def _one(slot: Slot, generator: torch.Generator) -> Tensor:
    return torch.ones(slot.shape)
