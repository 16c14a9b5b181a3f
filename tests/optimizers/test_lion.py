"""Lion compared with an implementation of the paper's algorithm."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.optimizers.lion import Lion


def box(beta1, beta2, weight_decay):
    def start(theta):
        m = np.zeros_like(theta)

        def step(g, lr, t):
            nonlocal theta, m
            c = beta1 * m + (1 - beta1) * g
            theta = theta - lr * (np.sign(c) + weight_decay * theta)
            m = beta2 * m + (1 - beta2) * g
            return theta

        return step

    return start


@pytest.mark.parametrize("settings", [((0.9, 0.99), 0.0), ((0.95, 0.98), 0.3)])
def test_equals_the_box(follow, settings):
    theta, _, expected = follow(Lion(*settings), box(*settings[0], settings[1]))
    torch.testing.assert_close(theta, expected, rtol=1e-12, atol=1e-12)


def test_the_newest_gradient_has_a_larger_weight_in_the_direction_than_in_the_momentum(drive):
    """m = 0.01 after g = 1; then 0.9 m - 0.1 a is negative for a > 0.09."""
    for a, expected in ((0.08, -0.2), (0.1, 0.0)):
        theta = torch.zeros(1, 1, dtype=torch.float64)
        drive(Lion(), theta, torch.tensor([[[1.0]], [[-a]]], dtype=torch.float64), [0.1])
        assert theta.item() == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("make", [lambda: Lion(betas=(0.9, 1.0)), lambda: Lion(weight_decay=-1.0)])
def test_a_setting_out_of_range_is_named(make):
    with pytest.raises(ValueError, match="betas=|weight_decay=-1.0: expected"):
        make()
