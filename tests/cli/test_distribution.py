"""The files of a multirun do not depend on the distribution over processes and packs."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import time
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tests.cli.tiny import TINY

from gansweep.forking import can_fork
from gansweep.training.interruption import Stop
from gansweep.training.session import TrainingSession

HOW = ("workers", "pack")
SETTINGS = [one for one in TINY if one.partition("=")[0] not in ("~metric", "steps", "trainer.tensorboard", *HOW)] + [
    "data=ring",
    "metric=wasserstein1",
    "metric.num_samples=32",
    "trainer.eval_every=3",
    "trainer.log_every=2",
    "trainer.sample_every=4",
    "trainer.check_every=2",
]
# Two that diverge, two that end earlier, two optimizers of which one is torch's.
GRID = ["-m", "optimizer=sgd,adagrad", "lr=1e-3,1e30", "steps=4,7"]


BY_THE_CLOCK = ("started", "wall_s", "eval_s", "trained_s", "trained_at")


def plain(value):
    """Convert tensors to comparable values, including NaN."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.numpy().tobytes()
    return value


def record(path: Path):
    found = json.loads(path.read_text())
    del found["time"], found["pack"], found["sha256"]
    return found | {"config": {key: value for key, value in found["config"].items() if key not in HOW}}


def checkpoint(path: Path):
    found = torch.load(path, weights_only=True)
    found["sha256"] = {key: value for key, value in found["sha256"].items() if key not in BY_THE_CLOCK}
    return plain({key: value for key, value in found.items() if key not in BY_THE_CLOCK})


def events(path: Path):
    found = []
    for raw in RawEventFileLoader(str(path)).Load():
        event = Event.FromString(raw)
        for value in event.summary.value:
            known = hparams(value) if value.tag.startswith("_hparams_/") else value.SerializeToString()
            found.append((event.step, value.tag, known))
    return found


def hparams(value):
    """Return a row of HPARAMS with the end state of its run; the order of its columns is arbitrary."""
    data = HParamsPluginData.FromString(value.metadata.plugin_data.content)
    return {key: str(one) for key, one in data.session_start_info.hparams.items()}, data.session_end_info.status


def messages(path: Path):
    return [re.sub(r"^\[[^]]*\]", "", line) for line in path.read_text().splitlines()]


def settings(path: Path):
    found = OmegaConf.to_container(OmegaConf.load(path))
    if isinstance(found, list):
        return [line for line in found if line.partition("=")[0] not in HOW]
    return {key: value for key, value in found.items() if key not in HOW}


def left(sweep: Path):
    """Return the contents of the files of a sweep, without times and distribution."""
    read = {
        ".json": record,
        ".pt": checkpoint,
        ".log": messages,
        ".png": Path.read_bytes,
        ".npz": Path.read_bytes,
        ".yaml": settings,
    }
    found = {}
    for path in sorted(sweep.glob("*/**/*")):
        name = path.relative_to(sweep).as_posix()
        if "tfevents" in name:
            found[f"{path.parent.name}/events"] = events(path)
        elif path.name == "hydra.yaml":  # holds the name of the sweep's directory
            found[name] = None
        elif path.is_file():
            found[name] = read[path.suffix](path)
    return found


def test_packs_workers_and_hydras_own_launcher_leave_the_same_files(gansweep):
    def train(name, *how):
        line = (*SETTINGS, *GRID, f"hydra.sweep.dir={name}", "fresh=true", *how)  # not from another folder
        assert gansweep(*line).code == 0
        return left(gansweep.folder / name)

    alone = train("alone", "pack=1", "workers=1")
    states = [found["state"] for name, found in alone.items() if name.endswith("record.json")]
    assert sorted(states) == ["completed"] * 4 + ["diverged"] * 4
    assert len(alone) > 8 * 8
    ways = {
        "packed": ["pack=4", "workers=1"],
        "spread": ["pack=1", "workers=2", "hydra/launcher=fused"],
        "hydras": ["hydra/launcher=basic"],
    }
    for name, how in ways.items():
        others = train(name, *how)
        assert others.keys() == alone.keys(), name
        for file, content in alone.items():
            assert others[file] == content, (name, file)


def test_how_many_were_together_is_in_the_record(gansweep):
    assert gansweep.tiny("-m", "seed=0,1,2,3", "name=few", "pack=3").code == 0
    packs = [found["pack"] for found in gansweep.records("few").values()]
    assert [pack["members"] for pack in packs] == [3, 3, 3, 1]
    assert packs[0]["workers"] == 1


