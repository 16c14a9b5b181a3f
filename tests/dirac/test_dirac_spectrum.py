"""Eigenvalues and moduli against the table of closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from gansweep.dirac.descent import Alternating, Extragradient, Simultaneous, trajectory
from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.field import Field, matrix
from gansweep.dirac.fields.gan import GAN
from gansweep.dirac.fields.instance_noise import InstanceNoise
from gansweep.dirac.fields.non_saturating import NonSaturating
from gansweep.dirac.fields.r1 import R1
from gansweep.dirac.fields.roth import Roth
from gansweep.dirac.fields.wgan import WGAN
from gansweep.dirac.rules.adam import Adam
from gansweep.dirac.rules.gradient_descent import GradientDescent
from gansweep.dirac.rules.heavy_ball import HeavyBall
from gansweep.dirac.rules.optimistic import Optimistic
from gansweep.dirac.spectrum import (
    eigenvalues,
    largest_alternating_rate,
    largest_simultaneous_rate,
    moduli,
    rates_to_steps,
)

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


def test_second_moduli_where_they_differ():
    assert moduli(Alternating(), R1(1.0).jacobian(), H)[1] == pytest.approx(0.862984, abs=1e-6)
    assert moduli(Alternating(1, 5), R1(1.0).jacobian(), H)[1] == pytest.approx(0.345419, abs=1e-6)
    assert moduli(Simultaneous(), R1(2.0).jacobian(), H)[1] == pytest.approx(0.626795, abs=1e-6)
    assert moduli(Alternating(1, 5), R1(2.0).jacobian(), H)[1] == pytest.approx(0.079758, abs=1e-6)
    assert eigenvalues(R1(2.0).jacobian())[1] == pytest.approx(-1.866025, abs=1e-6)


def test_eigenvalues_by_formula():
    gamma = np.linspace(-1, 4, 23)
    for found, damping in (
        (eigenvalues(R1(gamma).jacobian()), gamma / 2),
        (eigenvalues(Roth(gamma).jacobian()), gamma / 4),
        (eigenvalues(InstanceNoise(abs(gamma)).jacobian()), gamma**2 / 4),
    ):
        root = np.sqrt((damping**2 - A**2).astype(complex))
        np.testing.assert_allclose(found, np.stack([-damping + root, -damping - root], -1), atol=1e-7)


@pytest.mark.parametrize(("n_g", "n_d"), [(1, 1), (1, 5), (3, 2)])
def test_alternating_plain_game_is_neutral_up_to_alpha_two(n_g, n_d):
    edge = 2 / (A * np.sqrt(n_g * n_d))
    below, above = (moduli(Alternating(n_g, n_d), GAN().jacobian(), edge * factor) for factor in (0.999, 1.001))
    np.testing.assert_allclose(below, 1, atol=1e-12)
    assert above[0] > 1.03


def test_alternating_matrix_of_r1():
    gamma = 0.3
    found = Alternating().matrix(R1(gamma).jacobian(), H)
    assert np.trace(found) == pytest.approx(2 - H**2 * A**2 - H * gamma)
    assert np.linalg.det(found) == pytest.approx(1 - H * gamma)


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.3, 1.0, 2.0, -0.2])
@pytest.mark.parametrize(
    ("algorithm", "bound"), [(Simultaneous(), largest_simultaneous_rate), (Alternating(), largest_alternating_rate)]
)
@pytest.mark.parametrize("method", [R1, Consensus])
def test_bounds_of_the_rate_are_where_the_modulus_crosses_one(method, algorithm, bound, gamma):
    jacobian = method(gamma).jacobian()
    edge = bound(jacobian)
    if edge > 0:
        # Without damping alternating descent is neutral below its bound, up to rounding.
        assert moduli(algorithm, jacobian, edge * 0.999)[0] < 1 + 1e-12
    assert moduli(algorithm, jacobian, edge * 1.001 + 1e-6 * (edge == 0))[0] > 1 or (edge == 0 and gamma == 0)


def test_bounds_of_any_stable_jacobian():
    """Also where psi and theta help each other, so that the determinant is the first to leave."""
    jacobian = np.random.default_rng(1).normal(size=(400, 2, 2))
    damping, determinant = np.trace(jacobian, axis1=1, axis2=2), np.linalg.det(jacobian)
    jacobian = jacobian[(damping < -0.1) & (determinant > 0.05)]
    assert len(jacobian) > 30
    for algorithm, bound in (
        (Simultaneous(), largest_simultaneous_rate),
        (Alternating(), largest_alternating_rate),
    ):
        edge = bound(jacobian)
        for part in (0.2, 0.7, 0.999):
            assert (moduli(algorithm, jacobian, part * edge)[:, 0] < 1).all()
        assert (moduli(algorithm, jacobian, 1.001 * edge)[:, 0] > 1).all()


def test_bounds_of_r1_by_formula():
    gamma = np.array([0.1, 0.3, 0.9])
    jacobian = R1(gamma).jacobian()
    np.testing.assert_allclose(largest_simultaneous_rate(jacobian), gamma / A**2)
    np.testing.assert_allclose(largest_alternating_rate(jacobian), (np.sqrt(gamma**2 + 4 * A**2) - gamma) / A**2)
    assert largest_alternating_rate(GAN().jacobian()) == pytest.approx(2 / A)


def test_gradient_descent_is_a_ball_of_no_weight():
    jacobian = R1(0.3).jacobian()
    for make in (lambda rule: Simultaneous(rule), lambda rule: Alternating(2, 3, rule)):
        with_memory = moduli(make(HeavyBall(np.zeros(1))), jacobian, H)[0]
        np.testing.assert_allclose(with_memory[:2], moduli(make(GradientDescent()), jacobian, H))
        np.testing.assert_allclose(with_memory[2:], 0, atol=1e-12)


def test_heavy_ball_solves_its_quadratic():
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
def test_the_matrix_is_what_the_algorithm_does(algorithm):
    """A linear field, played for ten steps, against powers of the matrix from the state after one."""
    jacobian = matrix(((-0.1, -0.7), (0.4, -0.3)))

    class Line(Field):
        def __call__(self, theta, psi):
            return tuple(jacobian @ [theta, psi])

    rate = (0.3, 0.2)
    found = algorithm.matrix(jacobian, rate)
    path = trajectory(Line(), algorithm, (1.0, -0.5), rate, 12)
    # Any n + 1 positions of a linear recurrence obey its characteristic polynomial.
    polynomial = np.poly(found)
    for first in range(1, 12 - len(found)):
        window = path[first : first + len(polynomial)]
        np.testing.assert_allclose(polynomial[::-1] @ window, 0, atol=1e-12)


def test_optimistic_and_extragradient_save_the_plain_game():
    jacobian = GAN().jacobian()
    assert moduli(Simultaneous(), jacobian, H)[0] > 1
    assert moduli(Simultaneous(Optimistic()), jacobian, H)[0] < 1
    assert moduli(Extragradient(), jacobian, H)[0] < 1


def test_only_negative_momentum_saves_the_alternating_game():
    largest = moduli(Alternating(rule=HeavyBall(np.array([-0.3, 0.3]))), GAN().jacobian(), H)[:, 0]
    assert largest[0] < 1 < largest[1]


def test_a_rule_without_a_matrix_says_so():
    with pytest.raises(ValueError, match=r"rule=Adam.*linear in the gradient"):
        moduli(Simultaneous(Adam()), GAN().jacobian(), H)


def test_steps_of_a_rate():
    assert rates_to_steps(0.1) == pytest.approx(1)
    assert rates_to_steps(1.0) == np.inf
