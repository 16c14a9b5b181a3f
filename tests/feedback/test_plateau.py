"""Reduction of the rate on a plateau of the metric, compared with torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from gansweep.feedback.plateau import Plateau

CPU = torch.device("cpu")
VALUES = [9.0, 7.0, 7.0, 7.1, 6.9999, 6.5, 6.6, 6.6, 6.7, 6.8, math.nan, 6.5, 6.4, 6.41, 6.42, 6.3, 6.31, 6.32, 6.33]
SETTINGS = [
    {},
    {"factor": 0.3, "patience": 0},
    {"factor": 0.1, "patience": 1, "cooldown": 2},
    {"patience": 1, "threshold": 0.05},
    {"patience": 1, "threshold": 0.05, "threshold_mode": "abs", "cooldown": 1},
    {"patience": 0, "minimum": 0.2},
]


def gains(feedback, values, lower_is_better):
    state = feedback.state(1, CPU)
    return [float(feedback.update(state, torch.tensor([v], dtype=torch.float64), lower_is_better)) for v in values]


def rates_of_torch(settings, values, lower_is_better):
    settings = {"factor": 0.5, "patience": 2, **settings}
    settings["min_lr"] = settings.pop("minimum", 0.0)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = ReduceLROnPlateau(optimizer, "min" if lower_is_better else "max", eps=0, **settings)
    rates = []
    for value in values:
        scheduler.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@pytest.mark.parametrize("lower_is_better", [True, False])
@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_same_as_torch(settings, turn, lower_is_better):
    for values in (VALUES, VALUES[::-1], [math.nan, *VALUES], [math.inf, *VALUES, -math.inf, 1.0]):
        values = [turn * value for value in values]
        expected = rates_of_torch(settings, values, lower_is_better)
        assert gains(Plateau(**settings), values, lower_is_better) == expected
    assert turn < 0 or min(expected) < 0.5


def test_members_hear_their_own_values_only():
    feedback = Plateau(patience=1, cooldown=1)
    values = torch.rand(12, 9, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for size in (1, 3, 8, 9):
        state = feedback.state(size, CPU)
        assert all(len(value) == size for value in state.values())
        together = torch.stack([feedback.update(state, now[:size]) for now in values], 1)
        assert together.tolist() == [gains(feedback, values[:, k].tolist(), True) for k in range(size)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"factor": 1.0},
        {"factor": 0.0},
        {"patience": -1},
        {"cooldown": -1},
        {"threshold": -0.1},
        {"minimum": 1.5},
        {"threshold_mode": "relative"},
    ],
)
def test_settings_out_of_range_are_named(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=rf"^{name}={value}: expected"):
        Plateau(**wrong)
