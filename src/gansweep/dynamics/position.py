"""Where a game stands, and what can be asked of it there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gansweep.layers.row_sum import row_sum


@dataclass(frozen=True)
class Both:
    """A vector of both players' parameters, x = (theta, psi), for every member.

    Args:
        generator: tensors (K, P_i), the stretches of theta.
        discriminator: the same of psi.
    """

    generator: tuple[Tensor, ...]
    discriminator: tuple[Tensor, ...]

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """All stretches, the generator's first."""
        return (*self.generator, *self.discriminator)

    @property
    def num_parameters(self) -> int:
        """P of both players."""
        return sum(part.shape[1] for part in self.parts)

    def like(self, parts: Sequence[Tensor]) -> Both:
        """Make a vector of other stretches."""
        return Both(tuple(parts[: len(self.generator)]), tuple(parts[len(self.generator) :]))

    def map(self, function: Callable[..., Tensor], *others: Both) -> Both:
        """Apply a function to every stretch."""
        return self.like([function(*parts) for parts in zip(self.parts, *(o.parts for o in others), strict=True)])

    def __add__(self, other: Both) -> Both:
        return self.map(torch.add, other)

    def __sub__(self, other: Both) -> Both:
        return self.map(torch.sub, other)

    def __mul__(self, factor: float | Tensor | Both) -> Both:
        """Multiply by a number, by one for each member (K, 1), or by one for each player's (K, 1)."""
        if isinstance(factor, Both):
            return self.like(
                [part * factor.generator[0] for part in self.generator]
                + [part * factor.discriminator[0] for part in self.discriminator]
            )
        return self.map(lambda part: part * factor)

    def dot(self, other: Both) -> Tensor:
        """Return the inner product of every member, (K, 1)."""
        # whole rows: where stretches are cut depends on the neighbours' optimizers
        return row_sum(torch.cat([a * b for a, b in zip(self.parts, other.parts, strict=True)], 1))

    def detach(self) -> Both:
        """Return the numbers without their graph."""
        return self.map(Tensor.detach)


class Position(Protocol):
    """K members' game at a point, on one batch of real samples, latents and masks.

    v = (grad_theta L_G, grad_psi L_D) is the gradient of each player's own loss, J = dv/dx.
    """

    @property
    def rates(self) -> Both:
        """Both players' learning rates, (K, 1) each."""
        ...

    def here(self) -> Both:
        """Return a copy of where the players are."""
        ...

    def go_to(self, at: Both) -> None:
        """Put the players there; their optimizers' states stay as they are."""
        ...

    def losses(self, at: Both) -> tuple[Tensor, Tensor]:
        """Return L_G and L_D at any point, each summed over the members, differentiable by both players."""
        ...

    def field(self, *, create_graph: bool = False) -> Both:
        """Return v where the players are."""
        ...

    def vjp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J^T u of a field with a graph; `mixed`: of the blocks between the players alone."""
        ...

    def jvp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J u, likewise."""
        ...

    def descend(self, gradient: Both) -> None:
        """Let each player's optimizer step, taking this for its gradient."""
        ...
