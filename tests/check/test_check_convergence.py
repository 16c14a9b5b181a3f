"""What is said of the Dirac-GAN is what can be computed by hand."""

from __future__ import annotations

import math
import re

import pytest
import torch
from tests.check.subjects import subject

from gansweep.check import convergence
from gansweep.check.bench import double
from gansweep.check.quadratic import Quadratic
from gansweep.dynamics.extragradient import ExtraGradient
from gansweep.dynamics.position import Both
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.losses.least_squares import LeastSquares
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1
from gansweep.penalties.wgan_gp import WGANGP

JACOBIAN, PLAIN = "Jacobian matches finite differences", "gradient descent follows the eigenvalues"
OWN = "optimizer steps follow the eigenvalues"
H = convergence.LARGEST_RATE


def told(one, promise):
    (found,) = [check() for check in convergence.checks(one) if check.promise == promise]
    return found


# Eigenvalues of one step at the rate h = 0.1; the slope of the standard loss at 0 is 1/2.
@pytest.mark.parametrize(
    ("choice", "modulus", "words"),
    [
        ({"game": Standard(), "dynamics": Simultaneous()}, abs(1 + 0.5j * H), "rotates and diverges"),
        ({"game": Wasserstein(), "dynamics": Simultaneous()}, abs(1 + 1j * H), "rotates and diverges"),
        ({"game": Wasserstein(), "dynamics": ExtraGradient()}, abs(1 - H * H + 1j * H), "rotates and converges"),
        ({"game": Standard()}, 1.0, "rotates for ever"),
        # J = ((0, -1), (0, 0)) without a bias: theta drifts, no eigenvalue tells
        ({"game": LeastSquares()}, 1.0, "neither converges nor diverges at a linear rate"),
        # J = ((0, -1/2), (1/2, 2)), lambda = 1 -+ sqrt(3) / 2
        (
            {"penalty": R1(weight=2.0), "dynamics": Simultaneous()},
            1 - H * (1 - math.sqrt(3) / 2),
            "converges",
        ),
    ],
)
def test_the_verdict_in_closed_form(choice, modulus, words):
    found = told(subject(**choice), PLAIN)
    predicted, played, verdict = re.search(r"modulus (\S+), measured (\S+): (.*)$", found.numbers).groups()
    assert found.holds
    assert float(predicted) == pytest.approx(modulus, abs=1e-6)
    assert float(played) == pytest.approx(modulus, abs=1e-4)
    assert verdict == words


def test_momentum_has_eigenvalues_of_its_own():
    """Heavy ball on lambda = 1 -+ sqrt(3) / 2: z^2 - (1 + mu - h lambda) z + mu = 0."""
    one = subject(rule=SGD(momentum=0.5), penalty=R1(weight=2.0), dynamics=Simultaneous())
    trace = 1.5 - H * (1 - math.sqrt(3) / 2)
    expected = trace / 2 + math.sqrt(trace**2 / 4 - 0.5)
    found = told(one, OWN)
    assert found.holds
    assert float(re.search(r"modulus ([\d.]+)", found.numbers)[1]) == pytest.approx(expected, abs=1e-6)


def test_where_there_is_no_eigenvalue_none_is_told():
    assert told(subject(rule=Adam()), OWN).holds is None
    gradient_penalty = subject(game=Wasserstein(), penalty=WGANGP())  # |psi| = 1, a kink at 0
    assert [told(gradient_penalty, promise).holds for promise in (JACOBIAN, PLAIN, OWN)] == [None] * 3


def test_the_rates_keep_their_ratio_and_stay_small():
    one = subject(penalty=R1(weight=10.0))
    with double():
        g, d = convergence.NearRest(one).rates
    assert g == d == pytest.approx(0.5 / (5 + math.sqrt(24.75)), rel=1e-3)


def test_the_quadratic_game_is_what_it_says():
    random = torch.Generator().manual_seed(1)
    j = torch.randn(5, 5, generator=random, dtype=torch.float64)
    j[:3, :3] = j[:3, :3] + j[:3, :3].T  # second derivatives of one loss
    j[3:, 3:] = j[3:, 3:] + j[3:, 3:].T
    c, x = (torch.randn(*shape, generator=random, dtype=torch.float64) for shape in ((5,), (2, 5)))
    game = Quadratic(j, c, x, 3, (0.1, 0.3))
    at = game.here().map(lambda part: part.requires_grad_())
    loss_g, loss_d = game.losses(at)
    (of_g,) = torch.autograd.grad(loss_g, at.generator, retain_graph=True)
    (of_d,) = torch.autograd.grad(loss_d, at.discriminator)
    v = game.field()
    torch.testing.assert_close(of_g, v.generator[0])
    torch.testing.assert_close(of_d, v.discriminator[0])
    u = Both((x[:, :3] * 0.7,), (x[:, 3:] - 1,))
    for mixed in (False, True):
        torch.testing.assert_close(v.dot(game.jvp(v, u, mixed=mixed)), u.dot(game.vjp(v, v, mixed=mixed)))
    game.descend(v)
    torch.testing.assert_close(game.at, x - torch.cat([0.1 * v.generator[0], 0.3 * v.discriminator[0]], 1))
