"""Packs on a GPU, where results agree to a tolerance."""

from __future__ import annotations

import pytest
import torch
from tests.batched.test_independence import CAST, train
from tests.training.small import Shapes, make_run, member, small_mlp
from tests.training.test_trainer import CAST as RUNS

from gansweep import device as devices
from gansweep.models.dcgan import DCGAN
from gansweep.training import pack_size
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import Interrupted, train_together
from gansweep.training.trainer import train as train_run

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device"),
]
# Kernels are chosen by the number of members, and rounding grows from step to step.
TOLERANCE = {1: 1e-5, 8: 1e-3}


def distance(pack, k, alone):
    """Return the relative distance between a member's parameters and those of its solo run."""
    one, other = pack.export(k), alone.export(0)
    return max(
        float((one[player]["theta"] - other[player]["theta"]).norm() / other[player]["theta"].norm())
        for player in ("generator", "discriminator")
    )


@pytest.mark.parametrize("steps", [1, 8])
def test_members_are_close_to_solo_runs(steps):
    model, samples = small_mlp(), Shapes().samples.cuda()
    pack = train(CAST, model, samples, steps=steps)
    for k, one in enumerate(CAST):
        assert distance(pack, k, train([one], model, samples, steps=steps)) < TOLERANCE[steps], k


def test_convolutions_and_batch_norm():
    model = DCGAN(latent_dim=6, base_width=8)
    samples = (torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1).cuda()
    pack = train(CAST[:3], model, samples, steps=1, batch_size=6)
    for k in range(3):
        assert distance(pack, k, train([CAST[k]], model, samples, steps=1, batch_size=6)) < 1e-4


@pytest.mark.slow
def test_compiled_members_are_close_to_uncompiled_ones():
    model, samples = small_mlp(dropout=0.0), Shapes().samples.cuda()
    compiled = train(CAST[:4], model, samples, steps=1, compiled=True)
    eager = train(CAST[:4], model, samples, steps=1)
    for name in ("generator", "discriminator"):
        for k in range(4):
            one, other = compiled.export(k)[name]["theta"], eager.export(k)[name]["theta"]
            assert float((one - other).norm() / other.norm()) < TOLERANCE[1]


def on_gpu(run):
    from dataclasses import replace

    return replace(run, device="cuda")


def test_finished_members_are_replaced(tmp_path):
    names, records = list(RUNS), {}

    def take(free):
        taken, names[:] = names[:free], names[free:]
        return [TrainingSession(on_gpu(RUNS[name]), tmp_path / name) for name in taken]

    def ended(session):
        assert session.error is None
        records[session.directory.name] = session.finalize()

    train_together(take(2), refill=take, ended=ended)
    assert {name: record["state"] for name, record in records.items()} == {
        name: "diverged" if name == "diverging" else "completed" for name in RUNS
    }
    assert {record["device"]["type"] for record in records.values()} == {devices.resolve("cuda").type}


def test_stopped_and_continued(tmp_path):
    run, asked = on_gpu(RUNS["plain"]), iter([False] * 5 + [True] * 9)
    whole = train_run(run, tmp_path / "whole")
    with pytest.raises(Interrupted):
        train_run(run, tmp_path / "cut", stop=lambda: next(asked))
    cut = train_run(run, tmp_path / "cut")
    assert cut["metric"]["final"] == pytest.approx(whole["metric"]["final"], rel=1e-3)


def test_the_pack_size_is_limited_by_memory(monkeypatch):
    runs = [on_gpu(make_run(one=member(seed), tensorboard=False)) for seed in range(2)]
    assert pack_size.best_size(runs, 50).size == 50
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1, 1))
    assert pack_size.best_size(runs, 50).size == 1
