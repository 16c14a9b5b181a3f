"""The diagnosis of the Dirac-GAN in closed form, and of networks against the whole Jacobian."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.dynamics.test_dynamics import Dirac, curved, sigmoid
from tests.training.small import member

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.algorithms.adversarial.joint import Joint
from gansweep.diagnostics.arnoldi import arnoldi
from gansweep.diagnostics.spectrum import spectrum
from gansweep.dynamics.position import Both
from gansweep.losses.minimax import Minimax
from gansweep.losses.objective import Objective
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1
from gansweep.training import diagnosis
from gansweep.training.diagnosis import STREAMS, diagnose


@pytest.fixture(autouse=True)
def exact():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def dirac_at(gamma, theta, psi):
    """A pack that began at (1, 1) and is at (theta, psi) now."""
    penalties = {"r1": R1(weight=gamma)} if gamma else {}
    one = replace(member(0, SGD(), 0.2, Objective(Minimax(), penalties)), steps=1)
    pack = AdversarialPack([one], Dirac(), torch.zeros(4, 1), batch_size=2, critic_steps=1)
    pack.objectives.set([0], [1])
    pack.g.stretches[0].fill_(theta)
    pack.d.stretches[0].fill_(psi)
    return pack


@pytest.mark.parametrize(
    ("gamma", "eigenvalues", "turning"),
    [
        (0.0, [[0.0, 0.5]], 1.0),
        (0.3, [[-0.15, math.sqrt(0.25 - 0.0225)]], math.sqrt(0.25 - 0.0225) / 0.5),
        (2.0, [[-1 - math.sqrt(0.75), 0.0], [-1 + math.sqrt(0.75), 0.0]], 0.0),
    ],
)
def test_eigenvalues_at_the_equilibrium(gamma, eigenvalues, turning):
    """Mescheder et al. 2018: -gamma/2 +- sqrt(gamma^2/4 - 1/4).

    A hair beside it: R1's price is the square of a root, whose second derivative at 0 is NaN.
    """
    told = diagnose(dirac_at(gamma, 1e-9, 1e-9)).of(0, None)
    np.testing.assert_allclose(told["eigenvalues"], eigenvalues, rtol=1e-5, atol=1e-6)
    assert told["rotation"] == pytest.approx(turning, abs=1e-5)
    assert told["rightmost"] == pytest.approx(max(real for real, _ in eigenvalues), rel=1e-5, abs=1e-6)
    assert max(told["residuals"]) < 1e-12


def test_norms_angles_and_the_penalty_away_from_it():
    """v = (-psi s, theta s + gamma psi), s = sigmoid(psi theta), and it came from (1, 1)."""
    theta, psi, gamma = 2.0, -0.5, 0.3
    s = sigmoid(psi * theta)
    g, game, penalty = -psi * s, theta * s, gamma * psi
    found = diagnose(dirac_at(gamma, theta, psi))
    told = found.of(0, Both((torch.tensor([[1.0]]),), (torch.tensor([[-2.0]]),)))
    length = math.hypot(g, game + penalty)
    assert told["field"] == pytest.approx(length, rel=1e-5)
    assert told["field_generator"] == pytest.approx(abs(g), rel=1e-5)
    assert told["field_discriminator"] == pytest.approx(abs(game + penalty), rel=1e-5)
    assert told["penalty_ratio"] == pytest.approx(abs(penalty / game), rel=1e-5)
    assert told["turn"] == pytest.approx((g - 2 * (game + penalty)) / (math.sqrt(5) * length), rel=1e-5)
    moved = (theta - 1, psi - 1)
    path = -(g * moved[0] + (game + penalty) * moved[1]) / (length * math.hypot(*moved))
    assert told["path"] == pytest.approx(path, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 2.0])
def test_the_antisymmetric_share_near_the_equilibrium(gamma):
    """J = ((0, -1/2), (1/2, gamma)), so that A v = (-v_psi, v_theta) / 2 and S v = (0, gamma v_psi)."""
    theta, psi = 2e-9, -1e-9
    g, d = -psi / 2, theta / 2 + gamma * psi
    turning, damped = (g**2 + d**2) / 4, (gamma * d) ** 2
    told = diagnose(dirac_at(gamma, theta, psi)).of(0, None)
    assert told["antisymmetric"] == pytest.approx(turning / (turning + damped), rel=1e-5)


def test_at_rest_there_is_no_direction():
    told = diagnose(dirac_at(0.0, 0.0, 0.0)).of(0, None)
    assert told["field"] == 0
    assert told["path"] is None
    assert told["eigenvalues"] == [[0.0, 0.5]]


def dense(pack):
    """J of member 0 by autograd, row by row, on the samples of a diagnosis."""
    game = Joint(pack, pack.draw_apart(STREAMS), looking=True)
    flat = torch.cat(game.field(create_graph=True).parts, 1)[0]
    rows = [torch.cat([g.flatten() for g in torch.autograd.grad(x, game.at.parts, retain_graph=True)]) for x in flat]
    return torch.stack(rows).numpy()


@pytest.mark.parametrize(("iterations", "error"), [(12, 1e-3), (76, 1e-5)])
def test_leading_eigenvalues_of_networks_are_those_of_the_whole_matrix(monkeypatch, iterations, error):
    pack = curved(3)
    pack.objectives.set([0], [3])
    monkeypatch.setattr(diagnosis, "ITERATIONS", iterations)
    told = diagnose(pack).of(0, None)
    whole = -np.linalg.eigvals(dense(pack))
    for (real, imaginary), residual in zip(told["eigenvalues"][:2], told["residuals"], strict=False):
        assert abs(whole - complex(real, imaginary)).min() < error * abs(whole).max()
        assert residual < 100 * error * abs(whole).max()
    leading = told["eigenvalues"][0]
    assert abs(complex(*leading)) == pytest.approx(abs(whole).max(), rel=error)
    if iterations == 76:
        assert told["rightmost"] == pytest.approx(whole.real.max(), rel=1e-4)


def linear(matrices):
    def times(u):
        y = (matrices @ torch.cat(u.parts, 1)[..., None])[..., 0]
        return Both((y[:, :2],), (y[:, 2:],))

    return times


def test_every_member_has_its_own_krylov_space():
    """One closes after two steps, one is zero, one is NaN: the last is exact all the same."""
    random = torch.Generator().manual_seed(0)
    matrices = torch.randn(4, 5, 5, generator=random)
    matrices[0] = torch.diag(torch.tensor([2.0, 2.0, 2.0, -1.0, -1.0]))
    matrices[1] = 0
    matrices[2] = float("nan")
    start = Both((torch.randn(4, 2, generator=random),), (torch.randn(4, 3, generator=random),))
    h = arnoldi(linear(matrices), start, 12)
    assert h.shape == (4, 6, 5)
    closed, zero, bad, full = (spectrum(one.numpy(), 2e-16) for one in h)
    assert closed is not None
    assert zero is not None
    assert full is not None
    np.testing.assert_allclose(closed.values, [2, -1], atol=1e-12)
    np.testing.assert_allclose(zero.values, [0])
    assert bad is None
    known = np.linalg.eigvals(matrices[3].numpy())
    np.testing.assert_allclose(
        np.sort_complex(full.values), np.sort_complex(known[known.imag >= 0]), rtol=1e-10, atol=1e-12
    )


def test_an_early_look_at_a_matrix_knows_how_far_off_it_is():
    random = torch.Generator().manual_seed(1)
    matrix = torch.randn(1, 5, 5, generator=random)
    matrix = matrix + matrix.mT  # symmetric: an eigenvalue is never farther than the residual
    start = Both((torch.randn(1, 2, generator=random),), (torch.randn(1, 3, generator=random),))
    found = spectrum(arnoldi(linear(matrix), start, 3)[0].numpy(), 2e-16)
    assert found is not None
    known = np.linalg.eigvalsh(matrix[0].numpy())
    for value, residual in zip(found.values, found.residuals, strict=True):
        assert 1e-6 < abs(known - value).min() <= residual
