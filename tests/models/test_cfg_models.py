"""Models of composite functional gradient learning: dcganx, resnet4 and mlp_cfg."""

from __future__ import annotations

import pytest
import torch
import yaml
from tests.models.test_model_conf import CONF, make
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu, relu

from gansweep.layers import Pass
from gansweep.models.coopnets import CoopNetsPair
from gansweep.models.dcganx import DCGANX
from gansweep.models.initialisation import DCGANNormal
from gansweep.models.resnet4 import ResNet4
from gansweep.seeding import Streams

# numbers of parameters of G and D, with and without batch norm
COUNTS = [
    (DCGANX, {"base_width": 32}, (1, 32, 32), (469_345, 280_513), (468_961, 279_745)),
    (DCGANX, {}, (3, 32, 32), (1_464_131, 1_117_185), (1_463_363, 1_115_649)),
    (DCGANX, {"depth": 4}, (3, 64, 64), (5_221_699, 4_663_297), (5_219_907, 4_659_713)),
    (ResNet4, {}, (3, 64, 64), (3_403_459, 2_544_833), (3_402_435, 2_542_913)),
    (ResNet4, {}, (3, 32, 32), (2_782_915, 2_538_689), (2_781_891, 2_536_769)),
]


def pair(cls, batch_norm, **settings):
    return cls(batch_norm_generator=batch_norm, batch_norm_discriminator=batch_norm, **settings)


@pytest.mark.parametrize(("cls", "settings", "shape", "normalised", "plain"), COUNTS)
def test_parameter_counts_equal_those_of_the_published_code(cls, settings, shape, normalised, plain):
    for batch_norm, expected in ((True, normalised), (False, plain)):
        model = pair(cls, batch_norm, **settings)
        assert (model.generator(shape).num_parameters, model.discriminator(shape).num_parameters) == expected


@pytest.mark.parametrize(("channels", "expected"), [(1, 839_680), (3, 1_890_304)])
def test_parameter_counts_of_mlp_cfg(channels, expected):
    model = make(yaml.safe_load((CONF / "mlp_cfg.yaml").read_text()))
    assert model.latent_dim == 100
    assert model.generator((channels, 32, 32)).num_parameters == expected
    d = model.discriminator((channels, 32, 32))
    assert [slot.name for slot in d.slots] == [slot.name for slot in DCGANX().discriminator((channels, 32, 32)).slots]


class DCGANXGenerator(nn.Module):
    """Depth 2, width 3, 4 -> 7 -> 14 pixels."""

    def __init__(self, batch_norm):
        super().__init__()
        self.proj, self.group0 = nn.Linear(5, 6 * 16), nn.Module()
        block = {"convT0": nn.ConvTranspose2d(6, 3, 5, 2, 2), "conv1": nn.Conv2d(3, 3, 1)}
        if batch_norm:
            block |= {"bn0": nn.BatchNorm2d(3), "bn1": nn.BatchNorm2d(3)}
        self.group0.block0 = nn.ModuleDict(block)
        self.last_convT = nn.ConvTranspose2d(3, 2, 5, 2, 2, output_padding=1)

    def forward(self, z):
        block, h = self.group0.block0, self.proj(z).view(-1, 6, 4, 4)
        for conv, norm in (("convT0", "bn0"), ("conv1", "bn1")):
            h = block[conv](relu(h))
            h = block[norm](h) if norm in block else h
        return torch.tanh(self.last_convT(relu(h)))


class DCGANXDiscriminator(nn.Module):
    def __init__(self, batch_norm):
        super().__init__()
        self.conv0, self.group0 = nn.Conv2d(2, 3, 5, 2, 2), nn.Module()
        block = {"conv0": nn.Conv2d(3, 6, 5, 2, 2), "conv1": nn.Conv2d(6, 6, 1)}
        if batch_norm:
            block |= {"bn0": nn.BatchNorm2d(6), "bn1": nn.BatchNorm2d(6)}
        self.group0.block0, self.fc = nn.ModuleDict(block), nn.Linear(6 * 16, 1)

    def forward(self, x):
        block, h = self.group0.block0, leaky_relu(self.conv0(x), 0.2)
        for conv, norm in (("conv0", "bn0"), ("conv1", "bn1")):
            h = block[conv](h)
            h = leaky_relu(block[norm](h) if norm in block else h, 0.2)
        return self.fc(h.flatten(1))


def resnet4_block(num_in, hidden, num_out, batch_norm):
    group = nn.Module()
    block = {"conv0": nn.Conv2d(num_in, hidden, 3, 1, 1), "conv1": nn.Conv2d(hidden, num_out, 3, 1, 1)}
    block |= {"convdim": nn.Conv2d(num_in, num_out, 1, bias=False)}
    group.block0 = nn.ModuleDict(block | ({"bn": nn.BatchNorm2d(num_out)} if batch_norm else {}))
    return group


class ResNet4Generator(nn.Module):
    """Two blocks keep the 7 pixels, two double them."""

    def __init__(self, batch_norm):
        super().__init__()
        self.proj = nn.Linear(5, 16 * 49)
        for n, (wide, narrow) in enumerate(((16, 8), (8, 4), (4, 2), (2, 2))):
            self.add_module(f"group{n}", resnet4_block(wide, narrow, narrow, batch_norm))
        self.last_conv = nn.Conv2d(2, 1, 3, 1, 1)

    def forward(self, z):
        h = self.proj(z).view(-1, 16, 7, 7)
        for n in range(4):
            block, h = getattr(self, f"group{n}").block0, relu(h)
            up = (lambda x: interpolate(x, scale_factor=2)) if n >= 2 else (lambda x: x)
            residual = block["conv1"](relu(block["conv0"](up(h))))
            h = up(block["convdim"](h)) + (block["bn"](residual) if "bn" in block else residual)
        return torch.tanh(self.last_conv(relu(h)))


