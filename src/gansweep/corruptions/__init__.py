"""Image corruptions, one per file, and their protocol."""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Corruption(Protocol):
    """Corruption of images.

    `law`: distribution of its random numbers, U[0, 1] or N(0, 1); None if it uses none.
    """

    law: ClassVar[Literal["uniform", "normal"] | None] = None

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the noise for one image (C, H, W); by default (), no noise."""
        return ()

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return corrupted images (..., C, H, W), given noise (..., *noise_shape)."""
        ...
