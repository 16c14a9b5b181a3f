"""A sweep killed at any moment and started again has the results of an undisturbed one."""

from __future__ import annotations

import functools
import os
import random
import signal
import time

import pytest
from fault_child import GRID, LIMIT_S, command
from moments import kill_at
from sweep_contents import curves, finals, leftovers, records, rows

from gansweep.sweep import cell_lock

FAST, ALL = 1, 100


@pytest.mark.parametrize("number", [pytest.param(n, marks=pytest.mark.slow if n >= FAST else []) for n in range(ALL)])
def test_a_sweep_killed_several_times_has_the_same_results(tmp_path, undisturbed, number):
    expected, moments = undisturbed
    draw = random.Random(number)
    packs = f"pack={draw.choice([1, 3])}"  # results do not depend on the pack
    for _ in range(2):
        kind = draw.choice(["calls", "files"])
        at = draw.randrange(1, getattr(moments, kind))
        killed = command(tmp_path / "here", *GRID, packs, fault=functools.partial(kill_at, kind, at))
        # After the first kill a worker trains; the fault kills it and its replacements, until its cell fails.
        assert killed.code in (-signal.SIGKILL, 0, 1), killed.text
    ended = command(tmp_path / "here", *GRID)
    sweep = tmp_path / "here/outputs/s"
    assert ended.code == 0, ended.text
    assert records(sweep) == records(expected)
    assert finals(sweep) == finals(expected)
    assert rows(sweep) == rows(expected)
    assert curves(sweep) == curves(expected)
    assert leftovers(sweep) == []


def test_the_first_command_is_killed(tmp_path, undisturbed):
    _, moments = undisturbed
    for kind in ("calls", "files"):
        middle = getattr(moments, kind) // 2
        killed = command(tmp_path / kind, *GRID, fault=functools.partial(kill_at, kind, middle))
        assert killed.code == -signal.SIGKILL
        assert 0 < len(records(tmp_path / kind / "outputs/s")) < len(records(undisturbed[0]))


def kill_workers_and_then(step: int, parent_too: bool) -> None:
    """Kill every worker in a step, or their parent before that."""
    from gansweep.sweep.worker import PipeProgress

    shown = PipeProgress.step

    def killed(self, name, at, total_steps, text=""):
        shown(self, name, at, total_steps, text)
        if at == step:
            os.kill(os.getppid() if parent_too else os.getpid(), signal.SIGKILL)

    PipeProgress.step = killed


@pytest.mark.parametrize("parent_too", [pytest.param(False, marks=pytest.mark.slow), True])
def test_killed_workers_or_parent(tmp_path, undisturbed, parent_too):
    expected, _ = undisturbed
    line = (*GRID, "workers=2")
    killed = command(tmp_path / "here", *line, fault=functools.partial(kill_workers_and_then, 7, parent_too))
    if parent_too:
        assert killed.code == -signal.SIGKILL, killed.text
    else:
        assert killed.code == 1
        assert "died twice (killed by signal 9)" in killed.text
    sweep = tmp_path / "here/outputs/s"
    assert sum('"failed"' not in text for text in records(sweep).values()) < 3
    ended = command(tmp_path / "here", *line)
    assert ended.code == 0, ended.text
    assert records(sweep) == records(expected)
    assert finals(sweep) == finals(expected)
    assert curves(sweep) == curves(expected)


def test_workers_end_when_their_parent_is_killed(tmp_path):
    here = tmp_path / "here"
    long = ("lr=1e-3,1e-2", "name=s", "workers=2", "steps=10000000", "trainer.checkpoint_every=50")
    killed = command(here, *long, fault=functools.partial(kill_workers_and_then, 60, True))
    assert killed.code == -signal.SIGKILL, killed.text
    cells = [path.parent for path in here.glob("outputs/s/*/checkpoint.pt")]
    assert cells
    until = time.monotonic() + LIMIT_S
    while any(owners := [owner for cell in cells if (owner := cell_lock.holder(cell))]) and time.monotonic() < until:
        time.sleep(0.05)
    for owner in owners:
        os.kill(int(owner["pid"]), signal.SIGKILL)
    assert owners == [], "the workers were still training"
