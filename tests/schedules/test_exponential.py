"""Exponential decay."""

from __future__ import annotations

import numpy as np
import pytest
from tests.schedules.of_torch import multipliers
from torch.optim.lr_scheduler import ExponentialLR

from gansweep.schedules.exponential import Exponential
from gansweep.schedules.logspace import Logspace
from gansweep.schedules.step import Step


def test_equals_torch():
    expected = multipliers(lambda o: ExponentialLR(o, gamma=0.97), 300)
    np.testing.assert_allclose(Exponential(gamma=0.97, period=1).values(300), expected, rtol=1e-12)


def test_equals_step_decay_at_its_drops_and_logspace():
    smooth, stairs = Exponential(gamma=0.1, period=20).values(60), Step(gamma=0.1, period=20).values(60)
    np.testing.assert_allclose(smooth[::20], stairs[::20], rtol=1e-12)
    np.testing.assert_allclose(Exponential(0.1, period=50).values(101), Logspace(0, -2).values(101), rtol=1e-12)


def test_period_as_a_fraction_of_the_run():
    assert Exponential(gamma=0.5, period=0.25).values(10)[[0, 5]] == pytest.approx([1, 0.25])


def test_check_detects_overflow():
    Exponential(gamma=2.0, period=1).check(1000)
    with pytest.raises(ValueError, match="gamma=2.0: too large for 2000 steps with period=1"):
        Exponential(gamma=2.0, period=1).check(2000)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Exponential(gamma=0), "gamma=0: expected a number > 0"),
        (lambda: Exponential(period=0), "period=0: expected a number > 0"),
        (lambda: Exponential(period=2.5), "period=2.5: expected a whole number of steps, or a fraction"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()
