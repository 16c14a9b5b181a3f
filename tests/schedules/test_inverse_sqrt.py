"""Inverse square root schedule."""

from __future__ import annotations

import numpy as np
import pytest

from gansweep.schedules.inverse_sqrt import InverseSqrt


def test_equals_the_paper_divided_by_its_maximum():
    """Vaswani et al. 2017, eq. 3, with the paper's base model: d_model = 512, warmup_steps = 4000."""
    s = np.arange(1, 20_001.0)
    paper = 512**-0.5 * np.minimum(s**-0.5, s * 4000**-1.5)
    values = InverseSqrt(warmup=4000).values(20_000)
    np.testing.assert_allclose(values, paper / paper.max(), rtol=1e-12)
    assert paper.max() == pytest.approx(6.9877e-4, rel=1e-4)
    assert values[3999] == 1


def test_warmup_as_a_fraction_of_the_run():
    assert InverseSqrt(warmup=0.25).values(16).tolist() == InverseSqrt(warmup=4).values(16).tolist()
    assert InverseSqrt(warmup=0.01).values(4) == pytest.approx(np.arange(1, 5) ** -0.5)


def test_warmup_longer_than_the_run():
    InverseSqrt(warmup=10).check(10)
    with pytest.raises(ValueError, match="warmup=11: expected no more than the run's 10 steps"):
        InverseSqrt(warmup=11).check(10)


@pytest.mark.parametrize(
    ("warmup", "message"), [(0, "expected at least one step"), (-1, "warmup=-1"), (1.5, "whole number of steps")]
)
def test_settings_out_of_range(warmup, message):
    with pytest.raises(ValueError, match=message):
        InverseSqrt(warmup=warmup)


def test_warmup_1_is_one_step():
    assert InverseSqrt(warmup=1).values(9) == pytest.approx(np.arange(1, 10) ** -0.5)
