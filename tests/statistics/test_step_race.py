from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.step_race import Curve, StepRace, coverage, posterior

STEPS = (0, 1, 2, 3, 4)


def play(race, curve, num):
    """Run a race to its end; return the remaining configurations and the number of evaluations after the first."""
    curves = [{} for _ in range(num)]
    while (stage := race.stage(curves, list(range(num)))).wanted:
        for place, seed in stage.wanted:
            curves[place][seed] = stopped(curve(place, seed), stage.limits.get((place, seed), {}))
    return stage.remaining, sum(len(one.scores) - 1 for by_seed in curves for one in by_seed.values())


def stopped(scores, limits):
    """Return the curve of a run that ends at the first score above its limit."""
    for number, step in enumerate(scores, 1):
        if scores[step] > limits.get(step, math.inf):
            return Curve(dict(list(scores.items())[:number]), "out")
    return Curve(scores)


def simulated(rng, means, noise=0.3, spread=0.1):
    """Return a function that draws curves: each falls by about 1 to a final score around its configuration's mean."""

    def curve(place, seed):
        final = means[place] + noise * rng.normal()
        path = np.array([1.0, 0.6, 0.3, 0.1, 0.0]) * (1 + spread * rng.normal())
        return dict(zip(STEPS, final + path, strict=True))

    return curve


@pytest.mark.parametrize("gap", [0.0, 0.4])
def test_the_best_is_dropped_at_most_as_often_as_stated(gap):
    """With gap 0 all are equally good, the hardest case."""
    rng, race, num = np.random.default_rng(0), StepRace(tuple(range(5)), level=0.2), 8
    dropped = [0 not in play(race, simulated(rng, gap * np.arange(num)), num)[0] for _ in range(60)]
    assert np.mean(dropped) < 0.2 + 3 * (0.2 * 0.8 / 60) ** 0.5


def test_clear_losers_are_dropped_in_mid_run():
    rng, race = np.random.default_rng(1), StepRace(tuple(range(4)))
    remaining, cost = play(race, simulated(rng, [0.0, *[4.0] * 11], noise=0.1), 12)
    assert list(remaining) == [0]
    assert cost < 12 * 4 * len(STEPS[1:]) / 3


def test_a_configuration_is_dropped_exactly_where_the_pooled_t_test_says():
    """Two runs each of two configurations with equal variances: the shrunk variance is that of the pooled t test."""
    a = np.array([1.0, 2.0])
    p = stats.ttest_ind(a, a + 9.0, alternative="less").pvalue  # with 2 degrees of freedom; here there are more
    sd = float(np.std(a, ddof=1))
    df = 2 * 3  # of Welch's test: each mean has 2 pooled and 1 own degree of freedom
    q = stats.t.sf(9.0 / sd, df)
    assert q < p
    curves = [{n: Curve({0: 20.0, 5: x}) for n, x in enumerate(a + shift)} for shift in (0.0, 9.0)]
    assert StepRace((0, 1), level=2 * 1.01 * q).stage(curves, [0, 1]).remaining == [0]
    assert StepRace((0, 1), level=2 * 0.99 * q).stage(curves, [0, 1]).remaining == [0, 1]


@pytest.mark.parametrize("has_runs", [False, True])
def test_the_limit_is_where_the_predicted_mean_is_as_much_worse_as_the_test_allows(has_runs):
    """The limits against the formula of the docstring, by another route: the test at the limit has the level."""
    rng = np.random.default_rng(3)
    draw = simulated(rng, [0.0, 0.0, 0.0, 0.0], noise=0.2)
    seen = [{seed: Curve(draw(place, seed)) for seed in (0, 1)} for place in range(4)]
    num = 4 if has_runs else 5
    curves = seen if has_runs else [*seen, {}]
    race = StepRace((0, 1, 2), level=0.05)
    stage = race.stage(curves, range(num))
    place, seed = stage.wanted[-1]
    assert len(stage.remaining) == num
    assert (place, seed) == ((3, 2) if has_runs else (4, 0))
    means, level = posterior(curves), 0.05 / ((num - 1) * 3) / 3
    for step in (1, 2, 3):
        gains = [np.array([curve.scores[step] - curve.final for curve in one.values()]) for one in seen]
        every = np.concatenate(gains)
        gain = gains[3].mean() if has_runs else every.mean()
        spread = np.mean([g.var(ddof=1) for g in gains]) * 1.5 if has_runs else every.var(ddof=1) * (1 + 1 / 8)
        new = stage.limits[place, seed][step] - gain
        weights = np.array([2.0 if has_runs else 0.0, means.variance[place] / (means.variance[place] + spread)])
        mean = np.average([means.loc[place] if has_runs else 0.0, new], weights=weights)
        own = means.variance[place] / weights.sum(), min(means.df[place], 4 if has_runs else 7)
        tests = []
        for c in range(3 if has_runs else 4):
            other = means.variance[c] / 2, means.df[c]
            df = (own[0] + other[0]) ** 2 / (own[0] ** 2 / own[1] + other[0] ** 2 / other[1])
            tests.append(stats.t.sf((mean - means.loc[c]) / math.hypot(own[0] ** 0.5, other[0] ** 0.5), df))
        assert min(tests) == pytest.approx(level, rel=1e-6)


def test_decisions_depend_on_earlier_stages_only():
    """Runs of the same stage that have ended change neither the other limits nor the list of the stage."""
    rng, race = np.random.default_rng(4), StepRace((0, 1))
    draw = simulated(rng, [0.0, 0.1, 0.2, 0.3, 5.0, 6.0])
    curves = [{seed: Curve(draw(place, seed)) for seed in (0, 1)} for place in range(4)] + [{}, {}]
    before = race.stage(curves, range(6))
    assert before.wanted == [(4, 0), (5, 0)]
    curves[4][0] = Curve(draw(4, 0))
    after = race.stage(curves, range(6))
    assert after.wanted == [(5, 0)]
    assert after.limits[5, 0] == before.limits[5, 0]


def test_a_diverged_configuration_loses_to_any_other():
    diverged, race = Curve({0: 1.0}, "diverged"), StepRace((0, 1))
    rng = np.random.default_rng(5)
    curves = [{seed: Curve(simulated(rng, [0.0])(0, seed)) for seed in (0, 1)}, {0: diverged, 1: diverged}]
    assert race.stage(curves, [0, 1]).remaining == [0]
    assert race.stage([{0: diverged, 1: diverged}] * 2, [0, 1]).remaining == [0, 1]


def test_runs_without_noise_are_compared_exactly():
    curves = [{seed: Curve({0: 2.0, 1: 1.0 + place}) for seed in (0, 1)} for place in range(3)]
    assert StepRace((0, 1)).stage(curves, [0, 1, 2]).remaining == [0]


def test_the_first_configurations_cover_every_value_of_every_setting():
    settings = [(a, b) for a in "abcd" for b in range(4)]
    first = [settings[place] for place in coverage(settings)[:4]]
    assert {a for a, _ in first} == set("abcd")
    assert {b for _, b in first} == set(range(4))
    assert sorted(coverage(settings)) == list(range(16))
    assert coverage([()]) == [0]


@pytest.mark.parametrize("wrong", [{"seeds": (0,)}, {"seeds": (0, 1), "level": 1.0}])
def test_what_makes_no_race(wrong):
    with pytest.raises(ValueError, match="expected"):
        StepRace(**wrong)
