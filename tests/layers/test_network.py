"""Parameter rows, masks, state_dicts and modes of a network."""

from __future__ import annotations

import math

import pytest
import torch
from tests.layers.masks import masks as masks_of_pass

from gansweep.batched.random_streams import Draws, masks_of
from gansweep.layers import BatchNorm, Dropout, LeakyReLU, Linear, Network, Pass, Tanh
from gansweep.models.initialisation import TorchDefault
from gansweep.seeding import Streams


@pytest.fixture
def net():
    return Network([Linear("0", 3, 4), BatchNorm("1", 4), Dropout((4,), 0.3), Linear("3", 4, 1)], TorchDefault())


def test_cut_gives_views_in_the_order_of_the_row(net):
    theta = torch.arange(2.0 * net.num_parameters).view(2, -1)
    parts = net.cut(theta)
    assert torch.equal(torch.cat([part.flatten(1) for part in parts], 1), theta)
    parts[1].zero_()
    assert not theta[:, 12:16].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("1.bias"), "lacks '1.bias'"),
        (lambda s: s.pop("1.running_var"), "lacks '1.running_var'"),
        (lambda s: s.update({"0.weight": torch.zeros(3, 4)}), r"'0.weight' has shape \(3, 4\), expected \(4, 3\)"),
    ],
)
def test_state_dict_with_missing_names_or_wrong_shapes(net, change, message):
    state = net.state_dict(torch.zeros(1, net.num_parameters), net.initial_buffers(1))
    change(state)
    with pytest.raises(ValueError, match=message):
        net.row(state)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.5, 0.9])
def test_masks_have_mean_1_and_the_given_probability(p):
    """Values are 0 and 1 / keep: unscaled masks would reduce the activations."""
    layer = Network([Dropout((101,), p)], TorchDefault())
    (mask,) = masks_of_pass(layer, 997)
    kept = (mask != 0).double().mean().item()
    assert mask.shape == (1, 997, 101)
    assert abs(kept - (1 - p)) <= 4 * math.sqrt(p * (1 - p) / mask.numel()) + 1e-5
    assert mask.unique().tolist() == pytest.approx([0, 1 / (1 - p)] if p else [1])


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan")])
def test_dropout_probability_out_of_range(p):
    with pytest.raises(ValueError, match="p="):
        Dropout((3,), p)


def test_every_pass_draws_new_masks(net):
    draws = Draws([Streams(0)], torch.device("cpu"))
    draws.plan("dropout", masks_of(net, 50) * 2)
    assert not torch.equal(draws.masks("dropout", net)[0], draws.masks("dropout", net)[0])


def test_evaluation_is_the_default_and_updates_no_statistics(net):
    theta = net.initial(Streams(0)["init"])[None]
    state = Pass((), net.initial_buffers(1), training=False)
    x = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(net(net.cut(theta), x, state), net(net.cut(theta), x, state))
    assert state.updates == {}


def test_initialisation_does_not_use_the_global_generator(net):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    net.initial(Streams(0)["init"])
    masks_of_pass(net, 4)
    assert torch.equal(torch.get_rng_state(), before)


def test_piecewise_linear_and_couples_samples(net):
    assert not net.piecewise_linear
    assert net.couples_samples
    assert not Network([Tanh()], TorchDefault()).piecewise_linear
    plain = Network([Linear("0", 3, 1), LeakyReLU(0.2)], TorchDefault())
    assert plain.piecewise_linear
    assert not plain.couples_samples
