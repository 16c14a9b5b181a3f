"""Losses and penalties on the Dirac-GAN: data at 0, G(z) = theta, D(x) = psi x.

Mescheder et al. 2018, arXiv:1801.04406, section 2 and appendix; their discriminator ascends with
the opposite sign of psi.
"""

from __future__ import annotations

import math
import pkgutil
from dataclasses import replace

import pytest
import torch
from tests.training.small import member

import gansweep.penalties
from gansweep.batched.objectives import Objectives
from gansweep.batched.penalty_pass import PenaltyInputs
from gansweep.layers import Linear, Network
from gansweep.losses.hinge import Hinge
from gansweep.losses.label_smoothing import LabelSmoothing
from gansweep.losses.least_squares import LeastSquares
from gansweep.losses.minimax import Minimax
from gansweep.losses.objective import Objective
from gansweep.losses.relativistic_average import RelativisticAverage
from gansweep.losses.relativistic_pairing import RelativisticPairing
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.penalties.dragan import DRAGAN
from gansweep.penalties.r1 import R1
from gansweep.penalties.r2 import R2
from gansweep.penalties.roth_fake import RothFake
from gansweep.penalties.roth_real import RothReal
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.penalties.wgan_gp_per_pixel import WGANGPPerPixel
from gansweep.penalties.wgan_lp import WGANLP

POINTS = [(1.0, 1.0), (-0.7, 1.9), (0.4, -0.3), (-1.2, -2.5)]
BATCH = 3


@pytest.fixture(autouse=True)
def in_float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def sigmoid(t):
    return 1 / (1 + math.exp(-t))


def sign(t):
    return math.copysign(1, t)


NETWORK = Network([Linear("0", 1, 1)], lambda slot, generator: torch.zeros(slot.shape))


class Dirac:
    """Gradients with respect to psi and theta, computed as in training."""

    def __init__(self, objective):
        self.objectives = Objectives([member(objective=objective)], torch.device("cpu"))
        self.objectives.set([0], [1])

    def seen(self, theta, noise):
        samples = torch.stack([torch.zeros(1, BATCH, 1), theta.expand(1, BATCH, 1)])
        return samples if noise is None else torch.stack([self.objectives.with_noise(x, noise) for x in samples])

    def grad_psi(self, theta, psi, noise=None):
        row = torch.tensor([[psi, 0.0]], requires_grad=True)
        real, fake = self.seen(torch.tensor(theta), noise)
        given = [PenaltyInputs([torch.full((1, BATCH, 1), 0.3)]) for _ in self.objectives.passes]
        loss, _ = self.objectives.discriminator(NETWORK, NETWORK.cut(row), {}, real, fake, [], given)
        return torch.autograd.grad(loss, row)[0][0, 0].item()

    def grad_theta(self, theta, psi):
        at = torch.tensor(theta, requires_grad=True)
        real, fake = self.seen(at, None)
        real = real if self.objectives.relativistic else None
        loss = self.objectives.generator(NETWORK, NETWORK.cut(torch.tensor([[psi, 0.0]])), {}, fake, [], real)
        return torch.autograd.grad(loss.sum(), at)[0].item()


def gradient_norm(weight, target, psi):
    return 2 * weight * (abs(psi) - target) * sign(psi)


def roth_fake(gamma, theta, psi):
    """d/dpsi of gamma / 2 psi^2 sigmoid(psi theta)^2."""
    s = sigmoid(psi * theta)
    return gamma * psi * s**2 + gamma * psi**2 * s**2 * (1 - s) * theta


# Penalties and their derivative with respect to psi.
PENALTIES = [
    ((R1(0.3),), lambda theta, psi: 0.3 * psi),
    ((R2(0.3),), lambda theta, psi: 0.3 * psi),
    ((R1(0.2), R2(0.3)), lambda theta, psi: 0.5 * psi),
    ((WGANGP(0.35, 1.0),), lambda theta, psi: gradient_norm(0.35, 1.0, psi)),
    ((WGANGP(0.35, 0.0),), lambda theta, psi: gradient_norm(0.35, 0.0, psi)),
    ((WGANGPPerPixel(0.35, 1.0),), lambda theta, psi: gradient_norm(0.35, 1.0, psi)),
    ((DRAGAN(0.35, 1.0),), lambda theta, psi: gradient_norm(0.35, 1.0, psi)),
    ((WGANLP(0.35),), lambda theta, psi: 2 * 0.35 * max(0, abs(psi) - 1) * sign(psi)),
    ((RothReal(0.6),), lambda theta, psi: 0.6 * psi / 4),
    ((RothFake(0.6),), lambda theta, psi: roth_fake(0.6, theta, psi)),
    ((RothReal(0.6), RothFake(0.6)), lambda theta, psi: 0.6 * psi / 4 + roth_fake(0.6, theta, psi)),
]


@pytest.mark.parametrize(("penalties", "derivative"), PENALTIES, ids=lambda value: repr(value)[:60])
@pytest.mark.parametrize(("theta", "psi"), POINTS)
def test_penalties(penalties, derivative, theta, psi):
    """The minimax loss contributes theta sigmoid(psi theta)."""
    objective = Objective(Minimax(), {str(n): penalty for n, penalty in enumerate(penalties)})
    expected = theta * sigmoid(psi * theta) + derivative(theta, psi)
    assert Dirac(objective).grad_psi(theta, psi) == pytest.approx(expected, rel=1e-12)


