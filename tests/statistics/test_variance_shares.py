from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.variance_shares import variance_shares


def by_axes(found):
    return {effect.axes: effect for effect in found}


def test_an_additive_grid_has_the_shares_that_it_was_made_of():
    a, b = np.array([-3.0, 3.0]), np.array([-1.0, 0.0, 1.0])
    values = (a[:, None] + b)[..., None]
    effects, seeds = variance_shares(values)
    whole = (a**2).mean() + (b**2).mean()
    assert by_axes(effects)[0,].share == pytest.approx((a**2).mean() / whole)
    assert by_axes(effects)[1,].share == pytest.approx((b**2).mean() / whole)
    assert by_axes(effects)[0, 1].share == pytest.approx(0, abs=1e-12)
    assert seeds == 0


def test_an_exclusive_or_is_all_interaction():
    effects, _ = variance_shares(np.array([[0.0, 1.0], [1.0, 0.0]])[..., None])
    assert effects[0].axes == (0, 1)
    assert effects[0].share == pytest.approx(1)


def test_all_shares_sum_to_one():
    effects, seeds = variance_shares(np.random.default_rng(0).normal(size=(2, 3, 4, 5)), most_axes=3)
    assert sum(effect.share for effect in effects) + seeds == pytest.approx(1)
    assert [effect.share for effect in effects] == sorted((e.share for e in effects), reverse=True)


def test_one_setting_is_scipys_one_way_analysis():
    values = np.random.default_rng(1).normal(size=(4, 6)) + np.arange(4)[:, None] * 0.3
    (effect,), _ = variance_shares(values)
    assert effect.p == pytest.approx(stats.f_oneway(*values).pvalue, rel=1e-9)


def test_two_settings_are_statsmodels_analysis():
    api = pytest.importorskip("statsmodels.api")
    formula = pytest.importorskip("statsmodels.formula.api")
    import pandas as pd

    values = np.random.default_rng(2).normal(size=(2, 3, 4)) + np.arange(3)[:, None] * 0.5
    frame = pd.DataFrame(
        [(f"a{i}", f"b{j}", values[i, j, s]) for i, j, s in np.ndindex(values.shape)], columns=list("aby")
    )
    known = api.stats.anova_lm(formula.ols("y ~ C(a) * C(b)", frame).fit())
    effects, seeds = by_axes(variance_shares(values)[0]), variance_shares(values)[1]
    total = known["sum_sq"].sum()
    for axes, name in (((0,), "C(a)"), ((1,), "C(b)"), ((0, 1), "C(a):C(b)")):
        assert effects[axes].share == pytest.approx(known["sum_sq"][name] / total, rel=1e-9)
        assert effects[axes].p == pytest.approx(known["PR(>F)"][name], rel=1e-6)
    assert seeds == pytest.approx(known["sum_sq"]["Residual"] / total)


def test_noise_has_the_share_that_is_told():
    rng = np.random.default_rng(3)
    found = [by_axes(variance_shares(rng.normal(size=(3, 4, 2)))[0]) for _ in range(400)]
    for axes in ((0,), (1,), (0, 1)):
        assert np.mean([one[axes].share for one in found]) == pytest.approx(found[0][axes].by_chance, abs=0.02)


def test_no_value_is_refused():
    with pytest.raises(ValueError, match="ranks"):
        variance_shares(np.array([[1.0], [np.nan]]))
    assert variance_shares(np.ones((2, 2, 1))) == ([], 0.0)
