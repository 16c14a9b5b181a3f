"""ResNet."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

from gansweep.layers import Pass, SpectralNorm
from gansweep.models.resnet import ResNet
from gansweep.seeding import Streams


class Block(nn.Module):
    def __init__(self, num_in, num_out):
        super().__init__()
        hidden = min(num_in, num_out)
        self.conv_0, self.conv_1 = nn.Conv2d(num_in, hidden, 3, 1, 1), nn.Conv2d(hidden, num_out, 3, 1, 1)
        if num_in != num_out:
            self.conv_s = nn.Conv2d(num_in, num_out, 1, bias=False)

    def forward(self, x):
        beside = self.conv_s(x) if hasattr(self, "conv_s") else x
        return beside + 0.1 * self.conv_1(leaky_relu(self.conv_0(leaky_relu(x, 0.2)), 0.2))


class Generator(nn.Module):
    """Widths 5, 4, 2: the largest is limited to 5 instead of 8."""

    def __init__(self, side):
        super().__init__()
        self.side = side
        self.embedding, self.fc = nn.Embedding(1, 2), nn.Linear(3 + 2, 5 * side**2)
        up = nn.Upsample(scale_factor=2)
        self.resnet = nn.Sequential(Block(5, 4), up, Block(4, 2), up, Block(2, 2))
        self.conv_img = nn.Conv2d(2, 3, 3, padding=1)

    def forward(self, z):
        e = self.embedding(torch.zeros(len(z), dtype=torch.int64))
        h = self.fc(torch.cat([z, e / e.norm(dim=1, keepdim=True)], 1)).view(-1, 5, self.side, self.side)
        return torch.tanh(self.conv_img(leaky_relu(self.resnet(h), 0.2)))


class Discriminator(nn.Module):
    def __init__(self, side):
        super().__init__()
        down = nn.AvgPool2d(3, 2, 1)
        self.conv_img = nn.Conv2d(3, 2, 3, padding=1)
        self.resnet = nn.Sequential(Block(2, 2), down, Block(2, 4), down, Block(4, 5))
        self.fc = nn.Linear(5 * side**2, 1)

    def forward(self, x):
        return self.fc(leaky_relu(self.resnet(self.conv_img(x)).flatten(1), 0.2))


def test_parameter_counts_equal_those_of_the_published_code():
    for model, side, expected in (
        (ResNet(), 256, (52_154_052, 47_944_385)),
        (ResNet(base_width=16, max_width=512), 1024, (18_810_036, 16_705_201)),
        # one label instead of ten: 9 embeddings of 256 and 9 outputs of 512 * 4 * 4 inputs less
        (ResNet(embed_size=256, max_width=512), 32, (6_776_003 - 9 * 256, 2_653_386 - 9 * (512 * 16 + 1))),
    ):
        shape = (3, side, side)
        assert (model.generator(shape).num_parameters, model.discriminator(shape).num_parameters) == expected


@pytest.mark.parametrize("side", [16, 28])
@pytest.mark.parametrize("normalised", [False, True])
def test_equals_a_torch_network_with_the_same_names(side, normalised):
    model = ResNet(latent_dim=3, base_width=2, max_width=5, embed_size=2, spectral_norm=normalised)
    shape, smallest = (3, side, side), side // 4
    discriminator = Discriminator(smallest)
    if normalised:
        for module in list(discriminator.modules()):
            if isinstance(module, nn.Conv2d | nn.Linear):
                spectral_norm(module)
    for network, theirs, inputs in (
        (model.generator(shape), Generator(smallest), (7, 3)),
        (model.discriminator(shape), discriminator, (7, *shape)),
    ):
        params = network.cut(network.initial(Streams(0)["init"])[None].double())
        buffers = {name: b.double() for name, b in network.initial_buffers(1, params=params).items()}
        theirs.double().load_state_dict(network.state_dict(torch.cat([p.flatten(1) for p in params], 1), buffers))
        x = torch.randn(inputs, generator=torch.Generator().manual_seed(1)).double()
        for training in (True, False):
            state = Pass((), buffers, training)
            torch.testing.assert_close(
                network(params, x[None], state)[0], theirs.train(training)(x), rtol=1e-11, atol=1e-13
            )
            buffers = buffers | state.updates
        row, _ = network.row(theirs.state_dict())
        assert torch.equal(row, torch.cat([p.flatten() for p in params]))


def test_embed_size_0_removes_the_label():
    shape = (1, 8, 8)
    with_it, without = (ResNet(latent_dim=3, base_width=2, embed_size=n).generator(shape) for n in (1, 0))
    assert "embedding.weight" not in {slot.name for slot in without.slots}
    assert with_it.num_parameters - without.num_parameters == 1 + 4 * 4 * 4


def test_spectral_norm_of_all_discriminator_weights_only():
    model = ResNet(base_width=2, spectral_norm=True)
    g, d = model.generator((1, 16, 16)), model.discriminator((1, 16, 16))
    assert not g.buffers
    assert len(d.buffers) == 2 * sum(slot.role == "weight" for slot in d.slots)
    assert d.piecewise_linear
    assert isinstance(d.layers[0], SpectralNorm)


@pytest.mark.parametrize("shape", [(2,), (1, 9, 9), (1, 4, 4), (1, 28, 32)], ids=str)
def test_unsupported_shapes(shape):
    for build in (ResNet().generator, ResNet().discriminator):
        with pytest.raises(ValueError, match=r"resnet .*samples of the data have shape \("):
            build(shape)


@pytest.mark.parametrize(
    "wrong", [{"latent_dim": 0}, {"base_width": 0}, {"max_width": 63}, {"embed_size": -1}], ids=str
)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        ResNet(**wrong)
