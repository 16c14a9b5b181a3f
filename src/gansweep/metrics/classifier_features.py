"""Features of the small classifiers that come with gansweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gansweep.metrics.classifier import SHIPPED, facts, load_shipped
from gansweep.metrics.fitting import fitting


@dataclass(frozen=True)
class ClassifierFeatures:
    """Hidden layer of a classifier of digits: what grey 28x28 or 8x8 images need instead of ImageNet.

    `digits` learnt scikit-learn's 8x8 digits, `mnist` learnt MNIST as in Binkowski et al. 2018,
    arXiv:1801.01401. The files in `weights/` say how and with which test accuracy.

    Args:
        weights: name of the shipped weights.
        batch_size: images in one forward pass.
        low: what -1 is mapped to before the network looks; 1 stays 1. -3 is what becomes of images in
            [-1, 1] that are taken for images in [0, 1], as happened in the EPFL study of optimizers.
    """

    weights: str = "digits"
    batch_size: int = 500
    low: float = -1.0

    def __post_init__(self) -> None:
        known = sorted(path.stem for path in SHIPPED.glob("*.safetensors"))
        if self.weights not in known:
            raise ValueError(f"weights={self.weights}: gansweep comes with {', '.join(known)}")
        if not -10 <= self.low < 1:
            raise ValueError(f"low={self.low}: expected -10 <= low < 1")
        if self.batch_size < 1:
            raise ValueError(f"batch_size={self.batch_size}: expected at least 1")

    @property
    def name(self) -> str:
        """Name of the weights, with another range than [-1, 1] `mnist_-3`."""
        return self.weights if self.low == -1 else f"{self.weights}_{self.low:g}"

    @property
    def frechet_name(self) -> str:
        """`fd_digits` or `fd_mnist`: not an FID, which is Inception's."""
        return f"fd_{self.name}"

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Accept grey images of any size.

        Raises:
            ValueError: colour, or no images.
        """
        if len(sample_shape) != 3 or sample_shape[0] != 1:
            raise ValueError(
                f"the network {self.name} reads grey images (1, H, W), these samples are {sample_shape}: "
                f"{fitting(sample_shape)}"
            )

    def fingerprint(self) -> dict[str, Any]:
        """Hash and test accuracy of the weights, range, size and resizing."""
        told = facts(self.weights)
        return {
            "network": f"{self.weights}_classifier",
            "sha256": told["sha256"],
            "test_accuracy": told["test_accuracy"],
            "num_features": told["architecture"]["num_features"],
            "input": f"[-1, 1] to [{self.low / 2:g}, 0.5]",
            "size": told["architecture"]["size"],
            "resize": "bilinear, anti-aliased, where the size differs",
            "dtype": "float32",
        }

    def __call__(self, images: Tensor) -> Tensor:
        """Map images (B, 1, H, W) in [-1, 1] to features (B, D)."""
        return load_shipped(self.weights, images.device).features(self._mapped(images))

    def probabilities(self, images: Tensor) -> Tensor:
        """Map images (B, 1, H, W) in [-1, 1] to p(y|x) of the ten classes (B, 10)."""
        return load_shipped(self.weights, images.device)(self._mapped(images)).softmax(1)

    def _mapped(self, images: Tensor) -> Tensor:
        """Map [-1, 1] to [low, 1]."""
        return images if self.low == -1 else images * ((1 - self.low) / 2) + (1 + self.low) / 2
