"""Optimistic updates compared with the paper's formulas, and on a bilinear game."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.optimizers.adam import Adam
from gansweep.optimizers.optimistic import Optimistic
from gansweep.optimizers.schedule_free_sgd import ScheduleFreeSGD
from gansweep.optimizers.sgd import SGD


def optimistic_descent(theta):
    last = np.zeros_like(theta)

    def step(g, lr, t):
        nonlocal theta, last
        theta = theta - 2 * lr * g + last
        last = lr * g
        return theta

    return step


def optimistic_adam(theta, beta1=0.5, beta2=0.9, eps=1e-8):
    m, v, last = (np.zeros_like(theta) for _ in range(3))

    def step(g, lr, t):
        nonlocal theta, m, v, last
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        new = lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        theta = theta - 2 * new + last
        last = new
        return theta

    return step


@pytest.mark.parametrize(("of", "box"), [(SGD(), optimistic_descent), (Adam(betas=(0.5, 0.9)), optimistic_adam)])
def test_equals_the_papers_form(follow, of, box):
    theta, _, expected = follow(Optimistic(of), box)
    torch.testing.assert_close(theta, expected, rtol=1e-12, atol=1e-12)


def bilinear(rule, drive, num_steps, lr):
    """Train min_x max_y x y from (1, 0) with simultaneous updates; member 0 is x, member 1 is y."""
    theta = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    drive(rule, theta, lambda at: torch.stack([at[1], -at[0]]), [lr, lr], num_steps=num_steps)
    return complex(*theta[:, 0].tolist())


def test_spirals_into_the_saddle_that_descent_spirals_out_of(drive):
    """With w = x + i y the field is -i w, so that both are recursions in one complex number."""
    eta, w, last = 0.3, 1 + 0j, 0j
    for _ in range(200):
        move = 1j * eta * w
        w, last = w + 2 * move - last, move
    found = bilinear(Optimistic(SGD()), drive, 200, eta)
    assert found == pytest.approx(w, rel=1e-9)
    assert abs(found) < 1e-3
    assert abs(bilinear(SGD(), drive, 200, eta)) == pytest.approx((1 + eta**2) ** 100, rel=1e-9)


def test_a_rule_that_keeps_its_parameters_elsewhere_is_refused():
    with pytest.raises(ValueError, match=r"of=ScheduleFreeSGD.*: expected a rule"):
        Optimistic(ScheduleFreeSGD())
