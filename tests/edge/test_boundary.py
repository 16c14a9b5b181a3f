"""Largest stable learning rates against closed forms and the independent matrices of `gansweep.dirac`."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from gansweep.dirac import descent, rules, spectrum
from gansweep.dynamics.alternating import Alternating
from gansweep.dynamics.consensus import Consensus
from gansweep.dynamics.extragradient import ExtraGradient
from gansweep.dynamics.past_extragradient import PastExtraGradient
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.dynamics.unrolled import Unrolled
from gansweep.edge.boundary import BATCHES, Linearization
from gansweep.edge.linear_rule import UPDATES, NotLinear, Response
from gansweep.edge.reduced_game import ReducedGame
from gansweep.optimizers.adabelief import AdaBelief
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.adamw import AdamW
from gansweep.optimizers.lion import Lion
from gansweep.optimizers.lookahead import Lookahead
from gansweep.optimizers.muon import Muon
from gansweep.optimizers.nadam import NAdam
from gansweep.optimizers.optimistic import Optimistic
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.schedule_free_sgd import ScheduleFreeSGD
from gansweep.optimizers.sgd import SGD

CURVATURE, NOISE = 3.0, 0.25
SIGNS = torch.tensor([1.0, -1.0] * (BATCHES // 2), dtype=torch.float64)[:, None]


def response(rule, noise=NOISE):
    """Gradients of equal size and alternating sign: the second moments are known."""
    return Response(rule, noise * SIGNS, torch.ones(1, 1, dtype=torch.float64))


def game(jacobian, rule, dynamics=None, critic_steps=1, rule_d=None):
    matrix = torch.tensor(jacobian, dtype=torch.float64)
    of_d = response(rule_d or rule)
    return Linearization(
        ReducedGame(matrix, len(matrix) // 2), response(rule), of_d, dynamics or Alternating(), critic_steps
    )


def alone(rule):
    """Boundary of one player on a parabola with curvature CURVATURE."""
    return game([[0.0, 0.0], [0.0, CURVATURE]], rule).boundary("discriminator", rounds=9).lr


BIAS = 1 - 0.9**UPDATES  # of Adam's first moment in the last update
CLOSED_FORMS = {
    "gradient descent": (SGD(), 2 / CURVATURE),
    "momentum": (SGD(momentum=0.9), 2 * 1.9 / CURVATURE),
    "dampened momentum": (SGD(momentum=0.9, dampening=0.5), 2 * 1.9 / (0.5 * CURVATURE)),
    "nesterov": (SGD(momentum=0.9, nesterov=True), 2 * 1.9 / ((1 + 2 * 0.9) * CURVATURE)),
    "weight decay": (SGD(weight_decay=1.0), 2 / (CURVATURE + 1)),
    "adam": (Adam(eps=0.01), 2 * 1.9 * BIAS * (NOISE + 0.01) / (0.1 * CURVATURE)),
    "adam without momentum": (Adam(betas=(0.0, 0.9), eps=0.01), 2 * (NOISE + 0.01) / CURVATURE),
    "adamw": (AdamW(betas=(0.0, 0.9), eps=0.0, weight_decay=2.0), 2 / (CURVATURE / NOISE + 2)),
    "rmsprop": (RMSprop(alpha=0.9, eps=0.0), 2 * NOISE * math.sqrt(1 - 0.9**UPDATES) / CURVATURE),
    "optimistic": (Optimistic(SGD()), 2 / (3 * CURVATURE)),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_one_player_on_a_parabola_equals_the_closed_form(name):
    rule, expected = CLOSED_FORMS[name]
    assert alone(rule) == pytest.approx(expected, rel=1e-6)


def test_schedule_free_gradient_descent_is_stable_at_higher_rates_than_gradient_descent():
    # y = (1 - beta) z + beta x, where x is an average that hardly changes: 2 / ((1 - beta) curvature), but for 1 / t.
    assert 5 * 2 / CURVATURE < alone(ScheduleFreeSGD(beta=0.9)) < 10 * 2 / CURVATURE


def test_lookahead_repeats_itself_after_k_updates():
    # A slow step every k updates with weight alpha: |1 - alpha + alpha (1 - lr c)^k| = 1.
    k, alpha = 3, 0.5
    expected = brentq(lambda lr: 1 - alpha + alpha * (1 - lr * CURVATURE) ** k + 1, 1e-3, 3)
    assert alone(Lookahead(SGD(), k=k, alpha=alpha)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rule", [NAdam(), AdaBelief(), Optimistic(Adam())], ids=repr)
def test_the_rate_scales_with_the_inverse_curvature(rule):
    one = game([[0.0, 0.0], [0.0, 1.0]], rule).boundary("discriminator", rounds=7).lr
    ten = game([[0.0, 0.0], [0.0, 10.0]], rule).boundary("discriminator", rounds=7).lr
    assert math.isfinite(one)
    assert one / ten == pytest.approx(10, rel=1e-4)


@pytest.mark.parametrize("rule", [Lion(), Muon()], ids=repr)
def test_rules_that_are_not_proportional_to_the_gradient_have_no_boundary(rule):
    with pytest.raises(NotLinear):
        alone(rule)


JACOBIANS = {
    "R1": [[0.0, -1.0], [1.0, 0.5]],
    "stiff": [[0.0, -1.0], [1.0, 10.0]],
    "wide rotation": [[0.1, -2.0], [2.0, 0.3]],
}


def independent(jacobian, algorithm, low=1e-6, high=1e3):
    """Smallest rate at which the largest modulus is 1, by the matrices of gansweep.dirac, where v is -J x."""
    grid = np.geomspace(low, high, 2001)
    matrix = -np.array(jacobian)
    moduli = np.array([spectrum.moduli(algorithm, matrix, lr)[0] for lr in grid])
    first = int(np.argmax(moduli > 1 + 1e-12))
    return brentq(lambda lr: spectrum.moduli(algorithm, matrix, lr)[0] - 1, grid[first - 1], grid[first], xtol=1e-14)


@pytest.mark.parametrize("name", JACOBIANS)
@pytest.mark.parametrize(
    ("rule", "dynamics", "algorithm"),
    [
        (SGD(), Simultaneous(), descent.Simultaneous()),
        (SGD(), Alternating(), descent.Alternating()),
        (SGD(), ExtraGradient(), descent.Extragradient()),
        (SGD(momentum=0.3), Simultaneous(), descent.Simultaneous(rules.HeavyBall(0.3))),
        (SGD(momentum=0.3), Alternating(), descent.Alternating(rule=rules.HeavyBall(0.3))),
        (Optimistic(SGD()), Simultaneous(), descent.Simultaneous(rules.Optimistic())),
    ],
    ids=["simultaneous", "alternating", "extragradient", "momentum", "alternating momentum", "optimistic"],
)
def test_both_players_equal_the_matrices_of_the_dirac_gan(name, rule, dynamics, algorithm):
    found = game(JACOBIANS[name], rule, dynamics).boundary(rounds=9)
    assert found.lr == pytest.approx(independent(JACOBIANS[name], algorithm), rel=1e-6)


def test_several_critic_steps():
    algorithm = descent.Alternating(discriminator_steps=3)
    found = game(JACOBIANS["stiff"], SGD(), critic_steps=3).boundary(rounds=9)
    assert found.lr == pytest.approx(independent(JACOBIANS["stiff"], algorithm), rel=1e-6)


def test_the_bilinear_game_by_its_closed_forms():
    bilinear = [[0.0, -1.0], [1.0, 0.0]]
    assert game(bilinear, SGD(), Simultaneous()).boundary().lr < 1e-5  # 0; the growth is of second order, lr^2 / 2
    assert game(bilinear, SGD()).boundary(rounds=9).lr == pytest.approx(2, rel=1e-6)
    assert game(bilinear, SGD(), ExtraGradient()).boundary(rounds=9).lr == pytest.approx(1, rel=1e-6)
    past = game(bilinear, SGD(), PastExtraGradient()).boundary(rounds=9).lr
    assert past == pytest.approx(1 / math.sqrt(3), rel=1e-3)  # Gidel et al. 2019: optimistic descent, lr < 1 / sqrt(3)
    consensus = game(bilinear, SGD(), Consensus(gamma=1.0)).boundary(rounds=9).lr
    assert consensus == pytest.approx(1, rel=1e-6)  # |1 - lr (1 + i)|^2 = 1


def test_a_saddle_point_of_one_player_is_no_instability_of_the_steps():
    assert game([[0.0, 0.0], [0.0, -1.0]], SGD()).boundary("discriminator").lr == math.inf


def test_dynamics_that_use_the_losses_have_no_boundary():
    with pytest.raises(NotLinear, match="uses the losses"):
        game(JACOBIANS["R1"], SGD(), Unrolled()).boundary()


def test_the_response_finds_the_preconditioner_of_every_parameter():
    sizes = torch.tensor([[0.1, 2.0, 0.5]], dtype=torch.float64)

    found = Response.measured(Adam(betas=(0.0, 0.99), eps=0.0), SIGNS * sizes)
    assert found.scale.ravel().tolist() == pytest.approx((0.5 / sizes).ravel().tolist(), rel=1e-6)


@pytest.mark.parametrize("rule", [Adam(), RMSprop(), AdaBelief()], ids=repr)
def test_entries_without_a_gradient_do_not_move(rule):
    # The last bias of a Wasserstein critic: rounding errors of its gradient would have the largest preconditioner.
    found = Response.measured(rule, SIGNS * torch.tensor([[0.1, 0.0, 1e-12, 0.2]], dtype=torch.float64))
    assert (found.scale > 0).tolist() == [[True, False, False, True]]
