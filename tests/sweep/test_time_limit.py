"""Limit of the time of a command. Mistakes: a cell that can't end in time begins; one group of cells takes all."""

from __future__ import annotations

import io
import time

import pytest
from fake_cells import FakeSession, cell, record, train_in_turn, write

from gansweep.sweep import bounds
from gansweep.sweep.bounds import TimeLimit
from gansweep.sweep.pack_executor import in_packs
from gansweep.sweep.progress import Progress
from gansweep.sweep.run_state import Outcome
from gansweep.sweep.sweep import Sweep


class Clock:
    """Clock that tests advance."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(bounds.time, "time", clock)
    return clock


def finished(seconds, steps=100):
    return {"steps": steps, "time": {"wall_s": seconds}}


def test_a_new_cell_begins_only_if_it_ends_in_time_at_the_measured_speed(tmp_path, clock):
    limit, new = TimeLimit.of(1.0, clock.now), cell(tmp_path, lr=1)
    assert limit.allows(new, [])
    clock.now += 3000  # 600 s are left
    assert limit.allows(new, [finished(590), finished(590), finished(10_000)])
    assert limit.allows(new, [finished(1180, steps=200)])
    assert not limit.allows(new, [finished(610)])
    clock.now += 600
    assert limit.reached()
    assert not limit.allows(new, [])


def test_cells_with_a_checkpoint_and_cells_longer_than_the_limit_may_begin(tmp_path, clock, monkeypatch):
    """Mistake: cells of nine hours are never trained with hours=8."""
    limit, new = TimeLimit.of(1.0, clock.now), cell(tmp_path, lr=1)
    assert limit.allows(new, [finished(3601)])
    clock.now += 3000
    monkeypatch.setattr(bounds.checkpoint_step, "read", lambda directory: 50)
    assert limit.allows(new, [finished(3000)])


def test_no_hours_no_limit():
    assert TimeLimit.of(None, 0.0) is None


def test_a_pack_ends_in_half_of_the_time(clock):
    limit = TimeLimit.of(1.0, clock.now)
    assert [limit.num_together(seconds) for seconds in (0.0, 100.0, 900.0, 1800.0, 5000.0)][1:] == [18, 2, 1, 1]


def train(cells, clock, hours, size=1, seconds=100.0):
    """Train cells that take `seconds` each, one after the other; return those that began, and the outcome."""
    begun, limit = [], TimeLimit.of(hours, clock.now)

    def one(of, stop, progress):
        begun.append(of)
        clock.now += seconds
        return write(of, record(of, time={"wall_s": seconds}))

    executor = in_packs(lambda of, callback: FakeSession(one, of, callback), size, train_in_turn, limit)
    sweep = Sweep(cells[0].directory.parent, cells)
    outcome = sweep.run(executor, stop=limit.reached, progress=Progress(0, io.StringIO()))
    return begun, outcome.ended_by(stopped_by_user=False)


@pytest.mark.parametrize("size", [1, 2])
def test_no_cell_begins_that_would_end_after_the_limit(tmp_path, clock, size):
    cells = [cell(tmp_path, lr=lr) for lr in range(10)]
    begun, outcome = train(cells, clock, hours=450 / 3600, size=size)
    assert len(begun) in (4, 5)[:size]  # of a pack, both members begin at the same time
    assert (outcome.exit_code, outcome.out_of_time, outcome.cut_short) == (0, True, False)
    assert len(outcome.missing) == 10 - len(begun)
    rest, outcome = train(cells, clock, hours=10.0, size=size)
    assert [*begun, *rest] == cells
    assert (outcome.exit_code, outcome.out_of_time, outcome.missing) == (0, False, [])


def test_cells_that_cannot_share_a_pack_get_equal_parts_of_the_time(tmp_path, clock):
    """Mistake: the first model takes all the time, and the others have no run."""
    cells = [cell(tmp_path, model=model, lr=lr) for model in ("a", "b", "c") for lr in range(9)]
    begun, outcome = train(cells, clock, hours=1199 / 3600)
    counts = [sum(of.config["model"] == model for of in begun) for model in ("a", "b", "c")]
    assert counts == [4, 4, 3]
    assert outcome.out_of_time


def test_the_time_that_one_group_does_not_need_goes_to_the_others(tmp_path, clock):
    cells = [cell(tmp_path, model=model, lr=lr) for model, n in (("a", 9), ("b", 1)) for lr in range(n)]
    begun, _ = train(cells, clock, hours=1001 / 3600)
    assert len(begun) == 10


def test_the_exit_code_of_a_command_that_is_out_of_time():
    failed, missing = {"x": {"state": "failed"}}, ["a cell"]
    assert Outcome({}, missing, interrupted=True).ended_by(stopped_by_user=False).exit_code == 0
    assert Outcome({}, missing, interrupted=True).ended_by(stopped_by_user=True).exit_code == 130
    assert Outcome(failed, missing, interrupted=True).ended_by(stopped_by_user=False).exit_code == 1
    by_device = Outcome({}, missing, interrupted=True, device_failed=True).ended_by(stopped_by_user=False)
    assert (by_device.exit_code, by_device.out_of_time) == (1, False)


def test_the_limit_is_measured_by_the_clock_of_the_machine():
    assert not TimeLimit.of(1.0, time.time()).reached()
    assert TimeLimit.of(1.0, time.time() - 3601).reached()
