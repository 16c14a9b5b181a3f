"""Texture features.

Mistakes: filters respond to brightness, or do not distinguish directions or scales.
"""

from __future__ import annotations

import math

import pytest
import torch

from gansweep.metrics.kid import squared_mmd
from gansweep.metrics.texture_features import NUM_ORIENTATIONS, SIDE, WAVELENGTHS, TextureFeatures, bank

FEATURES = TextureFeatures()


def waves(wavelength, direction, count=6, side=32, channels=3):
    """Return plane waves of random phase."""
    phase = torch.rand(count, 1, 1, generator=torch.Generator().manual_seed(1)) * 2 * math.pi
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    along = x * math.cos(direction) + y * math.sin(direction)
    return (0.5 * torch.cos(2 * math.pi * along / wavelength + phase))[:, None].expand(-1, channels, -1, -1)


def test_filters_have_mean_0_and_norm_1():
    filters = bank(torch.device("cpu"))
    assert filters.shape == (2 * len(WAVELENGTHS) * NUM_ORIENTATIONS, 1, SIDE, SIDE)
    assert filters.sum((1, 2, 3)).abs().amax() < 1e-5
    even, odd = filters.square().sum((1, 2, 3)).chunk(2)
    torch.testing.assert_close(even + odd, torch.ones_like(even))
    grey, bright = (FEATURES(torch.full((1, 3, 32, 32), value))[0] for value in (-0.5, 0.5))
    torch.testing.assert_close(grey[:36], torch.zeros(36), atol=1e-4, rtol=0)
    torch.testing.assert_close(bright[36:39] - grey[36:39], torch.ones(3))


@pytest.mark.parametrize("at", [(0, 0), (1, 2), (2, 5)])
def test_the_matching_filter_has_the_largest_response(at):
    wavelength, direction = WAVELENGTHS[at[0]], math.pi * at[1] / NUM_ORIENTATIONS
    energies = FEATURES(waves(wavelength, direction))[:, : len(WAVELENGTHS) * NUM_ORIENTATIONS]
    assert (energies.argmax(1) == at[0] * NUM_ORIENTATIONS + at[1]).all()


def test_distance_between_textures_of_different_scales():
    random = torch.Generator().manual_seed(3)
    noise = torch.randn(60, 3, 32, 32, generator=random).clamp(-1, 1) * 0.3
    one, same, smooth = noise[:20], noise[20:40], torch.nn.functional.avg_pool2d(noise[40:], 5, 1, 2)
    near, far = (squared_mmd(FEATURES(one).double(), FEATURES(other).double()).item() for other in (same, smooth))
    assert abs(near) < 0.02 * far


def test_grey_images_and_unsupported_shapes():
    assert FEATURES(torch.rand(2, 1, 28, 28)).shape == (2, 38)
    assert FEATURES(torch.rand(2, 3, 32, 32)).shape == (2, 42)
    FEATURES.check((1, 15, 15))
    for shape in ((2,), (4, 32, 32), (1, 14, 32)):
        with pytest.raises(ValueError, match="choose|expected"):
            FEATURES.check(shape)
