"""Dropout applied in evaluation.

Mistakes: it is applied by default, or its input gradient uses another mask.
"""

from __future__ import annotations

import torch
from tests.layers.masks import masks as masks_of_pass
from torch.testing import assert_close

from gansweep.layers.layer import Pass
from gansweep.models.mlp import MLP

SMALL = {"latent_dim": 4, "generator_widths": (8,), "discriminator_widths": (64, 32), "dropout": 0.3}


def critic(**settings):
    network = MLP(**SMALL, **settings).discriminator((1, 4, 4))
    return network, network.cut(network.initial(torch.Generator().manual_seed(0))[None])


def test_passes_differ_with_dropout_in_evaluation_only():
    x = torch.randn(1, 5, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    with_dropout, params = critic(dropout_in_evaluation=True)
    assert not torch.equal(with_dropout(params, x), with_dropout(params, x))
    without_dropout, params = critic()
    assert torch.equal(without_dropout(params, x), without_dropout(params, x))


def test_training_passes_do_not_depend_on_the_setting():
    x = torch.randn(1, 5, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    (one, params), (other, _) = critic(dropout_in_evaluation=True), critic()
    masks = masks_of_pass(one, 5)
    assert torch.equal(one(params, x, Pass(masks)), other(params, x, Pass(masks)))
    assert torch.equal(one.input_gradient(params, x, Pass(masks)), other.input_gradient(params, x, Pass(masks)))


def test_drop_rate_and_scale_of_kept_units():
    from gansweep.layers import Dropout

    torch.manual_seed(0)
    y = Dropout((10_000,), 0.3, in_evaluation=True).forward((), torch.ones(1, 1, 10_000), Pass(training=False))
    assert_close(y.unique(), torch.tensor([0.0, 1 / 0.7]))
    assert abs(float((y > 0).float().mean()) - 0.7) < 0.02


def test_input_gradient_uses_the_mask_of_its_pass():
    from gansweep.layers import Dropout

    x = torch.arange(1.0, 101).view(1, 1, 100)
    y, pull_back = Dropout((100,), 0.5, in_evaluation=True).linearised((), x, Pass(training=False))
    assert torch.equal(pull_back(torch.ones_like(y)), y / x)
