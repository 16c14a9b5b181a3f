"""Memory of packs on the pretended device, in bytes of live tensors."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest
from tests.rehearsal.algorithms import ALGORITHMS
from tests.rehearsal.pretended import MEMORY, PretendedDevice
from tests.rehearsal.rehearsal import run_on

from gansweep.training import trainer
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import pack_of, train_together

pytestmark = pytest.mark.rehearsal
WIDE = ["model.generator_widths=[64,256]", "model.discriminator_widths=[256,64]", "trainer.sample_every=99"]
BUDGET = 1.25  # peak as a multiple of a pack's own peak; packs are as large as 0.8 of the memory


@pytest.fixture
def no_gc():
    """Disable the garbage collector of cycles, whose next run can't be predicted."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def members(run, count, **changes):
    return [replace(run, member=replace(run.member, seed=seed, **changes)) for seed in range(count)]


@pytest.mark.parametrize("batch_size", [1, 16, 256])
def test_the_next_pack_replaces_the_one_before(batch_size, tmp_path, monkeypatch, no_gc):
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
    print("RATIO", first, whole / first)
    assert whole <= BUDGET * first


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_released_pack_is_freed(name, no_gc):
    with PretendedDevice():
        runs = members(run_on("cuda", *ALGORITHMS[name], steps=4), 2)
        runs[0].data.samples  # noqa: B018  read from disk once
        before = MEMORY.live
        pack = pack_of(runs)
        assert sum(1 for _ in pack.steps()) == 4
        assert MEMORY.live > before
        pack.release()
        assert MEMORY.live == before
