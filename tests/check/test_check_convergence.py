"""Verdicts on the Dirac-GAN against closed forms."""

from __future__ import annotations

import math
import re

import pytest
import torch
from tests.check.subjects import subject

from gansweep.check import convergence, linear_game
from gansweep.check.bench import double
from gansweep.check.dynamics import Quadratic
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

JACOBIAN, GRADIENT_DESCENT = "Jacobian matches finite differences", "gradient descent follows the eigenvalues"
OPTIMIZERS = "optimizer steps follow the eigenvalues"
H = linear_game.LARGEST_RATE


def finding_of(tested, requirement):
    (finding,) = [check() for check in convergence.checks(tested) if check.requirement == requirement]
    return finding


# Eigenvalues of one step at the rate h = 0.1; the derivative of the standard loss at 0 is 1/2.
@pytest.mark.parametrize(
    ("choice", "modulus", "words"),
    [
        ({"game": Standard(), "dynamics": Simultaneous()}, abs(1 + 0.5j * H), "rotates and diverges"),
        ({"game": Wasserstein(), "dynamics": Simultaneous()}, abs(1 + 1j * H), "rotates and diverges"),
        ({"game": Wasserstein(), "dynamics": ExtraGradient()}, abs(1 - H * H + 1j * H), "rotates and converges"),
        ({"game": Standard()}, 1.0, "rotates without converging"),
        # J = ((0, -1), (0, 0)) without a bias: theta drifts, which the eigenvalues do not show
        ({"game": LeastSquares()}, 1.0, "neither converges nor diverges at a linear rate"),
        # J = ((0, -1/2), (1/2, 2)), lambda = 1 -+ sqrt(3) / 2
        (
            {"penalty": R1(weight=2.0), "dynamics": Simultaneous()},
            1 - H * (1 - math.sqrt(3) / 2),
            "converges",
        ),
    ],
)
def test_verdict_of_gradient_descent(choice, modulus, words):
    finding = finding_of(subject(**choice), GRADIENT_DESCENT)
    predicted, measured, verdict = re.search(r"modulus (\S+), measured (\S+): (.*)$", finding.numbers).groups()
    assert finding.passed
    assert float(predicted) == pytest.approx(modulus, abs=1e-6)
    assert float(measured) == pytest.approx(modulus, abs=1e-4)
    assert verdict == words


def test_eigenvalues_with_momentum():
    """Heavy ball on lambda = 1 -+ sqrt(3) / 2: z^2 - (1 + mu - h lambda) z + mu = 0."""
    tested = subject(rule=SGD(momentum=0.5), penalty=R1(weight=2.0), dynamics=Simultaneous())
    trace = 1.5 - H * (1 - math.sqrt(3) / 2)
    expected = trace / 2 + math.sqrt(trace**2 / 4 - 0.5)
    finding = finding_of(tested, OPTIMIZERS)
    assert finding.passed
    assert float(re.search(r"modulus ([\d.]+)", finding.numbers)[1]) == pytest.approx(expected, abs=1e-6)


def test_there_is_no_verdict_without_eigenvalues():
    assert finding_of(subject(rule=Adam()), OPTIMIZERS).passed is None
    gradient_penalty = subject(game=Wasserstein(), penalty=WGANGP())  # target |psi| = 1: discontinuous at 0
    assert [
        finding_of(gradient_penalty, requirement).passed for requirement in (JACOBIAN, GRADIENT_DESCENT, OPTIMIZERS)
    ] == [None] * 3


def test_rates_keep_their_ratio_and_are_small():
    tested = subject(penalty=R1(weight=10.0))
    with double():
        g, d = linear_game.Linearization(tested).rates
    assert g == d == pytest.approx(0.5 / (5 + math.sqrt(24.75)), rel=1e-3)


def test_derivatives_of_the_quadratic_game():
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
