"""Inception features of the FID, as in pytorch-fid, and files of public weights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansweep.metrics import check_images

URL = "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth"
LAST_BLOCK = {64: 0, 192: 1, 768: 2, 2048: 3}


@dataclass(frozen=True)
class InceptionFeatures:
    """Inception features of pytorch-fid: TensorFlow's weights of 2015-12-05, pool3 features by default.

    Images are mapped to [0, 1], resized bilinearly to 299x299 (align_corners False, no anti-aliasing)
    and mapped to 2x - 1, in this order. Grey images are repeated to three channels. Heusel et al.
    2017, arXiv:1706.08500; github.com/mseitzer/pytorch-fid, 0.3.0. Distances with other `dims` than
    2048, or with other weights, have other names, because they are not the FID.

    Args:
        weights: file of the weights; null for the file in `TORCH_HOME/hub/checkpoints`, downloaded
            if missing.
        dims: 64 (first max pool), 192 (second), 768 (before the auxiliary head) or 2048 (pool3).
        batch_size: images per forward pass.
    """

    weights: str | None = None
    dims: int = 2048
    batch_size: int = 50

    def __post_init__(self) -> None:
        if self.dims not in LAST_BLOCK:
            raise ValueError(f"dims={self.dims}: choose one of {', '.join(map(str, LAST_BLOCK))}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size={self.batch_size}: expected at least 1")

    @property
    def name(self) -> str:
        """Name of the network and of the layer."""
        return "inception" if self.dims == 2048 else f"inception_{self.dims}"

    @property
    def frechet_name(self) -> str:
        """`fid_inception`; for other layers `fd_inception_64`, ..."""
        return "fid_inception" if self.dims == 2048 else f"fd_{self.name}"

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Check the shape of the samples, and download the weights if they are missing.

        Raises:
            ValueError: the samples are not grey or colour images, or the weights are unavailable.
        """
        check_images(self.name, sample_shape)
        network(self.file(), self.dims, torch.device("cpu"))

    def file(self) -> Path:
        """Return the file of the weights.

        Raises:
            ValueError: the file was not found and could not be downloaded.
        """
        return find_weights(self.weights, URL)

    def fingerprint(self) -> dict[str, Any]:
        """Return the hash of the weights, the layer, the input range and the resizing."""
        return {
            "network": self.name,
            "sha256": file_sha256(self.file()),
            "num_features": self.dims,
            "input": "[-1, 1] to [0, 1], resized, 2x - 1",
            "size": 299,
            "resize": "bilinear, align_corners False, not anti-aliased",
            "dtype": "float32",
        }

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, dims) of images (B, C, H, W) in [-1, 1]."""
        return inception_features(network(self.file(), self.dims, images.device), (images + 1) / 2)


def inception_features(blocks: nn.Module, images: Tensor) -> Tensor:
    """Return the features (B, dims) of images (B, 1 or 3, H, W) in [0, 1]."""
    return blocks(2 * resized(images) - 1).mean((2, 3))


def resized(images: Tensor) -> Tensor:
    """Resize images (B, 1 or 3, H, W) to (B, 3, 299, 299); grey channels are repeated."""
    return F.interpolate(images.expand(-1, 3, -1, -1), (299, 299), mode="bilinear", align_corners=False)


@lru_cache(maxsize=2)
def network(file: Path, dims: int, device: torch.device) -> nn.Module:
    """Return pytorch-fid's network up to the layer with `dims` channels.

    The network is assembled from torchvision's and pytorch-fid's blocks, because pytorch-fid itself
    loads its weights only from one URL.
    """
    from pytorch_fid.inception import FIDInceptionA, FIDInceptionC, FIDInceptionE_1, FIDInceptionE_2
    from torchvision.models import inception_v3

    # Built on `meta`, where no initial values are drawn, so that loading does not advance torch's
    # global generator.
    with torch.device("meta"):
        net = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
        net.Mixed_5b = FIDInceptionA(192, pool_features=32)
        net.Mixed_5c = FIDInceptionA(256, pool_features=64)
        net.Mixed_5d = FIDInceptionA(288, pool_features=64)
        net.Mixed_6b = FIDInceptionC(768, channels_7x7=128)
        net.Mixed_6c = FIDInceptionC(768, channels_7x7=160)
        net.Mixed_6d = FIDInceptionC(768, channels_7x7=160)
        net.Mixed_6e = FIDInceptionC(768, channels_7x7=192)
        net.Mixed_7b = FIDInceptionE_1(1280)
        net.Mixed_7c = FIDInceptionE_2(2048)
    load_weights(file, net, "pytorch-fid's", URL)
    return cut(net, dims).to(device).eval().requires_grad_(False)


def cut(net: nn.Module, dims: int) -> nn.Sequential:
    """Return the layers of an Inception network up to the one with `dims` channels."""
    blocks = [
        [net.Conv2d_1a_3x3, net.Conv2d_2a_3x3, net.Conv2d_2b_3x3, nn.MaxPool2d(3, stride=2)],
        [net.Conv2d_3b_1x1, net.Conv2d_4a_3x3, nn.MaxPool2d(3, stride=2)],
        [
            net.Mixed_5b,
            net.Mixed_5c,
            net.Mixed_5d,
            net.Mixed_6a,
            net.Mixed_6b,
            net.Mixed_6c,
            net.Mixed_6d,
            net.Mixed_6e,
        ],
        [net.Mixed_7a, net.Mixed_7b, net.Mixed_7c],
    ]
    return nn.Sequential(*(layer for block in blocks[: LAST_BLOCK[dims] + 1] for layer in block))


def find_weights(weights: str | None, url: str) -> Path:
    """Return the file `weights`; if that is None, the cached file of `url`, downloaded if missing.

    Raises:
        ValueError: the weights were not found and could not be downloaded; the message explains what to do.
    """
    if weights is not None:
        path = Path(weights).expanduser()
        if not path.is_file():
            raise ValueError(f"weights={weights}: no such file. {advice(url)}")
        return path
    path = cached_weights(url)
    if path.is_file():
        return path
    if not path.is_absolute() and path.parts[0] == "~":
        raise ValueError(
            f"{path.name} cannot be cached: this user has no home directory; set TORCH_HOME. {advice(url)}"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # As in all of torch.hub, the name of the file ends with the first digits of its sha256.
        torch.hub.download_url_to_file(url, str(path), hash_prefix=path.stem.rsplit("-", 1)[1])
    except (URLError, OSError, RuntimeError) as error:
        raise ValueError(f"{path.name} was not found and could not be downloaded ({error}). {advice(url)}") from error
    return path


def load_weights(path: Path, network: nn.Module, whose: str, url: str) -> None:
    """Load the parameters of a file into a network, replacing its tensors.

    Args:
        path: the file.
        network: the network, on any device.
        whose: owner of the expected weights, for the message, such as "torchvision's".
        url: URL of the expected file, for the message.

    Raises:
        ValueError: the file has other contents or is damaged.
    """
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)
    except Exception as error:  # torch's unpickler can raise any exception for arbitrary bytes
        raise ValueError(f"weights={path}: does not hold {whose} Inception. {advice(url)}") from error


def cached_weights(url: str) -> Path:
    """Return the path at which torch.hub caches the file of a URL."""
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]


def advice(url: str) -> str:
    """Return instructions for obtaining the weights."""
    return (
        f"Download {url} (about 100 MB) and put it at {cached_weights(url)}, or give its path: "
        "metric.features.weights=FILE in a sweep, --weights FILE after python -m gansweep.metrics; "
        "metric=digits and metric=mnist, --features digits and --features mnist, need no download"
    )


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, recomputed only if its size or modification time has changed."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=8)
def _sha256(path: Path, size: int, time_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
