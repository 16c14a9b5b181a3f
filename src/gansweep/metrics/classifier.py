"""Small classifier of grey images with ten classes; its last hidden layer provides features."""

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

SHIPPED = Path(__file__).with_name("weights")


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
    """Write the weights to `name`.safetensors, and their hash, the architecture and `facts` to `name`.json."""
    path = folder / f"{name}.safetensors"
    path.write_bytes(to_bytes(classifier.state_dict()))
    record = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "architecture": asdict(classifier.architecture)}
    path.with_suffix(".json").write_text(json.dumps(record | facts, indent=2) + "\n", encoding="utf-8")


@cache
def facts(name: str, folder: Path = SHIPPED) -> dict[str, Any]:
    """Return the record of shipped weights: sha256, architecture, test accuracy and training settings."""
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
    # Built on `meta`, where no initial values are drawn, so that loading does not advance torch's global generator.
    with torch.device("meta"):
        classifier = Classifier(Architecture(**sizes | {"widths": tuple(sizes["widths"])}))
    classifier.load_state_dict(load(content), assign=True)
    return classifier.to(device).eval().requires_grad_(False)
