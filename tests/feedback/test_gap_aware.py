"""Gap-aware gain of the discriminator's learning rate."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gansweep.feedback.gap_aware import GapAware
from gansweep.losses.hinge import Hinge
from gansweep.losses.least_squares import LeastSquares
from gansweep.losses.minimax import Minimax
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein

GAMES = [Standard(), Minimax(), Hinge(), LeastSquares(), LeastSquares(-1.0, 2.0, 0.0), Wasserstein()]


def gains(feedback, losses):
    """Gains after each of the losses, for one member."""
    state = feedback.state(1, torch.device("cpu"))
    return [float(feedback.update(state, torch.tensor([loss]))) for loss in losses]


@pytest.mark.parametrize("game", GAMES, ids=repr)
def test_the_ideal_loss_is_the_least_where_real_and_generated_are_alike(game):
    same = torch.linspace(-3, 3, 6001)[:, None]
    assert float(game.discriminator(same, same).min()) == pytest.approx(game.ideal_loss, abs=1e-6)


@pytest.mark.parametrize("game", GAMES[:-1], ids=repr)
def test_open_numbers_follow_the_game(game):
    fitted = GapAware().fitted(game)
    assert (fitted.ideal, fitted.x_min, fitted.x_max) == pytest.approx([game.ideal_loss, *[game.ideal_loss / 10] * 2])
    assert fitted.fitted(Hinge()) == fitted


def test_the_gain_is_the_papers_multiplier_of_the_gap():
    """Without averaging every loss is V: the four ranges of eqs. 3 and 4 and their ends."""
    feedback = GapAware(ideal=1.0, x_min=0.25, x_max=0.5, h_min=0.1, f_max=3.0, decay=0.0)
    expected = {1.0: 1, 1.25: 3**0.5, 1.5: 3, 9.0: 3, 0.875: 0.1**0.5, 0.75: 0.1, -5.0: 0.1}
    for loss, gain in expected.items():
        assert gains(feedback, [loss]) == pytest.approx([gain], rel=1e-5)
    assert gains(feedback, [1.0]) == [1.0]


def test_the_average_starts_at_the_ideal_and_knows_the_newest_batch():
    feedback = GapAware().fitted(Standard())
    losses, v, expected = [2.0, 1.7, 0.2, 0.1, 0.1, 1.4], math.log(4), []
    for loss in losses:
        v = 0.95 * v + 0.05 * loss
        x = min(abs(v - math.log(4)) / (0.1 * math.log(4)), 1)
        expected.append(2**x if v > math.log(4) else 0.1**x)
    assert min(expected) < 0.5
    assert max(expected) > 1.1
    np.testing.assert_allclose(gains(feedback, losses), expected, rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_gains_do_not_depend_on_how_many_there_are(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    feedback = GapAware().fitted(Standard())
    losses = torch.rand(5, 33, generator=torch.Generator().manual_seed(1)) * 2.5
    alone = [gains(feedback, losses[:, k].tolist()) for k in range(33)]
    for size in (1, 3, 8, 9, 16, 33):
        state = feedback.state(size, torch.device("cpu"))
        together = torch.stack([feedback.update(state, batch[:size]) for batch in losses], 1)
        assert together.tolist() == alone[:size]
    torch.set_num_threads(before)


def test_a_loss_of_nan_shows():
    assert all(math.isnan(gain) for gain in gains(GapAware().fitted(Hinge()), [math.nan, 1.0]))


def test_a_wasserstein_critic_has_no_scale_for_the_gap():
    for half in (GapAware(), GapAware(x_max=1.0), GapAware(x_min=1.0)):
        with pytest.raises(ValueError, match=r"^x_m(in|ax)=null: .* 0\.0 for Wasserstein.*expected.*x_min and x_max"):
            half.fitted(Wasserstein())
    whole = GapAware(x_min=1.0, x_max=2.0).fitted(Wasserstein())
    assert (whole.ideal, whole.x_min, whole.x_max) == (0.0, 1.0, 2.0)
    assert GapAware(ideal=1.0).fitted(Wasserstein()).x_min == pytest.approx(0.1)


def test_a_game_that_tells_no_ideal_loss_is_named():
    class Mystery:
        relativistic = False

        def __repr__(self):
            return "Mystery()"

    with pytest.raises(ValueError, match=r"^ideal=null: Mystery\(\) does not define an ideal loss"):
        GapAware().fitted(Mystery())
    assert GapAware(ideal=2.0).fitted(Mystery()).x_max == pytest.approx(0.2)


@pytest.mark.parametrize(
    "wrong", [{"h_min": 0.0}, {"h_min": 1.5}, {"f_max": 0.5}, {"decay": 1.0}, {"x_min": 0.0}, {"ideal": math.inf}]
)
def test_settings_out_of_range_are_named(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=rf"^{name}={value}: expected"):
        replace(GapAware(), **wrong)
