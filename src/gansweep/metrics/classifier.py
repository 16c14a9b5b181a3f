"""The small classifier of grey 10-class images whose last hidden layer serves as features."""

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
    """Sizes of a classifier.

    Args:
        size: side of its square input in pixels.
        widths: channels of the two convolutions.
        kernel: side of both kernels.
        padding: of both convolutions.
        num_features: outputs of the hidden layer, the D of its Fréchet distance.
    """

    size: int
    widths: tuple[int, int]
    kernel: int
    padding: int
    num_features: int

    @property
    def flat(self) -> int:
        """Numbers that reach the hidden layer."""
        side = self.size
        for _ in self.widths:
            side = (side + 2 * self.padding - self.kernel + 1) // 2
        return self.widths[1] * side * side


class Classifier(nn.Module):
    """conv-pool-conv-pool-fc(ReLU)-fc10, the LeNet of Binkowski et al. 2018, arXiv:1801.01401, app. E.

    Images come in [-1, 1] as everywhere here and are halved to the paper's [-0.5, 0.5]. Another
    size than its own is resized bilinearly, with anti-aliasing where that makes it smaller.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.conv1 = nn.Conv2d(1, a.widths[0], a.kernel, padding=a.padding)
        self.conv2 = nn.Conv2d(a.widths[0], a.widths[1], a.kernel, padding=a.padding)
        self.hidden = nn.Linear(a.flat, a.num_features)
        self.classes = nn.Linear(a.num_features, 10)

    def features(self, images: Tensor) -> Tensor:
        """Map images (B, 1, H, W) in [-1, 1] to non-negative features (B, D)."""
        size = (self.architecture.size, self.architecture.size)
        if images.shape[2:] != size:
            images = F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
        x = F.max_pool2d(self.conv1(images / 2).relu(), 2)
        x = F.max_pool2d(self.conv2(x).relu(), 2)
        return self.hidden(x.flatten(1)).relu()

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 1, H, W) in [-1, 1] to the logits of ten classes (B, 10)."""
        return self.classes(self.features(images))


def save(classifier: Classifier, name: str, facts: dict[str, Any], folder: Path = SHIPPED) -> None:
    """Write `name`.safetensors and beside it `name`.json: its hash, its sizes and the facts."""
    path = folder / f"{name}.safetensors"
    path.write_bytes(to_bytes(classifier.state_dict()))
    told = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "architecture": asdict(classifier.architecture)}
    path.with_suffix(".json").write_text(json.dumps(told | facts, indent=2) + "\n", encoding="utf-8")


@cache
def facts(name: str, folder: Path = SHIPPED) -> dict[str, Any]:
    """Read what is told about shipped weights: sha256, test accuracy, how they were trained."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


@cache
def load_shipped(name: str, device: torch.device | str = "cpu", folder: Path = SHIPPED) -> Classifier:
    """Load a classifier in evaluation mode.

    Args:
        name: of one that comes with the package, "digits" or "mnist".
        device: to put it on.
        folder: where its weights are.

    Raises:
        ValueError: the file is not the one whose hash is told beside it.
    """
    path = folder / f"{name}.safetensors"
    content, told = path.read_bytes(), facts(name, folder)
    found = hashlib.sha256(content).hexdigest()
    if found != told["sha256"]:
        raise ValueError(f"{path} has sha256 {found}, expected {told['sha256']}: install gansweep again")
    sizes = told["architecture"]
    # On `meta` nothing is drawn, so that loading leaves torch's global random stream alone.
    with torch.device("meta"):
        classifier = Classifier(Architecture(**sizes | {"widths": tuple(sizes["widths"])}))
    classifier.load_state_dict(load(content), assign=True)
    return classifier.to(device).eval().requires_grad_(False)
