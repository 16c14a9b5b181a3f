"""Warmup-stable-decay schedule."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gansweep.schedules.warmup import Warmup
from gansweep.schedules.wsd import WSD


def test_three_phases():
    """As in the paper: 10 % warm-up, a 1-sqrt cooldown in the last fifth."""
    values = WSD(warmup=10, cooldown=20).values(100)
    assert values[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert (values[10:81] == 1).all()  # the cooldown starts at t = 0
    assert values[[81, 85, 90, 99]] == pytest.approx([1 - math.sqrt(k / 20) for k in (1, 5, 10, 19)])
    assert WSD(warmup=0.1, cooldown=0.2).values(100).tolist() == values.tolist()


@pytest.mark.parametrize(("power", "half"), [(0.5, 1 - 0.9 * math.sqrt(0.5)), (1.0, 0.55), (2.0, 0.775)])
def test_shape_of_the_cooldown(power, half):
    values = WSD(warmup=0, cooldown=10, power=power, end=0.1).values(20)
    assert values[15] == pytest.approx(half)
    assert values[19] == pytest.approx(1 - 0.9 * 0.9**power)


def test_without_cooldown_equals_warmup():
    assert WSD(warmup=5, cooldown=0).values(20).tolist() == Warmup(length=5).values(20).tolist()


def test_warmup_and_cooldown_must_fit_the_run():
    WSD(warmup=4, cooldown=6).check(10)
    with pytest.raises(ValueError, match="warmup=4: expected no more than the run's 10 steps together with cooldown=7"):
        WSD(warmup=4, cooldown=7).check(10)
    with pytest.raises(ValueError, match="warmup=0.5.*cooldown=0.7"):
        WSD(warmup=0.5, cooldown=0.7).check(1000)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WSD(warmup=2.5), "warmup=2.5: expected a whole number of steps, or a fraction from 0 to 1"),
        (lambda: WSD(cooldown=float("inf")), "cooldown=inf: expected a whole number of steps"),
        (lambda: WSD(cooldown=-1), "cooldown=-1"),
        (lambda: WSD(power=0), "power=0: expected a number > 0"),
        (lambda: WSD(end=float("nan")), "end=nan: expected a number >= 0"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_defaults():
    assert (WSD().warmup, WSD().cooldown, WSD().power, WSD().end) == (0.05, 0.2, 0.5, 0.0)
