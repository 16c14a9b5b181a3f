"""Texture features: responses of a fixed bank of Gabor filters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.metrics import LEAST_SIDE as SIDE  # of a filter, in pixels
from gansweep.metrics import suggested_metrics

WAVELENGTHS = (3.0, 5.0, 8.0)  # pixels
NUM_ORIENTATIONS = 6
ASPECT = 0.5  # standard deviation of the envelope in wavelengths
FAINT = 0.05  # in units of [-1, 1]: the response is linear below this amplitude and logarithmic above it


@dataclass(frozen=True)
class TextureFeatures:
    """Texture features: statistics of the responses of Gabor filters and of the colours.

        w(u) = exp(-|u|^2 / (2 s^2)) (exp(2 pi i u . n / lambda) - c),   s = lambda / 2,   sum |w|^2 = 1
        e(x) = log(1 + |w * grey(x)| / 0.05)
        features: mean and standard deviation over the pixels of e, for 3 wavelengths lambda and 6
        directions n, and of every colour channel; 42 for a colour image, 38 for a grey one

    The distribution of such filter responses characterises a stationary texture: Heeger and Bergen
    1995; Zhu, Wu and Mumford 1998 (FRAME). CoopNets' descriptor extends the FRAME model with
    learned filters. The constant c makes the mean of a filter 0. Convolutions have no padding;
    images have at least 15 pixels per side. Distances on these features do not measure the quality
    of objects.

    Args:
        batch_size: images per pass.
    """

    batch_size: int = 500

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size={self.batch_size}: expected at least 1")

    @property
    def name(self) -> str:
        """Part of the name of a metric on these features."""
        return "texture"

    @property
    def frechet_name(self) -> str:
        """`fd_texture`; an FID is defined by Inception features only."""
        return "fd_texture"

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Raise ValueError unless samples are images with at least the size of a filter."""
        if len(sample_shape) != 3 or sample_shape[0] not in (1, 3):
            raise ValueError(
                f"the texture filters read images (C, H, W) of 1 or 3 channels, these samples are {sample_shape}: "
                f"{suggested_metrics(sample_shape)}"
            )
        if min(sample_shape[1:]) < SIDE:
            raise ValueError(
                f"the texture filters have {SIDE} x {SIDE} pixels, these samples are {sample_shape}: "
                f"{suggested_metrics(sample_shape)}"
            )

    def fingerprint(self) -> dict[str, Any]:
        """Return all parameters of the filter bank."""
        return {
            "network": "gabor_bank",
            "version": 1,
            "wavelengths": list(WAVELENGTHS),
            "orientations": NUM_ORIENTATIONS,
            "side": SIDE,
            "aspect": ASPECT,
            "faint": FAINT,
            "dtype": "float32",
        }

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, D) of images (B, C, H, W) in [-1, 1]."""
        waves = F.conv2d(images.mean(1, keepdim=True), bank(images.device)).unflatten(1, (2, -1))
        energies = (waves.square().sum(1).sqrt() / FAINT).log1p()
        moments = [energies.mean((2, 3)), energies.std((2, 3)), images.mean((2, 3)), images.std((2, 3))]
        return torch.cat(moments, 1)


@cache
def bank(device: torch.device) -> Tensor:
    """Return the even filters followed by the odd filters (36, 1, SIDE, SIDE)."""
    half = torch.arange(SIDE, dtype=torch.float64) - SIDE // 2
    y, x = torch.meshgrid(half, half, indexing="ij")
    even, odd = [], []
    for wavelength in WAVELENGTHS:
        envelope = torch.exp(-(x**2 + y**2) / (2 * (ASPECT * wavelength) ** 2))
        for n in range(NUM_ORIENTATIONS):
            angle = math.pi * n / NUM_ORIENTATIONS
            phase = 2 * math.pi * (x * math.cos(angle) + y * math.sin(angle)) / wavelength
            mean = (envelope * phase.cos()).sum() / envelope.sum()
            parts = [envelope * (phase.cos() - mean), envelope * phase.sin()]
            size = torch.stack(parts).square().sum().sqrt()
            even.append(parts[0] / size)
            odd.append(parts[1] / size)
    return torch.stack(even + odd)[:, None].to(device, torch.float32)
