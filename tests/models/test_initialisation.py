"""Distributions of the initial parameters."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gansweep.interfaces import Initialisation, Slot
from gansweep.models.initialisation import CFGNormal, DCGANNormal, Kaiming, Orthogonal, TorchDefault
from gansweep.seeding import Streams

INITIALISATIONS = [TorchDefault(), DCGANNormal(), Kaiming(), Orthogonal()]
ALL = pytest.mark.parametrize(
    "initialisation", INITIALISATIONS, ids=lambda initialisation: type(initialisation).__name__
)

WEIGHT = Slot("0.weight", (60, 40, 4, 4), "weight", 40 * 16)
BIAS = Slot("0.bias", (60,), "bias", 40 * 16)
SCALE = Slot("1.weight", (5000,), "scale")
SHIFT = Slot("1.bias", (5000,), "shift")


def draw(initialisation, slot, seed=0):
    return initialisation(slot, Streams(seed)["init"])


@ALL
def test_values_depend_only_on_the_generator(initialisation):
    assert isinstance(initialisation, Initialisation)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = draw(initialisation, WEIGHT)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.shape == WEIGHT.shape
    assert torch.equal(first, draw(initialisation, WEIGHT))
    assert not torch.equal(first, draw(initialisation, WEIGHT, seed=1))


@ALL
def test_scale_starts_at_1_and_shift_at_0(initialisation):
    assert draw(initialisation, SCALE).mean().item() == pytest.approx(1, abs=2e-3)
    assert not draw(initialisation, SHIFT).any()


def test_torch_default_is_the_distribution_of_torch_layers():
    """Weights and biases have the range and standard deviation of those of torch."""
    torch.manual_seed(0)
    layer = nn.Conv2d(40, 60, 4)
    bound = 1 / math.sqrt(40 * 16)
    for slot, theirs in ((WEIGHT, layer.weight), (BIAS, layer.bias)):
        ours = draw(TorchDefault(), slot)
        assert ours.abs().max() <= bound
        assert theirs.abs().max() <= bound * (1 + 1e-6)
        assert ours.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.2 if slot is BIAS else 0.01)
        assert theirs.std().item() == pytest.approx(ours.std().item(), rel=0.3 if slot is BIAS else 0.02)


def test_fan_in_of_a_transposed_convolution_is_that_of_torch():
    from gansweep.layers import ConvTranspose2d

    theirs = nn.ConvTranspose2d(30, 7, 4)
    (weight, bias) = ConvTranspose2d("0", 30, 7, 4).slots
    bound = 1 / math.sqrt(7 * 16)
    assert weight.fan_in == bias.fan_in == 7 * 16
    assert theirs.weight.abs().max().item() == pytest.approx(bound, rel=1e-2)


def test_standard_deviations_of_dcgan():
    assert draw(DCGANNormal(), WEIGHT).std().item() == pytest.approx(0.02, rel=0.02)
    assert draw(DCGANNormal(), SCALE).std().item() == pytest.approx(0.02, rel=0.05)
    assert draw(DCGANNormal(std=0.1), WEIGHT).std().item() == pytest.approx(0.1, rel=0.02)
    assert not draw(DCGANNormal(), BIAS).any()


@ALL
def test_embeddings_are_standard_normal_as_in_torch(initialisation):
    assert draw(initialisation, Slot("embedding.weight", (1, 10_000), "embedding")).std().item() == pytest.approx(
        1, rel=0.03
    )


def test_cfg_kernels_matrices_and_scales():
    """The shortcut `convdim` is recognised by its name."""
    initialisation, kernel = CFGNormal(), (80, 60, 1, 1)
    for name, shape, expected in (
        ("group0.block0.conv1.weight", kernel, 0.01),
        ("group0.block0.convdim.weight", kernel, math.sqrt(2 / 60)),
        ("fc.weight", (80, 60), math.sqrt(2 / 60)),
    ):
        assert draw(initialisation, Slot(name, shape, "weight", 60)).std().item() == pytest.approx(expected, rel=0.03)
    scale = draw(initialisation, SCALE)
    assert 0 <= scale.min() < 0.01
    assert 0.99 < scale.max() <= 1
    assert scale.mean().item() == pytest.approx(0.5, abs=0.02)
    assert not draw(initialisation, SHIFT).any()
    assert not draw(initialisation, BIAS).any()


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_kaiming_preserves_the_second_moment(slope):
    """He et al. 2015: E[y^2] = E[x^2] when y = W leaky(x) and x is symmetric."""
    slot = Slot("0.weight", (400, 300), "weight", 300)
    weight = draw(Kaiming(slope), slot)
    x = torch.randn(300, 500, generator=torch.Generator().manual_seed(0))
    y = weight @ nn.functional.leaky_relu(x, slope)
    assert y.square().mean().item() == pytest.approx(1, rel=0.03)
    assert not draw(Kaiming(slope), BIAS).any()


@pytest.mark.parametrize("shape", [(30, 50), (50, 30), (20, 5, 3, 3)], ids=str)
def test_orthogonal_rows_or_columns(shape):
    weight = draw(Orthogonal(gain=0.8), Slot("0.weight", shape, "weight", 1)).flatten(1)
    short = weight if weight.shape[0] <= weight.shape[1] else weight.T
    torch.testing.assert_close(short @ short.T, 0.64 * torch.eye(len(short)), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("initialisation", "wrong"),
    [
        (CFGNormal, {"std": 0.0}),
        (DCGANNormal, {"std": 0.0}),
        (DCGANNormal, {"std": math.inf}),
        (Orthogonal, {"gain": -1.0}),
        (Kaiming, {"slope": math.nan}),
    ],
)
def test_settings_out_of_range(initialisation, wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        initialisation(**wrong)
