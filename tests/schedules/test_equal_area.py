"""Normalisation to mean 1."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from gansweep.schedules.constant import Constant
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.equal_area import EqualArea
from gansweep.schedules.linspace import Linspace
from gansweep.schedules.logspace import Logspace
from gansweep.schedules.piecewise import Piecewise
from gansweep.schedules.pointwise import Pointwise
from gansweep.schedules.warmup import Warmup


@pytest.mark.parametrize("of", [Constant(), Cosine(), Logspace(-2, -4), Warmup(0.3, Linspace(0.7, 0.1))], ids=str)
@pytest.mark.parametrize("total_steps", [1, 2, 49, 10_000])
def test_multipliers_sum_to_the_number_of_steps(of, total_steps):
    values = EqualArea(of).values(total_steps)
    assert math.fsum(values) == pytest.approx(total_steps, rel=1e-14)
    np.testing.assert_allclose(values / values[0], of.values(total_steps) / of.values(total_steps)[0], rtol=1e-12)


def test_known_values():
    assert EqualArea(Piecewise([[3.0, 1], [1.0, 3]])).values(4) == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3])
    assert EqualArea(Cosine()).values(9) == pytest.approx(2 * Cosine().values(9))  # its mean is 1 / 2
    assert EqualArea(Constant()).values(49).tolist() == [1.0] * 49


def test_constant_factors_cancel():
    assert EqualArea(Linspace(4, 2)).values(7) == pytest.approx(EqualArea(Linspace(2, 1)).values(7))


@dataclass(frozen=True)
class Counting(Pointwise):
    asked: list

    def __call__(self, step: int, total_steps: int) -> float:
        self.asked.append(step)
        return 2.0 + step


def test_mean_is_cached_per_length():
    asked: list[int] = []
    schedule = EqualArea(Counting(asked))
    for _ in range(10):
        assert schedule(1, 100) == pytest.approx(3 / 51.5)
    assert len(asked) == 100 + 10
    assert schedule(1, 3) == 1.0
    assert schedule(1, 100) == pytest.approx(3 / 51.5)
    assert len(asked) == 100 + 10 + 3 + 1 + 1
    asked.clear()
    schedule.check(10**9)  # stops at the first multiplier above 0
    assert len(asked) == 1


def test_cache_is_not_compared_or_pickled():
    asked, fresh = EqualArea(Cosine(0.1)), EqualArea(Cosine(0.1))
    asked.values(30)
    assert asked == fresh
    assert hash(asked) == hash(fresh)
    assert repr(asked) == "EqualArea(of=Cosine(end=0.1))"
    assert pickle.dumps(asked) == pickle.dumps(fresh)
    for copied in (copy.copy(asked), copy.deepcopy(asked), pickle.loads(pickle.dumps(asked))):
        assert copied == asked
        assert copied.values(30).tolist() == asked.values(30).tolist()


def test_check_of_zero_area_and_of_the_wrapped_schedule():
    EqualArea(Linspace(0, 1)).check(2)
    with pytest.raises(ValueError, match=r"of=Linspace\(start=0, end=1\): expected a multiplier above 0"):
        EqualArea(Linspace(0, 1)).check(1)
    with pytest.raises(ValueError, match="lengths sum to 6, expected 7"):
        EqualArea(Piecewise([[1.0, 6]])).check(7)
