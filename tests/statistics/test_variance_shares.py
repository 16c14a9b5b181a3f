"""Functional ANOVA of full grids. Mistakes: a seed counted per rate, an interaction in a main effect, a lost share."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.crossed_seeds import factors
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


def test_shares_are_those_of_orthogonal_projections():
    """Projections on the spaces of functions of some settings, by least squares on dummies: an independent route."""
    values = np.random.default_rng(5).gamma(1.0, size=(2, 3, 4, 2)) * np.arange(1, 5)[:, None]
    places = np.array(list(np.ndindex(values.shape)))
    y = values.ravel() - values.mean()

    def explained(axes):
        """Sum of squares of the best function of the settings `axes`."""
        _, cells = np.unique(places[:, axes], axis=0, return_inverse=True)
        fit, *_ = np.linalg.lstsq(np.eye(cells.max() + 1)[cells.ravel()], y, rcond=None)
        return float((fit[cells.ravel()] ** 2).sum())

    effects, seeds = variance_shares(values, most_axes=3)
    assert len(effects) == 7
    for effect in effects:
        subsets = [s for n in range(1, len(effect.axes) + 1) for s in itertools.combinations(effect.axes, n)]
        own = sum((-1) ** (len(effect.axes) - len(s)) * explained(list(s)) for s in subsets)  # inclusion-exclusion
        assert effect.share == pytest.approx(own / (y**2).sum(), rel=1e-9)
    assert seeds == pytest.approx(1 - explained([0, 1, 2]) / (y**2).sum(), rel=1e-9)


def test_a_product_has_main_effects_and_an_interaction_in_closed_form():
    """f = (m + a)(k + b) with centred a and b: main effects k a and m b, interaction a b."""
    a, b, m, k = np.array([-1.0, 0.0, 1.0]), np.array([-2.0, 2.0]), 3.0, 0.5
    effects, _ = variance_shares(((m + a[:, None]) * (k + b))[..., None])
    parts = {(0,): k**2 * (a**2).mean(), (1,): m**2 * (b**2).mean(), (0, 1): (a**2).mean() * (b**2).mean()}
    for axes, variance in parts.items():
        assert by_axes(effects)[axes].share == pytest.approx(variance / sum(parts.values()))


def test_a_setting_with_two_values_is_the_paired_t_test():
    values = np.random.default_rng(1).normal(size=(2, 6)) + np.array([[0.0], [0.6]]) + np.arange(6)
    (effect,), _ = variance_shares(values)
    assert effect.p == pytest.approx(stats.ttest_rel(*values).pvalue, rel=1e-9)


def test_two_settings_are_statsmodels_analysis_of_repeated_measures():
    anova = pytest.importorskip("statsmodels.stats.anova")
    import pandas as pd

    values = np.random.default_rng(2).normal(size=(2, 3, 4)) + np.arange(3)[:, None] * 0.5 + 3 * np.arange(4)
    frame = pd.DataFrame(
        [(f"a{i}", f"b{j}", s, values[i, j, s]) for i, j, s in np.ndindex(values.shape)], columns=list("absy")
    )
    known = anova.AnovaRM(frame, "y", "s", within=["a", "b"]).fit().anova_table
    effects = by_axes(variance_shares(values)[0])
    for axes, name in (((0,), "a"), ((1,), "b"), ((0, 1), "a:b")):
        assert effects[axes].p == pytest.approx(known["Pr > F"][name], rel=1e-6)


def _with_seeds(rng, kinds, sizes=(3, 4), sd=1.0):
    """Values without any effect of a setting: each seed has an effect on each method, at all rates, and one on all."""
    y = rng.normal(size=(*sizes, *kinds))
    for axis, number in enumerate(kinds):
        shape = [number if place == axis else 1 for place in range(len(kinds))]
        y = y + rng.normal(0, sd, (sizes[0], 1, *shape)) + rng.normal(0, sd, shape)
    return y.reshape(*sizes, -1)


def _within_cells(y):
    """Return the p-value of the first setting by the F test against the variance within the cells."""
    cells, n = y.mean(axis=-1), y.shape[-1]
    error = ((y - cells[..., None]) ** 2).sum() / (cells.size * (n - 1))
    between = n * cells.shape[1] * cells.mean(axis=1).var(ddof=1)
    return stats.f.sf(between / error, len(cells) - 1, cells.size * (n - 1))


@pytest.mark.parametrize(
    ("kinds", "count"),
    [
        ((4,), 400),
        ((3, 3), 400),
        pytest.param((4,), 4000, marks=pytest.mark.slow),
        pytest.param((3, 3), 4000, marks=pytest.mark.slow),
        pytest.param((3, 3, 3), 4000, marks=pytest.mark.slow),
    ],
)
def test_the_error_rate_of_the_f_test(kinds, count):
    """Mistake: runs of equal seeds at other rates, or of one kind of seed, counted as independent."""
    rng, crossed = np.random.default_rng(4), factors(list(np.ndindex(*kinds)))
    grids = [_with_seeds(rng, kinds) for _ in range(count)]
    p = np.array([by_axes(variance_shares(y, crossed=crossed)[0])[0,].p for y in grids])
    assert np.mean(p <= 0.05) <= 0.05 + 3 * (0.05 * 0.95 / count) ** 0.5
    assert np.mean([_within_cells(y) <= 0.05 for y in grids]) > 0.1


def test_the_f_test_finds_an_effect_over_crossed_seeds():
    values = _with_seeds(np.random.default_rng(7), (4, 4), sd=0.3) + np.arange(3)[:, None, None]
    effects = by_axes(variance_shares(values, crossed=factors(list(np.ndindex(4, 4))))[0])
    assert effects[0,].p < 0.01
    assert effects[1,].p > 0.05


def test_noise_has_the_share_that_is_told():
    rng = np.random.default_rng(3)
    found = [by_axes(variance_shares(rng.normal(size=(3, 4, 2)))[0]) for _ in range(400)]
    for axes in ((0,), (1,), (0, 1)):
        assert np.mean([one[axes].share for one in found]) == pytest.approx(found[0][axes].by_chance, abs=0.02)


def test_no_value_is_refused():
    with pytest.raises(ValueError, match="ranks"):
        variance_shares(np.array([[1.0], [np.nan]]))
    assert variance_shares(np.ones((2, 2, 1))) == ([], 0.0)
