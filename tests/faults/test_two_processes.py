"""Several processes on one sweep train every cell once."""

from __future__ import annotations

import functools
import json
import os
import signal
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from fault_child import GRID, Running, command
from sweep_contents import leftovers, records

MANY = ("optimizer=adam,sgd", "lr=1e-3,1e30", "seed=1,2,3", "name=s")


def note_trainings(killed_at: int | None = None) -> None:
    """Write which process trains which cell; optionally kill this process in its first cell."""
    from gansweep.cli.job import Jobs

    opened = Jobs.__call__

    def noted(self, cell, progress):
        with Path("trained.txt").open("a") as file:
            file.write(f"{cell.name} {os.getpid()}\n")

        show = progress.progress.step

        def step(name, at, total_steps, text=""):
            show(name, at, total_steps, text)
            if at == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)

        progress.progress = SimpleNamespace(step=step)
        return opened(self, cell, progress)

    Jobs.__call__ = noted


@pytest.mark.slow
def test_four_processes_of_which_one_is_killed(tmp_path):
    here, sweep = tmp_path / "here", tmp_path / "here/outputs/s"
    others = [Running(here, MANY, note_trainings) for _ in range(3)]
    doomed = Running(here, MANY, functools.partial(note_trainings, killed_at=7))
    processes = [*others, doomed]
    while any(one.process.exitcode is None for one in processes):
        for path in sweep.glob("*/record.json"):
            assert json.loads(path.read_text())["state"] in ("completed", "diverged")
        processes[0].process.join(0.05)
        processes = processes[1:] + processes[:1]
    ends = [one.end() for one in others]
    assert [end.code for end in ends] == [0, 0, 0], "\n".join(end.text for end in ends)
    trained = [line.split() for line in (here / "trained.txt").read_text().splitlines()]
    by_the_doomed = [cell for cell, pid in trained if int(pid) == doomed.process.pid]
    times = Counter(cell for cell, _ in trained)
    if doomed.process.exitcode == -signal.SIGKILL:
        assert times.pop(by_the_doomed[-1]) == 2
    assert set(times.values()) == {1}
    assert len(records(sweep)) == 12
    assert leftovers(sweep) == []
    rows = (sweep / "results.csv").read_text().splitlines()
    assert len(rows) == 13
    again = command(here, *MANY, fault=note_trainings)
    assert again.code == 0
    assert len((here / "trained.txt").read_text().splitlines()) == len(trained)


def test_a_second_grid_in_the_same_sweep(tmp_path, undisturbed):
    here = tmp_path / "here"
    first = Running(here, GRID, note_trainings)
    second = Running(here, [*GRID, "seed=0,1"], note_trainings)
    assert [first.end().code, second.end().code] == [0, 0]
    trained = [line.split()[0] for line in (here / "trained.txt").read_text().splitlines()]
    assert len(trained) == len(set(trained)) == 6
    frozen = json.loads((here / "outputs/s/sweep.json").read_text())["cells"]
    assert len(frozen) == 6