def test_all_penalties_are_tested():
    tested = {type(penalty).__module__.rpartition(".")[2] for penalties, _ in PENALTIES for penalty in penalties}
    assert tested | {"gradient_penalty", "length"} == {
        module.name for module in pkgutil.iter_modules(gansweep.penalties.__path__)
    }


# Games with -dL/dpsi and -dL/dtheta where D(x) = 0 on the data.
GAMES = [
    (Minimax(), lambda t, p: -t * sigmoid(p * t), lambda t, p: p * sigmoid(p * t)),
    (Standard(), lambda t, p: -t * sigmoid(p * t), lambda t, p: p * sigmoid(-p * t)),
    (Wasserstein(), lambda t, p: -t, lambda t, p: p),
    (Hinge(), lambda t, p: -t * (p * t > -1), lambda t, p: p),
    (LeastSquares(), lambda t, p: -t * (p * t), lambda t, p: -p * (p * t - 1)),
    (LabelSmoothing(Standard()), lambda t, p: -t * sigmoid(p * t), lambda t, p: p * sigmoid(-p * t)),
    (RelativisticPairing(Standard()), lambda t, p: -t * sigmoid(p * t), lambda t, p: p * sigmoid(-p * t)),
    (RelativisticAverage(Standard()), lambda t, p: -2 * t * sigmoid(p * t), lambda t, p: 2 * p * sigmoid(-p * t)),
]


@pytest.mark.parametrize(("game", "v_psi", "v_theta"), GAMES, ids=lambda value: repr(value)[:60])
@pytest.mark.parametrize(("theta", "psi"), POINTS)
def test_games(game, v_psi, v_theta, theta, psi):
    dirac = Dirac(Objective(game))
    assert -dirac.grad_psi(theta, psi) == pytest.approx(v_psi(theta, psi), rel=1e-12)
    assert -dirac.grad_theta(theta, psi) == pytest.approx(v_theta(theta, psi), rel=1e-12)


@pytest.mark.parametrize(
    ("penalties", "damping"),
    [((R1(0.3),), 0.3), ((RothReal(0.6), RothFake(0.6)), 0.3), ((RothReal(0.6),), 0.15)],
)
def test_damping_at_the_equilibrium(penalties, damping):
    """-dv_psi/dpsi at (0, 0): gamma for R1, gamma / 2 for the sum of both terms of Roth et al."""
    dirac = Dirac(Objective(Minimax(), {str(n): penalty for n, penalty in enumerate(penalties)}))
    assert dirac.grad_psi(0.0, 1e-6) / 1e-6 == pytest.approx(damping, rel=1e-6)


def test_damping_by_instance_noise_is_half_its_variance():
    """-dv_psi/dpsi = -2 f''(0) s^2 = s^2 / 2 at (0, 0); noise of 1 and -1 has exactly variance 1."""
    dirac = Dirac(Objective(Minimax(), instance_noise=0.7))
    noise = torch.tensor([1.0, -1.0, 1.0])[None, :, None]
    assert dirac.grad_psi(0.0, 1e-6, noise) / 1e-6 == pytest.approx(0.49 / 2, rel=1e-5)


def test_instance_noise_reaches_real_and_generated_samples():
    theta, psi, s, e = 0.8, -0.6, 0.7, [1.3, -0.4, 0.9]
    dirac = Dirac(Objective(Minimax(), instance_noise=s))
    fake = [(theta + s * n) * sigmoid(psi * (theta + s * n)) for n in e]
    real = [-s * n * sigmoid(-psi * s * n) for n in e]
    expected = (sum(fake) + sum(real)) / 3
    assert dirac.grad_psi(theta, psi, torch.tensor(e)[None, :, None]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("objective", "radius"),
    [
        (Objective(Minimax(), {"r1": R1(0.3)}), 2.642656e-6),
        # The wrong weight sigmoid(-D)^2 on generated samples would give 2.208e-6.
        (Objective(Minimax(), {"f": RothFake(0.6), "r": RothReal(0.6)}), 3.1831e-6),
        (Objective(Minimax(), {"dragan": DRAGAN(0.35)}), 1.183),
        (Objective(Wasserstein(), {"gp": WGANGP(0.35)}), 1.802),
        (Objective(Wasserstein(), {"gp0": WGANGP(0.15, target=0.0)}), None),
    ],
    ids=["r1", "roth", "dragan", "wgan_gp", "wgan_gp0"],
)
def test_distance_from_the_equilibrium_after_500_steps(objective, radius):
    """Simultaneous steps of 0.2 from (1, 1): only zero-centred penalties converge."""
    dirac, theta, psi = Dirac(objective), 1.0, -1.0  # psi has the opposite sign in the paper
    for _ in range(500):
        down_theta, down_psi = dirac.grad_theta(theta, psi), dirac.grad_psi(theta, psi)
        theta, psi = theta - 0.2 * down_theta, psi - 0.2 * down_psi
    if radius is None:
        assert math.hypot(theta, psi) < 0.05
    else:
        assert math.hypot(theta, psi) == pytest.approx(radius, rel=2e-3)


def test_scheduled_weight_multiplies_only_the_penalty():
    settings = member(objective=Objective(Minimax(), {"r1": R1(0.3)}))
    dirac = Dirac(settings.objective)
    dirac.objectives = Objectives(
        [replace(settings, penalty_schedule=lambda step, total: 1 - step / total)], torch.device("cpu")
    )
    for step in (0, 3, 9):
        dirac.objectives.set([step], [10])
        expected = sigmoid(0.5) * 1.0 + (1 - step / 10) * 0.3 * 0.5
        assert dirac.grad_psi(1.0, 0.5) == pytest.approx(expected, rel=1e-12)
