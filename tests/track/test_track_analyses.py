"""Analyses of the entries, each with entries whose answer is known.

Mistakes: a selected tuning run in a random sample, a rate that is counted as good without reaching the target, a pair
of entries that differ in more than one choice, a test that takes dependent trainings as independent.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gansweep.track.additions import additions, balance, two_sided
from gansweep.track.agreement import track_agreement
from gansweep.track.board import Board
from gansweep.track.divergences import divergences
from gansweep.track.entry import TuningRun
from gansweep.track.sensitivity import sensitivities
from gansweep.track.tunability import curves
from tests.track.fake_entries import SEEDS, STEPS, board, entry, track

TIMES = [300] * SEEDS
NEVER = math.inf


def tuned(**tuning):
    return board(**{name: {"times": TIMES, "tuning": steps} for name, steps in tuning.items()})


def test_tuning_curve_is_the_expected_minimum():
    (curve,) = curves(tuned(one={0.1: 100, 0.2: 400, 0.3: NEVER, 0.4: None}))
    never = 2 * STEPS
    pairs = [100, 100, 100, 400, 400, never]  # minima of all pairs
    assert curve.best.tolist() == pytest.approx([(500 + 2 * never) / 4, sum(pairs) / 6, (300 + 400) / 4, 100])


def test_tuning_curve_leaves_out_the_repeated_best_settings():
    of = track()
    one = entry(of, "one", TIMES, tuning={0.1: 100, 0.2: 400})
    repeated = TuningRun({"lr": 0.1}, 1001, "completed", 50.0, None)
    more = replace(one, tuning=replace(one.tuning, runs=[*one.tuning.runs, repeated]))
    assert [c.best.tolist() for c in curves(Board.of(of, [more]))] == [[250, 100]]


def test_entries_without_tuning_have_no_curve_and_no_sensitivity():
    found = board(one={"times": TIMES})
    assert curves(found) == []
    assert sensitivities(found) == []
    assert divergences([found]) == []


def test_region_of_good_rates_ends_in_the_middle_between_rates():
    rates = {10.0**power: NEVER for power in (-4, -3, 0)} | {1e-2: 300, 1e-1: 200}
    (found,) = sensitivities(tuned(one=rates))
    assert found.rates.tolist() == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])
    assert found.region == pytest.approx((10**-2.5, 10**-0.5))
    assert found.width == pytest.approx(2)
    assert found.share == pytest.approx(2 / 3)  # 1e-2, 1e-1 and 1 are within a factor of 10 of the best


def test_a_good_rate_apart_from_the_best_does_not_widen_the_region():
    (found,) = sensitivities(tuned(one={1e-3: 250, 1e-2: NEVER, 1e-1: 200, 1: 401}))
    assert found.region == pytest.approx((10**-1.5, 10**-0.5))
    assert found.share == pytest.approx(2 / 3)


def test_region_ends_at_the_tried_rates():
    (found,) = sensitivities(tuned(one={1e-3: 200, 1e-2: 200, 1e-1: 399}))
    assert found.region == pytest.approx((1e-3, 1e-1))
    assert found.share == 1


def test_without_a_rate_that_reaches_the_target_there_is_no_region():
    (found,) = sensitivities(tuned(one={1e-3: NEVER, 1e-2: None}))
    assert found.width == 0
    assert math.isnan(found.share)


def test_sensitivity_needs_entries_of_which_only_the_rate_was_tuned():
    of = track()
    one = entry(of, "one", TIMES, tuning={0.1: 100, 0.2: 400})
    runs = [replace(run, overrides={**run.overrides, "lr_d": 3 * run.overrides["lr"]}) for run in one.tuning.runs]
    assert sensitivities(Board.of(of, [replace(one, tuning=replace(one.tuning, runs=runs))])) == []


def test_additions_compare_entries_that_differ_in_the_schedule_only():
    found = board(
        adam={"times": [400] * SEEDS},
        adam_cosine={"times": [300] * 15 + [500] * 3 + [400] * 2, "overrides": ["schedule=cosine", "lr=0.9"]},
        sgd={"times": TIMES, "overrides": ["optimizer=sgd"]},
        sgd_cosine_fast={"times": TIMES, "overrides": ["optimizer=sgd", "schedule=cosine", "trainer.ema=0.9"]},
    )
    (one,) = additions(found, "schedule")
    assert (one.row.entry.name, one.plain.entry.name, one.choice) == ("adam_cosine", "adam", "cosine")
    assert (one.num_earlier, one.num_later) == (15, 3)
    assert one.p == two_sided(one.row.times, one.plain.times) == one.adjusted
    assert additions(found, "averaging") == []


def test_p_values_of_additions_are_corrected_together():
    lines = {f"adam_{name}": ["schedule=" + name] for name in ("cosine", "step")}
    found = board(
        adam={"times": [400] * SEEDS},
        **{name: {"times": [350] * 6 + [400] * 14, "overrides": line} for name, line in lines.items()},
    )
    assert [one.p for one in additions(found, "schedule")] == [2**-5] * 2
    assert [one.adjusted for one in additions(found, "schedule")] == [2**-4] * 2


def test_balance_is_one_number_for_each_track_and_seed():
    found = board(
        adam={"times": [400] * SEEDS},
        cosine={"times": [300] * SEEDS, "overrides": ["schedule=cosine"]},
        step={"times": [500] + [300] * 19, "overrides": ["schedule=step"]},
    )
    means = balance([(found, one) for one in additions(found, "schedule")])
    assert means == {("toy", seed): -1.0 if seed else 0.0 for seed in range(SEEDS)}


def test_two_sided_test_is_symmetric():
    rng = np.random.default_rng(0)
    first, second = (dict(enumerate(values)) for values in rng.normal(size=(2, 9)))
    assert two_sided(first, second) == two_sided(second, first)
    assert two_sided(first, first) == 1.0
    below = {seed: time - 1 for seed, time in first.items()}
    assert two_sided(below, first) == 2 * 2.0**-9


def _ranked(name, order):
    return board(name, **{f"{name}_{n}": {"times": [100 + 50 * n] * SEEDS, "overrides": [f"optimizer={o}"]}
                          for n, o in enumerate(order)})  # fmt: skip


def test_agreement_is_over_common_methods_and_not_over_names():
    found = track_agreement([_ranked("a", "pqrs"), _ranked("b", "pqsrx"), board("empty")])
    assert found.tracks == ["a", "b"]
    assert found.agreement.pairs == {(0, 1): (pytest.approx(4 / 6), 4)}
    assert found.within == pytest.approx([1.0, 1.0])


def test_agreement_within_a_track_is_low_where_seeds_decide():
    even_first = [100 if seed % 2 else 200 for seed in range(SEEDS)]
    odd_first = [200 if seed % 2 else 100 for seed in range(SEEDS)]
    found = board(one={"times": even_first}, two={"times": odd_first, "overrides": ["optimizer=sgd"]})
    assert track_agreement([found]).within == [-1.0]


def test_divergences_count_tried_settings_by_optimizer():
    line = {"times": TIMES}
    found = board(
        adam={**line, "tuning": {0.1: 100, 1.0: None}},
        adam_cosine={**line, "tuning": {0.1: 100, 1.0: NEVER}, "overrides": ["schedule=cosine"]},
        sgd={**line, "tuning": {0.1: None, 1.0: None}, "overrides": ["optimizer=sgd", "optimizer.momentum=0.9"]},
    )
    counted = [(one.optimizer, one.num_diverged, one.num_missed, one.num_runs) for one in divergences([found, found])]
    assert counted == [("sgd", 4, 0, 4), ("adam", 2, 2, 8)]
