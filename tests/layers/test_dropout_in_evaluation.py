"""Dropout that forgets to ask whether it trains. Mistakes: it drops when not told to, or its slope has another mask."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from gansweep.layers.layer import Pass
from gansweep.models.mlp import MLP

SMALL = {"latent_dim": 4, "generator_widths": (8,), "discriminator_widths": (64, 32), "dropout": 0.3}


def critic(**settings):
    network = MLP(**SMALL, **settings).discriminator((1, 4, 4))
    return network, network.cut(network.initial(torch.Generator().manual_seed(0))[None])


def test_the_studys_critic_differs_from_pass_to_pass_and_the_canonical_one_does_not():
    x = torch.randn(1, 5, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    forgetful, params = critic(dropout_in_evaluation=True)
    assert not torch.equal(forgetful(params, x), forgetful(params, x))
    proper, params = critic()
    assert torch.equal(proper(params, x), proper(params, x))


def test_trainings_are_the_same_either_way():
    x = torch.randn(1, 5, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    (one, params), (other, _) = critic(dropout_in_evaluation=True), critic()
    masks = one.masks(5, [torch.Generator().manual_seed(2)])
    assert torch.equal(one(params, x, Pass(masks)), other(params, x, Pass(masks)))
    assert torch.equal(one.input_gradient(params, x, Pass(masks)), other.input_gradient(params, x, Pass(masks)))


def test_units_are_kept_as_often_as_said_and_scaled_up():
    from gansweep.layers import Dropout

    torch.manual_seed(0)
    y = Dropout((10_000,), 0.3, in_evaluation=True).forward((), torch.ones(1, 1, 10_000), Pass(training=False))
    assert_close(y.unique(), torch.tensor([0.0, 1 / 0.7]))
    assert abs(float((y > 0).float().mean()) - 0.7) < 0.02


def test_the_slope_has_the_mask_of_its_own_pass():
    from gansweep.layers import Dropout

    x = torch.arange(1.0, 101).view(1, 1, 100)
    y, way = Dropout((100,), 0.5, in_evaluation=True).linearised((), x, Pass(training=False))
    assert torch.equal(way(torch.ones_like(y)), y / x)
