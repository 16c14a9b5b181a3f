"""Corruptions.

Mistakes: wrong noise range, channels corrupted separately, dark borders, a truncated square.
"""

from __future__ import annotations

import math

import pytest
import torch

from gansweep.corruptions import Corruption
from gansweep.corruptions.blur import Blur
from gansweep.corruptions.clean import Clean
from gansweep.corruptions.gaussian import Gaussian
from gansweep.corruptions.knockout import Knockout
from gansweep.corruptions.salt_and_pepper import SaltAndPepper
from gansweep.metrics.psnr import psnr

ALL = [Clean(), SaltAndPepper(), Gaussian(), Blur(), Knockout()]


def noise_of(corruption, images, seed=1):
    if corruption.law is None:
        return None
    draw = {"uniform": torch.rand, "normal": torch.randn}[corruption.law]
    shape = *images.shape[:-3], *corruption.noise_shape(tuple(images.shape[-3:]))
    return draw(shape, generator=torch.Generator().manual_seed(seed))


def evenly_spaced(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.mark.parametrize("corruption", ALL, ids=lambda one: type(one).__name__)
def test_shapes_and_independence_of_images(corruption):
    images = evenly_spaced(2, 3, 3, 8, 8)
    noise = noise_of(corruption, images)
    spoiled = corruption(images, noise)
    assert isinstance(corruption, Corruption)
    assert spoiled.shape == images.shape
    assert torch.equal(spoiled[1, 2], corruption(images[1, 2], None if noise is None else noise[1, 2]))
    assert torch.equal(spoiled, images) == isinstance(corruption, Clean)


@pytest.mark.parametrize("p", [0.1, 0.4])
def test_mean_squared_error_of_salt_and_pepper(p):
    images, corruption = evenly_spaced(1, 1, 1000, 1000), SaltAndPepper(p)
    assert psnr(corruption(images, noise_of(corruption, images)), images) == pytest.approx(
        -10 * math.log10(p / 3), abs=0.03
    )
    if p == 0.1:
        assert -10 * math.log10(p / 3) == pytest.approx(14.7712, abs=5e-5)


def test_salt_and_pepper_replaces_all_channels_with_black_and_white_equally_often():
    images, corruption = torch.zeros(1, 3, 500, 500), SaltAndPepper(0.2)
    spoiled = corruption(images, noise_of(corruption, images))
    assert torch.equal(spoiled[:, 0], spoiled[:, 2])
    for end in (-1, 1):
        assert (spoiled == end).float().mean().item() == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("sigma", [0.1, 0.05])
def test_psnr_of_gaussian_noise(sigma):
    images, corruption = evenly_spaced(1, 3, 300, 300), Gaussian(sigma)
    assert psnr(corruption(images, noise_of(corruption, images)), images) == pytest.approx(
        -20 * math.log10(sigma), abs=0.05
    )


def test_blur_of_a_point_is_gaussian_and_flat_images_are_unchanged():
    point = torch.zeros(1, 15, 15)
    point[0, 7, 7] = 1
    density = torch.exp(-((torch.arange(15) - 7.0) ** 2) / (2 * 1.5**2))
    density[:2] = density[-2:] = 0  # beyond ceil(3 * 1.5) = 5 pixels
    torch.testing.assert_close(Blur(1.5)(point)[0], torch.outer(density, density) / density.sum() ** 2)
    torch.testing.assert_close(Blur(2.0)(torch.full((3, 8, 8), -1.0)), torch.full((3, 8, 8), -1.0))
    image = evenly_spaced(1, 8, 8)
    assert torch.equal(Blur(0.0)(image), image)


def test_knockout_is_a_complete_square_at_all_positions():
    images, corruption = torch.ones(4000, 2, 8, 8), Knockout(0.25)
    spoiled = corruption(images, noise_of(corruption, images))
    black = spoiled == -1
    assert black.sum((1, 2, 3)).unique().tolist() == [2 * 4]
    assert torch.equal(black[:, 0], black[:, 1])
    rows, columns = black[:, 0].any(2), black[:, 0].any(1)
    assert rows.sum(1).unique().tolist() == columns.sum(1).unique().tolist() == [2]
    corners = {(int(r.int().argmax()), int(c.int().argmax())) for r, c in zip(rows, columns, strict=True)}
    assert corners == {(i, j) for i in range(7) for j in range(7)}
    edge = torch.tensor([[[[0.0]], [[1.0]]]])
    assert (corruption(images[:1], edge)[0, 0] == -1).nonzero().tolist() == [[0, 6], [0, 7], [1, 6], [1, 7]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SaltAndPepper(1.5), "p=1.5: expected a probability"),
        (lambda: Gaussian(-0.1), "sigma=-0.1: expected a number"),
        (lambda: Blur(math.inf), "sigma=inf: expected pixels"),
        (lambda: Knockout(1.1), "share=1.1"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()
