"""Differentiable augmentations of the discriminator's inputs, one per file, and their protocol."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Augmentation(Protocol):
    """Augmentation T of every input of the discriminator, real and generated, in the updates of both players.

        L_D: D(T(x)), D(T(G(z))),   L_G: D(T(G(z)))

    T is differentiable in the sample. Its random numbers are arguments, so that they come from the member's stream.
    """

    @property
    def num_draws(self) -> int:
        """Number of random variables u ~ U[0, 1) that a sample needs."""
        ...

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Raise ValueError if samples of this shape cannot be augmented."""
        ...

    def __call__(self, samples: Tensor, u: Tensor) -> Tensor:
        """Return the augmented samples (K, B, ...), given u (K, B, num_draws)."""
        ...
