"""DCGAN."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gansweep.layers import BatchNorm, Pass
from gansweep.models.dcgan import DCGAN
from gansweep.seeding import Streams

SHAPES = [(channels, size, size) for size in (8, 16, 28, 32, 64) for channels in (1, 3)]


def test_parameter_counts_equal_those_of_the_pytorch_example():
    model = DCGAN(batch_norm_discriminator=True)
    assert model.generator((3, 64, 64)).num_parameters == 3_576_704
    assert model.discriminator((3, 64, 64)).num_parameters == 2_765_568


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_shapes_for_every_image_size(shape, batch_norm):
    model = DCGAN(latent_dim=5, base_width=2, batch_norm_generator=batch_norm, batch_norm_discriminator=batch_norm)
    streams = [Streams(seed)["init"] for seed in (0, 1)]
    g, d = model.generator(shape), model.discriminator(shape)
    theta_g, theta_d = (torch.stack([network.initial(stream) for stream in streams]) for network in (g, d))
    z = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    fake = g(g.cut(theta_g), z, Pass((), g.initial_buffers(2)))
    assert fake.shape == (2, 3, *shape)
    assert fake.abs().max() <= 1
    assert d(d.cut(theta_d), fake, Pass((), d.initial_buffers(2))).shape == (2, 3, 1)
    for network in (g, d):
        names = [slot.name for slot in network.slots]
        assert len(set(names)) == len(names)
        assert any(isinstance(layer, BatchNorm) for layer in network.layers) == (batch_norm and len(names) > 2)


def test_equals_a_torch_network_with_the_same_names():
    model = DCGAN(latent_dim=5, base_width=3, batch_norm_discriminator=True)
    generator = nn.Sequential(
        nn.Unflatten(1, (5, 1, 1)), nn.ConvTranspose2d(5, 6, 4, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
        nn.ConvTranspose2d(6, 3, 4, 2, 1, bias=False), nn.BatchNorm2d(3), nn.ReLU(),
        nn.ConvTranspose2d(3, 1, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(1, 3, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), nn.Conv2d(3, 6, 4, 2, 1, bias=False),
        nn.BatchNorm2d(6), nn.LeakyReLU(0.2), nn.Conv2d(6, 1, 4, bias=False), nn.Flatten(),
    )  # fmt: skip
    shape = (1, 16, 16)
    for network, theirs, inputs in (
        (model.generator(shape), generator, (9, 5)),
        (model.discriminator(shape), discriminator, (9, *shape)),
    ):
        theta, buffers = network.initial(Streams(0)["init"])[None], network.initial_buffers(1)
        theirs.load_state_dict(network.state_dict(theta, buffers))
        x = torch.randn(inputs, generator=torch.Generator().manual_seed(1))
        for training in (True, False):
            ours = network(network.cut(theta), x[None], Pass((), buffers, training))[0]
            torch.testing.assert_close(ours, theirs.train(training)(x), rtol=1e-4, atol=1e-6)
            theirs.load_state_dict(network.state_dict(theta, buffers))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_layers_have_biases_without_batch_norm_only(batch_norm):
    model = DCGAN(batch_norm_generator=batch_norm, batch_norm_discriminator=batch_norm)
    for network in (model.generator((1, 32, 32)), model.discriminator((1, 32, 32))):
        assert any(slot.role == "bias" for slot in network.slots) != batch_norm


def test_first_and_last_layers_have_no_batch_norm():
    """Radford et al. 2016, section 3: batch norm there causes sample oscillation."""
    model = DCGAN(batch_norm_discriminator=True)
    kinds = [type(layer).__name__ for layer in model.discriminator((1, 28, 28)).layers]
    assert kinds == ["Conv2d", "LeakyReLU", "Conv2d", "BatchNorm", "LeakyReLU", "Conv2d", "Reshape"]
    assert [type(layer).__name__ for layer in model.generator((1, 28, 28)).layers][-2:] == ["ConvTranspose2d", "Tanh"]


@pytest.mark.parametrize("shape", [(2,), (1, 9, 9), (1, 4, 4), (1, 28, 32), (3, 36, 36)], ids=str)
def test_unsupported_shapes(shape):
    for build in (DCGAN().generator, DCGAN().discriminator):
        with pytest.raises(ValueError, match=r"dcgan .*samples of the data have shape \("):
            build(shape)


@pytest.mark.parametrize("wrong", [{"latent_dim": 0}, {"base_width": 0}, {"slope": -1.0}], ids=str)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        DCGAN(**wrong)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_spectral_norm_equals_torch(batch_norm):
    model = DCGAN(base_width=3, batch_norm_discriminator=batch_norm, spectral_norm=True)
    assert not any("original" in slot.name for slot in model.generator((1, 16, 16)).slots)
    d = model.discriminator((1, 16, 16))
    bias = not batch_norm
    theirs = nn.Sequential(
        spectral_norm(nn.Conv2d(1, 3, 4, 2, 1, bias=bias)), nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(3, 6, 4, 2, 1, bias=bias)), *[nn.BatchNorm2d(6)] * batch_norm, nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(6, 1, 4, bias=bias)), nn.Flatten(),
    )  # fmt: skip
    theta = d.initial(Streams(0)["init"])[None].double()
    buffers = {name: b.double() for name, b in d.initial_buffers(1, params=d.cut(theta)).items()}
    theirs.double().load_state_dict(d.state_dict(theta, buffers))
    x = torch.randn(5, 1, 16, 16, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(d(d.cut(theta), x[None], Pass((), buffers))[0], theirs(x), rtol=1e-11, atol=1e-13)
