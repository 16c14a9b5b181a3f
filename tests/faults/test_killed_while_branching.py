"""A process that is killed while it trains a trunk or begins a branch, and two processes with the same branches."""

from __future__ import annotations

import functools
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from fault_child import Running, command
from sweep_contents import curves, finals, leftovers
from test_killed_while_continuing import kill_at_call

STEPS = 60
LINE = ("schedule=wsd", "schedule.warmup=0", "schedule.cooldown=12,24,36", f"steps={STEPS}", "name=s")
LINE += ("trainer.eval_every=15", "trainer.checkpoint_every=10", "trainer.keep=best", "trainer.tensorboard=true")
STEP = "gansweep.training.session.TrainingSession.record_step"
MOMENTS = {
    "trunk before the first branch point": ((STEP, 18), {"24": 10, "36": 10}),
    "trunk between the branch points": ((STEP, 33), {"24": 30, "36": 25}),
    "trunk after the last branch point": ((STEP, 55), {"24": 37, "36": 25}),
    "second branch": ((STEP, STEPS + STEPS - 37 + 15), {"24": 37, "36": 25}),
    "branch point not complete": (("gansweep.training.branch_point.copy_outputs", 2), {"24": 30, "36": 25}),
    "branch point, no checkpoint after": (("gansweep.training.session.TrainingSession.save", 3), {"24": 20, "36": 20}),
    "branch begins": (("gansweep.training.session.check_resumable", 1), {"24": 37, "36": 25}),
}  # a call, and the steps at which the cells begin that are trained after it, by cooldown


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The sweep without branches."""
    here = tmp_path_factory.mktemp("straight") / "here"
    assert command(here, *LINE, "branch=off").code == 0
    return here / "outputs/s"


FAST = ("trunk between the branch points", "branch point not complete")


@pytest.mark.parametrize("moment", [pytest.param(m, marks=() if m in FAST else pytest.mark.slow) for m in MOMENTS])
def test_killed_and_typed_again(tmp_path, expected, moment):
    here = tmp_path / "here"
    call, branches = MOMENTS[moment]
    killed = command(here, *LINE, fault=functools.partial(kill_at_call, *call))
    assert killed.code == -signal.SIGKILL, killed.text
    ended = command(here, *LINE)
    assert ended.code == 0, ended.text
    check(here / "outputs/s", expected, branches)


def test_two_processes(tmp_path, expected):
    here = tmp_path / "here"
    both = [Running(here, LINE) for _ in range(2)]
    assert [one.end().code for one in both] == [0, 0]
    check(here / "outputs/s", expected, None)  # which of the branches are continued depends on the order of the claims


def test_a_worker_dies_in_the_trunk(tmp_path, expected):
    """The cells that wait for it are trained from its last checkpoint by the other workers."""
    here = tmp_path / "here"
    ended = command(here, *LINE, "workers=2", fault=kill_worker_in_the_trunk)
    assert ended.code == 0, ended.text
    assert "A worker died" in ended.text
    check(here / "outputs/s", expected, None)


def kill_worker_in_the_trunk() -> None:
    """Kill the first process that reaches step 15 of the trunk."""
    from gansweep.training.session import TrainingSession

    original, mark = TrainingSession.record_step, Path("killed").absolute()

    def record_step(self: TrainingSession, report: Any) -> None:
        original(self, report)
        if self.step == 15 and "cooldown=12" in self.directory.name and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    TrainingSession.record_step = record_step


def numbers(sweep):
    records = {path.parent.name: json.loads(path.read_text()) for path in sweep.glob("*/record.json")}
    keys = ("cell", "metric", "steps", "state", "identity", "checkpoint")
    return {name: {key: record[key] for key in keys} for name, record in records.items()}


def check(sweep, expected, branches):
    """Compare with the sweep without branches; `branches` are the expected steps at which cells begin, by cooldown."""
    assert numbers(sweep) == numbers(expected)
    assert finals(sweep) == finals(expected)
    assert curves(sweep) == curves(expected)
    for cell in expected.glob("*/weights"):
        assert {p.name for p in (sweep / cell.parent.name / "weights").iterdir()} == {p.name for p in cell.iterdir()}
    records = [json.loads(path.read_text()) for path in sweep.glob("*/record.json")]
    continued = {
        f"{r['config']['schedule']['cooldown']:g}": r["continued"]["step"] for r in records if "continued" in r
    }
    assert branches is None or continued == branches
    assert leftovers(sweep) == list(sweep.glob("*/branch_*")) == []
