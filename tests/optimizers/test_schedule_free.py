"""Schedule-free rules compared with the authors' form, which stores y and z and computes x from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from gansweep.optimizers.schedule_free_sgd import ScheduleFreeSGD


def two_points(beta, weight_decay, direction):
    """y <- y + c (z - y) + gamma (beta (1 - c) - 1) u,   z <- z - gamma u.

    `direction(g, lr, t)` returns gamma and the gradient in units of its size.
    """

    def start(theta):
        y, z, total, along = theta.copy(), theta.copy(), 0.0, direction()

        def step(g, lr, t):
            nonlocal y, z, total
            gamma, u = along(g, lr, t)
            u = u + weight_decay * y
            total += gamma**2
            c = gamma**2 / total
            y = (1 - c) * y + c * z + gamma * (beta * (1 - c) - 1) * u
            z = z - gamma * u
            step.x = y + (1 - 1 / beta) * (z - y)
            return y

        found.append(step)
        return step

    found = []
    return start, found


def plain():
    return lambda g, lr, t: (lr, g)


def in_units(beta2, eps):
    def start():
        v = 0.0

        def along(g, lr, t):
            nonlocal v
            v = beta2 * v + (1 - beta2) * g**2
            return lr * np.sqrt(1 - beta2**t), g / (np.sqrt(v) + eps)

        return along

    return start


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        (ScheduleFreeSGD(), (0.9, 0.0, plain)),
        (ScheduleFreeSGD(0.5, 0.2), (0.5, 0.2, plain)),
        (ScheduleFreeAdamW(), (0.9, 0.0, in_units(0.999, 1e-8))),
        (ScheduleFreeAdamW((0.98, 0.9), 1e-3, 0.2), (0.98, 0.2, in_units(0.9, 1e-3))),
    ],
)
def test_equals_the_form_of_two_points(follow, rule, settings):
    start, found = two_points(*settings)
    theta, state, expected = follow(rule, start)
    torch.testing.assert_close(theta, expected, rtol=1e-12, atol=1e-12)
    judged = rule.evaluated(theta, state)
    torch.testing.assert_close(judged, torch.tensor(np.array([step.x for step in found])), rtol=1e-12, atol=1e-12)
    assert not torch.allclose(judged, theta)


def test_with_gradients_at_z_it_is_the_mean_of_descents_iterates(drive):
    """On x^2 / 2 the iterates of descent are (1 - lr)^t, and x is their mean over t = 1..T."""
    theta, rule = torch.ones(1, 1, dtype=torch.float64), ScheduleFreeSGD(beta=0.0)
    state = drive(rule, theta, lambda at: at, [0.1], num_steps=20)
    assert theta.item() == pytest.approx(0.9**20, rel=1e-12)
    assert rule.evaluated(theta, state).item() == pytest.approx(np.mean(0.9 ** np.arange(1, 21)), rel=1e-12)


def test_steps_at_rate_zero_weigh_nothing(drive):
    rule, gradients = ScheduleFreeSGD(), torch.randn(4, 1, 3, generator=torch.Generator().manual_seed(0))
    paths = []
    for idle in (0, 2):
        theta = torch.ones(1, 3)
        state = drive(rule, theta, gradients[:1].expand(idle, 1, 3), [0.0]) if idle else rule.state((), theta)
        drive(rule, theta, gradients, [0.1], state, first=1 + idle)
        paths.append((theta, rule.evaluated(theta, state)))
    assert torch.equal(paths[0][0], paths[1][0])
    assert torch.equal(paths[0][1], paths[1][1])


def test_a_setting_out_of_range_is_named():
    with pytest.raises(ValueError, match="beta=1.0: expected 0 <= beta < 1"):
        ScheduleFreeSGD(beta=1.0)
    with pytest.raises(ValueError, match="betas="):
        ScheduleFreeAdamW(betas=(0.9, 1.0))
