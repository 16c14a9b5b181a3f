"""Laws of the first parameters."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gansweep.interfaces import Initialisation, Slot
from gansweep.models.initialisation import CFGNormal, DCGANNormal, Kaiming, Orthogonal, TorchDefault
from gansweep.seeding import Streams

LAWS = [TorchDefault(), DCGANNormal(), Kaiming(), Orthogonal()]
ALL = pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)

WEIGHT = Slot("0.weight", (60, 40, 4, 4), "weight", 40 * 16)
BIAS = Slot("0.bias", (60,), "bias", 40 * 16)
SCALE = Slot("1.weight", (5000,), "scale")
SHIFT = Slot("1.bias", (5000,), "shift")


def draw(law, slot, seed=0):
    return law(slot, Streams(seed)["init"])


@ALL
def test_a_law_depends_on_its_generator_alone(law):
    assert isinstance(law, Initialisation)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = draw(law, WEIGHT)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.shape == WEIGHT.shape
    assert torch.equal(first, draw(law, WEIGHT))
    assert not torch.equal(first, draw(law, WEIGHT, seed=1))


@ALL
def test_normalisation_starts_about_the_identity(law):
    assert draw(law, SCALE).mean().item() == pytest.approx(1, abs=2e-3)
    assert not draw(law, SHIFT).any()


def test_torch_default_is_the_law_of_torchs_layers():
    """Same width and same shape, biases included: torch's own numbers as witness."""
    torch.manual_seed(0)
    layer = nn.Conv2d(40, 60, 4)
    bound = 1 / math.sqrt(40 * 16)
    for slot, theirs in ((WEIGHT, layer.weight), (BIAS, layer.bias)):
        ours = draw(TorchDefault(), slot)
        assert ours.abs().max() <= bound
        assert theirs.abs().max() <= bound * (1 + 1e-6)
        assert ours.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.2 if slot is BIAS else 0.01)
        assert theirs.std().item() == pytest.approx(ours.std().item(), rel=0.3 if slot is BIAS else 0.02)


def test_transposed_convolution_takes_torchs_fan_in():
    from gansweep.layers import ConvTranspose2d

    theirs = nn.ConvTranspose2d(30, 7, 4)
    (weight, bias) = ConvTranspose2d("0", 30, 7, 4).slots
    bound = 1 / math.sqrt(7 * 16)
    assert weight.fan_in == bias.fan_in == 7 * 16
    assert theirs.weight.abs().max().item() == pytest.approx(bound, rel=1e-2)


def test_dcgan_is_narrow_and_its_scale_varies():
    assert draw(DCGANNormal(), WEIGHT).std().item() == pytest.approx(0.02, rel=0.02)
    assert draw(DCGANNormal(), SCALE).std().item() == pytest.approx(0.02, rel=0.05)
    assert draw(DCGANNormal(std=0.1), WEIGHT).std().item() == pytest.approx(0.1, rel=0.02)
    assert not draw(DCGANNormal(), BIAS).any()


@ALL
def test_an_embedding_starts_as_in_torch(law):
    assert draw(law, Slot("embedding.weight", (1, 10_000), "embedding")).std().item() == pytest.approx(1, rel=0.03)


def test_cfg_has_narrow_kernels_kaiming_ends_and_scales_between_zero_and_one():
    """The shortcut is a kernel too, and its name says so."""
    law, kernel = CFGNormal(), (80, 60, 1, 1)
    for name, shape, expected in (
        ("group0.block0.conv1.weight", kernel, 0.01),
        ("group0.block0.convdim.weight", kernel, math.sqrt(2 / 60)),
        ("fc.weight", (80, 60), math.sqrt(2 / 60)),
    ):
        assert draw(law, Slot(name, shape, "weight", 60)).std().item() == pytest.approx(expected, rel=0.03)
    scale = draw(law, SCALE)
    assert 0 <= scale.min() < 0.01
    assert 0.99 < scale.max() <= 1
    assert scale.mean().item() == pytest.approx(0.5, abs=0.02)
    assert not draw(law, SHIFT).any()
    assert not draw(law, BIAS).any()


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_kaiming_keeps_the_second_moment_through_a_leaky_relu(slope):
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
    ("law", "wrong"),
    [
        (CFGNormal, {"std": 0.0}),
        (DCGANNormal, {"std": 0.0}),
        (DCGANNormal, {"std": math.inf}),
        (Orthogonal, {"gain": -1.0}),
        (Kaiming, {"slope": math.nan}),
    ],
)
def test_wrong_numbers_are_refused_by_name(law, wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        law(**wrong)
