"""A member of a CoopNets pack has the same bits alone, in any pack, in any row and after a restart."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.algorithms.small_coopnets import TINY, member, pack_of, patches, trained

from gansweep.algorithms.coopnets import CoopNets
from gansweep.models.coopnets import CoopNetsPair
from gansweep.optimizers.adam import Adam
from gansweep.training.run import Run, TrainerSettings
from gansweep.training.trainer import Interrupted, train, train_together


@pytest.fixture(autouse=True)
def one_thread():
    """More threads are not faster for small tensors, and slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


CAST = [
    member(1),
    member(2, lr=5e-3),
    member(3, rule=Adam(betas=(0.5, 0.9)), lr=1e-4, ema=0.9),
    member(1, lr=5e-5, steps=6),
]
WITH_ALL = CoopNets(langevin_steps=3, latent_steps=2, num_chains=5)


def assert_same(pack, k, alone):
    one, other = pack.export(k), alone.export(0)
    for player in ("generator", "discriminator"):
        assert torch.equal(one[player]["theta"], other[player]["theta"]), player
        for name, value in other[player]["state"].items():
            assert torch.equal(one[player]["state"][name], value), (player, name)
    assert pack.custom_scalars(k) == alone.custom_scalars(0)
    assert torch.equal(pack.generate(k, 9, "evaluation"), alone.generate(0, 9, "evaluation"))
    assert torch.equal(pack.pictures(k)["descriptor"], alone.pictures(0)["descriptor"])


def test_alone_and_in_company():
    cast = [replace(one, steps=4) for one in CAST]
    alone = [trained([one], WITH_ALL) for one in cast]
    for order in ([0, 1, 2, 3], [3, 2, 0]):
        pack = trained([cast[n] for n in order], WITH_ALL)
        for k, n in enumerate(order):
            assert_same(pack, k, alone[n])


def test_the_studys_shapes():
    model = CoopNetsPair(width=4)
    samples = patches(8, side=32)
    cast = [replace(one, steps=2) for one in CAST[:3]]
    pack = trained(cast, CoopNets(langevin_steps=2), model, samples)
    for k, one in enumerate(cast):
        assert_same(pack, k, trained([one], CoopNets(langevin_steps=2), model, samples))


def test_a_neighbour_that_runs_away_harms_nobody():
    bad = member(9, lr=1e30, lr_d=1e30)
    pack = trained([CAST[0], bad], WITH_ALL)
    assert [one is not None for one in (pack.monitor.read()[pack.place[k]] for k in range(2))] == [False, True]
    assert_same(pack, 0, trained([CAST[0]], WITH_ALL))


def test_random_numbers_are_each_members_own():
    pack, other = pack_of(CAST[:2]), pack_of(CAST[1:2])
    for n in range(3):
        pack.draws.begin([n, n], torch.tensor([n, n]))
        other.draws.begin([n], torch.tensor([n]))
        for name in ("latents", "langevin", "langevin", "langevin", "order"):
            assert torch.equal(pack.draws.next(name)[pack.place[1]], other.draws.next(name)[0])


class Data:
    name, sample_shape, content_hash = "patches", (3, 12, 12), "patches"
    samples = patches()

    def check(self):
        return None


def run(one=CAST[3], **changes):
    every = {"log_every": 2, "sample_every": 3, "checkpoint_every": 100, "check_every": 1, "tensorboard": False}
    return Run(
        one, TINY, Data(), None, 6, algorithm=WITH_ALL, trainer=TrainerSettings(**(every | changes)), device="cpu"
    )


def test_a_restart_goes_on_with_the_same_bits_and_the_same_numbers(tmp_path):
    whole = train(run(), tmp_path / "whole")
    seen = []
    with pytest.raises(Interrupted):
        train(run(), tmp_path / "parts", stop=lambda: seen.append(0) or len(seen) == 3)
    parts = train(run(), tmp_path / "parts")
    states = [torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["member"] for name in ("whole", "parts")]
    for player in ("generator", "discriminator"):
        assert torch.equal(*(state[player]["theta"] for state in states))
    assert [point["step"] for point in whole["curves"]] == [2, 4, 6]
    assert whole["curves"] == parts["curves"]


def test_members_of_other_lengths_keep_their_own_numbers(tmp_path):
    from gansweep.training.session import TrainingSession

    runs = [run(), run(replace(CAST[0], steps=3))]
    sessions = [TrainingSession(one, tmp_path / str(n)) for n, one in enumerate(runs)]
    records = []
    train_together(sessions, ended=lambda session: records.append(session.finalize()))
    assert records[1]["curves"] == train(run(), tmp_path / "alone")["curves"]
    assert [point["step"] for point in records[0]["curves"]] == [2, 3]


def test_the_descriptors_samples_are_shown_beside_the_generators(tmp_path):
    train(run(), tmp_path)
    generator = sorted(path.name for path in (tmp_path / "samples").glob("*.png"))
    descriptor = sorted(path.name for path in (tmp_path / "descriptor").glob("*.png"))
    assert generator == ["step_0000000.png", "step_0000003.png", "step_0000006.png"]
    assert descriptor == generator[1:]  # there are no chains before the first step


def test_what_is_not_finite_is_none_in_the_record(tmp_path):
    """JSON has no NaN; after a divergence no values follow."""
    record = train(run(member(9, lr=1e30, lr_d=1e30, steps=6), log_every=1, check_every=6), tmp_path)
    assert record["state"] == "diverged"
    assert record["curves"][-1]["step"] <= record["divergence"]["step"]
