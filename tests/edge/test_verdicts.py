"""Verdicts on the rates of cells."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.edge.boundary import BATCHES, Linearization
from gansweep.edge.linear_rule import NotLinear, Response
from gansweep.edge.picture import excesses
from gansweep.edge.reduced_game import ReducedGame
from gansweep.edge.verdicts import BEYOND, EXPECTED, FAR, Later, Moved, Stability
from gansweep.optimizers.sgd import SGD

# Curvatures 1 of the generator and 4 of the discriminator, without coupling: stable for lr < 2 and lr_d < 1/2.
SIGNS = torch.tensor([1.0, -1.0] * (BATCHES // 2), dtype=torch.float64)[:, None]
RESPONSE = Response(SGD(), SIGNS, torch.ones(1, 1, dtype=torch.float64))
LINEAR = Linearization(
    ReducedGame(torch.diag(torch.tensor([1.0, 4.0], dtype=torch.float64)), 1), RESPONSE, RESPONSE, Simultaneous(), 1
)
LONG = 10**9  # steps: no growth is tolerated


NEAR = Moved(0.5, 0.5)


@pytest.mark.parametrize(("rates", "warning"), [((1.9, 0.49), ""), ((2.1, 0.1), BEYOND), ((0.1, 50.0), BEYOND)])
def test_the_linearization_at_the_start_has_a_boundary(rates, warning):
    assert Stability(LONG, LINEAR).verdict(rates).warning == warning


def test_the_linearization_at_the_own_rates_counts_too():
    rates, steeper = (1.9, 0.1), dataclasses.replace(LINEAR, game=ReducedGame(2 * LINEAR.game.jacobian, 1))
    later = {rates: Later(steeper, NEAR), (1.0, 0.1): Later(LINEAR, NEAR)}
    verdict = Stability(LONG, LINEAR, 5, later).verdict(rates)
    assert verdict.warning == BEYOND
    assert np.exp([growth.rate for growth in verdict.growths.values()]) == pytest.approx([0.9, 2.8], rel=1e-6)


@pytest.mark.parametrize(
    ("moved", "named"),
    [
        (Moved(0.99 * FAR, 0.99 * FAR), ""),
        (Moved(1.01 * FAR, 0.5), "its generator moved by"),
        (Moved(0.5, 1.01 * FAR), "its discriminator moved by"),
        (Moved(math.nan, 1.01 * FAR), "its discriminator moved by"),
        (Moved(1.01 * FAR, math.nan), "its generator moved by"),
        (Moved(math.nan, 0.5), ""),
    ],
)
@pytest.mark.parametrize("start", [LINEAR, NotLinear("no linear part")], ids=["linear", "not linear"])
def test_a_player_that_has_moved_far_is_expected_to_fail(start, moved, named):
    rates = (1.9, 0.1)
    warning = Stability(LONG, start, 5, {rates: Later(start, moved)}).verdict(rates).warning
    assert warning.startswith(f"{EXPECTED}: in 5 steps at these rates {named}" if named else "")
    assert bool(warning) == bool(named)


def test_a_run_without_finite_parameters_is_expected_to_fail():
    rates, later = (1.9, 0.1), Later(NotLinear("the gradients are not finite"), Moved(math.nan, math.nan), False)
    verdict = Stability(LONG, LINEAR, 5, {rates: later}).verdict(rates)
    assert verdict.warning == f"{EXPECTED}: after 5 steps at these rates its parameters are not finite"
    assert list(verdict.growths) == [0]


def test_the_region_of_the_figure_is_the_stable_rectangle():
    lr, lr_d = np.array([0.1, 1.9, 2.1]), np.array([0.1, 0.49, 0.51, 3.0])
    assert (excesses(Stability(LONG, LINEAR), lr, lr_d) <= 0).tolist() == [[True, True, False]] * 2 + [[False] * 3] * 2


def test_the_figure_has_no_region_without_a_linearization():
    assert np.isnan(excesses(Stability(LONG, NotLinear("no linear part")), np.ones(2), np.ones(3))).all()
