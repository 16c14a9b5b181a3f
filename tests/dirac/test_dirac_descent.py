"""Trajectories against known values, and update rules against torch.optim."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.dirac.descent import Alternating, Simultaneous, descend, pair, trajectory
from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.gan import GAN, WGAN, NonSaturating
from gansweep.dirac.fields.r1 import R1
from gansweep.dirac.fields.wgan_gp import DRAGAN, WGANGP
from gansweep.dirac.notebook import ALGORITHMS, METHODS, NUM_STEPS, RATE, START
from gansweep.dirac.rules import Adam, HeavyBall, RMSprop
from gansweep.schedules.constant import Constant
from gansweep.schedules.piecewise import Piecewise
from gansweep.schedules.step import Step


@pytest.mark.parametrize(
    ("field", "algorithm", "steps"),
    [
        (GAN(), Simultaneous(), [(0.9462117157, 1.0537882843), (0.8894102858, 1.1047911084)]),
        (GAN(), Alternating(), [(0.9462117157, 1.0529211130)]),
        (R1(0.3), Simultaneous(), [(0.9462117157, 0.9937882843)]),
        (WGANGP(0.7, 1.0), Simultaneous(), [(0.8, 1.2), (0.56, 1.332)]),
        (WGAN(1.0), Simultaneous(), [(0.8, 1.0)]),
    ],
)
def test_first_steps(field, algorithm, steps):
    np.testing.assert_allclose(trajectory(field, algorithm, START, RATE, len(steps))[1:], steps, atol=5e-11)


# r after 500 steps [smallest, largest of the last 100], simultaneous, alternating 1:1, alternating 1:5.
ENDS = {
    "GAN": [(3.097, 3.096, 3.097), (1.421, 1.344, 1.422), (1.845, 1.032, 2.415)],
    "NS-GAN": [(0.640, 0.626, 0.644), (0.284, 0.274, 0.314), (0.139, 0.126, 0.309)],
    "WGAN, clip 1": [(1.002, 1.001, 1.268), (1.024, 0.949, 1.049), (0.917, 0.435, 1.006)],
    "WGAN-GP 0.7": [(1.802, 1.620, 1.965), (1.221, 1.138, 1.438), (0.716, 0.675, 1.504)],
    "DRAGAN 0.7 (not in notebook)": [(1.183, 1.155, 1.619), (1.400,), (1.400,)],
    # E e f' = 0 must be exact at the equilibrium: its rounding error would give 1:5 updates a floor of 5.5e-17.
    "instance noise 0.7": [(5.73e-5,), (4.00e-6,), (6.02e-28,)],
    "R1 0.3": [(2.64e-6,), (2.30e-7,), (9.2e-34,)],
    "R1 1.0 (critical)": [(9.5e-22,), (7.5e-17,), (5.1e-12,)],
    "consensus 1, exact": [(2.58e-10,), (1.72e-11,), (10.969,)],
    "consensus 1, authors' code": [(2.08e-10,), (1.33e-11,), (4.6e-33,)],
    "NS-GAN with R1 0.3": [(2.21e-6,), (1.50e-7,), (4.0e-34,)],
    "Roth 0.6 (not in notebook)": [(3.18e-6,), (2.54e-7,), (1.2e-33,)],
}


@pytest.mark.parametrize("title", METHODS)
def test_final_distances_of_the_notebooks_methods(title):
    for algorithm, expected in zip(ALGORITHMS.values(), ENDS[title], strict=True):
        r = np.hypot(*trajectory(METHODS[title], algorithm, START, RATE, NUM_STEPS).T)
        measured = (r[-1], r[-100:].min(), r[-100:].max())[: len(expected)]
        # Rotating games to three decimals, converging games to two or three digits.
        close = {"atol": 6e-4, "rtol": 0} if expected[0] > 0.1 else {"rtol": 0.011}
        np.testing.assert_allclose(measured, expected, **close)


def test_final_distances_of_r1_to_seven_digits():
    gamma = np.array([0.0, 0.3, 1.0])
    for algorithm, expected in (
        (Simultaneous(), (3.096948667, 2.642656e-6, 9.528716e-22)),
        (Alternating(), (1.421018869, 2.300913e-7, 7.481236e-17)),
    ):
        end = trajectory(R1(gamma), algorithm, START, RATE, 500)[-1]
        np.testing.assert_allclose(np.hypot(*end), expected, rtol=2e-7)


def test_factor_per_step_of_r1():
    r = np.hypot(*trajectory(R1(0.3), Simultaneous(), START, RATE, 400).T)
    assert (r[400] / r[200]) ** (1 / 200) == pytest.approx(0.97386, abs=5e-6)


def test_the_non_saturating_game_decreases_as_the_root_of_8_over_t():
    alternating = np.hypot(*trajectory(NonSaturating(), Alternating(), START, RATE, 5000).T)
    assert alternating[500] == pytest.approx(0.2839, abs=5e-5)
    assert alternating[5000] == pytest.approx(0.0880, abs=5e-5)
    assert alternating[5000] == pytest.approx(np.sqrt(8 / (RATE * 5000)), rel=0.02)
    h = np.array([0.1, 0.2, 0.4])
    cycle = np.hypot(*trajectory(NonSaturating(), Simultaneous(), START, h, 5000)[-200:].transpose(1, 0, 2))
    np.testing.assert_allclose(cycle.min(0), [0.444, 0.624, 0.868], atol=6e-4)
    np.testing.assert_allclose(cycle.max(0), [0.450, 0.640, 0.913], atol=6e-4)


def test_the_saturating_game_stalls_where_f_is_flat():
    assert np.hypot(*trajectory(GAN(), Simultaneous(), START, RATE, 2000)[-1]) == pytest.approx(3.623, abs=5e-4)


def test_dragan_ends_at_a_spurious_equilibrium():
    theta, psi = trajectory(DRAGAN(0.7, 1.0), Alternating(), START, RATE, 2000)[-1]
    assert (theta, psi) == pytest.approx((-1.4, 0), abs=2e-3)


def test_r1_with_a_negative_weight_diverges():
    assert np.hypot(*trajectory(R1(-0.1), Alternating(), (1e-3, 0.0), RATE, 200)[-1]) > 5e-3


def test_a_batch_of_games_equals_the_single_games():
    rates, gamma = np.array([0.05, 0.2])[:, None], np.array([0.1, 0.5, 2.0])
    for algorithm in (Simultaneous(HeavyBall(0.3)), Alternating(2, 3), Alternating(rule=Adam())):
        batched = trajectory(R1(gamma), algorithm, START, (rates, 2 * rates), 30)
        assert batched.shape == (31, 2, 2, 3)
        for i, rate in enumerate(rates[:, 0]):
            for j, number in enumerate(gamma):
                single = trajectory(R1(float(number)), algorithm, START, (float(rate), 2 * float(rate)), 30)
                np.testing.assert_allclose(batched[:, :, i, j], single, rtol=1e-12, atol=1e-14)


def test_each_player_has_its_own_schedule():
    halved = trajectory(GAN(), Simultaneous(), START, RATE, 2, (Constant(), Step(gamma=0.5, period=1)))
    (theta1, psi1), (theta2, psi2) = halved[1:]
    v = GAN()(theta1, psi1)
    assert (theta2, psi2) == pytest.approx((theta1 + RATE * v[0], psi1 + RATE / 2 * v[1]))


def test_rates_and_schedules_are_checked():
    with pytest.raises(ValueError, match="schedule shorter than the run"):
        list(descend(GAN(), Simultaneous(), START, RATE, 3, Piecewise(pieces=((1.0, 2),))))
    with pytest.raises(ValueError, match="rate_d=nan: expected a finite number"):
        list(descend(GAN(), Simultaneous(), START, (RATE, float("nan")), 3))
    with pytest.raises(ValueError, match="rate_g=-0.1: expected a number >= 0"):
        list(descend(GAN(), Simultaneous(), START, -0.1, 3))
    with pytest.raises(ValueError, match="num_steps=0"):
        list(descend(GAN(), Simultaneous(), START, RATE, 0))


def test_an_escape_is_a_result():
    path = trajectory(R1(5.0), Simultaneous(), START, 10.0, 300)
    assert not np.isfinite(path[-1]).all()


@pytest.mark.parametrize(
    ("rule", "make"),
    [
        (HeavyBall(0.9), lambda x: torch.optim.SGD([x], 0.01, momentum=0.9)),
        (Adam(), lambda x: torch.optim.Adam([x], 0.01)),
        (Adam(betas=(0.5, 0.9), eps=1e-3), lambda x: torch.optim.Adam([x], 0.01, betas=(0.5, 0.9), eps=1e-3)),
        (RMSprop(), lambda x: torch.optim.RMSprop([x], 0.01)),
    ],
    ids=repr,
)
def test_rules_equal_those_of_torch(rule, make):
    x = torch.tensor([1.0, -0.3], dtype=torch.float64, requires_grad=True)
    optimizer, ours, memory = make(x), x.detach().numpy().copy(), None
    curvature = np.array([0.3, 2.0])
    for _ in range(50):
        x.grad = torch.from_numpy(curvature) * x.detach()
        optimizer.step()
        move, memory = rule(-curvature * ours, memory)
        ours = ours + 0.01 * move
    np.testing.assert_allclose(ours, x.detach().numpy(), rtol=1e-10)


def test_consensus_optimisation_diverges_with_1_to_5_updates_unless_as_in_the_notebook():
    exact, coded = (
        np.hypot(*trajectory(Consensus(1.0, as_coded), Alternating(1, 5), START, RATE, 100)[-1])
        for as_coded in (False, True)
    )
    assert exact > 5
    assert coded < 1e-4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Alternating(0, 1), "generator_steps=0"),
        (lambda: Alternating(1, 2.0), "discriminator_steps=2.0"),
        (lambda: HeavyBall(1.0), "momentum=1.0: expected -1 < momentum < 1"),
        (lambda: Adam(betas=(0.9, 1.0)), "betas"),
        (lambda: RMSprop(alpha=1.0), "alpha=1.0"),
    ],
)
def test_a_setting_out_of_range_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_single_value_is_used_for_both_players():
    assert pair(0.2) == (0.2, 0.2)
    assert pair((0.1, 0.2)) == (0.1, 0.2)
