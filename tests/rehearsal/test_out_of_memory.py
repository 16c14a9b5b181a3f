"""Packs that run out of memory on the pretended device are halved and continue from their checkpoints."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import torch
from tests.config.test_every_choice_trains import MLP
from tests.rehearsal.pretended import PretendedDevice
from tests.rehearsal.rehearsal import FEW_SAMPLES, run_on
from tests.sweep.fake_cells import cell

from gansweep.batched.pack import Pack
from gansweep.sweep.pack_executor import in_packs
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep
from gansweep.training.session import TrainingSession

pytestmark = pytest.mark.rehearsal
SETTINGS = [*MLP, *FEW_SAMPLES, "trainer.checkpoint_every=2", "trainer.diagnose_every=2"]


def test_a_pack_that_runs_out_of_memory_in_an_evaluation_is_halved(tmp_path, monkeypatch):
    generate, resumed = Pack.generate, []

    def limited(self, *arguments):
        if len(self.members) > 2 and self.done[0] == 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(self, *arguments)

    def open_session(of, callback):
        run = run_on("cuda", *SETTINGS, steps=6)
        run = replace(run, member=replace(run.member, seed=of.config["seed"]))
        session = TrainingSession(run, of.directory, callback, guard=callback.guard)
        resumed.append(session.step)
        return session

    cells = [cell(tmp_path, seed=seed) for seed in range(4)]
    monkeypatch.setattr(Pack, "generate", limited)
    with PretendedDevice():
        outcome = Sweep(tmp_path, cells).run(in_packs(open_session, 4), progress=Progress(0, io.StringIO()))
    assert [record["state"] for record in outcome.records.values()] == ["completed"] * 4
    assert resumed == [0] * 4 + [2] * 4
