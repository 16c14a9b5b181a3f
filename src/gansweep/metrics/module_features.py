"""Features of a user's `torch.nn.Module`."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from gansweep.code_identity import code_of_class
from gansweep.metrics import check_images
from gansweep.metrics.inception import file_sha256
from gansweep.user_code import Factory, cause_of
from gansweep.user_path import user_path


@dataclass(frozen=True)
class ModuleFeatures:
    """Output of a `torch.nn.Module` for images, in evaluation mode; an output (B, D, ...) is flattened.

        x = low + (high - low) (image + 1) / 2,  resized to size x size pixels,  (x - mean) / std

    The order is that of torchvision's transforms. The fingerprint contains the class, its arguments, the
    hash of its parameters and buffers, and the hash of its code and of the modules that it imports.

    Args:
        module: the class and its arguments. Random initial values are those of seed 0.
        weights: file of its `state_dict`, .safetensors or written by `torch.save`; null for the values of
            the constructor.
        size: side in pixels to which images are resized, bilinearly and anti-aliased; null to keep it.
        channels: 3 repeats grey images; null to keep the channels.
        low: value to which -1 is mapped.
        high: value to which 1 is mapped.
        mean: one number, or one per channel.
        std: one number, or one per channel.
        batch_size: images per forward pass.
    """

    module: Factory
    weights: str | None = None
    size: int | None = None
    channels: int | None = None
    low: float = 0.0
    high: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    batch_size: int = 100

    def __post_init__(self) -> None:
        for name, least in (("size", 1), ("batch_size", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name}={value}: expected at least {least}")
        if self.channels not in (None, 1, 3):
            raise ValueError(f"channels={self.channels}: expected 1 or 3, or null for those of the images")
        if not self.low < self.high:
            raise ValueError(f"low={self.low}: expected less than high={self.high}")
        for name in ("mean", "std"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            values = getattr(self, name)
            if len(values) not in (1, 3) or not all(map(math.isfinite, values)):
                raise ValueError(f"{name}={list(values)}: expected one number, or one per channel")
        if not all(value > 0 for value in self.std):
            raise ValueError(f"std={list(self.std)}: expected numbers above 0")
        if not issubclass(self.module.cls, nn.Module):
            raise ValueError(f"module={self.module.name}: expected a subclass of torch.nn.Module")

    @property
    def name(self) -> str:
        """Name of the class."""
        return self.module.cls.__name__

    @property
    def frechet_name(self) -> str:
        """`fd_` and the name of the class; an FID is defined by Inception features only."""
        return f"fd_{self.name}"

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Raise ValueError unless the module maps two images to finite features (2, D), twice the same."""
        check_images(self.name, sample_shape)
        channels = self.channels or sample_shape[0]
        if channels < sample_shape[0]:
            raise ValueError(f"channels=1: the images have {sample_shape[0]}, expected 3 or null")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if len(values) not in (1, channels):
                raise ValueError(f"{name}={list(values)}: expected one number or {channels}")
        images = torch.rand(2, *sample_shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
        state = torch.random.get_rng_state()
        with torch.no_grad():
            first, second = self._tested(images), self._tested(images)
        is_random = not torch.equal(torch.random.get_rng_state(), state)
        torch.random.set_rng_state(state)
        if not first.isfinite().all():
            raise ValueError(f"features.module={self.module.name}: features are not finite")
        if is_random or not torch.equal(first, second):
            raise ValueError(
                f"features.module={self.module.name}: features differ between two passes of the same images; "
                "expected neither random numbers in evaluation mode nor other state"
            )

    def _tested(self, images: Tensor) -> Tensor:
        try:
            y = _loaded(self.module, self.weights, images.device)[0](self._prepared(images))
        except Exception as error:
            if isinstance(error, ValueError) and str(error).startswith("features."):
                raise
            cause = cause_of(error, [self.module.cls.__module__.partition(".")[0]])
            raise ValueError(f"features.module={self.module.name}: {cause}") from error
        if not isinstance(y, Tensor) or y.ndim < 2 or len(y) != len(images):
            shape = tuple(y.shape) if isinstance(y, Tensor) else type(y).__name__
            raise ValueError(f"features.module={self.module.name}: output is {shape}, expected ({len(images)}, D)")
        return y.flatten(1)

    def fingerprint(self) -> dict[str, Any]:
        """Return class, arguments, hashes of values and code, and the preparation of the images."""
        return {
            "network": self.module.name,
            "arguments": json.loads(json.dumps(self.module.arguments, default=repr)),
            "sha256": _loaded(self.module, self.weights, torch.device("cpu"))[1],
            "code": code_of_class(self.module.cls),
            "input": f"[-1, 1] to [{self.low:g}, {self.high:g}]",
            "size": self.size,
            "resize": "bilinear, anti-aliased, where the size differs",
            "channels": self.channels,
            "mean": list(self.mean),
            "std": list(self.std),
            "dtype": "float32",
        }

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, D) of images (B, C, H, W) in [-1, 1]."""
        return _loaded(self.module, self.weights, images.device)[0](self._prepared(images)).flatten(1).float()

    def _prepared(self, images: Tensor) -> Tensor:
        x = self.low + (self.high - self.low) * (images + 1) / 2
        if self.size is not None and x.shape[2:] != (self.size, self.size):
            x = F.interpolate(x, (self.size, self.size), mode="bilinear", align_corners=False, antialias=True)
        if self.channels is not None and x.shape[1] != self.channels:
            x = x.expand(-1, self.channels, -1, -1)
        mean, std = (torch.tensor(v, device=x.device).view(1, -1, 1, 1) for v in (self.mean, self.std))
        return (x - mean) / std


def _loaded(module: Factory, weights: str | None, device: torch.device) -> tuple[nn.Module, str]:
    """Return the module with its values on a device, in evaluation mode, and the hash of the values."""
    path = None if weights is None else user_path(weights)
    if path is not None and not path.is_file():
        raise ValueError(f"features.weights={weights}: no such file")
    return _cached(module, path, None if path is None else file_sha256(path), device)


@lru_cache(maxsize=4)
def _cached(module: Factory, path: Path | None, content: str | None, device: torch.device) -> tuple[nn.Module, str]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        network: nn.Module = module()
    if path is not None:
        try:
            state = load_file(path) if path.suffix == ".safetensors" else _read(path)
            network.load_state_dict(state)
        except Exception as error:  # torch's unpickler can raise any exception for arbitrary bytes
            reason = " ".join(str(error).split())[:200]
            raise ValueError(f"features.weights={path}: is not a state_dict of {module.name}: {reason}") from error
    network = network.cpu().eval().requires_grad_(False)
    total = hashlib.sha256()
    for name, value in sorted([*network.named_parameters(), *network.named_buffers()]):
        total.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        total.update(value.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return network.to(device), total.hexdigest()


def _read(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)
