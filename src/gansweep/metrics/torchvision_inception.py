"""Features of torchvision's ImageNet Inception, which some studies use for an FID."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gansweep.metrics import check_images
from gansweep.metrics.inception import cut, file_sha256, find_weights, load_weights, resized

URL = "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"


@dataclass(frozen=True)
class TorchvisionInception:
    """torchvision's `inception_v3` with ImageNet weights: 2048 pooled features, 1000 classes.

    Images are resized bilinearly to 299x299 and mapped from [-1, 1] to [low, 1]. low = -1 and the
    class probabilities give the Inception score of Mescheder et al. 2018. low = -3 results if
    images in [-1, 1] are given to pytorch-fid's wrapper, which maps [0, 1] to [-1, 1], as in the
    EPFL study of optimizers. Neither gives values comparable to an FID.

    Args:
        weights: file of the weights; null for the file in `TORCH_HOME/hub/checkpoints`, downloaded
            if missing.
        low: input value to which -1 is mapped, while 1 stays 1.
        batch_size: images per forward pass.
    """

    weights: str | None = None
    low: float = -1.0
    batch_size: int = 50

    def __post_init__(self) -> None:
        if not -10 <= self.low < 1:
            raise ValueError(f"low={self.low}: expected -10 <= low < 1")
        if self.batch_size < 1:
            raise ValueError(f"batch_size={self.batch_size}: expected at least 1")

    @property
    def name(self) -> str:
        """`torchvision`; for an input range other than [-1, 1], with `low`, such as `torchvision_-3`."""
        return "torchvision" if self.low == -1 else f"torchvision_{self.low:g}"

    @property
    def frechet_name(self) -> str:
        """`fd_torchvision`, `fd_torchvision_-3`; an FID is defined by pytorch-fid's weights only."""
        return f"fd_{self.name}"

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Check the shape of the samples, and download the weights if they are missing.

        Raises:
            ValueError: the samples are not grey or colour images, or the weights are unavailable.
        """
        check_images(self.name, sample_shape)
        network(self.file(), torch.device("cpu"))

    def file(self) -> Path:
        """Return the file of the weights; see `find_weights`."""
        return find_weights(self.weights, URL)

    def fingerprint(self) -> dict[str, Any]:
        """Return the hash of the weights, the input range and the resizing."""
        return {
            "network": self.name,
            "sha256": file_sha256(self.file()),
            "num_features": 2048,
            "input": f"[-1, 1], resized, to [{self.low:g}, 1]",
            "size": 299,
            "resize": "bilinear, align_corners False, not anti-aliased",
            "dtype": "float32",
        }

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, 2048) of images (B, C, H, W) in [-1, 1]."""
        layers, _ = network(self.file(), images.device)
        return layers(self._mapped(images)).mean((2, 3))

    def probabilities(self, images: Tensor) -> Tensor:
        """Return the class probabilities p(y|x) (B, 1000) of images (B, C, H, W) in [-1, 1]."""
        layers, classes = network(self.file(), images.device)
        return classes(layers(self._mapped(images)).mean((2, 3))).softmax(1)

    def _mapped(self, images: Tensor) -> Tensor:
        return resized(images) * ((1 - self.low) / 2) + (1 + self.low) / 2


@lru_cache(maxsize=2)
def network(file: Path, device: torch.device) -> tuple[nn.Module, nn.Module]:
    """Return the layers up to the pooled features, and the final layer to the class logits.

    Args:
        file: file of torchvision's weights.
        device: device of the network.

    Raises:
        ValueError: the file has other contents.
    """
    from torchvision.models import inception_v3

    # Built on `meta`, where no initial values are drawn, so that loading does not advance torch's
    # global generator.
    with torch.device("meta"):
        net = inception_v3(weights=None, aux_logits=True, init_weights=False)
    load_weights(file, net, "torchvision's", URL)
    net = net.to(device).eval().requires_grad_(False)
    return cut(net, 2048), net.fc
