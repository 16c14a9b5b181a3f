"""An image made very small: features that need no weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from gansweep.metrics.fitting import fitting


@dataclass(frozen=True)
class ThumbnailFeatures:
    """The values of an image of size x size pixels, each the mean of what it covers.

    A Fréchet distance on them compares mean and covariance of layout and colours. It knows nothing of
    objects, and blurred images suit it; it is for machines that have no weights of Inception, and for
    orders of magnitude.

    Args:
        size: pixels on a side; there are C size^2 features.
        batch_size: images in one pass.
    """

    size: int = 8
    batch_size: int = 500

    def __post_init__(self) -> None:
        for name in ("size", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected at least 1")

    @property
    def name(self) -> str:
        """`thumbnail`, of another size than 8 `thumbnail_16`."""
        return "thumbnail" if self.size == 8 else f"thumbnail_{self.size}"

    @property
    def frechet_name(self) -> str:
        """`fd_thumbnail`: not an FID."""
        return f"fd_{self.name}"

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Accept grey and colour images that are no smaller.

        Raises:
            ValueError: the samples are something else.
        """
        if len(sample_shape) != 3 or sample_shape[0] not in (1, 3):
            raise ValueError(f"{self.name} is of images (C, H, W), samples are {sample_shape}: {fitting(sample_shape)}")
        if min(sample_shape[1:]) < self.size:
            raise ValueError(f"size={self.size}: expected at most {min(sample_shape[1:])}, the side of the images")

    def fingerprint(self) -> dict[str, Any]:
        """Size and range."""
        return {"network": self.name, "size": self.size, "input": "[-1, 1]", "pooling": "mean", "dtype": "float32"}

    def __call__(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to features (B, C size^2)."""
        return F.adaptive_avg_pool2d(images, self.size).flatten(1)
