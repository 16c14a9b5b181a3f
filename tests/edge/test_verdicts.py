"""Verdicts on the rates of cells."""

import dataclasses

import numpy as np
import pytest
import torch

from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.edge.boundary import BATCHES, Linearization
from gansweep.edge.linear_rule import NotLinear
from gansweep.edge.picture import excesses
from gansweep.edge.reduced_game import ReducedGame
from gansweep.edge.response import Response
from gansweep.edge.verdicts import BEYOND, MARGIN, Stability
from gansweep.optimizers.sgd import SGD

# Curvatures 1 of the generator and 4 of the discriminator, without coupling: stable for lr < 2 and lr_d < 1/2.
SIGNS = torch.tensor([1.0, -1.0] * (BATCHES // 2), dtype=torch.float64)[:, None]
RESPONSE = Response(SGD(), SIGNS, torch.ones(1, 1, dtype=torch.float64))
LINEAR = Linearization(
    ReducedGame(torch.diag(torch.tensor([1.0, 4.0], dtype=torch.float64)), 1), RESPONSE, RESPONSE, Simultaneous(), 1
)
LONG = 10**9  # steps: no growth is tolerated


@pytest.mark.parametrize(
    ("rates", "warning"),
    [
        ((1.9, 0.49), ""),
        ((2.1, 0.1), BEYOND),
        ((0.1, 0.51), BEYOND),
        ((2 * MARGIN * 0.99, 0.1), BEYOND),
        ((2 * MARGIN * 1.01, 0.1), "expected to diverge"),
        ((0.1, 0.5 * MARGIN * 1.01), "expected to diverge"),
    ],
)
def test_the_warning_depends_on_the_multiple_of_the_boundary(rates, warning):
    assert Stability(LONG, LINEAR).verdict(rates).warning.startswith(warning)
    assert bool(Stability(LONG, LINEAR).verdict(rates).warning) == bool(warning)


def test_the_linearization_at_the_own_rates_counts_too():
    rates, steeper = (1.9, 0.1), dataclasses.replace(LINEAR, game=ReducedGame(2 * LINEAR.game.jacobian, 1))
    verdict = Stability(LONG, LINEAR, 5, {rates: steeper, (1.0, 0.1): LINEAR}).verdict(rates)
    assert verdict.warning == BEYOND
    assert np.exp([growth.rate for growth in verdict.growths.values()]) == pytest.approx([0.9, 2.8], rel=1e-6)


def test_a_run_that_ends_before_the_second_linearization_is_expected_to_diverge():
    rates = (1.9, 0.1)
    stable = Stability(LONG, LINEAR, 5, {rates: NotLinear("the gradients are not finite")})
    assert "after 5 steps at these rates: the gradients are not finite" in stable.verdict(rates).warning
    assert list(stable.verdict(rates).growths) == [0]


def test_the_region_of_the_figure_is_the_stable_rectangle():
    lr, lr_d = np.array([0.1, 1.9, 2.1]), np.array([0.1, 0.49, 0.51, 3.0])
    assert (excesses(Stability(LONG, LINEAR), lr, lr_d) <= 0).tolist() == [[True, True, False]] * 2 + [[False] * 3] * 2
