"""Mistake: workers that wait for threads of torch which did not come along when they were forked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gansweep.sweep import worker_pool

PATIENCE_S = 60
# Two threads of the parent have worked already when the workers are made.
SWEEP = """
import io, sys
from pathlib import Path
import torch
from fake_cells import cell, record, write
from gansweep.sweep.one_by_one import one_by_one
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


@pytest.mark.skipif(not worker_pool.possible(), reason="processes can't be forked here")
def test_workers_do_not_wait_for_threads_of_their_parent(tmp_path):
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
        for claim in tmp_path.glob("*/.claim.*"):  # the workers wait for ever
            os.kill(json.loads(claim.read_text())["pid"], signal.SIGKILL)
        child.wait()
        pytest.fail("the workers hang")
    assert out == "0 [1, 1] 2\n"
