"""Prodigy compared with an implementation of the paper's algorithm; one distance per member, in any pack."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.interfaces import Slot
from gansweep.layers.layer import row_sum
from gansweep.optimizers.prodigy import Prodigy


def box(beta1, beta2, eps, weight_decay, d0):
    def start(theta):
        begin, m, v, s, r, d = theta.copy(), 0.0, 0.0, 0.0, 0.0, d0
        root = np.sqrt(beta2)

        def step(g, lr, t):
            nonlocal theta, m, v, s, r, d
            m = beta1 * m + (1 - beta1) * d * g
            v = beta2 * v + (1 - beta2) * d**2 * g**2
            r = root * r + (1 - root) * lr * d**2 * (g @ (begin - theta))
            s = root * s + (1 - root) * lr * d**2 * g
            theta = (1 - lr * d * weight_decay) * theta - lr * d * m / (np.sqrt(v) + d * eps)
            d = max(d, r / np.abs(s).sum())
            return theta

        return step

    return start


@pytest.mark.parametrize("settings", [((0.9, 0.999), 1e-8, 0.0, 1e-6), ((0.5, 0.9), 1e-3, 0.2, 1e-3)])
def test_equals_the_box(follow, settings):
    """Started at zero: elsewhere the first distances of 1e-6 would be differences of rounded numbers."""
    rule, reference = Prodigy(*settings), box(*settings[0], *settings[1:])
    theta, state, expected = follow(rule, reference, scale=0.0, rates=(1.0, 0.5, 2.0))
    torch.testing.assert_close(theta, expected, rtol=1e-11, atol=1e-12)
    assert (state["d"] > 3 * settings[3]).all()
    assert len(set(state["d"][:, 0].tolist())) == 3


@pytest.mark.parametrize("far", [0.1, 10.0])
def test_finds_the_distance_to_the_solution(drive, far):
    """On |theta - far| it never overshoots the distance and comes within a factor of ten of it."""
    theta = torch.zeros(1, 1, dtype=torch.float64)
    state = drive(Prodigy(), theta, lambda at: (at - far).sign(), [1.0], num_steps=400)
    assert far / 10 < state["d"].item() <= far


def test_does_not_see_the_gradients_scale(drive):
    ends = []
    for scale in (1.0, 1e3):
        theta = torch.zeros(1, 3, dtype=torch.float64)
        drive(Prodigy(eps=0.0), theta, lambda at, scale=scale: scale * (at - 1), [1.0], num_steps=60)
        ends.append(theta)
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-6, atol=0)


def test_long_rows_are_summed_the_same_alone_in_company_and_with_more_threads(drive):
    slots, size = [Slot("w", (200_003,))], 200_003
    random = torch.Generator().manual_seed(3)
    rows, gradients = torch.randn(3, size, generator=random), 1 + torch.randn(4, 3, size, generator=random)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for members in ([0, 1, 2], [1, 2, 0], [0], [1], [2]):
                theta = rows[members].clone()
                state = drive(Prodigy(d0=1e-2), theta, gradients[:, members], [1.0] * len(members), slots=slots)
                found += [(k, theta[n], state["d"][n]) for n, k in enumerate(members)]
    finally:
        torch.set_num_threads(before)
    for k, theta, d in found:
        assert d > 2e-2
        assert torch.equal(theta, found[k][1])
        assert torch.equal(d, found[k][2])


def test_a_row_sum_is_a_sum():
    rows = torch.randn(2, 3001, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(row_sum(rows), rows.sum(1, keepdim=True), rtol=1e-12, atol=1e-12)


def test_a_setting_out_of_range_is_named():
    with pytest.raises(ValueError, match="d0=0.0: expected a number above 0"):
        Prodigy(d0=0.0)
