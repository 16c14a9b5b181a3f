"""Eigenvalues and moduli against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from gansweep.dirac.descent import Alternating, Extragradient, Simultaneous, trajectory
from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.field import Field, matrix
from gansweep.dirac.fields.gan import GAN, WGAN, NonSaturating
from gansweep.dirac.fields.gaussian import InstanceNoise
from gansweep.dirac.fields.r1 import R1, Roth
from gansweep.dirac.rules import Adam, GradientDescent, HeavyBall, Optimistic
from gansweep.dirac.spectrum import eigenvalues, moduli

H = 0.2
A = 0.5

# Largest modulus under simultaneous, alternating 1:1 and 1:5 descent with h = 0.2.
TABLE = [
    (GAN(), 0.5j, (1.004988, 1.0, 1.0)),
    (NonSaturating(), 0.5j, (1.004988, 1.0, 1.0)),
    (WGAN(), 1j, (1.019804, 1.0, 1.0)),
    (R1(0.3), -0.15 + 0.476970j, (0.974679, 0.969536, 0.856682)),
    (R1(1.0), -0.5, (0.9, 0.927016, 0.948645)),
    (R1(2.0), -0.133975, (0.973205, 0.973955, 0.974946)),
    (InstanceNoise(0.7), -0.1225 + 0.484762j, (0.980306, 0.975192, 0.881965)),
    (Consensus(1.0), -0.25 + 0.5j, (0.955249, 0.95, 0.857375)),
]


@pytest.mark.parametrize(("field", "eigenvalue", "largest"), TABLE, ids=lambda x: repr(x)[:30])
def test_table_of_moduli(field, eigenvalue, largest):
    jacobian = field.jacobian()
    assert eigenvalues(jacobian)[0] == pytest.approx(eigenvalue, abs=1e-6)
    for algorithm, expected in zip((Simultaneous(), Alternating(), Alternating(1, 5)), largest, strict=True):
        assert moduli(algorithm, jacobian, H)[0] == pytest.approx(expected, abs=1e-6)


def test_second_modulus():
    assert moduli(Alternating(), R1(1.0).jacobian(), H)[1] == pytest.approx(0.862984, abs=1e-6)
    assert moduli(Alternating(1, 5), R1(1.0).jacobian(), H)[1] == pytest.approx(0.345419, abs=1e-6)
    assert moduli(Simultaneous(), R1(2.0).jacobian(), H)[1] == pytest.approx(0.626795, abs=1e-6)
    assert moduli(Alternating(1, 5), R1(2.0).jacobian(), H)[1] == pytest.approx(0.079758, abs=1e-6)
    assert eigenvalues(R1(2.0).jacobian())[1] == pytest.approx(-1.866025, abs=1e-6)


def test_eigenvalues_by_formula():
    gamma = np.linspace(-1, 4, 23)
    for computed, damping in (
        (eigenvalues(R1(gamma).jacobian()), gamma / 2),
        (eigenvalues(Roth(gamma).jacobian()), gamma / 4),
        (eigenvalues(InstanceNoise(abs(gamma)).jacobian()), gamma**2 / 4),
    ):
        root = np.sqrt((damping**2 - A**2).astype(complex))
        np.testing.assert_allclose(computed, np.stack([-damping + root, -damping - root], -1), atol=1e-7)


@pytest.mark.parametrize(("n_g", "n_d"), [(1, 1), (1, 5), (3, 2)])
def test_alternating_updates_of_the_gan_have_modulus_1_up_to_a_rate(n_g, n_d):
    edge = 2 / (A * np.sqrt(n_g * n_d))
    below, above = (moduli(Alternating(n_g, n_d), GAN().jacobian(), edge * factor) for factor in (0.999, 1.001))
    np.testing.assert_allclose(below, 1, atol=1e-12)
    assert above[0] > 1.03


def test_alternating_by_roundsof_r1():
    gamma = 0.3
    by_rounds = Alternating().matrix(R1(gamma).jacobian(), H)
    assert np.trace(by_rounds) == pytest.approx(2 - H**2 * A**2 - H * gamma)
    assert np.linalg.det(by_rounds) == pytest.approx(1 - H * gamma)


@pytest.mark.parametrize(
    ("algorithm", "bound"),
    [
        (Simultaneous(), lambda gamma: gamma / A**2),
        (Alternating(), lambda gamma: (np.sqrt(gamma**2 + 4 * A**2) - gamma) / A**2),
    ],
)
def test_largest_stable_rate_of_r1_by_formula(algorithm, bound):
    """The formulas of docs/dirac.md for gamma below 2a: the largest modulus is 1 there."""
    gamma = np.array([0.1, 0.3, 0.9])
    jacobian = R1(gamma).jacobian()
    assert (moduli(algorithm, jacobian, 0.999 * bound(gamma))[:, 0] < 1).all()
    assert (moduli(algorithm, jacobian, 1.001 * bound(gamma))[:, 0] > 1).all()


@pytest.mark.parametrize("gamma", [1.1, 2.0, 5.0])
def test_largest_stable_rate_of_simultaneous_r1_with_real_eigenvalues(gamma):
    """-2 / lambda_min above gamma = 2a."""
    jacobian = R1(gamma).jacobian()
    bound = -2 / eigenvalues(jacobian).real.min()
    below, above = (moduli(Simultaneous(), jacobian, part * bound)[0] for part in (0.999, 1.001))
    assert below < 1 < above


def test_heavy_ball_with_momentum_0_is_gradient_descent():
    jacobian = R1(0.3).jacobian()
    for make in (lambda rule: Simultaneous(rule), lambda rule: Alternating(2, 3, rule)):
        with_memory = moduli(make(HeavyBall(np.zeros(1))), jacobian, H)[0]
        np.testing.assert_allclose(with_memory[:2], moduli(make(GradientDescent()), jacobian, H))
        np.testing.assert_allclose(with_memory[2:], 0, atol=1e-12)


def test_moduli_of_heavy_ball_are_roots_of_its_quadratic():
    beta, jacobian = -0.4, R1(0.3).jacobian()
    roots = [np.roots([1, -(1 + beta + H * root), beta]) for root in eigenvalues(jacobian)]
    np.testing.assert_allclose(
        moduli(Simultaneous(HeavyBall(beta)), jacobian, H), np.sort(np.abs(np.ravel(roots)))[::-1]
    )


@pytest.mark.parametrize(
    "algorithm",
    [
        Simultaneous(HeavyBall(0.3)),
        Alternating(2, 3),
        Alternating(1, 2, HeavyBall(-0.5)),
        Simultaneous(Optimistic()),
        Alternating(rule=Optimistic()),
        Extragradient(),
    ],
    ids=repr,
)
def test_the_matrix_of_a_round_describes_the_steps_of_the_algorithm(algorithm):
    """A trajectory of a linear field satisfies the characteristic polynomial of the matrix."""
    jacobian = matrix(((-0.1, -0.7), (0.4, -0.3)))

    class Linear(Field):
        def __call__(self, theta, psi):
            return tuple(jacobian @ [theta, psi])

    rate = (0.3, 0.2)
    steps = algorithm.matrix(jacobian, rate)
    path = trajectory(Linear(), algorithm, (1.0, -0.5), rate, 12)
    # Any n + 1 positions of a linear recurrence obey its characteristic polynomial.
    polynomial = np.poly(steps)
    for first in range(1, 12 - len(steps)):
        window = path[first : first + len(polynomial)]
        np.testing.assert_allclose(polynomial[::-1] @ window, 0, atol=1e-12)


def test_optimistic_descent_and_extragradient_stabilise_the_gan():
    jacobian = GAN().jacobian()
    assert moduli(Simultaneous(), jacobian, H)[0] > 1
    assert moduli(Simultaneous(Optimistic()), jacobian, H)[0] < 1
    assert moduli(Extragradient(), jacobian, H)[0] < 1


def test_negative_momentum_stabilises_alternating_updates():
    largest = moduli(Alternating(rule=HeavyBall(np.array([-0.3, 0.3]))), GAN().jacobian(), H)[:, 0]
    assert largest[0] < 1 < largest[1]


def test_a_nonlinear_rule_has_no_matrix():
    with pytest.raises(ValueError, match=r"rule=Adam.*linear in the gradient"):
        moduli(Simultaneous(Adam()), GAN().jacobian(), H)
