"""Components of the noise, by simulation and against statsmodels. Mistakes: n for n - 1, another component's noise."""

from __future__ import annotations

import numpy as np
import pytest

from gansweep.statistics.variance_components import (
    crossed_components,
    crossed_intervals,
    full_grid,
    training_and_evaluation,
)


def nested(rng, runs=6, draws=4, training=4.0, evaluation=1.0):
    return rng.normal(0, training**0.5, (runs, 1)) + rng.normal(0, evaluation**0.5, (runs, draws))


def test_the_estimates_are_unbiased():
    rng = np.random.default_rng(0)
    found = [training_and_evaluation([nested(rng), nested(rng) + 100]) for _ in range(3000)]
    assert np.mean([one.training.variance for one in found]) == pytest.approx(4.0, rel=0.04)
    assert np.mean([one.evaluation.variance for one in found]) == pytest.approx(1.0, rel=0.02)


def test_the_intervals_cover_the_true_variances():
    rng = np.random.default_rng(1)
    found = [training_and_evaluation([nested(rng)]) for _ in range(1500)]
    assert np.mean([one.training.low <= 4 <= one.training.high for one in found]) >= 0.93
    assert 0.93 <= np.mean([one.evaluation.low <= 1 <= one.evaluation.high for one in found]) <= 0.97


@pytest.mark.parametrize("shared", [False, True])
def test_the_intervals_cover_if_seeds_have_the_same_effects_in_all_configurations(shared):
    rng, count, hits = np.random.default_rng(12), 500, 0
    for _ in range(count):
        runs = rng.normal(0, 2.0, (1 if shared else 4, 5, 1))
        found = training_and_evaluation(list(runs + rng.normal(0, 0.5, (4, 5, 3))))
        hits += found.training.low <= 4 <= found.training.high
    assert hits / count >= 0.95 - 3 * (0.05 * 0.95 / count) ** 0.5


def test_the_width_of_an_interval_is_predicted():
    """The predicted standard error of a mean of n runs with m draws is the realised one."""
    rng = np.random.default_rng(2)
    found = training_and_evaluation([nested(rng, runs=400)])
    for runs, draws in ((3, 1), (5, 8)):
        realised = np.std([nested(rng, runs, draws).mean() for _ in range(4000)])
        assert found.variance_of_mean(runs, draws) ** 0.5 == pytest.approx(realised, rel=0.2)


def test_is_the_analysis_of_variance_of_statsmodels():
    smf = pytest.importorskip("statsmodels.formula.api")
    pd = pytest.importorskip("pandas")
    values = nested(np.random.default_rng(3))
    run, draw = np.indices(values.shape)
    frame = pd.DataFrame({"value": values.ravel(), "run": run.ravel(), "draw": draw.ravel()})
    model = smf.mixedlm("value ~ 1", frame, groups=frame["run"]).fit(reml=True)
    found = training_and_evaluation([values])  # equal to REML for balanced data
    assert found.evaluation.variance == pytest.approx(model.scale, rel=1e-3)
    assert found.training.variance == pytest.approx(float(model.cov_re.iloc[0, 0]), rel=1e-3)


def test_what_one_more_run_is_worth():
    one = training_and_evaluation([nested(np.random.default_rng(4), 200, 4, training=0.01, evaluation=4.0)])
    more = one.draws_worth_one_run()
    assert more is not None
    n, m = one.runs, one.draws
    assert one.variance_of_mean(n, m + more) <= one.variance_of_mean(n + 1, m) * (1 + 1e-9)
    assert more == 0 or one.variance_of_mean(n, m + more - 1) > one.variance_of_mean(n + 1, m)
    assert training_and_evaluation([nested(np.random.default_rng(5), 3, 4, 100.0, 0.1)]).draws_worth_one_run() is None


@pytest.mark.parametrize("groups", [[], [np.ones((3, 1))], [np.ones((1, 4))]])
def test_too_few_values_are_refused(groups):
    with pytest.raises(ValueError, match="at least two evaluations"):
        training_and_evaluation(groups)


TRUE = {"seed_init": 4.0, "seed_data": 1.0, "seed_noise": 0.25}


def crossed(rng, shape=(4, 4, 4), rest=0.5):
    values = rng.normal(0, rest**0.5, shape)
    for axis, (_, variance) in enumerate(zip(shape, TRUE.values(), strict=False)):
        sizes = [1] * len(shape)
        sizes[axis] = shape[axis]
        values = values + rng.normal(0, variance**0.5, sizes)
    return values


def test_crossed_components_are_unbiased():
    rng = np.random.default_rng(6)
    found = [crossed_components(crossed(rng), list(TRUE)) for _ in range(3000)]
    for name, variance in (TRUE | {"interactions and rest": 0.5}).items():
        assert np.mean([one[name] for one in found]) == pytest.approx(variance, rel=0.06)


