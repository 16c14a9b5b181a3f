"""Dirac-GAN: one parameter per network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers import Network, Pass
from gansweep.layers.layer import Parameterless
from gansweep.models.point import Start, Theta

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder


@dataclass(frozen=True)
class Dirac:
    """Dirac-GAN: a GAN with one parameter per network, whose convergence can be computed analytically.

        G(z) = theta,   D(x) = psi x

    Mescheder et al. 2018, arXiv:1801.04406, definition 2.1. With all data at 0, the only equilibrium
    is (0, 0). There are no biases, and z is ignored. All samples of a batch are equal, which is not
    reported as mode collapse.

    Here D is high on real samples; in the paper it is high on generated samples. psi therefore has the
    opposite sign: the figures of the paper start at (1, 1), which is theta=1, psi=-1 here.

    Args:
        theta: initial value of the generator's parameter.
        psi: initial value of the discriminator's parameter.
    """

    theta: float = 1.0
    psi: float = 1.0

    def __post_init__(self) -> None:
        for name in ("theta", "psi"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name}={getattr(self, name)}: expected a finite number")

    @property
    def latent_dim(self) -> int:
        """Dimension of z, 1; z is ignored."""
        return 1

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the generator: z (K, B, 1) -> theta (K, B, 1)."""
        _check(sample_shape)
        return Network([Theta((self.theta,))], Start((self.theta,)))

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the discriminator: x (K, B, 1) -> psi x (K, B, 1)."""
        _check(sample_shape)
        return Network([_Line()], Start((self.psi,)))


class _Line(Parameterless):
    slots = (Slot("psi", (1,)),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        return params[0][:, None] * x

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        return params[0][:, None] * grad_output

    def plain(self, x: Any, build: Builder) -> Any:
        return build.parameter(self.slots[0]) * x


def _check(sample_shape: tuple[int, ...]) -> None:
    if tuple(sample_shape) != (1,):
        raise ValueError(
            f"dirac makes single numbers (1,), as data=point_mass; samples of the data have shape {sample_shape}"
        )
