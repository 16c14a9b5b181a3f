"""A clock that is set back between two commands or during the training."""

from __future__ import annotations

import datetime
import functools
import json
import os
import signal
import time

import pytest
from fault_child import GRID, command
from moments import kill_after_saving
from sweep_contents import curves, records

DAY_S = 86_400.0


def set_back(days: float, then_killed: bool = False) -> None:
    """Set the clock of this process back by days, and by another hour at every second call."""
    from gansweep.training import run_recorder, session

    real_time, now = time.time, datetime.datetime
    calls = []

    def earlier() -> float:
        calls.append(1)
        return real_time() - days * DAY_S - 3600 * (len(calls) % 2)

    class Clock(now):
        @classmethod
        def now(cls, tz=None):
            return now.fromtimestamp(earlier(), tz)

    time.time = earlier
    run_recorder.datetime = session.datetime = Clock
    if then_killed:
        kill_after_saving(2)


@pytest.mark.slow
def test_a_run_continues_with_an_earlier_clock(tmp_path, undisturbed):
    expected, _ = undisturbed
    here = tmp_path / "here"
    assert command(here, *GRID, fault=functools.partial(kill_after_saving, 2)).code == -signal.SIGKILL
    assert command(here, *GRID, fault=functools.partial(set_back, 10, then_killed=True)).code in (-signal.SIGKILL, 1)
    ended = command(here, *GRID, fault=functools.partial(set_back, 400))
    assert ended.code == 0, ended.text
    sweep = here / "outputs/s"
    assert records(sweep) == records(expected)
    assert curves(sweep) == curves(expected)
    times = [json.loads(path.read_text())["time"] for path in sweep.glob("*/record.json")]
    assert all(one["wall_s"] >= 0 and one["eval_s"] >= 0 and one["steps_per_s"] > 0 for one in times)


def test_files_of_the_future_are_not_a_heartbeat(tmp_path, undisturbed):
    here, sweep = tmp_path / "here", tmp_path / "here/outputs/s"
    assert command(here, *GRID, fault=functools.partial(kill_after_saving, 2)).code == -signal.SIGKILL
    for path in sweep.rglob("*"):
        os.utime(path, (time.time() + 10 * DAY_S,) * 2)
    ended = command(here, *GRID)
    assert ended.code == 0, ended.text
    assert records(sweep) == records(undisturbed[0])