def test_the_intervals_of_crossed_components_contain_the_estimates():
    found = crossed_intervals([crossed(np.random.default_rng(n)) for n in range(3)], list(TRUE))
    assert list(found) == [*TRUE, "interactions and rest"]
    assert found["seed_init"].low < found["seed_init"].variance < found["seed_init"].high
    assert found["seed_init"].variance > found["seed_noise"].variance


@pytest.mark.parametrize(
    ("shape", "num_grids", "shared"), [((3, 3, 3), 1, 0), ((5, 5), 1, 0), ((4, 4), 4, 0), ((4, 4), 4, 1)]
)
def test_the_intervals_of_crossed_components_cover_the_true_variances(shape, num_grids, shared):
    """Also with several configurations, whose seeds have independent or the same effects."""
    rng, names, count = np.random.default_rng(9), list(TRUE)[: len(shape)], 300
    hits = dict.fromkeys(names, 0)
    for _ in range(count):
        common = crossed(rng, shape, rest=0.0)
        grids = [common + rng.normal(0, 0.5**0.5, shape) if shared else crossed(rng, shape) for _ in range(num_grids)]
        found = crossed_intervals(grids, names)
        for name in names:
            hits[name] += found[name].low <= TRUE[name] <= found[name].high
    assert min(hits.values()) / count >= 0.95 - 3 * (0.05 * 0.95 / count) ** 0.5


def test_crossed_components_are_the_nested_ones_after_pooling_the_draws():
    """Nested draws have no effect of their own: their mean square and that of the rest are pooled."""
    values = nested(np.random.default_rng(10))
    found = crossed_components(values, ["run", "draw"])
    runs, draws = values.shape
    both = training_and_evaluation([values])
    of_draws = found["draw"] * runs + found["interactions and rest"]  # mean square of the draws
    pooled = (of_draws * (draws - 1) + found["interactions and rest"] * (runs - 1) * (draws - 1)) / (runs * (draws - 1))
    assert pooled == pytest.approx(both.evaluation.variance)
    square = found["run"] * draws + found["interactions and rest"]
    assert (square - pooled) / draws == pytest.approx(both.training.variance)


def test_the_components_of_a_linear_game_are_its_closed_forms():
    """Stochastic gradient descent on a quadratic: theta moves by rate (x - theta) for normal data x, plus noise.

    After T steps, with a = 1 - rate: a^2T V(theta_0) from the initialisation, and rate^2 (1 - a^2T) / (1 - a^2) V(x)
    from the order of the data; likewise for the noise. An evaluation on m latents adds V(z) / m.
    """
    rng, steps, rate, m = np.random.default_rng(11), 8, 0.2, 16
    a, n, repeats = 1 - 0.2, (6, 5, 4), 400
    memory = rate**2 * (1 - a ** (2 * steps)) / (1 - a**2)
    true = {"seed_init": a ** (2 * steps) * 9.0, "seed_data": memory * 4.0, "seed_noise": memory * 1.0}
    sums = dict.fromkeys(true, 0.0)
    evaluation = 0.0
    for _ in range(repeats):
        theta = rng.normal(0, 3.0, (n[0], 1, 1))
        for _ in range(steps):
            x, noise = rng.normal(0, 2.0, (1, n[1], 1)), rng.normal(0, 1.0, (1, 1, n[2]))
            theta = theta + rate * (x - theta + noise)
        for name, variance in crossed_components(theta, list(true)).items():
            sums[name] = sums.get(name, 0.0) + variance / repeats
        runs = rng.normal(0, 2.0, (5, 1))  # independent generators, measured on 3 draws of m latents each
        latents = rng.normal(0, 1.0, (5, 3, m))
        evaluation += training_and_evaluation([runs + latents.mean(axis=-1)]).evaluation.variance / repeats
    assert {name: sums[name] for name in true} == pytest.approx(true, rel=0.15)
    assert sums["interactions and rest"] == pytest.approx(0.0, abs=1e-12)
    assert evaluation == pytest.approx(1.0 / m, rel=0.06)


def test_one_level_or_no_residual_is_refused():
    for shape in ((1, 4), (4,)):
        with pytest.raises(ValueError, match="expected at least two seeds"):
            crossed_components(np.zeros(shape), ["a", "b"][: len(shape)])


def test_a_grid_with_a_gap_is_none():
    assert full_grid({(0, 0): 1.0, (0, 1): 1.0, (1, 0): 1.0}, 2) is None
    assert full_grid({(0,): 1.0, (1,): float("nan")}, 1) is None
