"""Score and record test: closed forms, scipy, and the rate of false records."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gansweep.track.rule import faster_p, futility, improvement_p, is_record, score, stages


def _times(values):
    return dict(enumerate(values))


@pytest.mark.parametrize(("n", "k"), [(5, 5), (8, 7), (10, 9), (20, 15), (100, 59)])
def test_the_score_is_the_order_statistic_of_the_sign_test(n, k):
    assert score(range(1, n + 1)) == k


def test_the_score_covers_the_median_at_its_confidence():
    rng = np.random.default_rng(0)
    covered = np.mean([score(rng.exponential(size=20)) >= math.log(2) for _ in range(2000)])
    assert 0.95 <= covered <= 0.99  # exact: 0.9793


def test_trainings_that_never_reach_the_target_count():
    assert score([100.0] * 15 + [math.inf] * 5) == 100
    assert score([100.0] * 14 + [math.inf] * 6) == math.inf


def test_without_ties_the_p_value_is_that_of_wilcoxon():
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = rng.normal(size=(2, 12))
        expected = stats.wilcoxon(a, b, alternative="less", method="exact").pvalue
        assert improvement_p(_times(a), _times(b)) == pytest.approx(expected, abs=1e-12)


def test_with_ties_and_infinities_the_p_value_counts_all_sign_changes():
    a = [100.0, 150.0, math.inf, 100.0, 200.0, 100.0, math.inf]
    b = [150.0, 150.0, 200.0, 300.0, math.inf, 200.0, math.inf]
    d = [0.0 if x == y else x - y for x, y in zip(a, b, strict=True)]
    ranks = stats.rankdata(np.abs(d))
    observed = sum(rank for rank, value in zip(ranks, d, strict=True) if value > 0)
    moved = [rank for rank, value in zip(ranks, d, strict=True) if value]
    sums = [sum(itertools.compress(moved, signs)) for signs in itertools.product((0, 1), repeat=len(moved))]
    assert improvement_p(_times(a), _times(b)) == pytest.approx(np.mean(np.array(sums) <= observed), abs=1e-12)


def test_equal_times_are_no_improvement():
    assert improvement_p(_times([1.0] * 20), _times([1.0] * 20)) == 1.0


def test_a_record_needs_all_seeds_and_a_score():
    rule = {"seeds": range(20), "level": 0.01, "confidence": 0.95}
    fast, slow = _times([100.0] * 20), _times([200.0] * 20)
    assert is_record(slow, None, **rule)
    assert is_record(fast, slow, **rule)
    assert not is_record(slow, fast, **rule)
    assert not is_record(_times([100.0] * 19), slow, **rule)
    assert not is_record(_times([math.inf] * 20), None, **rule)
    with pytest.raises(ValueError, match="same seeds"):
        improvement_p(fast, _times([1.0]))


def test_false_records_are_rarer_than_the_level():
    """Entries of the same distribution challenge the record one after another."""
    rng = np.random.default_rng(2)
    rule = {"seeds": range(20), "level": 0.01, "confidence": 0.95}

    def draw():
        steps = np.ceil(np.exp(rng.normal(6, 0.4, 20)) / 50) * 50
        return _times(np.where(steps > 1500, math.inf, steps))

    record, false = draw(), 0
    for _ in range(2000):
        challenger = draw()
        if is_record(challenger, record, **rule):
            record, false = challenger, false + 1
    assert false <= 30  # 99.9 % quantile of Binomial(2000, 0.01) is 35


FUTILITY = {"seeds": range(20), "level": 0.01, "confidence": 0.95}


def test_an_entry_without_a_finite_score_in_reach_is_stopped():
    five = dict.fromkeys(range(5), math.inf)
    assert futility(five, None, **FUTILITY) == ""
    assert futility(five | {5: math.inf}, None, **FUTILITY).startswith("too many seeds")


def test_an_entry_behind_the_record_is_stopped_and_one_ahead_is_not():
    record = _times([200.0] * 20)
    assert "faster on these seeds (p = 0.031)" in futility(_times([300.0] * 5), record, **FUTILITY)
    assert futility(_times([300.0] * 4), record, **FUTILITY) == ""
    assert futility(_times([100.0] * 10), record, **FUTILITY) == ""
    assert futility(_times([200.0] * 5), record, **FUTILITY) == "", "5 equal times and 15 better ones are a record"
    assert "every other seed" in futility(_times([200.0] * 10), record, **FUTILITY), "its score would not be lower"


def test_no_record_is_lost_by_what_is_certain(monkeypatch):
    """Without the test for being behind, an entry that is stopped would not have been a record."""
    monkeypatch.setattr("gansweep.track.rule.BEHIND", -1.0)
    rng = np.random.default_rng(3)
    stopped = records = 0
    for _ in range(150):
        record, entry = (_times(np.ceil(np.exp(rng.normal(mean, 0.3, 20)) * 8) * 25) for mean in (0, -0.1))
        early = [num for num in stages(20)[:-1] if futility({s: entry[s] for s in range(num)}, record, **FUTILITY)]
        is_new = is_record(entry, record, **FUTILITY)
        stopped, records = stopped + bool(early), records + is_new
        assert not (early and is_new)
    assert min(stopped, records) > 3


def test_the_rank_sum_test_is_that_of_mann_and_whitney_without_ties():
    rng = np.random.default_rng(2)
    for _ in range(20):
        a, b = rng.normal(size=7), rng.normal(size=9)
        expected = stats.mannwhitneyu(a, b, alternative="less", method="exact").pvalue
        assert faster_p(a, b) == pytest.approx(expected, abs=1e-12)


def test_the_rank_sum_test_counts_all_choices_with_ties_and_infinities():
    a, b = [100.0, 100.0, math.inf, 50.0], [100.0, 200.0, math.inf, math.inf, 300.0]
    ranks = stats.rankdata(a + b)
    sums = [sum(choice) for choice in itertools.combinations(ranks, len(a))]
    assert faster_p(a, b) == pytest.approx(np.mean(np.array(sums) <= sum(ranks[: len(a)])), abs=1e-12)
    assert faster_p([1.0] * 5, [1.0] * 8) == 1.0
