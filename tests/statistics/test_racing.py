from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.racing import Race

NAN = float("nan")


def play(race, draw, num):
    """Run a race to its end; return the remaining configurations and the number of runs."""
    scores = [{} for _ in range(num)]
    while wanted := race.wanted(scores, list(range(race.most))):
        for place, seed in wanted:
            scores[place][seed] = draw(place, seed)
    return race.remaining(scores), sum(map(len, scores)), scores


def test_the_best_is_dropped_at_most_as_often_as_stated():
    """Equal rivals are the hardest case: every dropping is one of the best."""
    rng, race = np.random.default_rng(0), Race(fewest=3, most=8, level=0.2)
    dropped = [0 not in play(race, lambda *_: rng.normal(), 4)[0] for _ in range(150)]
    assert np.mean(dropped) < 0.2 + 3 * (0.2 * 0.8 / 150) ** 0.5


def test_without_the_correction_the_error_rate_is_exceeded():
    """The same race at the full level for each test, as a check that the simulation can fail."""
    rng = np.random.default_rng(0)

    class Careless(Race):
        def share(self, num_settings):
            return self.level

    dropped = [0 not in play(Careless(3, 8, 0.2), lambda *_: rng.normal(), 4)[0] for _ in range(100)]
    assert np.mean(dropped) > 0.35


def test_clear_losers_get_no_more_seeds():
    rng = np.random.default_rng(1)
    left, runs, scores = play(Race(3, 10), lambda place, seed: [1.0, 1.05, 50.0][place] + rng.normal(0, 0.1), 3)
    assert 0 in left
    assert 2 not in left
    assert len(scores[2]) < 7
    assert runs < 30


def test_a_setting_that_diverges_drops_out_in_the_end_and_never_wins():
    rng = np.random.default_rng(2)
    left, _, _ = play(Race(3, 14), lambda place, seed: NAN if place else rng.normal(), 2)
    assert left == [0]


def test_the_race_begins_with_all_and_ends_at_the_most():
    race = Race(2, 3)
    assert race.wanted([{}, {}], [7, 8, 9]) == [(0, 7), (0, 8), (1, 7), (1, 8)]
    equal = [{7: 1.0, 8: 2.0, 9: 3.0}, {7: 1.1, 8: 1.8, 9: 3.2}]
    assert race.wanted(equal, [7, 8, 9]) == []
    assert race.remaining(equal) == [0, 1]


def test_extra_seeds_of_one_that_dropped_out_change_nothing():
    race = Race(3, 6)
    scores = [{s: 1.0 + s / 100 for s in range(3)}, {s: 9.0 + s / 90 for s in range(6)}]
    assert race.remaining(scores) == race.remaining([scores[0], {s: scores[1][s] for s in range(3)}])


def test_a_rival_drops_out_exactly_where_the_one_sided_test_says():
    """Two settings, rounds 3, 4 and 5: level 0.05 / (1 * 3) for each test."""
    a, d = np.array([1.0, 2.0, 4.0]), np.array([0.9, 1.0, 1.2])
    p = stats.ttest_rel(a, a + d, alternative="less").pvalue
    scores = [dict(enumerate(a)), dict(enumerate(a + d))]
    assert Race(3, 5, level=3.03 * p).remaining(scores) == [0]
    assert Race(3, 5, level=2.97 * p).remaining(scores) == [0, 1]


@pytest.mark.parametrize("wrong", [{"fewest": 1}, {"fewest": 5, "most": 4}, {"level": 0}])
def test_what_makes_no_race(wrong):
    with pytest.raises(ValueError, match="expected"):
        Race(**wrong)
