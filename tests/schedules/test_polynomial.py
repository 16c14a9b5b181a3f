"""Polynomial decay."""

from __future__ import annotations

import numpy as np
import pytest
from tests.schedules.of_torch import multipliers
from torch.optim.lr_scheduler import PolynomialLR

from gansweep.schedules.linspace import Linspace
from gansweep.schedules.polynomial import Polynomial


@pytest.mark.parametrize("power", [0.5, 0.9, 2.0])
def test_equals_torch(power):
    expected = multipliers(lambda o: PolynomialLR(o, total_iters=99, power=power), 100)
    np.testing.assert_allclose(Polynomial(power=power).values(100), expected, rtol=1e-10, atol=1e-15)


def test_power_1_is_linear():
    np.testing.assert_allclose(Polynomial(power=1, end=0.1).values(50), Linspace(1, 0.1).values(50), rtol=1e-12)
    assert Polynomial(power=3, end=0.2).values(5) == pytest.approx([1, 0.2 + 0.8 * 27 / 64, 0.3, 0.2 + 0.8 / 64, 0.2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Polynomial(power=0), "power=0: expected a number > 0"),
        (lambda: Polynomial(end=-0.1), "end=-0.1: expected a number >= 0"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_default_power():
    assert Polynomial().power == 0.9
