"""Adan compared with the recursion of its authors, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.optimizers.adan import Adan


def box(betas, eps, weight_decay):
    """Alphas are the paper's betas: the weights of the new values."""
    a1, a2, a3 = (1 - beta for beta in betas)

    def start(theta):
        m, v, n, old = (np.zeros_like(theta) for _ in range(4))

        def step(g, lr, t):
            nonlocal theta, m, v, n, old
            d = g - old if t > 1 else 0 * g
            m, v = (1 - a1) * m + a1 * g, (1 - a2) * v + a2 * d
            n = (1 - a3) * n + a3 * (g + (1 - a2) * d) ** 2
            m_hat, v_hat, n_hat = (x / (1 - (1 - a) ** t) for x, a in ((m, a1), (v, a2), (n, a3)))
            theta = (theta - lr / (np.sqrt(n_hat) + eps) * (m_hat + (1 - a2) * v_hat)) / (1 + lr * weight_decay)
            old = g
            return theta

        return step

    return start


@pytest.mark.parametrize("settings", [((0.98, 0.92, 0.99), 1e-8, 0.0), ((0.9, 0.5, 0.8), 1e-3, 0.2)])
def test_equals_the_box(follow, settings):
    theta, _, expected = follow(Adan(*settings), box(*settings))
    torch.testing.assert_close(theta, expected, rtol=1e-12, atol=1e-12)


def test_a_constant_gradient_moves_by_the_rate(drive):
    """The gradient is constant, so v = 0. Mistake: a first difference from zero."""
    theta = torch.zeros(1, 2, dtype=torch.float64)
    drive(Adan(eps=0.0), theta, torch.tensor([[[3.0, -0.5]]] * 4, dtype=torch.float64), [0.1])
    assert theta[0].tolist() == pytest.approx([-0.4, 0.4], rel=1e-12)


def test_a_setting_out_of_range_is_named():
    with pytest.raises(ValueError, match=r"betas=\[0.9, 0.9\]: expected three numbers"):
        Adan(betas=(0.9, 0.9))
