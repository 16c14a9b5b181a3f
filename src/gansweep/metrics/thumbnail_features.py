"""Thumbnail features: pixel values of the downscaled image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from gansweep.metrics import suggested_metrics


@dataclass(frozen=True)
class ThumbnailFeatures:
    """Thumbnail features: pixel values of the image, average-pooled to size x size pixels.

    A Fréchet distance on them compares the mean and covariance of layout and colours. It does not
    measure the quality of objects and does not penalise blur. It is meant for machines without the
    weights of Inception and for rough comparisons.

    Args:
        size: side of the thumbnail in pixels; there are C size^2 features.
        batch_size: images per pass.
    """

    size: int = 8
    batch_size: int = 500

    def __post_init__(self) -> None:
        for name in ("size", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected at least 1")

    @property
    def name(self) -> str:
        """`thumbnail`; for sizes other than 8, with the size, such as `thumbnail_16`."""
        return "thumbnail" if self.size == 8 else f"thumbnail_{self.size}"

    @property
    def frechet_name(self) -> str:
        """`fd_thumbnail`; an FID is defined by Inception features only."""
        return f"fd_{self.name}"

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Raise ValueError unless samples are images with at least the size of the thumbnail."""
        if len(sample_shape) != 3 or sample_shape[0] not in (1, 3):
            raise ValueError(
                f"{self.name} accepts images (C, H, W), samples are {sample_shape}: {suggested_metrics(sample_shape)}"
            )
        if min(sample_shape[1:]) < self.size:
            raise ValueError(f"size={self.size}: expected at most {min(sample_shape[1:])}, the side of the images")

    def fingerprint(self) -> dict[str, Any]:
        """Return the size, the input range and the pooling."""
        return {"network": self.name, "size": self.size, "input": "[-1, 1]", "pooling": "mean", "dtype": "float32"}

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, C size^2) of images (B, C, H, W)."""
        return F.adaptive_avg_pool2d(images, self.size).flatten(1)
