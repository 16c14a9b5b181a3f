"""AdaBelief compared with an implementation of the paper's algorithm, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.optimizers.adabelief import AdaBelief


def box(beta1, beta2, eps, weight_decay):
    def start(theta):
        m, s = np.zeros_like(theta), np.zeros_like(theta)

        def step(g, lr, t):
            nonlocal theta, m, s
            theta = theta * (1 - lr * weight_decay)
            m = beta1 * m + (1 - beta1) * g
            s = beta2 * s + (1 - beta2) * (g - m) ** 2 + eps
            m_hat, s_hat = m / (1 - beta1**t), s / (1 - beta2**t)
            theta = theta - lr * m_hat / (np.sqrt(s_hat) + eps)
            return theta

        return step

    return start


@pytest.mark.parametrize("settings", [((0.9, 0.999), 1e-16, 0.0), ((0.5, 0.9), 1e-3, 0.2)])
def test_equals_the_box(follow, settings):
    theta, _, expected = follow(AdaBelief(*settings), box(*settings[0], *settings[1:]))
    torch.testing.assert_close(theta, expected, rtol=1e-12, atol=1e-12)


def test_the_first_deviation_is_beta1_of_the_gradient(drive):
    """m_1 = (1 - beta1) g, so that g - m_1 = beta1 g and the step is lr / beta1; Adam's is lr."""
    theta = torch.zeros(1, 2, dtype=torch.float64)
    drive(AdaBelief(betas=(0.8, 0.999)), theta, torch.tensor([[[3.0, -0.5]]], dtype=torch.float64), [0.1])
    assert theta[0].tolist() == pytest.approx([-0.125, 0.125], rel=1e-9)


def test_gradients_that_are_believed_make_large_steps(drive):
    theta = torch.zeros(1, 1, dtype=torch.float64)
    drive(AdaBelief(), theta, torch.ones(50, 1, 1, dtype=torch.float64), [1e-3])
    assert theta.item() < -2 * 50e-3


def test_a_setting_out_of_range_is_named():
    with pytest.raises(ValueError, match="eps=-1.0: expected a number >= 0"):
        AdaBelief(eps=-1.0)
