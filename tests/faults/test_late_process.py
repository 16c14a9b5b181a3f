"""A suspended process whose cells were taken over writes nothing after it resumes."""

from __future__ import annotations

import functools
import os
import signal
import time
from pathlib import Path

import pytest
from fault_child import GRID, Running, command
from sweep_contents import curves, finals, leftovers, records


def elsewhere(host: str, freeze_at: int | None = None) -> None:
    """Set the host name of this process, and optionally suspend it before a checkpoint."""
    from gansweep.sweep import cell_lock, process, sweep
    from gansweep.training import checkpoint

    process._host = lambda: host
    cell_lock.HEARTBEAT_S, cell_lock.STALE_S, sweep.WAIT_S = 0.1, 1.0, 0.05
    save, saved = checkpoint.save, []

    def freezing(*arguments):
        saved.append(1)
        if len(saved) == freeze_at:
            Path("frozen").touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        return save(*arguments)

    checkpoint.save = freezing


@pytest.mark.parametrize("pack", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_late_process_writes_nothing(tmp_path, undisturbed, pack):
    here, sweep = tmp_path / "here", tmp_path / "here/outputs/s"
    late = Running(here, (*GRID, f"pack={pack}"), functools.partial(elsewhere, "late", 2))
    until = time.monotonic() + 60
    while not (here / "frozen").exists() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.1)
    ended = command(here, *GRID, fault=functools.partial(elsewhere, "early"))
    assert ended.code == 0, ended.text
    before = contents(sweep)
    os.kill(late.process.pid, signal.SIGCONT)
    woken = late.end()
    assert woken.code == 0, woken.text
    assert "was taken over by another process" in woken.text
    assert contents(sweep) == before
    assert records(sweep) == records(undisturbed[0])
    assert finals(sweep) == finals(undisturbed[0])
    assert curves(sweep) == curves(undisturbed[0])
    assert leftovers(sweep) == []


def contents(sweep: Path) -> dict[str, bytes]:
    """Return all files of the cells except logs, to which the late process may append a line."""
    return {
        str(path): path.read_bytes()
        for path in sorted(sweep.glob("*/**/*"))
        if path.is_file() and path.name != "gansweep.log"
    }
