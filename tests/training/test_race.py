"""Runs that are dropped by a race: what they leave, and that nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.training.small import MeanDistance, make_run, member, written
from tests.training.test_resume import assert_equal_tree, member_of, timeless

from gansweep.training import checkpoint
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import train, train_together

RUNS = [make_run(one=member(seed)) for seed in range(4)]


def race(directory, limits, run=RUNS[0]):
    """Train one run with limits by step, and return its record."""
    session = TrainingSession(run, directory)
    session.race(limits)
    train_together([session])
    return session.finalize()


def test_a_run_is_dropped_at_the_first_evaluation_that_is_worse_than_its_limit(tmp_path):
    whole = train(RUNS[0], tmp_path / "whole")
    values = {e["step"]: e["value"] for e in whole["metric"]["evaluations"]}
    limits = {4: values[4], 8: values[8] * 0.999}
    record = race(tmp_path / "dropped", limits)
    assert written(tmp_path / "dropped") == record
    assert record["state"] == "dropped"
    assert record["dropped"] == {"by": "race=steps", "step": 8, "value": values[8], "limit": limits[8]}
    assert record["steps"] == 8
    assert record["metric"]["final"] is None
    assert [e["step"] for e in record["metric"]["evaluations"]] == [0, 4, 8]


def test_a_dropped_run_can_be_finished_with_the_same_bits(tmp_path):
    whole = train(RUNS[0], tmp_path / "whole")
    assert race(tmp_path / "run", {8: -1.0})["state"] == "dropped"
    (tmp_path / "run" / "record.json").unlink()
    finished = train(RUNS[0], tmp_path / "run")
    assert timeless(finished) == timeless(whole)
    assert_equal_tree(member_of(tmp_path / "run"), member_of(tmp_path / "whole"))


def test_the_place_of_a_dropped_run_is_refilled_and_the_others_keep_their_bits(tmp_path):
    alone = [train(run, tmp_path / f"alone{n}") for n, run in enumerate(RUNS)]
    sessions = [TrainingSession(run, tmp_path / f"run{n}") for n, run in enumerate(RUNS)]
    sessions[1].race({4: -1.0})
    waiting, ended, free = sessions[2:], [], []

    def refill(places):
        free.append(places)
        return [waiting.pop(0) for _ in range(min(places, len(waiting)))]

    train_together(sessions[:2], refill=refill, ended=lambda session: ended.append(session.finalize()))
    assert free[0] == 1
    assert [record["seeds"]["member"] for record in ended] == [1, 0, 2, 3]
    for record in ended[1:]:
        other = alone[record["seeds"]["member"]]
        assert record["metric"] == other["metric"]
    for n in (0, 2, 3):
        assert_equal_tree(member_of(tmp_path / f"run{n}"), member_of(tmp_path / f"alone{n}"))


def test_a_process_that_dies_after_the_checkpoint_of_a_dropped_run_changes_nothing(tmp_path):
    race(tmp_path, {8: -1.0})
    (tmp_path / "record.json").unlink()
    again = race(tmp_path, {8: -1.0, 12: 1e9})
    assert (again["state"], again["steps"]) == ("dropped", 8)
    assert (tmp_path / checkpoint.NAME).is_file()


@pytest.mark.parametrize(("lower_is_better", "state"), [(True, "dropped"), (False, "completed")])
def test_worse_follows_the_direction_of_the_metric(tmp_path, monkeypatch, lower_is_better, state):
    monkeypatch.setattr(MeanDistance, "lower_is_better", lower_is_better)
    assert race(tmp_path, {4: -1.0}, replace(RUNS[0]))["state"] == state
