"""Networks of CoopNets: parameter counts and map sizes of the study."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gansweep.layers import Pass
from gansweep.models.coopnets import CoopNetsPair

SHAPE = (3, 32, 32)


def sides(network, x):
    """Return the sides of all feature maps of x, and the output."""
    params, at, result = network.cut(network.initial(torch.Generator())[None]), 0, []
    for layer in network.layers:
        x, at = layer.forward(params[at : at + len(layer.slots)], x, Pass()), at + len(layer.slots)
        result.append(x.shape[-1])
    return result, x


def test_parameters_and_maps():
    model = CoopNetsPair()
    generator, descriptor = model.generator(SHAPE), model.discriminator(SHAPE)
    assert (generator.num_parameters, descriptor.num_parameters) == (555_803, 1_059_301)
    assert list(generator.sizes) == [48_000, 200, 500_000, 100, 7_500, 3]
    assert list(descriptor.sizes) == [72_600, 200, 980_000, 100, 6_400, 1]
    small = CoopNetsPair(width=2)
    result, f = sides(small.discriminator(SHAPE), torch.randn(1, 2, *SHAPE))
    assert result == [16, 16, 8, 8, 1, 1, 1]
    assert f.shape == (1, 2, 1)
    result, fake = sides(small.generator(SHAPE), torch.randn(1, 2, 15))
    assert result == [1, 4, 4, 12, 11, 11, 33, 32, 32]
    assert fake.shape == (1, 2, *SHAPE)


def test_cropping_of_transposed_convolutions():
    """Like MatConvNet, it keeps rows 1 to -2 of the full transposed convolution."""
    network = CoopNetsPair(latent_dim=2, width=1).generator(SHAPE)
    params = network.cut(network.initial(torch.Generator())[None])
    x = torch.randn(1, 3, 2, 4, 4)
    whole = F.conv_transpose2d(x[0], params[2][0], params[3][0], stride=3)
    assert whole.shape[-1] == 14
    layers = network.layers
    result = layers[4].forward((), layers[3].forward(params[2:4], x, Pass()), Pass())
    torch.testing.assert_close(result[0], whole[..., 1:-2, 1:-2])


def test_pull_back_of_a_crop_pads_with_zeros():
    layer = CoopNetsPair(width=1).generator(SHAPE).layers[4]
    x = torch.randn(1, 2, 1, 12, 12)
    back = layer.pull_back((), x, torch.ones(1, 2, 1, 11, 11), Pass())
    assert back.shape == x.shape
    assert back.sum() == 2 * 121
    assert back[..., -1, :].abs().sum() == 0


def test_initial_weights():
    model = CoopNetsPair(width=20)
    for network, std in ((model.generator(SHAPE), 0.005), (model.discriminator(SHAPE), 0.01)):
        for slot, p in zip(network.slots, network.cut(network.initial(torch.Generator())[None]), strict=True):
            assert p.std().item() == pytest.approx(std, rel=0.1) if slot.role == "weight" else not p.any()


@pytest.mark.parametrize("name", ["width", "latent_dim"])
def test_settings_out_of_range(name):
    with pytest.raises(ValueError, match=f"{name}=0: expected 1 or more"):
        CoopNetsPair(**{name: 0})
