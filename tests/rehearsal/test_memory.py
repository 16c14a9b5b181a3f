"""Memory of packs on the pretended device, in bytes of live tensors."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest
import torch
from tests.config.test_every_choice_trains import MLP
from tests.rehearsal.algorithms import ALGORITHMS
from tests.rehearsal.device_memory import MEMORY
from tests.rehearsal.pretended import PretendedDevice
from tests.rehearsal.rehearsal import FEW_SAMPLES, run_on

from gansweep.training import pack_size, trainer
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import Interrupted, pack_of, train, train_together

pytestmark = pytest.mark.rehearsal
WIDE = ["model.generator_widths=[64,256]", "model.discriminator_widths=[256,64]", "trainer.sample_every=99"]
BUDGET = 1.25  # peak as a multiple of a pack's own peak; packs are as large as 0.8 of the memory


@pytest.fixture
def freed_at_once():
    """Let no other thread free memory, nor the garbage collector of cycles, at a time that can't be predicted.

    Autograd's thread of a device holds the gradients of a backward pass until it gets Python's GIL, which it needs for
    tensors of the pretended device only.
    """
    gc.collect()
    gc.disable()
    with torch.autograd.set_multithreading_enabled(False):
        yield
    gc.enable()


def members(run, count, **changes):
    return [replace(run, member=replace(run.member, seed=seed, **changes)) for seed in range(count)]


@pytest.mark.parametrize("batch_size", [1, 16, 256])
def test_the_next_pack_replaces_the_one_before(batch_size, tmp_path, monkeypatch, freed_at_once):
    peaks = []
    create = trainer.pack_of

    def create_pack(runs):
        peaks.append(MEMORY.peak)
        return create(runs)

    with PretendedDevice():
        runs = members(run_on("cuda", *WIDE, f"batch_size={batch_size}", steps=9), 8)
        runs[0] = replace(runs[0], member=replace(runs[0].member, steps=4))
        sessions = [TrainingSession(run, tmp_path / f"{n}") for n, run in enumerate(runs)]
        before = MEMORY.live
        monkeypatch.setattr(trainer, "pack_of", create_pack)
        MEMORY.peak = MEMORY.live
        train_together(sessions)
    first, whole = peaks[1] - before, MEMORY.peak - before
    assert len(peaks) == 2
    assert whole <= BUDGET * first


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_released_pack_is_freed(name, freed_at_once):
    with PretendedDevice():
        runs = members(run_on("cuda", *ALGORITHMS[name], steps=6), 2)
        pack_of(runs).release()  # the data stay on the device
        before = MEMORY.live
        pack = pack_of(runs)
        live = [MEMORY.live for _ in pack.steps()]
        assert live[-1] == live[-2] > before, "a step keeps tensors"
        pack.release()
        assert MEMORY.live == before


@pytest.mark.parametrize("settings", [[], ["trainer.diagnose_every=2", "trainer.ema=0.9", "metric@metric_2=coverage"]])
def test_a_finished_training_and_a_resumed_one_are_freed(settings, tmp_path, freed_at_once):
    further = ["metric_2.num_samples=100"] if settings else []
    run = run_on("cuda", *MLP, *FEW_SAMPLES, *settings, *further, "trainer.checkpoint_every=2", steps=5)
    stops = iter([False] * 2 + [True])
    with PretendedDevice():
        train(run_on("cuda", *MLP, *FEW_SAMPLES, *settings, *further, steps=1), tmp_path / "warm")
        before = MEMORY.live
        with pytest.raises(Interrupted):
            train(run, tmp_path / "run", stop=lambda: next(stops))
        assert MEMORY.live == before
        session = TrainingSession(run, tmp_path / "run")
        assert session.step == 3
        assert MEMORY.live - before < 1 << 16, "the pack of the check for resumption is still in memory"
        train_together([session])
        del session
        assert MEMORY.live == before


CHEAP = ["loss=hinge", "optimizer=sgd"]
EXPENSIVE = ["loss=r1_r2", "optimizer=adam", "trainer.ema=0.9"]
FREE = 1 << 30


def measured_each(kinds, monkeypatch):
    """Return the memory of a member by which the size of a pack is chosen."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (FREE, FREE))
    return pack_size.MEMORY_USED * FREE / pack_size._that_fit(kinds, torch.device("pretended:0"))


def actual_each(run):
    """Return the memory of a further member, from packs of 2 and 6."""
    few, many = (pack_size._peak_bytes(members(run, count), torch.device("pretended:0")) for count in (2, 6))
    return (many - few) / 4


def test_measured_memory_of_a_member(monkeypatch, freed_at_once):
    with PretendedDevice():
        run = run_on("cuda", *WIDE, steps=12)
        assert measured_each([run], monkeypatch) == pytest.approx(actual_each(run), rel=0.15)


@pytest.mark.parametrize("expensive_at", [0, 1, 2])
def test_the_most_expensive_kind_is_measured(expensive_at, monkeypatch, freed_at_once):
    with PretendedDevice():
        expensive, cheap = (run_on("cuda", *WIDE, *kind, steps=12) for kind in (EXPENSIVE, CHEAP))
        kinds = [cheap, cheap]
        kinds.insert(expensive_at, expensive)
        assert actual_each(expensive) > 1.5 * actual_each(cheap)
        assert measured_each(kinds, monkeypatch) == pytest.approx(actual_each(expensive), rel=0.15)


def test_a_pack_in_memory_is_not_counted(monkeypatch, freed_at_once):
    with PretendedDevice():
        run = run_on("cuda", *WIDE, steps=12)
        alone = measured_each([run], monkeypatch)
        other = pack_of(members(run, 3))
        assert measured_each([run], monkeypatch) == alone
        other.release()


def test_compiled_packs_are_measured_compiled(monkeypatch):
    compiled = []
    train_briefly = pack_size._train_briefly

    def spy(runs, stop):
        compiled.append((runs[0].trainer.compile, len(runs)))
        return train_briefly([pack_size._uncompiled(run) for run in runs], stop)

    monkeypatch.setattr(pack_size, "_train_briefly", spy)
    with PretendedDevice():
        kinds = [run_on("cuda", *WIDE, "trainer.compile=true", f"loss={loss}", steps=12) for loss in ("hinge", "r1")]
        measured_each(kinds, monkeypatch)
    assert compiled == [(False, 1), (False, 1), (True, 1), (True, 2)]
