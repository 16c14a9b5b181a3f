"""Features of the small classifiers shipped with gansweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gansweep.metrics.classifier import SHIPPED, facts, load_shipped
from gansweep.metrics.fitting import fitting


@dataclass(frozen=True)
class ClassifierFeatures:
    """Classifier features: hidden layer of a classifier of digits, for grey images of 28x28 or 8x8 pixels.

    `digits` was trained on scikit-learn's 8x8 digits, `mnist` on MNIST as in Binkowski et al. 2018,
    arXiv:1801.01401. The files in `weights/` record the training settings and the test accuracy.

    Args:
        weights: name of the shipped weights.
        batch_size: images per forward pass.
        low: input value to which -1 is mapped, while 1 stays 1. -3 results if images in [-1, 1] are treated
            as images in [0, 1], as in the EPFL study of optimizers.
    """

    weights: str = "digits"
    batch_size: int = 500
    low: float = -1.0

    def __post_init__(self) -> None:
        shipped = sorted(path.stem for path in SHIPPED.glob("*.safetensors"))
        if self.weights not in shipped:
            raise ValueError(f"weights={self.weights}: gansweep comes with {', '.join(shipped)}")
        if not -10 <= self.low < 1:
            raise ValueError(f"low={self.low}: expected -10 <= low < 1")
        if self.batch_size < 1:
            raise ValueError(f"batch_size={self.batch_size}: expected at least 1")

    @property
    def name(self) -> str:
        """Name of the weights; for an input range other than [-1, 1], with `low`, such as `mnist_-3`."""
        return self.weights if self.low == -1 else f"{self.weights}_{self.low:g}"

    @property
    def frechet_name(self) -> str:
        """`fd_digits` or `fd_mnist`; an FID is defined by Inception features only."""
        return f"fd_{self.name}"

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Raise ValueError unless samples are grey images; any size is accepted."""
        if len(sample_shape) != 3 or sample_shape[0] != 1:
            raise ValueError(
                f"the network {self.name} reads grey images (1, H, W), these samples are {sample_shape}: "
                f"{fitting(sample_shape)}"
            )

    def fingerprint(self) -> dict[str, Any]:
        """Hash and test accuracy of the weights, range, size and resizing."""
        record = facts(self.weights)
        return {
            "network": f"{self.weights}_classifier",
            "sha256": record["sha256"],
            "test_accuracy": record["test_accuracy"],
            "num_features": record["architecture"]["num_features"],
            "input": f"[-1, 1] to [{self.low / 2:g}, 0.5]",
            "size": record["architecture"]["size"],
            "resize": "bilinear, anti-aliased, where the size differs",
            "dtype": "float32",
        }

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, D) of images (B, 1, H, W) in [-1, 1]."""
        return load_shipped(self.weights, images.device).features(self._mapped(images))

    def probabilities(self, images: Tensor) -> Tensor:
        """Return the class probabilities p(y|x) (B, 10) of images (B, 1, H, W) in [-1, 1]."""
        return load_shipped(self.weights, images.device)(self._mapped(images)).softmax(1)

    def _mapped(self, images: Tensor) -> Tensor:
        """Map [-1, 1] to [low, 1]."""
        return images if self.low == -1 else images * ((1 - self.low) / 2) + (1 + self.low) / 2
