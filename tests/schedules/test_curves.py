"""Summary, table and plot of learning-rate curves."""

from __future__ import annotations

import numpy as np
import pytest

from gansweep.schedules.cosine import Cosine
from gansweep.schedules.curves import Curve, draw, spans_decades, table
from gansweep.schedules.linspace import Linspace
from gansweep.schedules.logspace import Logspace
from gansweep.schedules.step import Step


def curve(schedule, lr=1.0, total_steps=1000):
    return Curve(str(schedule), lr * schedule.values(total_steps))


def test_summary_of_a_curve():
    assert Curve("", np.array([0.5, 4.0, 3.0, 2.0, 1.0, 0.25, 0.0, 0.25])).summary() == {
        "first": 0.5,
        "n/4": 3.0,
        "n/2": 1.0,
        "3n/4": 0.0,
        "last": 0.25,
        "min": 0.0,
        "max": 4.0,
        "mean": 11 / 8,
        "sum": 11.0,
    }
    assert set(Curve("", np.array([2.0])).summary().values()) == {2.0}


def test_table_has_one_row_per_curve_and_aligned_columns():
    lines = table([Curve("a", np.array([1.0, 0.5])), Curve("longer", np.array([1e-4]))]).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[0][:3] == ["schedule", "steps", "first"]
    assert cells[0][-1] == "sum"
    assert cells[2][:3] == ["a", "2", "1"]
    assert cells[2][-2:] == ["0.75", "1.5"]
    assert cells[3][:3] == ["longer", "1", "0.0001"]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("curves", "expected"),
    [
        ([curve(Cosine())], False),  # near zero only at the end
        ([curve(Linspace(1, 0.01)), curve(Cosine(), lr=0.2)], False),
        ([curve(Logspace(0, -2))], True),
        ([curve(Cosine()), curve(Step(num_drops=2))], True),
        ([curve(Cosine()), curve(Cosine(), lr=1e-2)], True),
        ([curve(Linspace(0, 0))], False),
        ([curve(Linspace(0, 0)), curve(Logspace(0, -2))], True),
    ],
)
def test_axis_is_logarithmic_if_rates_span_decades(curves, expected):
    assert spans_decades(curves) is expected


@pytest.mark.parametrize("schedules", [[Cosine()], [Linspace(0, 0), Step(num_drops=2)]], ids=str)
@pytest.mark.parametrize("total_steps", [1, 50])
def test_plot_is_written(schedules, total_steps, tmp_path):
    pytest.importorskip("matplotlib")
    from PIL import Image

    draw([curve(schedule, total_steps=total_steps) for schedule in schedules], tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    blue = np.array([0x1F, 0x77, 0xB4])  # colour of the first curve
    assert (abs(pixels.astype(int) - blue).max(-1) < 8).any()
