"""Stopping and continuing, and members that end while others go on, on the pretended device."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.config.test_every_choice_trains import MLP, SMALL
from tests.rehearsal.algorithms import ALGORITHMS, CFG, COOPNETS
from tests.rehearsal.pretended import PretendedDevice
from tests.rehearsal.rehearsal import FEW_SAMPLES, parameters, run_on

from gansweep.training.session import TrainingSession
from gansweep.training.trainer import Interrupted, train, train_together

pytestmark = pytest.mark.rehearsal
ADDED = ("optimizer of a package", "soap", "lazy penalty", "clipping", "diffaugment", "modules, lazy")


@pytest.mark.parametrize(
    "settings",
    [
        MLP,
        [*MLP, "precision=bf16", "trainer.ema=0.9"],
        ["model=dcgan", *SMALL["dcgan"]],
        [*MLP, "loss=wgan_gp", "optimizer=prodigy"],
        [*MLP, "trainer.diagnose_every=2"],
        [*MLP, "feedback=plateau", *FEW_SAMPLES],
        CFG,
        [*CFG, "algorithm.pool=true", "algorithm.guard.enabled=true"],
        COOPNETS,
        *(ALGORITHMS[name] for name in ADDED),
    ],
    ids=["mlp", "bf16", "dcgan", "prodigy", "diagnosis", "plateau", "cfg", "cfg pool", "coopnets", *ADDED],
)
@pytest.mark.parametrize("stop_at", [1, 4])
def test_a_continued_run_is_the_same(settings, stop_at, tmp_path):
    with PretendedDevice():
        whole = train(run_on("cuda", *settings, steps=7), tmp_path / "whole")
        stops = iter([False] * (stop_at - 1) + [True] * 9)
        with pytest.raises(Interrupted):
            train(run_on("cuda", *settings, steps=7), tmp_path / "cut", stop=lambda: next(stops))
        steps = []
        cut = train(run_on("cuda", *settings, steps=7), tmp_path / "cut", stop=lambda: bool(steps.append(1)))
    assert len(steps) == 7 - stop_at
    assert cut["state"] == whole["state"] == "completed"
    after = parameters(tmp_path / "cut")
    assert all(torch.equal(theta, after[player]) for player, theta in parameters(tmp_path / "whole").items())


def test_members_end_and_others_take_their_places(tmp_path):
    waiting, records = list(range(4)), {}

    def seed_of(seed: int):
        run = run_on("cuda", *MLP, *FEW_SAMPLES, steps=3 + 2 * seed)
        player = replace(run.member.generator, lr=1e30 if seed == 1 else run.member.generator.lr)
        return replace(run, member=replace(run.member, seed=seed, generator=player, discriminator=player))

    def refill(free: int):
        seeds, waiting[:] = waiting[:free], waiting[free:]
        return [TrainingSession(seed_of(seed), tmp_path / f"{seed}") for seed in seeds]

    def ended(session) -> None:
        assert session.error is None
        records[int(session.directory.name)] = session.finalize()

    with PretendedDevice():
        train_together(refill(2), refill=refill, ended=ended)
    assert {seed: record["state"] for seed, record in records.items()} == {
        0: "completed", 1: "diverged", 2: "completed", 3: "completed",
    }  # fmt: skip