def test_the_size_of_a_pack_is_measured_and_recorded(gansweep, monkeypatch):
    monkeypatch.setattr("gansweep.training.pack_size._seconds_per_step", lambda runs, stop: 1.0)  # packs cost no time
    assert gansweep.tiny("-m", "seed=0,1,2", "name=auto", "pack=auto").code == 0
    packs = [found["pack"] for found in gansweep.records("auto").values()]
    assert packs == [{"members": 3, "workers": 1, "alone_ms": 1000.0, "together_ms": 333.333}] * 3


def test_a_cell_that_can_not_be_measured_fails_when_it_is_trained(gansweep, monkeypatch):
    from gansweep.cli import distribution, job

    def first_is_broken(cell):
        if cell.config["seed"] == 0:
            raise RuntimeError("can't be made")
        return made(cell)

    made = job.run_of
    for module in (distribution, job):
        monkeypatch.setattr(module, "run_of", first_is_broken)
    answer = gansweep.tiny("-m", "seed=0,1", "name=broken", "pack=auto")
    assert answer.code == 1
    assert [found["state"] for found in gansweep.records("broken").values()] == ["failed", "completed"]
    why = "cells are trained one at a time (pack=1): RuntimeError: can't be made"
    assert answer.err.count(f"The pack size could not be measured; {why}") == 1


def test_on_a_gpu_one_cell_of_each_kind_is_measured(gansweep, monkeypatch):
    from gansweep.training.pack_size import Choice

    def best_size(runs, num_cells, stop):
        measured.append([(type(run.member.generator.rule).__name__, run.member.ema) for run in runs])
        return Choice(num_cells)

    measured = []
    monkeypatch.setattr("gansweep.device.num_gpus", lambda device: 1)
    monkeypatch.setattr("gansweep.training.pack_size.best_size", best_size)
    line = ["-m", "seed=0,1", "optimizer=sgd,adam", "trainer.ema=null,0.9", "lr=1e-3,1e-4", "name=kinds", "pack=auto"]
    assert gansweep.tiny(*line).code == 0
    assert len(measured) == 1
    assert sorted(measured[0], key=str) == [("Adam", 0.9), ("Adam", None), ("SGD", 0.9), ("SGD", None)]


@pytest.mark.parametrize("workers", [1, 2])
def test_another_sweeper_gets_results_of_packs(gansweep, workers):
    """Which of two workers trains a cell, and whether its pack is full, varies."""
    line = ["hydra/sweeper=basic", "hydra/launcher=fused", f"workers={workers}", "pack=2", "name=batches"]
    answer = gansweep.tiny("-m", "seed=0,1,2,3", *line, "hydra.sweeper.max_batch_size=4")
    assert answer.code == 0
    assert answer.out.count("Command:") == 1
    records = gansweep.records("batches").values()
    assert [found["state"] for found in records] == ["completed"] * 4
    assert {found["pack"]["members"] for found in records} <= ({2} if workers == 1 else {1, 2})


@pytest.mark.skipif(not can_fork(), reason="processes can't be forked here")
def test_ctrl_c_saves_in_every_worker_and_another_pack_size_continues(gansweep, monkeypatch):
    grid, interrupted, note = ["-m", "seed=0,1,2,3,4", "steps=6"], [], TrainingSession.write_outputs
    both = multiprocessing.get_context("fork").Barrier(2)

    def request(self):
        interrupted.append(True)
        self.requested = True

    def note_and_press(self):
        """In its third step every worker waits for Ctrl-C, which one of them sends."""
        note(self)
        if self.step == 3 and not interrupted:
            if both.wait(60) == 0:
                os.kill(os.getppid(), signal.SIGINT)
            end = time.monotonic() + 60
            while not interrupted and time.monotonic() < end:
                time.sleep(0.005)

    assert gansweep.tiny(*grid, "name=whole").code == 0
    with monkeypatch.context() as patch:
        patch.setattr(Stop, "request", request)
        patch.setattr(TrainingSession, "write_outputs", note_and_press)
        answer = gansweep.tiny(*grid, "name=cut", "pack=2", "workers=2")
    assert answer.code == 130
    assert "To continue:" in answer.out
    assert gansweep.records("cut") == {}
    cut = gansweep.folder / "outputs" / "cut"
    assert len(list(cut.glob("*/checkpoint.pt"))) == 4

    assert gansweep.tiny(*grid, "name=cut", "pack=3", "workers=1").code == 0
    logs = [path.read_text() for path in sorted(cut.glob("*/gansweep.log"))]
    assert sum("continuing from step 4 of 6" in log for log in logs) == 4
    ends = [
        {path.parent.name: checkpoint(path)["member"] for path in (gansweep.folder / "outputs" / name).glob("*/*.pt")}
        for name in ("whole", "cut")
    ]
    assert ends[0] == ends[1]
    assert len(ends[0]) == 5
