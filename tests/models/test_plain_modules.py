"""Every model as modules of torch.nn. Mistakes: a layer in another order, a name that differs, a shared weight."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import yaml
from tests.models.test_model_conf import PATHS, make
from torch import fx, nn

from gansweep.layers import AppendLabel, BatchNorm, Linear, Network, Pass
from gansweep.layers.layer import Parameterless
from gansweep.models.dcgan import DCGAN
from gansweep.models.initialisation import TorchDefault
from gansweep.models.mlp import MLP
from gansweep.models.resnet import ResNet

SHAPES = {"dirac": (1,), "point": (2,), "mlp_2d": (2,), "mlp_ring": (2,)}
SMALL = {"base_width": 8, "max_width": 16, "width": 6, "latent_dim": 5}


def smaller(model):
    fields = {name: value for name, value in SMALL.items() if name in getattr(model, "__dataclass_fields__", {})}
    return replace(model, **fields)


def trained(network: Network, seed: int = 3):
    """Parameters and buffers (2, ...) of two members, none of which is an initial value."""
    generator = torch.Generator().manual_seed(seed)
    theta = torch.stack([network.initial(generator) for _ in range(2)])
    theta += 0.1 * torch.randn(theta.shape, generator=generator)
    buffers = network.initial_buffers(2, params=network.cut(theta))
    for name, value in buffers.items():
        if "running" in name:
            value.uniform_(0.5, 2.0, generator=generator)
    return theta, buffers


def assert_same(network: Network, input_shape, member: int = 1, num_classes: int = 0):
    theta, buffers = trained(network)
    state = network.state_dict(theta, buffers, member)
    before = torch.get_rng_state()
    module = network.module(state, input_shape, "Title")
    assert torch.equal(before, torch.get_rng_state())
    x = torch.randn(4, *input_shape, generator=torch.Generator().manual_seed(1))
    labels = [torch.tensor([2, 0, 1, 2])] if num_classes else []
    state_of_pass = Pass((), buffers, training=False, labels=labels[0].expand(2, -1) if labels else None)
    expected = network(network.cut(theta), x.expand(2, *x.shape), state_of_pass)[member]
    with torch.no_grad():
        torch.testing.assert_close(module(x, *labels), expected, rtol=1e-4, atol=1e-5)
    saved = {name: value for name, value in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    assert saved.keys() == state.keys()
    assert all(torch.equal(saved[name], state[name]) for name in state)
    return module


def networks():
    for path in PATHS:
        model = smaller(make(yaml.safe_load(path.read_text())))
        shape = SHAPES.get(path.stem, (3, 32, 32))
        is_autoencoder = path.stem == "unet"
        yield path.stem + " G", model.generator(shape), shape if is_autoencoder else (model.latent_dim,)
        if path.stem not in ("unet", "point"):
            yield path.stem + " D", model.discriminator(shape), shape
    yield "spectral mlp", MLP(spectral_norm=True, input_factor=0.25).discriminator((1, 8, 8)), (1, 8, 8)
    yield "spectral resnet", ResNet(base_width=4, spectral_norm=True).discriminator((1, 8, 8)), (1, 8, 8)
    yield "batch norm", DCGAN(base_width=4, batch_norm_discriminator=True).discriminator((1, 16, 16)), (1, 16, 16)
    vectors = [Linear("a.0", 5, 6), BatchNorm("a.1", 6), AppendLabel("label", 2), Linear("b", 8, 3)]
    yield "vectors", Network(vectors, TorchDefault()), (5,)


CASES = {name: (network, shape) for name, network, shape in networks()}


@pytest.mark.parametrize("name", CASES)
def test_the_module_has_the_outputs_and_names_of_the_member(name):
    module = assert_same(*CASES[name])
    assert all(type(part).__module__.startswith("torch.") for part in module.modules() if part is not module)
    assert isinstance(module, (nn.Sequential, fx.GraphModule))


@pytest.mark.parametrize(
    "model",
    [
        MLP(latent_dim=4, conditional=True, spectral_norm=True),
        DCGAN(base_width=4, conditional=True, batch_norm_discriminator=True),
        DCGAN(base_width=4, conditional=True, spectral_norm=True),
        ResNet(base_width=4, conditional=True),
    ],
    ids=["mlp", "dcgan", "spectral dcgan", "resnet"],
)
def test_conditional_networks_take_labels(model):
    shape = (1, 8, 8)
    for network, input_shape in (
        (model.generator(shape, 3), (model.latent_dim,)),
        (model.discriminator(shape, 3), shape),
    ):
        module = assert_same(network, input_shape, num_classes=3)
        assert isinstance(module, fx.GraphModule)
        assert all(type(part).__module__.startswith("torch.") for part in module.modules() if part is not module)
        batch = torch.export.Dim("batch", min=1)
        inputs = torch.zeros(2, *input_shape), torch.zeros(2, dtype=torch.int64)
        program = torch.export.export(module, inputs, dynamic_shapes=({0: batch}, {0: batch}))
        x, labels = torch.randn(5, *input_shape), torch.tensor([0, 1, 2, 0, 1])
        torch.testing.assert_close(program.module()(x, labels), module(x, labels))


def test_chains_of_modules_are_sequential_with_the_numbers_of_their_layers():
    module = assert_same(DCGAN(base_width=4).generator((1, 16, 16)), (100,))
    assert type(module) is nn.Sequential
    assert [type(part).__name__ for part in module] == [
        *("Unflatten", "ConvTranspose2d", "BatchNorm2d", "ReLU", "ConvTranspose2d", "BatchNorm2d", "ReLU"),
        *("ConvTranspose2d", "Tanh"),
    ]
    assert list(module._modules) == [str(n) for n in range(9)]
    assert type(assert_same(MLP(dropout=0.0).discriminator((1, 8, 8)), (1, 8, 8))) is nn.Sequential


def test_other_networks_show_the_source_of_their_forward_pass():
    module = assert_same(ResNet(base_width=4).generator((1, 8, 8)), (256,))
    assert isinstance(module, fx.GraphModule)
    assert "conv_1" in module.code
    assert "gansweep" not in module.code
    assert type(module).__name__ == "Title"


class Twice(Parameterless):
    """A layer of a user, without the method `plain` of a counterpart."""

    def forward(self, params, x, state):
        return 2 * x


def test_names_of_attributes_of_modules():
    network = Network([Linear("code", 5, 4), Linear("graph", 4, 3)], TorchDefault())
    assert_same(network, (5,))


def test_layers_of_a_user_are_called_as_they_are():
    network = Network([Linear("0", 5, 4), Twice(), Linear("2", 4, 3)], TorchDefault())
    module = assert_same(network, (5,))
    assert [name for name, _ in module.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    exported = torch.export.export(module, (torch.randn(2, 5),), dynamic_shapes=({0: torch.export.Dim.AUTO},))
    x = torch.randn(7, 5)
    assert torch.equal(exported.module()(x), module(x))
