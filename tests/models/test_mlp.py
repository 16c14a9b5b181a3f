"""The fully connected pair."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gansweep.layers import Pass
from gansweep.models.mlp import MLP
from gansweep.seeding import Streams


def start(network, seed=0):
    return network.initial(Streams(seed)["init"])[None]


def test_parameter_counts_of_the_paper():
    model = MLP()
    assert model.generator((1, 28, 28)).num_parameters == 1_493_520
    assert model.discriminator((1, 28, 28)).num_parameters == 1_460_225


def test_first_bounds_of_the_paper():
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)): a law by fan_out, or a normal one, ends elsewhere."""
    for network, bound in ((MLP().generator((1, 28, 28)), 0.0883883), (MLP().discriminator((1, 28, 28)), 0.0357143)):
        weight, bias = network.cut(start(network))[:2]
        assert weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
        assert weight.abs().max() <= bound
        assert 0.9 * bound < bias.abs().max() <= bound


def test_equals_the_network_of_torch_with_its_names():
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


def test_dropout_comes_after_the_activation_of_every_hidden_layer_of_the_discriminator():
    network = MLP(discriminator_widths=(6, 5), dropout=0.3).discriminator((4,))
    assert [type(layer).__name__ for layer in network.layers] == ["Linear", "LeakyReLU", "Dropout"] * 2 + ["Linear"]
    assert [(draw.shape, draw.keep) for draw in network.draws] == [((6,), 0.7), ((5,), 0.7)]
    assert MLP().generator((4,)).draws == ()


def test_names_do_not_depend_on_dropout():
    with_it, without = (MLP(dropout=p).discriminator((1, 8, 8)) for p in (0.3, 0.0))
    assert [slot.name for slot in with_it.slots] == [slot.name for slot in without.slots]
    assert without.draws == ()


def test_points_are_not_squeezed_into_the_unit_square():
    network = MLP(generator_widths=(8,)).generator((2,))
    theta = 100 * start(network)
    z = torch.randn(1, 50, 128, generator=torch.Generator().manual_seed(0))
    assert network(network.cut(theta), z).abs().max() > 1
    assert network(network.cut(theta), z).shape == (1, 50, 2)


def test_images_are_between_minus_one_and_one():
    network = MLP(generator_widths=(8,)).generator((1, 4, 4))
    theta = 100 * start(network)
    z = torch.randn(1, 50, 128, generator=torch.Generator().manual_seed(0))
    assert network(network.cut(theta), z, Pass()).abs().max() <= 1


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
    ],
    ids=str,
)
def test_wrong_numbers_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        MLP(**wrong)


def test_a_shape_that_is_neither_point_nor_image_is_refused():
    with pytest.raises(ValueError, match="sample_shape="):
        MLP().generator((8, 8))
