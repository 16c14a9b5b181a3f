"""Images as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor


@dataclass(frozen=True)
class Clean:
    """y = x. What a denoiser does to images that need nothing is part of its score."""

    law: ClassVar[Literal["uniform", "normal"] | None] = None

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Ask for no numbers."""
        return ()

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return images (..., C, H, W)."""
        return images