class ResNet4Discriminator(nn.Module):
    def __init__(self, batch_norm):
        super().__init__()
        for n, widths in enumerate(((1, 2, 2), (2, 2, 4), (4, 4, 8), (8, 8, 16))):
            self.add_module(f"group{n}", resnet4_block(*widths, batch_norm))
        self.fc = nn.Linear(16 * 49, 1)

    def forward(self, h):
        for n in range(4):
            block = getattr(self, f"group{n}").block0
            residual = block["conv1"](relu(block["conv0"](h)))
            residual = block["bn"](residual) if "bn" in block else residual
            shortcut = h
            if n < 2:
                residual, shortcut = avg_pool2d(residual, 2), avg_pool2d(h, 2)
            h = relu(residual + block["convdim"](shortcut))
        return self.fc(h.flatten(1))


REFERENCES = [
    (DCGANX, {"base_width": 3, "depth": 2}, (2, 14, 14), DCGANXGenerator, DCGANXDiscriminator),
    (ResNet4, {"base_width": 2}, (1, 28, 28), ResNet4Generator, ResNet4Discriminator),
]


@pytest.mark.parametrize(("cls", "settings", "shape", "generator", "discriminator"), REFERENCES)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_equal_torch_networks_with_the_same_names(cls, settings, shape, generator, discriminator, batch_norm):
    model = pair(cls, batch_norm, latent_dim=5, initialisation=DCGANNormal(std=0.3), **settings)
    for network, theirs, inputs in (
        (model.generator(shape), generator(batch_norm), (6, 5)),
        (model.discriminator(shape), discriminator(batch_norm), (6, *shape)),
    ):
        assert network.couples_samples == batch_norm
        theta = network.initial(Streams(0)["init"])[None].double()
        theta += 0.1 * torch.randn(theta.shape, generator=torch.Generator().manual_seed(2))  # nonzero biases
        buffers = {name: b.double() for name, b in network.initial_buffers(1).items()}
        theirs.double().load_state_dict(network.state_dict(theta, buffers))
        x = torch.randn(inputs, generator=torch.Generator().manual_seed(1)).double()
        for training in (True, False):
            state = Pass((), buffers, training)
            ours = network(network.cut(theta), x[None], state)[0]
            torch.testing.assert_close(ours, theirs.train(training)(x), rtol=1e-10, atol=1e-12)
            buffers = buffers | state.updates
        assert torch.equal(network.row(theirs.state_dict())[0], theta[0])


@pytest.mark.parametrize("side", [8, 9, 13, 28, 32])
def test_dcganx_makes_images_of_any_size(side):
    model = pair(DCGANX, False, latent_dim=3, base_width=2)
    g, d = model.generator((1, side, side)), model.discriminator((1, side, side))
    x = g(g.cut(g.initial(Streams(0)["init"])[None]), torch.zeros(1, 2, 3))
    assert x.shape == (1, 2, 1, side, side)
    assert d(d.cut(d.initial(Streams(0)["init"])[None]), x).shape == (1, 2, 1)


@pytest.mark.parametrize("shape", [(2,), (1, 4, 4), (1, 8, 16)], ids=str)
def test_dcganx_with_unsupported_shapes(shape):
    for build in (DCGANX().generator, DCGANX().discriminator):
        with pytest.raises(ValueError, match=r"dcganx .*samples of the data have shape \("):
            build(shape)


@pytest.mark.parametrize("shape", [(2,), (1, 9, 9), (1, 8, 16)], ids=str)
def test_resnet4_with_unsupported_shapes(shape):
    for build in (ResNet4().generator, ResNet4().discriminator):
        with pytest.raises(ValueError, match=r"resnet4 .*samples of the data have shape \("):
            build(shape)


@pytest.mark.parametrize("cls", [DCGANX, ResNet4])
@pytest.mark.parametrize("name", ["latent_dim", "base_width"])
def test_settings_out_of_range(cls, name):
    with pytest.raises(ValueError, match=f"{name}=0"):
        cls(**{name: 0})
    with pytest.raises(ValueError, match="depth=0"):
        DCGANX(depth=0)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (DCGANX(base_width=3, depth=2, spectral_norm=True), (2, 14, 14)),
        (ResNet4(base_width=2, spectral_norm=True), (1, 28, 28)),
        (CoopNetsPair(width=3, spectral_norm=True), (1, 14, 14)),
    ],
    ids=lambda part: type(part).__name__,
)
def test_every_weight_of_a_spectrally_normalised_discriminator_has_norm_one(model, shape):
    """Mistake: a shortcut or the last layer without normalisation."""
    network = model.discriminator(shape)
    theta = network.initial(Streams(0)["init"])[None]
    params = network.cut(theta)
    buffers = network.initial_buffers(1, params=params)
    module = network.module(network.state_dict(theta, buffers), shape)
    layers = [part for part in module.modules() if isinstance(part, (nn.Linear, nn.Conv2d))]
    assert len(layers) == sum(slot.name.endswith(("weight", "original")) for slot in network.slots)
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() == pytest.approx(1, rel=0.15)
    x = torch.randn(3, *shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(module(x), network(params, x[None], Pass((), buffers, False))[0], rtol=1e-4, atol=1e-6)
    assert not any("parametrizations" in slot.name for slot in model.generator(shape).slots)
