"""No corruption."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gansweep.corruptions import Corruption


@dataclass(frozen=True)
class Clean(Corruption):
    """Identity: y = x. The score of a denoiser includes its effect on clean images."""

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the images (..., C, H, W) unchanged."""
        return images
