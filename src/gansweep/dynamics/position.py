"""Interface between the game dynamics and the batched trainer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gansweep.layers.layer import row_sum


@dataclass(frozen=True)
class Both:
    """A vector of both players' parameters, x = (theta, psi), for every member.

    Args:
        generator: the chunks of theta, tensors (K, P_i).
        discriminator: the chunks of psi, tensors (K, P_i).
    """

    generator: tuple[Tensor, ...]
    discriminator: tuple[Tensor, ...]

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """All chunks, the generator's first."""
        return (*self.generator, *self.discriminator)

    @property
    def num_parameters(self) -> int:
        """Number of parameters of both players."""
        return sum(part.shape[1] for part in self.parts)

    def like(self, parts: Sequence[Tensor]) -> Both:
        """Return a vector with other chunks in the same order."""
        return Both(tuple(parts[: len(self.generator)]), tuple(parts[len(self.generator) :]))

    def map(self, function: Callable[..., Tensor], *others: Both) -> Both:
        """Apply a function to corresponding chunks and return the results as a vector."""
        return self.like([function(*parts) for parts in zip(self.parts, *(o.parts for o in others), strict=True)])

    def __add__(self, other: Both) -> Both:
        return self.map(torch.add, other)

    def __sub__(self, other: Both) -> Both:
        return self.map(torch.sub, other)

    def __mul__(self, factor: float | Tensor | Both) -> Both:
        """Multiply by a scalar, by a factor per member (K, 1), or by a factor per player and member."""
        if isinstance(factor, Both):
            return self.like(
                [part * factor.generator[0] for part in self.generator]
                + [part * factor.discriminator[0] for part in self.discriminator]
            )
        return self.map(lambda part: part * factor)

    def dot(self, other: Both) -> Tensor:
        """Return the inner product of every member, (K, 1)."""
        # Whole rows, because the chunk boundaries depend on the optimizers of the other members.
        return row_sum(torch.cat([a * b for a, b in zip(self.parts, other.parts, strict=True)], 1))

    def detach(self) -> Both:
        """Return a vector detached from the autograd graph."""
        return self.map(Tensor.detach)


class Position(Protocol):
    """The games of K members at their current parameters, on one batch of real samples, latents and masks.

    v = (grad_theta L_G, grad_psi L_D) is the gradient of each player's own loss, J = dv/dx.
    """

    @property
    def rates(self) -> Both:
        """Both players' learning rates, (K, 1) each."""
        ...

    @property
    def step(self) -> Tensor:
        """Number of this step of every member, (K, 1), counted from 1."""
        ...

    def recall(self, name: str) -> Both:
        """Return a copy of a vector that `remember` stored, one of `Dynamics.remembers`; zeros before."""
        ...

    def remember(self, name: str, vector: Both) -> None:
        """Store a vector until the next step; it is part of checkpoints."""
        ...

    def here(self) -> Both:
        """Return a copy of the current parameters."""
        ...

    def go_to(self, at: Both) -> None:
        """Set the parameters to `at`; the optimizers' states do not change."""
        ...

    def losses(self, at: Both) -> tuple[Tensor, Tensor]:
        """Return L_G and L_D at the point `at`, scalars summed over the members, differentiable in both players."""
        ...

    def field(self, *, create_graph: bool = False) -> Both:
        """Return v at the current parameters."""
        ...

    def vjp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J^T u for v from `field(create_graph=True)`; `mixed`: only the off-diagonal blocks of J."""
        ...

    def jvp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J u for v from `field(create_graph=True)`; `mixed`: only the off-diagonal blocks of J."""
        ...

    def descend(self, gradient: Both) -> None:
        """Apply one step of each player's optimizer with this gradient."""
        ...
