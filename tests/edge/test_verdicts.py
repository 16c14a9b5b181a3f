"""Verdicts on the rates of cells."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from gansweep.cli.edge import groups_of
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.edge import picture, verdicts
from gansweep.edge.boundary import BATCHES, Linearization
from gansweep.edge.linear_rule import NotLinear, Response
from gansweep.edge.picture import Region, excesses
from gansweep.edge.reduced_game import ReducedGame
from gansweep.edge.verdicts import BEYOND, EXPECTED, FAR, Later, Moved, Stability, stability
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
    rates, later = (1.9, 0.1), Later(NotLinear("the gradients are not finite"), Moved(math.inf, 0.5))
    verdict = Stability(LONG, LINEAR, 5, {rates: later}).verdict(rates)
    assert verdict.warning == f"{EXPECTED}: after 5 steps at these rates its parameters are not finite"
    assert list(verdict.growths) == [0]


def test_the_region_of_the_figure_is_the_stable_rectangle():
    lr, lr_d = np.array([0.1, 1.9, 2.1]), np.array([0.1, 0.49, 0.51, 3.0])
    assert (excesses(Stability(LONG, LINEAR), lr, lr_d) <= 0).tolist() == [[True, True, False]] * 2 + [[False] * 3] * 2


def test_the_figure_has_no_region_without_a_linearization():
    assert np.isnan(excesses(Stability(LONG, NotLinear("no linear part")), np.ones(2), np.ones(3))).all()


def test_the_contour_of_the_figure_lies_between_the_grid_points_next_to_the_boundary(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(picture, "save", lambda figure, path: figures.append(figure))
    stable = Stability(500, LINEAR)
    picture.picture(
        [Region("", stable, [(rates, stable.verdict(rates)) for rates in ((0.05, 0.01), (0.2, 0.5))])], tmp_path
    )
    axis = figures[0].axes[0]
    ends = [path.get_extents() for collection in axis.collections for path in collection.get_paths() if len(path)]
    assert max(end.x1 for end in ends) == pytest.approx(2, rel=0.25)
    assert max(end.y1 for end in ends) == pytest.approx(0.5, rel=0.25)
    assert "stable at the initial parameters" in [text.get_text() for text in axis.get_legend().get_texts()]


DIRAC = ["model=dirac", "data=point_mass", "metric=wasserstein1", "metric.num_samples=8", "batch_size=4", "steps=60"]
R1 = [*DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd", "lr=0.1"]


def moved(words, rates=(0.1, 0.1), after=20):
    ((cell,),) = groups_of(words).values()
    return stability(cell.run, [rates], after).later[rates].moved


def test_the_short_training_uses_the_schedules_of_the_whole_run():
    pieces = "schedule_penalty.pieces=[[1.0,30],[0.0,30]]"  # no change in the first 30 of 60 steps
    assert moved([*R1, "schedule@schedule_penalty=piecewise", pieces]) == moved(R1)
    assert moved([*R1, "schedule@schedule_penalty=piecewise", "schedule_penalty.pieces=[[1.0,9],[0.0,51]]"]) != moved(
        R1
    )


def test_the_short_training_has_the_scheduled_critic_steps():
    scheduled = ["schedule@schedule_critic=piecewise", "schedule_critic.pieces=[[0.2,30],[1.0,30]]", "critic_steps=5"]
    assert moved([*R1, *scheduled]) == moved(R1)
    assert moved([*R1, "critic_steps=5"]) != moved(R1)


def test_the_short_training_is_at_most_the_whole_one():
    ((cell,),) = groups_of(R1).values()
    stable = stability(cell.run, [(0.1, 0.1)], 1000)
    assert stable.after == 60
    assert stable.later[0.1, 0.1].moved == moved(R1, after=60)
    assert set(stable.verdict((0.1, 0.1)).growths) == {0, 60}


def test_each_member_moves_as_if_it_were_trained_alone():
    rates = [(1e-3, 0.1), (0.5, 1e-2), (1e30, 1e30), (0.1, 0.1)]
    ((cell,),) = groups_of(R1).values()
    later = stability(cell.run, rates, 20).later
    assert {pair: state.moved for pair, state in later.items()} == {pair: moved(R1, pair) for pair in rates}
    assert later[1e30, 1e30].moved == (math.inf, math.inf)


def test_networks_with_many_parameters_are_linearized_in_small_packs(monkeypatch):
    sizes, pack_of, rates = [], verdicts.pack_of, [(lr, 0.1) for lr in (0.01, 0.02, 0.03, 0.04, 0.05)]
    ((cell,),) = groups_of(R1).values()  # two parameters
    together = stability(cell.run, rates, 5)
    monkeypatch.setattr(verdicts, "MOST_PARAMETERS", 5)
    monkeypatch.setattr(
        verdicts, "pack_of", lambda run, members, *of: sizes.append(len(members)) or pack_of(run, members, *of)
    )
    assert [stability(cell.run, rates, 5).verdict(pair) for pair in rates] == [together.verdict(pair) for pair in rates]
    assert max(sizes) == 2


def test_the_distance_from_parameters_of_zero_is_not_defined():
    initial = torch.tensor([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [3.0, 4.0]])
    theta = torch.tensor([[1.0, 1.0], [math.nan, 1.0], [3.0, -1.0], [math.inf, 0.0]])
    found = verdicts._distances(theta, initial).tolist()
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, 1.0, math.inf]
