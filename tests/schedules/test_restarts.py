"""Warm restarts, compared with torch and the paper."""

from __future__ import annotations

import numpy as np
import pytest
from tests.schedules.of_torch import multipliers
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

from gansweep.schedules.restarts import Restarts


@pytest.mark.parametrize(("period", "multiplier", "end"), [(10, 1, 0.0), (7, 2, 0.2), (3, 3, 0.01), (1, 2, 0.0)])
def test_equals_torch(period, multiplier, end):
    expected = multipliers(lambda o: CosineAnnealingWarmRestarts(o, period, multiplier, eta_min=end), 200)
    values = Restarts(period=period, multiplier=multiplier, end=end).values(200)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-15)


def test_restarts_of_the_paper():
    """T_0 = 10 and T_mult = 2 restart after 10, 30, 70 and 150 epochs, figure 1."""
    values = Restarts(period=10, multiplier=2).values(200)
    assert np.flatnonzero(values == 1).tolist() == [0, 10, 30, 70, 150]


def test_num_cycles_ends_with_the_run():
    assert Restarts(num_cycles=3, multiplier=2).values(70) == pytest.approx(
        Restarts(period=10, multiplier=2).values(70)
    )
    # 3 cycles of 10 / 3 steps: the second one begins before step 4, the third before step 7.
    values = Restarts(num_cycles=3).values(10)
    assert np.flatnonzero(np.diff(values) > 0).tolist() == [3, 6]
    assert values[4] == pytest.approx((1 + np.cos(np.pi * 0.2)) / 2)
    assert Restarts(num_cycles=1).values(9).tolist() == Restarts(period=9).values(9).tolist()


def test_late_steps_do_not_iterate_over_all_cycles():
    assert Restarts(period=1)(10**12, 10**12 + 1) == 1.0
    assert Restarts(period=1, multiplier=2)(2**60 - 1, 2**61) == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Restarts(), "period=None, num_cycles=None: expected one of them"),
        (lambda: Restarts(period=3, num_cycles=2), "period=3, num_cycles=2: expected one of them"),
        (lambda: Restarts(period=0), "period=0: expected a whole number >= 1"),
        (lambda: Restarts(num_cycles=2.5), "num_cycles=2.5: expected a whole number >= 1"),
        (lambda: Restarts(period=3, multiplier=0), "multiplier=0: expected a whole number >= 1"),
        (lambda: Restarts(period=3, end=-1.0), "end=-1.0: expected a number >= 0"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()
