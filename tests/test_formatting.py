"""Formatting of numbers, against values rounded by hand."""

from __future__ import annotations

import math

import pytest

from gansweep.formatting import rounded


@pytest.mark.parametrize(
    ("mean", "sd", "expected"),
    [
        (0.9929, 0.0382, "0.993 ± 0.038"),
        (0.70882, 0.1312, "0.71 ± 0.13"),
        (0.0996, 0.0996, "0.10 ± 0.10"),
        (1.97398, 0.00991, "1.9740 ± 0.0099"),
        (5.8, 5.583, "5.8 ± 5.6"),
        (60.0, 10.0, "60 ± 10"),
        (1234.5, 560.4, "1234 ± 560"),
        (1.97397, 0.0000004, "1.97397 ± 0.00000"),
        (0.5, 0.0, "0.5 ± 0"),
        (1.0, 0.0, "1.00 ± 0.00"),
        (0.0, 0.25, "0.00 ± 0.25"),
        (-0.001, 0.25, "0.00 ± 0.25"),
        (3.2e-12, 1.1e-12, "3.2e-12 ± 1.1e-12"),
        (0.1234, math.nan, "0.1234 ± nan"),
    ],
)
def test_a_mean_has_the_decimals_of_its_deviation(mean, sd, expected):
    assert " ± ".join(rounded([mean, sd], mean, sd)) == expected


@pytest.mark.parametrize(
    ("low", "high", "mean", "sd", "expected"),
    [(-0.4449, 1.8625, 0.70882, 0.9287, "-0.44 to 1.86"), (1.013, 2.6371, 1.825, 0.327, "1.01 to 2.64")],
)
def test_both_ends_of_an_interval_have_equal_decimals(low, high, mean, sd, expected):
    assert " to ".join(rounded([low, high], mean, sd)) == expected
