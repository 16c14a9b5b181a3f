"""Ten findings on entries whose answers are known.

Mistakes: a finding that is decided by chance or without data, a direction that is turned around, a correction over
fewer tests than ten, a sentence that states what its test does not decide.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from gansweep.statistics.holm import holm
from gansweep.track.questions import QUESTIONS, UNDECIDED, Part, Question
from gansweep.track.sections import LEVEL, Finding, findings
from tests.track.fake_entries import SEEDS, board

FASTEST, OPTIMIZERS, SCALES, SCHEDULE, AVERAGING, DYNAMICS, RANKING, WIDEST, TUNING, DIVERGING = range(10)


def times(middle, seed, spread=100):
    """Return times about a median, in whole evaluations."""
    return list(50 * np.ceil((middle + np.random.default_rng(seed).uniform(-spread, spread, SEEDS)) / 50))


def decided(*boards, number):
    finding = findings(boards)[number]
    assert finding.is_decided == (UNDECIDED not in finding.sentence)
    return finding


def test_there_are_ten_and_without_entries_none_is_decided():
    for boards in ([], [board("a"), board("b")], [board("a", one={"times": times(300, 0)})]):
        found = findings(boards)
        assert len(found) == len(QUESTIONS) == 10
        assert all(finding.adjusted == 1.0 and UNDECIDED in finding.sentence for finding in found)


def test_p_values_are_corrected_over_all_ten():
    fast = {"fast": {"times": [200] * SEEDS}, "slow": {"times": [400] * SEEDS, "overrides": ["optimizer=sgd"]}}
    found = findings([board(**fast)])
    assert [finding.adjusted for finding in found] == holm([finding.question.p for finding in found]).tolist()
    assert found[FASTEST].adjusted == pytest.approx(10 * 2 * 2.0**-SEEDS)


def test_fastest_entry_is_decided_on_each_track_by_itself():
    clear = board("a", first={"times": [200] * SEEDS}, second={"times": [300] * SEEDS, "overrides": ["optimizer=sgd"]})
    equal = board("b", first={"times": times(300, 1)}, second={"times": times(300, 2), "overrides": ["optimizer=sgd"]})
    sentence = findings([clear, equal])[FASTEST].sentence
    assert "a: first (200 steps) is faster than all 1 others" in sentence.lower()
    assert f"leads; whether it is faster than every other entry {UNDECIDED} (p = " in sentence
    assert sentence.count("1 entry tied with the record") == 1


def _three(adam, rmsprop, sgd, name="a"):
    return board(
        name,
        adam={"times": adam},
        rmsprop={"times": rmsprop, "overrides": ["optimizer=rmsprop", "lr=0.01"]},
        sgd={"times": sgd, "overrides": ["optimizer=sgd"]},
    )


def test_optimizers_are_ordered_and_equal_ones_left_open():
    found = findings([_three(times(300, 1), times(300, 2), times(600, 3))])[OPTIMIZERS]
    assert found.is_decided
    assert "adam reaches the target earlier than sgd" in found.sentence.lower()
    assert "rmsprop reaches the target earlier than sgd" in found.sentence.lower()
    assert f"is earlier {UNDECIDED}" in found.sentence


def test_equal_optimizers_are_not_told_apart():
    found = findings([_three(times(300, 1), times(300, 2), times(300, 3))])[OPTIMIZERS]
    assert not found.is_decided
    assert "earlier than" not in found.sentence


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (SCALES, ["optimizer=adam", "lr=1", "lr_d=2"]),
        (SCHEDULE, ["optimizer=adam", "schedule=cosine"]),
        (AVERAGING, ["optimizer=adam", "trainer.ema=0.99"]),
        (DYNAMICS, ["optimizer=adam", "dynamics=extragradient"]),
        (DYNAMICS, ["optimizer=optimistic_adam"]),
    ],
)
@pytest.mark.parametrize(("middle", "direction"), [(250, "earlier"), (500, "later"), (375, None)])
def test_a_choice_that_helps_or_harms_is_found(number, words, middle, direction):
    plain, choice = {"times": times(375, 5)}, {"times": times(middle, 6), "overrides": words}
    found = findings([board("a", plain=plain, choice=choice)])
    if direction is None:
        assert UNDECIDED in found[number].sentence
    else:
        assert f"trainings reach the target {direction}" in found[number].sentence
    others = set(range(SCALES, DYNAMICS + 1)) - {number}
    assert all(UNDECIDED in found[other].sentence.lower() for other in others)


def test_simultaneous_updates_are_no_extrapolation():
    line = {"times": [200] * SEEDS, "overrides": ["dynamics=simultaneous"]}
    assert findings([board("a", plain={"times": [500] * SEEDS}, choice=line)])[DYNAMICS].question.p == 1.0


def _many(name, order, **tuning):
    entries = {
        optimizer: {"times": [100 + 50 * n] * SEEDS, "overrides": [f"optimizer={optimizer}"]} | (
            {"tuning": tuning[optimizer]} if optimizer in tuning else {})
        for n, optimizer in enumerate(order)
    }  # fmt: skip
    return board(name, **entries)


def test_equal_rankings_agree_and_reversed_ones_do_not():
    order = "pqrstuv"
    same = findings([_many("a", order), _many("b", order), _many("c", order)])[RANKING]
    assert same.is_decided
    assert "the rankings agree more than by chance" in same.sentence
    assert "a and b 1.00 over 7 methods" in same.sentence
    turned = findings([_many("a", order), _many("b", order[::-1])])[RANKING]
    assert f"Whether the rankings agree {UNDECIDED}" in turned.sentence


RATES = [10.0**power for power in range(-5, 2)]


def _good(num):
    """Return tuning runs with `num` good rates; the others diverge."""
    return {rate: 200.0 if n < num else None for n, rate in enumerate(RATES)}


def test_widest_region_and_divergences_differ_if_all_tracks_agree():
    widths = {"p": 6, "q": 5, "r": 4, "s": 3, "t": 2, "u": 1}
    boards = [_many(name, "pqrstu", **{key: _good(num) for key, num in widths.items()}) for name in "abc"]
    found = findings(boards)
    assert "The widths differ; p has the widest by mean rank" in found[WIDEST].sentence
    assert "p 5.5" in found[WIDEST].sentence
    assert "The optimizers differ in their share" in found[DIVERGING].sentence
    assert "63 of 126 tried settings diverge, most with u 86%, t 71%, s 57%" in found[DIVERGING].sentence


def test_regions_that_change_their_order_between_tracks_are_left_open():
    turned = [{"p": 6, "q": 5, "r": 4}, {"p": 4, "q": 5, "r": 6}]
    boards = [_many(n, "pqr", **{key: _good(num) for key, num in w.items()}) for n, w in zip("ab", turned, strict=True)]
    for number in (WIDEST, DIVERGING):
        assert UNDECIDED in findings(boards)[number].sentence


def test_order_after_few_tuning_trainings():
    order = "pqrstuvw"
    losses = {key: dict.fromkeys(RATES, 100.0 + 50 * n) for n, key in enumerate(order)}
    found = findings([_many("a", order, **losses)])[TUNING]
    assert "already predict the order (0% of 28 pairs" in found.sentence
    reverse = findings([_many("a", order[::-1], **losses)])[TUNING]
    assert "(100% of 28 pairs" in reverse.sentence
    assert UNDECIDED in reverse.sentence


def test_a_part_is_decided_only_with_its_finding():
    parts = [Part(0.001, "yes", UNDECIDED), Part(0.2, "no", UNDECIDED)]
    question = Question("?", "Test", 0.001, parts)
    assert f"Yes; {UNDECIDED}" in Finding(question, 10 * 0.001).sentence
    assert "yes" not in Finding(question, 60 * 0.001).sentence.lower()
    assert not Finding(question, LEVEL + 1e-9).is_decided


def test_findings_of_equal_methods_are_seldom_decided(monkeypatch):
    """Entries with times of one distribution: at most 5 % of the pages have any decided finding."""
    monkeypatch.setattr("gansweep.statistics.rank_agreement.RESAMPLES", 300)
    monkeypatch.setattr("gansweep.statistics.rank_agreement.RESAMPLES", 300)
    choices = ([], ["schedule=cosine"], ["lr_d=1"])
    lines = [[f"optimizer={o}", *more] for o in ("adam", "rmsprop", "sgd") for more in choices]
    rng, num = np.random.default_rng(0), 20
    false = 0
    for _ in range(num):
        drawn = [50 * np.ceil(rng.lognormal(1.8, 0.4, size=(len(lines), SEEDS))) for _ in range(2)]
        drawn = [np.where(values > 1000, math.inf, values) for values in drawn]
        boards = [
            board(name, **{f"e{n}": {"times": list(t), "overrides": lines[n]} for n, t in enumerate(values)})
            for name, values in zip("ab", drawn, strict=True)
        ]
        false += any(finding.is_decided for finding in findings(boards))
    assert false <= 5  # 99.9 % quantile of Binomial(20, 0.05)
