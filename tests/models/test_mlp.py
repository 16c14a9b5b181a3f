"""MLP."""

from __future__ import annotations

import pytest
import torch
import yaml
from tests.models.test_model_conf import CONF, make
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gansweep.layers import Pass
from gansweep.models.mlp import MLP
from gansweep.seeding import Streams


def start(network, seed=0):
    return network.initial(Streams(seed)["init"])[None]


def test_parameter_counts_equal_those_of_the_paper():
    model = MLP()
    assert model.generator((1, 28, 28)).num_parameters == 1_493_520
    assert model.discriminator((1, 28, 28)).num_parameters == 1_460_225


def test_bounds_of_the_initial_weights():
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)); fan_out or a normal distribution would have other bounds."""
    for network, bound in ((MLP().generator((1, 28, 28)), 0.0883883), (MLP().discriminator((1, 28, 28)), 0.0357143)):
        weight, bias = network.cut(start(network))[:2]
        assert weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
        assert weight.abs().max() <= bound
        assert 0.9 * bound < bias.abs().max() <= bound


def test_equals_a_torch_network_with_the_same_names():
    model = MLP(latent_dim=3, generator_widths=(5, 6), discriminator_widths=(7, 4), slope=0.1, dropout=0.4)
    shape = (2, 3, 4)
    generator = nn.Sequential(
        nn.Linear(3, 5), nn.LeakyReLU(0.1), nn.Linear(5, 6), nn.LeakyReLU(0.1), nn.Linear(6, 24), nn.Tanh(),
        nn.Unflatten(1, shape),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Flatten(), nn.Linear(24, 7), nn.LeakyReLU(0.1), nn.Dropout(0.4), nn.Linear(7, 4), nn.LeakyReLU(0.1),
        nn.Dropout(0.4), nn.Linear(4, 1),
    )  # fmt: skip
    for network, theirs, inputs in (
        (model.generator(shape), generator, (9, 3)),
        (model.discriminator(shape), discriminator, (9, *shape)),
    ):
        theta = start(network)
        theirs.load_state_dict(network.state_dict(theta))
        x = torch.randn(inputs, generator=torch.Generator().manual_seed(1))
        ours = network(network.cut(theta), x[None])[0]
        torch.testing.assert_close(ours, theirs.eval()(x), rtol=1e-5, atol=1e-6)


def test_dropout_follows_every_hidden_activation_of_the_discriminator():
    network = MLP(discriminator_widths=(6, 5), dropout=0.3).discriminator((4,))
    assert [type(layer).__name__ for layer in network.layers] == ["Linear", "LeakyReLU", "Dropout"] * 2 + ["Linear"]
    assert [(draw.shape, draw.keep) for draw in network.draws] == [((6,), 0.7), ((5,), 0.7)]
    assert MLP().generator((4,)).draws == ()


def test_parameter_names_do_not_depend_on_dropout():
    with_it, without = (MLP(dropout=p).discriminator((1, 8, 8)) for p in (0.3, 0.0))
    assert [slot.name for slot in with_it.slots] == [slot.name for slot in without.slots]
    assert without.draws == ()


def test_generated_points_are_not_limited_to_the_unit_square():
    network = MLP(generator_widths=(8,)).generator((2,))
    theta = 100 * start(network)
    z = torch.randn(1, 50, 128, generator=torch.Generator().manual_seed(0))
    assert network(network.cut(theta), z).abs().max() > 1
    assert network(network.cut(theta), z).shape == (1, 50, 2)


def test_generated_images_are_in_range():
    network = MLP(generator_widths=(8,)).generator((1, 4, 4))
    theta = 100 * start(network)
    z = torch.randn(1, 50, 128, generator=torch.Generator().manual_seed(0))
    assert network(network.cut(theta), z, Pass()).abs().max() <= 1


def preset(name):
    return make(yaml.safe_load((CONF / f"{name}.yaml").read_text()))


def test_mlp_ring_has_the_networks_of_the_paper():
    """D: 2 -> 128 -> 1 on a quarter of the input; G: 256 -> 128 -> 128 -> 2; ReLU; gain 0.8."""
    model = preset("mlp_ring")
    g, d = model.generator((2,)), model.discriminator((2,))
    assert [slot.shape for slot in g.slots if slot.role == "weight"] == [(128, 256), (128, 128), (2, 128)]
    assert [slot.shape for slot in d.slots if slot.role == "weight"] == [(128, 2), (1, 128)]
    weight, bias, last, _ = d.cut(start(d))
    torch.testing.assert_close(weight[0].T @ weight[0], 0.64 * torch.eye(2), rtol=0, atol=1e-5)
    assert not bias.any()
    x = torch.randn(1, 9, 2, generator=torch.Generator().manual_seed(0))
    expected = torch.relu(x / 4 @ weight[0].T) @ last[0].T
    torch.testing.assert_close(d(d.cut(start(d)), x), expected, rtol=1e-5, atol=1e-6)
    assert "Dropout" not in [type(layer).__name__ for layer in d.layers]


def test_networks_of_mescheder_have_four_layers():
    model = preset("mlp_2d")
    for network in (model.generator((2,)), model.discriminator((2,))):
        assert sum(slot.role == "weight" for slot in network.slots) == 4
        assert not network.draws


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("activation", ["leaky_relu", "tanh"])
def test_equals_a_torch_network_with_every_option(activation, normalised):
    model = MLP(3, (5,), (7, 4), activation, 0.1, 0.0, 0.5, normalised)
    act = nn.Tanh() if activation == "tanh" else nn.LeakyReLU(0.1)
    wrap = spectral_norm if normalised else (lambda module: module)
    # indices in names include a dropout layer
    theirs = nn.Sequential(
        wrap(nn.Linear(2, 7)), act, nn.Identity(), wrap(nn.Linear(7, 4)), act, nn.Identity(), wrap(nn.Linear(4, 1))
    )
    d = model.discriminator((2,))
    assert d.piecewise_linear == (activation == "leaky_relu")
    params = [p.double().requires_grad_() for p in d.cut(start(d))]
    buffers = {name: b.double() for name, b in d.initial_buffers(1, params=params).items()}
    theirs.double().load_state_dict(d.state_dict(start(d).double(), buffers))
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(1)).double()
    state = Pass((), buffers)
    grad = d.input_gradient(params, x[None], state)
    at = (0.5 * x).requires_grad_()
    (expected,) = torch.autograd.grad(theirs(at).sum(), at, create_graph=True)
    torch.testing.assert_close(grad[0], 0.5 * expected, rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(d(params, x[None], Pass((), buffers | state.updates, False))[0], theirs.eval()(at))
    ours = torch.autograd.grad(grad.square().sum(), params[0])[0]
    weight = dict(theirs.named_parameters())[d.slots[0].name]
    torch.testing.assert_close(ours[0], torch.autograd.grad((0.5 * expected).square().sum(), weight)[0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"latent_dim": 0},
        {"generator_widths": ()},
        {"discriminator_widths": (8, 0)},
        {"slope": 1.0},
        {"slope": float("nan")},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"activation": "relu"},
        {"input_factor": 0.0},
    ],
    ids=str,
)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        MLP(**wrong)


def test_unsupported_shape():
    with pytest.raises(ValueError, match="samples of the data have shape"):
        MLP().generator((8, 8))
