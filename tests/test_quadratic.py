"""Trajectories on the quadratic: closed forms, printed digits and the update rules.

Mistakes: a damped momentum buffer; a rate that changes the buffer; the formula of the wrong root.
"""

from __future__ import annotations

import pytest

from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.quadratic import (
    best_heavy_ball,
    best_rate,
    factor,
    gradient_descent,
    height,
    momentum,
    path,
    roots,
)


@pytest.mark.parametrize(
    ("eps", "eta", "r", "x", "y"),
    [
        (0.01, 1.0, 100, 0.3660323413, 0.0),
        (0.01, 1.9, 100, 0.1468590579, 2.656139889e-5),
        (0.01, best_rate(0.01), 100, 0.1353262606, 0.1353262606),
        (0.001, 1.9, 1000, 0.1492985495, 1.747871e-46),
        (0.1, 1.5, 50, 2.957646638e-4, 8.881784e-16),
    ],
)
def test_gradient_descent_to_the_printed_digits(eps, eta, r, x, y):
    by_formula = gradient_descent(eps, eta, r), gradient_descent(1.0, eta, r)
    trained = path(SGD(), [eta] * r, eps)[-1].tolist()
    assert by_formula == pytest.approx([x, y], rel=1e-6, abs=1e-300)
    assert trained == pytest.approx(by_formula, rel=1e-9, abs=1e-300)


def test_momentum_in_closed_form_equals_its_steps():
    for eta, mu in ((0.1, 0.9), (0.1, 0.0), best_heavy_ball(0.01), (1.0, 0.5)):
        points = path(SGD(momentum=mu), [eta] * 100, 0.01)
        for r in (0, 1, 2, 3, 10, 100):
            expected = [momentum(lam, eta, mu, r) for lam in (0.01, 1.0)]
            # at a double root, dividing by the difference of the roots would lose half the digits
            assert points[r].tolist() == pytest.approx(expected, rel=1e-7, abs=1e-12)
    printed = {1: (0.999, 0.9), 2: (0.997101, 0.72), 3: (0.994394799, 0.486), 10: (0.9589790578, -0.5887893888)}
    for r, expected in printed.items():
        assert [momentum(lam, 0.1, 0.9, r) for lam in (0.01, 1.0)] == pytest.approx(expected, abs=1e-10)


def test_roots_and_the_best_heavy_ball():
    assert [z.real for z in roots(0.01, 0.1, 0.9)] == pytest.approx([0.9888732, 0.9101268], abs=1e-7)
    assert roots(1.0, 0.1, 0.9)[0] == pytest.approx(0.9 + 0.3j)
    eta, mu = best_heavy_ball(0.01)
    assert (mu, eta) == pytest.approx((0.6694215, 3.3057851), abs=1e-7)
    for lam in (0.01, 1.0):
        assert max(abs(z) for z in roots(lam, eta, mu)) == pytest.approx(0.8181818, abs=1e-6)


def test_factor_per_step_of_long_runs():
    for eta, mu in ((1.0, 0.0), (1.9, 0.0), (2.1, 0.0), (0.01, 0.9)):
        distance = path(SGD(momentum=mu), [eta] * 600, 0.01).norm(dim=1)
        assert float((distance[-1] / distance[-51]) ** (1 / 50)) == pytest.approx(factor(0.01, eta, mu), rel=2e-3)
    assert factor(0.01, best_rate(0.01), 0.0) == pytest.approx(0.99 / 1.01)


def test_adam_equals_five_steps_computed_by_hand():
    points = path(Adam(), [0.1] * 5, 1.0)
    by_hand = [0.900000001, 0.80041223, 0.70158627, 0.60393906, 0.50796366]
    assert points[1:, 0].tolist() == pytest.approx(by_hand, abs=5e-9)
    assert points[:, 1].tolist() == points[:, 0].tolist()


def test_start_and_rates_of_a_path():
    points = path(SGD(), [0.5, 0.0, 1.0], 0.5, (2.0, -1.0))
    assert points.tolist() == [[2.0, -1.0], [1.5, -0.5], [1.5, -0.5], [0.75, 0.0]]
    assert height(points, 0.5).tolist() == [1.5, 0.6875, 0.6875, 0.140625]
