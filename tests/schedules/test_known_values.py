"""Schedules compared with published experiments, numpy and torch."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gansweep.schedules.constant import Constant
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.linspace import Linspace
from gansweep.schedules.logspace import Logspace
from gansweep.schedules.piecewise import Piecewise
from gansweep.schedules.step import Step
from gansweep.schedules.warmup import Warmup

BASE = [[5e-4, 100], [1e-4, 100], [5e-5, 100], [1e-5, 100], [5e-6, 100]]
SEVENTH = [[3e-4, 100], [1e-4, 100], [5e-5, 100], [5e-5, 100], [1e-5, 100]]

# Hill and Nijkamp, "Learning-Rate Decay for Generator", 2017: base rate, schedule, then the
# first value, values of epochs 101 and 251, last value and sum.
EXPERIMENTS = {
    1: (1, Piecewise([[3.5e-4, 100], [3.5e-5, 200], [3.5e-6, 100]]), 3.5e-4, 3.5e-5, 3.5e-5, 3.5e-6, 0.04235),
    2: (1, Piecewise(BASE, factor=10), 5e-3, 1e-3, 5e-4, 5e-5, 0.665),
    3: (1, Piecewise(BASE, factor=2), 1e-3, 2e-4, 1e-4, 1e-5, 0.133),
    4: (1, Piecewise(BASE), 5e-4, 1e-4, 5e-5, 5e-6, 0.0665),
    5: (1, Piecewise(BASE, factor=0.5), 2.5e-4, 5e-5, 2.5e-5, 2.5e-6, 0.03325),
    6: (1, Piecewise(BASE, factor=0.1), 5e-5, 1e-5, 5e-6, 5e-7, 0.00665),
    7: (1, Piecewise(SEVENTH, factor=10), 3e-3, 1e-3, 5e-4, 1e-4, 0.51),
    8: (1, Piecewise(BASE, factor=20), 1e-2, 2e-3, 1e-3, 1e-4, 1.33),
    9: (0.05, Logspace(-2, -3), 5e-4, 3.15188e-4, 1.57750e-4, 5e-5, 0.097796),
    10: (0.1, Logspace(-2, -3), 1e-3, 6.30375e-4, 3.15499e-4, 1e-4, 0.195592),
    11: (0.1, Logspace(-2, -4), 1e-3, 3.97373e-4, 9.95396e-5, 1e-5, 0.107779),
    12: (5e-4, Linspace(1, 0.01), 5e-4, 4.00802e-4, 2.52004e-4, 5e-6, 0.12625),
}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_twelve_generator_schedules(experiment):
    lr, schedule, first, epoch_101, epoch_251, last, total = EXPERIMENTS[experiment]
    values = lr * schedule.values(400 if experiment == 1 else 500)
    summary = [values[0], values[100], values[250], values[-1], values.sum()]
    assert summary == pytest.approx([first, epoch_101, epoch_251, last, total], rel=5e-6)


def test_logspace_equals_numpy():
    np.testing.assert_allclose(Logspace(-2, -3).values(500), np.logspace(-2, -3, 500), rtol=1e-12)
    np.testing.assert_allclose(Logspace(0, -2).values(7), np.geomspace(1, 0.01, 7), rtol=1e-12)


def test_logspace_has_a_constant_ratio():
    values = Logspace(-2, -4).values(500)
    np.testing.assert_allclose(values[1:] / values[:-1], 10 ** (-2 / 499), rtol=1e-12)
    assert values[1] / values[0] == pytest.approx(0.9908136567, abs=1e-10)


def test_linspace_equals_numpy():
    np.testing.assert_allclose(Linspace(1, 0.01).values(500), np.linspace(1, 0.01, 500), rtol=1e-12)
    differences = np.diff(5e-4 * Linspace(1, 0.01).values(500))
    np.testing.assert_allclose(differences, -5e-4 * 0.99 / 499, rtol=1e-9)


def test_cosine_includes_both_ends():
    assert Cosine(end=0.2).values(5) == pytest.approx(
        [1, 0.6 + 0.4 * math.sqrt(0.5), 0.6, 0.6 - 0.4 * math.sqrt(0.5), 0.2]
    )


def test_step_drops_after_the_period():
    assert Step(gamma=0.5, period=3).values(7).tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert Step(gamma=0.5, num_drops=1).values(5).tolist() == [1, 1, 1, 0.5, 0.5]
    assert Step(gamma=1.0, period=150_000)(299_999, 300_000) == 1.0


def test_constant_is_one():
    assert Constant().values(3).tolist() == [1, 1, 1]


def test_run_of_one_step_has_the_first_value():
    assert [schedule.values(1).item() for schedule in (Logspace(-1, -3), Linspace(0.7, 0), Cosine())] == [0.1, 0.7, 1.0]


@pytest.mark.parametrize(("total_steps", "word"), [(500, "shorter"), (399, "longer")])
def test_pieces_must_fill_the_run(total_steps, word):
    schedule = EXPERIMENTS[1][1]
    schedule.check(400)
    for ask in (schedule.check, schedule.values):
        with pytest.raises(
            ValueError, match=f"schedule {word} than the run: lengths sum to 400, expected {total_steps}"
        ):
            ask(total_steps)


def test_pieces_as_fractions_of_the_run():
    thirds = Piecewise([[1.0, 1 / 3], [0.5, 1 / 3], [0.1, 1 / 3]])
    assert thirds.values(4).tolist() == [1.0, 0.5, 0.5, 0.1]
    assert thirds.values(300).tolist() == [1.0] * 100 + [0.5] * 100 + [0.1] * 100


def test_warmup_increases_to_the_first_value_of_the_wrapped_schedule():
    schedule = Warmup(length=4, after=Linspace(0.8, 0.2))
    assert schedule.values(8) == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.6, 0.4, 0.2])
    assert Warmup(length=0.5, after=Linspace(0.8, 0.2)).values(8).tolist() == schedule.values(8).tolist()
    assert Warmup(length=0, after=Linspace()).values(8).tolist() == Linspace().values(8).tolist()


def test_check_of_the_warmup_length_and_of_the_wrapped_schedule():
    Warmup(length=4, after=Piecewise([[1.0, 6]])).check(10)
    with pytest.raises(ValueError, match="lengths sum to 6, expected 7"):
        Warmup(length=3, after=Piecewise([[1.0, 6]])).check(10)
    with pytest.raises(ValueError, match="length=10: expected a warm-up shorter than the run of 10 steps"):
        Warmup(length=10).check(10)
    with pytest.raises(ValueError, match="length=0.001: rounds to 0 of 100 steps"):
        Warmup(length=0.001).check(100)
    Warmup(length=0.001).check(1000)
    Warmup(length=0).check(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Step(gamma=0.0, period=3), "gamma=0.0: expected a number > 0"),
        (lambda: Step(), "expected one of them"),
        (lambda: Step(period=3, num_drops=2), "period=3, num_drops=2: expected one of them"),
        (lambda: Step(period=0), "period=0: expected a whole number >= 1"),
        (lambda: Step(num_drops=-1), "num_drops=-1"),
        (lambda: Piecewise([]), "pieces="),
        (lambda: Piecewise([[1.0, 2, 3]]), "expected at least one pair"),
        (lambda: Piecewise([[-1.0, 2]]), "value -1.0"),
        (lambda: Piecewise([[1.0, 0]]), "length 0"),
        (lambda: Piecewise([[1.0, 2.5]]), "whole numbers of steps"),
        (lambda: Piecewise([[1.0, 0.5], [0.1, 0.4]]), "fractions that sum to 1"),
        (lambda: Piecewise([[1.0, 0.5], [0.1, 100]]), "fractions that sum to 1"),
        (lambda: Piecewise([[1.0, 2]], factor=float("nan")), "factor=nan"),
        (lambda: Logspace(start=float("nan")), "start=nan"),
        (lambda: Linspace(end=-0.1), "end=-0.1: expected a number >= 0"),
        (lambda: Cosine(end=float("inf")), "end=inf"),
        (lambda: Warmup(length=-1), "length=-1"),
        (lambda: Warmup(length=2.5), "length=2.5"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_default_of_linspace():
    assert (Linspace().start, Linspace().end) == (1.0, 0.01)
