"""Leaderboard: order, record and its history, ties, entries that are not comparable, files.

Mistakes: an N/A seed that is left out, a record that changes with the order of the files, an entry of an earlier
version of the track among the others, a tie that the record beats.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gansweep.track.board import Board, boards
from gansweep.track.methods import Method, pairs
from tests.track.fake_entries import SEEDS, board, entry, track

SPREAD = [50 * n for n in range(2, 2 + SEEDS)]  # 100, 150, ..., 1050; the last one is beyond the training


def names(found):
    return [row.entry.name for row in found.rows]


def test_rows_are_in_the_order_of_the_score_and_then_of_the_mean():
    found = board(
        slow={"times": [500] * SEEDS},
        fast={"times": [200] * 15 + [400] * 5},
        faster={"times": [150] * 5 + [200] * 10 + [400] * 5},
        never={"times": [200] * 10 + [math.inf] * 10},
        diverging={"times": [None] * SEEDS},
    )
    assert names(found) == ["faster", "fast", "slow", "never", "diverging"]
    assert [row.score for row in found.rows] == [200, 200, 500, math.inf, math.inf]
    assert [row.num_reached for row in found.rows] == [20, 20, 20, 10, 0]
    assert [row.num_diverged for row in found.rows] == [0, 0, 0, 0, 20]


def test_interval_and_median_are_those_of_order_statistics():
    (row,) = board(one={"times": SPREAD}).rows
    assert row.interval == (SPREAD[5], SPREAD[14])
    assert row.score == SPREAD[14]
    assert row.median == (SPREAD[9] + SPREAD[10]) / 2
    (row,) = board(one={"times": [200] * 9 + [None] * 11}).rows
    assert (row.median, row.interval) == (math.inf, (200, math.inf))


def test_records_follow_in_time_and_only_by_the_test():
    of = track()
    entries = [
        entry(of, "third", [200] * SEEDS, date="2026-11-03"),
        entry(of, "first", [500] * SEEDS, date="2026-11-01"),
        entry(of, "late", [300] * SEEDS, date="2026-11-04"),  # faster than the first, not than the third
        entry(of, "luck", [450] * 3 + [500] * 17, date="2026-11-02"),  # p = 0.125
    ]
    for order in (entries, entries[::-1]):
        found = Board.of(of, order)
        assert [one.name for one in found.history] == ["first", "third"]
        assert found.record.entry.name == "third"
        assert {row.entry.name for row in found.rows if row.is_tied} == {"third"}


def test_ties_are_those_that_the_record_does_not_beat():
    found = board(
        record={"times": [300] * SEEDS},
        tied={"times": [250] * 2 + [350] * 5 + [300] * 13, "date": "2026-11-02"},
        beaten={"times": [350] * 7 + [300] * 13, "date": "2026-11-02"},
    )
    rows = {row.entry.name: row for row in found.rows}
    assert rows["record"].is_tied
    assert rows["tied"].is_tied
    assert not rows["beaten"].is_tied
    assert rows["beaten"].p_record == pytest.approx(2**-7)


def test_without_a_score_there_is_no_record_and_no_tie():
    found = board(never={"times": [math.inf] * SEEDS})
    assert found.record is None
    assert [row.is_tied for row in found.rows] == [False]


def test_entries_that_are_not_comparable_are_listed_apart():
    of = track()
    good = entry(of, "good", [300] * SEEDS)
    old = replace(entry(of, "old", [100] * SEEDS), fingerprint="0" * 64)
    few = entry(of, "few", [100] * 19)
    found = Board.of(of, [old, few, good])
    assert names(found) == ["good"]
    assert [(one.name, reason) for one, reason in found.others] == [
        ("few", "19 of 20 seeds"),
        ("old", "other version of the track"),
    ]
    assert [one.name for one in found.history] == ["good"]


def test_entries_are_read_from_the_folder_of_their_track(tmp_path, monkeypatch):
    of = track()
    monkeypatch.setattr("gansweep.track.board.names", lambda: ["toy", "void"])
    monkeypatch.setattr("gansweep.track.board.Track.load", track)
    (tmp_path / "toy").mkdir()
    one = entry(of, "one", [200] * 18 + [None, math.inf], tuning={0.1: 200, 0.5: None})
    one.write(tmp_path / "toy" / "one.json")
    found = boards(tmp_path)
    assert [board.track.name for board in found] == ["toy", "void"]
    assert found[0].rows[0].times == one.times
    assert found[0].rows[0].entry.tuning == one.tuning
    assert found[1].rows == []


def test_the_best_entry_represents_its_method():
    found = board(slow={"times": [500] * SEEDS}, fast={"times": [300] * SEEDS, "overrides": ["optimizer=adam", "lr=3"]})
    (method,) = found.by_method
    assert found.by_method[method].entry.name == "fast"
    assert method == Method.of(["lr=9"])


@pytest.mark.parametrize(
    ("words", "tuned", "choices"),
    [
        (["lr=1"], (), {"optimizer": "adam"}),
        (["optimizer=rmsprop", "schedule=constant", "dynamics=alternating"], (), {"optimizer": "rmsprop"}),
        (["optimizer=sgd", "optimizer.momentum=0.9"], (), {"optimizer": "sgd optimizer.momentum=0.9"}),
        (["optimizer.betas=[0,0.9]"], (), {"optimizer": "adam optimizer.betas=[0,0.9]"}),
        (["optimizer.beta1=0.31"], {"optimizer.beta1"}, {"optimizer": "adam optimizer.beta1"}),
        (["optimizer@optimizer_d=sgd", "lr_d=3"], (), {"optimizer": "adam optimizer_d=sgd", "two time scales": "lr_d"}),
        (["schedule=wsd", "schedule.warmup=7"], {"schedule.warmup"}, {"schedule": "wsd schedule.warmup"}),
        (["trainer.ema=0.99"], (), {"averaging": "trainer.ema=0.99"}),
        (["optimizer=optimistic_sgd"], (), {"optimizer": "sgd", "dynamics": "optimistic"}),
        (["clip_grad_norm=1"], (), {"other settings": "clip_grad_norm=1"}),
    ],
)
def test_method_of_settings(words, tuned, choices):
    assert dict(Method.of(words, tuned).choices) == {"optimizer": "adam"} | choices


def test_pairs_differ_in_one_choice_only():
    lines = [
        "optimizer=sgd",
        "optimizer=sgd schedule=cosine",
        "optimizer=sgd schedule=cosine dynamics=extragradient",
        "schedule=step",
    ]
    sgd, cosine, extragradient, _ = methods = [Method.of(line.split()) for line in lines]
    assert pairs(methods, "schedule") == [(cosine, sgd)]
    assert pairs(methods, "dynamics") == [(extragradient, cosine)]
    assert pairs(methods, "averaging") == []
