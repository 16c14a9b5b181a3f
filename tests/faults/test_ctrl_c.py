"""Ctrl-C saves and prints how to continue; a second one stops at once."""

from __future__ import annotations

import functools
import os
import signal
from pathlib import Path

import pytest
from fault_child import GRID, command
from sweep_contents import curves, finals, records


def interrupt(number: signal.Signals, times: int) -> None:
    """Send signals to this process in step 4 of its second cell."""
    from gansweep.sweep.progress import Progress

    step = Progress.step

    def interrupted(self, name, at, total_steps, text=""):
        step(self, name, at, total_steps, text)
        if self.trained == 1 and at == 4:
            for _ in range(times):
                os.kill(os.getpid(), number)

    Progress.step = interrupted


def saved_steps(sweep: Path) -> list[int]:
    return sorted(member["step"] for member in finals(sweep).values())


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_one_signal(tmp_path, undisturbed, number):
    here, sweep = tmp_path / "here", tmp_path / "here/outputs/s"
    stopped = command(here, *GRID, fault=functools.partial(interrupt, number, 1))
    assert stopped.code == 130, stopped.text
    assert "| lr" in stopped.text
    assert "unfinished" in stopped.text
    (line,) = (line for line in stopped.text.splitlines() if "To continue: python -m gansweep -m " in line)
    assert "lr=1e-3,1e-2,1e30" in line
    assert len(records(sweep)) == 1
    assert saved_steps(sweep) == [5, 12]
    planned = command(here, *GRID, "plan=true")
    assert "1 new, 1 resumable, 1 completed" in planned.text
    ended = command(here, *GRID)
    assert ended.code == 0, ended.text
    assert records(sweep) == records(undisturbed[0])
    assert finals(sweep) == finals(undisturbed[0])
    assert curves(sweep) == curves(undisturbed[0])


def test_two_signals(tmp_path, undisturbed):
    here, sweep = tmp_path / "here", tmp_path / "here/outputs/s"
    stopped = command(here, *GRID, fault=functools.partial(interrupt, signal.SIGINT, 2))
    assert stopped.code == 130, stopped.text
    assert "Traceback" not in stopped.text
    assert len(records(sweep)) == 1
    assert saved_steps(sweep) == [3, 12], "no further checkpoint is saved"
    ended = command(here, *GRID)
    assert ended.code == 0, ended.text
    assert records(sweep) == records(undisturbed[0])
    assert curves(sweep) == curves(undisturbed[0])


def test_the_command_to_continue_does_not_contain_fresh(tmp_path):
    stopped = command(tmp_path / "here", *GRID, "fresh=true", fault=functools.partial(interrupt, signal.SIGINT, 1))
    (line,) = (line for line in stopped.text.splitlines() if "To continue" in line)
    assert "fresh" not in line
