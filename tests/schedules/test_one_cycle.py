"""1cycle schedule."""

from __future__ import annotations

import numpy as np
import pytest
from tests.schedules.of_torch import multipliers
from torch.optim.lr_scheduler import OneCycleLR

from gansweep.schedules.one_cycle import OneCycle

SETTINGS = [
    {},
    {"anneal_strategy": "linear"},
    {"three_phase": True},
    {"three_phase": True, "anneal_strategy": "linear", "pct_start": 0.45, "div_factor": 10.0},
    {"pct_start": 0.5, "final_div_factor": 7.0},
    {"pct_start": 1.0},
    {"three_phase": True, "pct_start": 0.5},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("total_steps", [4, 37, 100])
def test_equals_torch(settings, total_steps):
    expected = multipliers(
        lambda o: OneCycleLR(o, max_lr=1.0, total_steps=total_steps, cycle_momentum=False, **settings), total_steps
    )
    values = OneCycle(**settings).values(total_steps)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("pct_start", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("three_phase", [False, True])
def test_without_increase_the_run_begins_at_the_highest_rate(pct_start, three_phase):
    """In torch, the first step would be lower, or a division by zero."""
    values = OneCycle(pct_start=pct_start, three_phase=three_phase).values(10)
    assert values[0] == 1
    assert (np.diff(values) < 0).all()
    assert values[-1] == pytest.approx(1 / 25 / 1e4)


def test_phase_boundaries_with_three_phases():
    values = OneCycle(pct_start=0.4, three_phase=True, anneal_strategy="linear").values(10)
    assert values[[0, 3, 6, 9]] == pytest.approx([0.04, 1, 0.04, 4e-6])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OneCycle(pct_start=30), "pct_start=30: expected a fraction from 0 to 1"),
        (lambda: OneCycle(pct_start=0.6, three_phase=True), "pct_start=0.6: .* 0 to 0.5 with three phases"),
        (lambda: OneCycle(anneal_strategy="cosine"), "anneal_strategy=cosine: expected one of cos, linear"),  # type: ignore
        (lambda: OneCycle(div_factor=0), "div_factor=0: expected a number > 0"),
        (lambda: OneCycle(final_div_factor=float("inf")), "final_div_factor=inf"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()
