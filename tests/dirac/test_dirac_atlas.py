"""Sheets of the atlas: simulated factors per step against eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest

from gansweep.dirac import atlas
from gansweep.dirac.atlas import ATLAS, GAMMA, RATE, Sheet
from gansweep.dirac.descent import Alternating, Simultaneous
from gansweep.dirac.fields.gan import GAN
from gansweep.dirac.fields.r1 import R1
from gansweep.dirac.rules import Adam


@pytest.mark.parametrize("figure", ATLAS)
def test_simulated_factors_equal_the_moduli(figure):
    for sheet in ATLAS[figure][1]():
        x, y = sheet.points(9, 8)
        simulated, largest = sheet.measure(x, y, num_steps=150), sheet.largest_modulus(x, y)
        assert simulated.shape == x.shape
        if largest is None or figure == "basin":
            continue
        decades = np.log10(largest)
        decided = np.abs(decades) > 0.02
        assert ((simulated < 0) == (decades < 0))[decided].all(), sheet.title
        slow = (decades < 0) & (decades > -0.2)
        np.testing.assert_allclose(simulated[slow], decades[slow], atol=0.02, err_msg=sheet.title)


def test_the_block_size_does_not_change_the_result(monkeypatch):
    sheet = Sheet("", RATE, GAMMA, lambda x, y: (R1(y), Alternating(), x))
    x, y = sheet.points(9, 5)
    whole = sheet.measure(x, y, num_steps=5)
    monkeypatch.setattr(atlas, "BLOCK", 7)
    np.testing.assert_allclose(sheet.measure(x, y, num_steps=5), whole, rtol=1e-12)


def test_single_precision_agrees_with_double():
    sheet = Sheet("", RATE, GAMMA, lambda x, y: (R1(y), Alternating(), (x, 2 * x)))
    x, y = sheet.points(9, 8)
    single, double = (sheet.measure(x, y, 50, dtype=dtype) for dtype in (np.float32, np.float64))
    np.testing.assert_array_equal(single < 0, double < 0)
    reached = np.isfinite(single) & (double < 0) & (double > -0.5)
    np.testing.assert_allclose(single[reached], double[reached], atol=1e-4)
    assert (single != double).any()


def test_a_rotation_with_unequal_rates_has_the_factor_1():
    sheet = Sheet("", RATE, GAMMA, lambda x, y: (GAN(), Alternating(), (x, y)))
    simulated = sheet.measure(np.full(1, 1e-3), np.array([0.1]), num_steps=333)
    assert abs(simulated[0]) < 5e-5


def test_a_sheet_without_a_matrix_has_no_boundary():
    sheet = Sheet("", RATE, GAMMA, lambda x, y: (R1(y), Simultaneous(Adam()), x))
    assert sheet.largest_modulus(*sheet.points(3, 3)) is None
