"""Diagnostics of the Dirac-GAN against closed forms, and of networks against the full Jacobian."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.diagnostics import arnoldi, spectrum
from gansweep.dynamics.position import Both
from gansweep.losses.minimax import Minimax
from gansweep.losses.objective import Objective
from gansweep.models.dirac import Dirac
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1
from gansweep.training import diagnosis
from gansweep.training.diagnosis import STREAMS, diagnose
from tests.dynamics.test_dynamics import sigmoid
from tests.dynamics.test_jacobian_products import curved
from tests.training.small import member


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def dirac_at(gamma, theta, psi):
    """Return a pack with the initial parameters (1, 1) that is now at (theta, psi)."""
    penalties = {"r1": R1(weight=gamma)} if gamma else {}
    one = replace(member(0, SGD(), 0.2, Objective(Minimax(), penalties)), steps=1)
    pack = AdversarialPack([one], Dirac(), torch.zeros(4, 1), PackSettings(batch_size=2), critic_steps=1)
    pack.objectives.set([0], [1])
    pack.g.chunks[0].fill_(theta)
    pack.d.chunks[0].fill_(psi)
    return pack


@pytest.mark.parametrize(
    ("gamma", "eigenvalues", "rotation"),
    [
        (0.0, [[0.0, 0.5]], 1.0),
        (0.3, [[-0.15, math.sqrt(0.25 - 0.0225)]], math.sqrt(0.25 - 0.0225) / 0.5),
        (2.0, [[-1 - math.sqrt(0.75), 0.0], [-1 + math.sqrt(0.75), 0.0]], 0.0),
    ],
)
def test_eigenvalues_at_the_equilibrium(gamma, eigenvalues, rotation):
    """Mescheder et al. 2018: -gamma/2 +- sqrt(gamma^2/4 - 1/4).

    At a distance of 1e-9: R1 squares a norm, whose second derivative at 0 is NaN.
    """
    values = diagnose(dirac_at(gamma, 1e-9, 1e-9)).read({}).of(0)
    np.testing.assert_allclose(values["eigenvalues"], eigenvalues, rtol=1e-5, atol=1e-6)
    assert values["rotation"] == pytest.approx(rotation, abs=1e-5)
    assert values["rightmost"] == pytest.approx(max(real for real, _ in eigenvalues), rel=1e-5, abs=1e-6)
    assert max(values["residuals"]) < 1e-12


def test_norms_angles_and_penalty_ratio_away_from_the_equilibrium():
    """v = (-psi s, theta s + gamma psi), s = sigmoid(psi theta), from the initial point (1, 1)."""
    theta, psi, gamma = 2.0, -0.5, 0.3
    s = sigmoid(psi * theta)
    g, game, penalty = -psi * s, theta * s, gamma * psi
    before = Both((torch.tensor([[1.0]]),), (torch.tensor([[-2.0]]),))
    values = diagnose(dirac_at(gamma, theta, psi)).read({0: before}).of(0)
    length = math.hypot(g, game + penalty)
    assert values["field"] == pytest.approx(length, rel=1e-5)
    assert values["field_generator"] == pytest.approx(abs(g), rel=1e-5)
    assert values["field_discriminator"] == pytest.approx(abs(game + penalty), rel=1e-5)
    assert values["penalty_ratio"] == pytest.approx(abs(penalty / game), rel=1e-5)
    assert values["turn"] == pytest.approx((g - 2 * (game + penalty)) / (math.sqrt(5) * length), rel=1e-5)
    moved = (theta - 1, psi - 1)
    path = -(g * moved[0] + (game + penalty) * moved[1]) / (length * math.hypot(*moved))
    assert values["path"] == pytest.approx(path, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 2.0])
def test_the_antisymmetric_share_near_the_equilibrium(gamma):
    """J = ((0, -1/2), (1/2, gamma)), so that A v = (-v_psi, v_theta) / 2 and S v = (0, gamma v_psi)."""
    theta, psi = 2e-9, -1e-9
    g, d = -psi / 2, theta / 2 + gamma * psi
    antisymmetric, symmetric = (g**2 + d**2) / 4, (gamma * d) ** 2
    values = diagnose(dirac_at(gamma, theta, psi)).read({}).of(0)
    assert values["antisymmetric"] == pytest.approx(antisymmetric / (antisymmetric + symmetric), rel=1e-5)


def test_at_the_equilibrium_the_path_angle_is_undefined():
    values = diagnose(dirac_at(0.0, 0.0, 0.0)).read({}).of(0)
    assert values["field"] == 0
    assert values["path"] is None
    assert values["eigenvalues"] == [pytest.approx([0.0, 0.5], abs=1e-15)]


def dense(pack):
    """Return J of member 0 by autograd, row by row, on the samples of a diagnosis."""
    game = pack.game(pack.separate_inputs(STREAMS), read_only=True)
    flat = torch.cat(game.field(create_graph=True).parts, 1)[0]
    rows = [torch.cat([g.flatten() for g in torch.autograd.grad(x, game.at.parts, retain_graph=True)]) for x in flat]
    return torch.stack(rows).numpy()


@pytest.mark.parametrize(("iterations", "error"), [(12, 1e-3), (76, 1e-5)])
def test_leading_eigenvalues_of_networks_equal_those_of_the_full_jacobian(monkeypatch, iterations, error):
    pack = curved(3)
    pack.objectives.set([0], [3])
    monkeypatch.setattr(diagnosis, "ITERATIONS", iterations)
    values = diagnose(pack).read({}).of(0)
    full = -np.linalg.eigvals(dense(pack))
    for (real, imaginary), residual in zip(values["eigenvalues"][:2], values["residuals"], strict=False):
        assert abs(full - complex(real, imaginary)).min() < error * abs(full).max()
        assert residual < 100 * error * abs(full).max()
    leading = values["eigenvalues"][0]
    assert abs(complex(*leading)) == pytest.approx(abs(full).max(), rel=error)
    if iterations == 76:
        assert values["rightmost"] == pytest.approx(full.real.max(), rel=1e-4)


def linear(matrices):
    def times(u):
        y = (matrices @ torch.cat(u.parts, 1)[..., None])[..., 0]
        return Both((y[:, :2],), (y[:, 2:],))

    return times


def test_members_have_separate_krylov_spaces():
    """One is exhausted after two steps, one is zero, one is NaN; the last one stays exact."""
    random = torch.Generator().manual_seed(0)
    matrices = torch.randn(4, 5, 5, generator=random)
    matrices[0] = torch.diag(torch.tensor([2.0, 2.0, 2.0, -1.0, -1.0]))
    matrices[1] = 0
    matrices[2] = float("nan")
    start = Both((torch.randn(4, 2, generator=random),), (torch.randn(4, 3, generator=random),))
    h = arnoldi(linear(matrices), start, 12)
    assert h.shape == (4, 6, 5)
    exhausted, zero, nan, regular = (spectrum(row.numpy(), 2e-16) for row in h)
    assert exhausted is not None
    assert zero is not None
    assert regular is not None
    np.testing.assert_allclose(exhausted.values, [2, -1], atol=1e-12)
    np.testing.assert_allclose(zero.values, [0])
    assert nan is None
    expected = np.linalg.eigvals(matrices[3].numpy())
    np.testing.assert_allclose(
        np.sort_complex(regular.values), np.sort_complex(expected[expected.imag >= 0]), rtol=1e-10, atol=1e-12
    )


def test_residuals_bound_the_error_of_few_iterations():
    random = torch.Generator().manual_seed(1)
    matrix = torch.randn(1, 5, 5, generator=random)
    matrix = matrix + matrix.mT  # symmetric: the error of an eigenvalue is at most the residual
    start = Both((torch.randn(1, 2, generator=random),), (torch.randn(1, 3, generator=random),))
    ritz = spectrum(arnoldi(linear(matrix), start, 3)[0].numpy(), 2e-16)
    assert ritz is not None
    expected = np.linalg.eigvalsh(matrix[0].numpy())
    for value, residual in zip(ritz.values, ritz.residuals, strict=True):
        assert 1e-6 < abs(expected - value).min() <= residual
