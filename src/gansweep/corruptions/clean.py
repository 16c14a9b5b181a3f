"""No corruption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor


@dataclass(frozen=True)
class Clean:
    """Identity: y = x. The score of a denoiser includes its effect on clean images."""

    law: ClassVar[Literal["uniform", "normal"] | None] = None

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (), because no noise is used."""
        return ()

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the images (..., C, H, W) unchanged."""
        return images
