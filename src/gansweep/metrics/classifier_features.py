"""Features of the small classifiers shipped with gansweep."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from gansweep.metrics import suggested_metrics

SHIPPED = Path(__file__).with_name("weights")


@dataclass(frozen=True)
class ClassifierFeatures:
    """Classifier features: hidden layer of a classifier of digits, for grey images.

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
                f"{suggested_metrics(sample_shape)}"
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


@dataclass(frozen=True)
class Architecture:
    """Sizes of the classifier.

    Args:
        size: side of the square input in pixels.
        widths: channels of the two convolutions.
        kernel: kernel size of both convolutions.
        padding: padding of both convolutions.
        num_features: outputs of the hidden layer, the dimension D of the features.
    """

    size: int
    widths: tuple[int, int]
    kernel: int
    padding: int
    num_features: int

    @property
    def flat(self) -> int:
        """Number of inputs of the hidden layer."""
        side = self.size
        for _ in self.widths:
            side = (side + 2 * self.padding - self.kernel + 1) // 2
        return self.widths[1] * side * side


class Classifier(nn.Module):
    """LeNet classifier: conv-pool-conv-pool-fc(ReLU)-fc10.

    Binkowski et al. 2018, arXiv:1801.01401, app. E. Images are in [-1, 1], and are divided by 2 to the
    range [-0.5, 0.5] of the paper. Images of another size are resized bilinearly, with anti-aliasing.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.conv1 = nn.Conv2d(1, a.widths[0], a.kernel, padding=a.padding)
        self.conv2 = nn.Conv2d(a.widths[0], a.widths[1], a.kernel, padding=a.padding)
        self.hidden = nn.Linear(a.flat, a.num_features)
        self.classes = nn.Linear(a.num_features, 10)

    def features(self, images: Tensor) -> Tensor:
        """Return the non-negative features (B, D) of images (B, 1, H, W) in [-1, 1]."""
        size = (self.architecture.size, self.architecture.size)
        if images.shape[2:] != size:
            images = F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
        x = F.max_pool2d(self.conv1(images / 2).relu(), 2)
        x = F.max_pool2d(self.conv2(x).relu(), 2)
        return self.hidden(x.flatten(1)).relu()

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, 10) of images (B, 1, H, W) in [-1, 1]."""
        return self.classes(self.features(images))


def save(classifier: Classifier, name: str, facts: dict[str, Any], folder: Path = SHIPPED) -> None:
    """Write the weights to `name`.safetensors; hash, architecture and `facts` to `name`.json."""
    path = folder / f"{name}.safetensors"
    path.write_bytes(to_bytes(classifier.state_dict()))
    record = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "architecture": asdict(classifier.architecture)}
    path.with_suffix(".json").write_text(json.dumps(record | facts, indent=2) + "\n", encoding="utf-8")


@cache
def facts(name: str, folder: Path = SHIPPED) -> dict[str, Any]:
    """Return the record of shipped weights: sha256, architecture, accuracy, training settings."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


@cache
def load_shipped(name: str, device: torch.device | str = "cpu", folder: Path = SHIPPED) -> Classifier:
    """Return a shipped classifier in evaluation mode.

    Args:
        name: "digits" or "mnist".
        device: device of the classifier.
        folder: folder of the weights.

    Raises:
        ValueError: the hash of the weights differs from the recorded one.
    """
    path = folder / f"{name}.safetensors"
    content, record = path.read_bytes(), facts(name, folder)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != record["sha256"]:
        raise ValueError(f"{path} has sha256 {sha256}, expected {record['sha256']}: install gansweep again")
    sizes = record["architecture"]
    # Built on `meta`, where no initial values are drawn, so that loading does not advance torch's
    # global generator.
    with torch.device("meta"):
        classifier = Classifier(Architecture(**sizes | {"widths": tuple(sizes["widths"])}))
    classifier.load_state_dict(load(content), assign=True)
    return classifier.to(device).eval().requires_grad_(False)
