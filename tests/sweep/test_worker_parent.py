"""Workers and the process that started them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake_cells import record, write
from tests.sweep.pools import PATIENCE_S, Parent, cells, run


@pytest.mark.slow
def test_cells_are_trained_after_their_sweep_was_killed_several_times(tmp_path):
    those = cells(tmp_path, *"ab")
    for _ in range(4):
        assert os.WIFSIGNALED(Parent(those).end(signal.SIGKILL))
    assert run(those, lambda of, *more: write(of, record(of))).exit_code == 0


def test_workers_save_and_end_when_their_parent_is_killed(tmp_path):
    those = cells(tmp_path, *"ab")
    assert os.WIFSIGNALED(Parent(those).end(signal.SIGKILL))
    assert all((one.directory / "saved").exists() for one in those)


def test_ctrl_c_reaches_the_workers_through_their_parent(tmp_path):
    those = cells(tmp_path, *"abc")
    assert os.waitstatus_to_exitcode(Parent(those).end(signal.SIGINT)) == 130
    assert [(one.directory / "saved").exists() for one in those] == [True, True, False]
    released = [json.loads(path.read_text()) for one in those[:2] for path in one.directory.glob(".claim.*")]
    assert released == [{"released": True}] * 2


# Two threads of the parent have been used before the workers are forked.
SWEEP = """
import io, sys
from pathlib import Path
import torch
from fake_cells import cell, one_by_one, record, write
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep

def work():
    x = torch.linspace(0, 1, 1 << 20)
    return float((x.sin() + (x.view(1024, 1024) @ x.view(1024, 1024))[0, 0]).sum())

torch.set_num_threads(2)
work()
root = Path(sys.argv[1])
cells = [cell(root, optimizer=name) for name in "ab"]

def train(of, stop, progress):
    work()
    return write(of, record(of, device={"threads": torch.get_num_threads()}))

outcome = Sweep(root, cells).run(one_by_one(train), progress=Progress(2, io.StringIO()), workers=2)
print(outcome.exit_code, [found["device"]["threads"] for found in outcome.records.values()], torch.get_num_threads())
"""


def test_workers_do_not_wait_for_threads_of_the_parent(tmp_path):
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    child = subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        out, _ = child.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        for claim in tmp_path.glob("*/.claim.*"):  # the workers wait forever
            os.kill(json.loads(claim.read_text())["pid"], signal.SIGKILL)
        child.wait()
        pytest.fail("the workers did not end")
    assert out == "0 [1, 1] 2\n"
