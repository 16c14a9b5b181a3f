"""Scheduled critic steps: numbers of updates and draws, resumption, independence of the pack."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.batched.test_independence import assert_same
from tests.training.small import Shapes, make_run, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched import philox
from gansweep.batched.pack import PackSettings
from gansweep.dynamics.alternating import Alternating
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.losses.objective import Objective
from gansweep.losses.wasserstein import Wasserstein
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.constant import Constant
from gansweep.schedules.linspace import Linspace
from gansweep.schedules.piecewise import Piecewise
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import Interrupted, train, train_together

DOWN = Linspace(1.0, 0.0)
COUNTS = [4, 3, 3, 2, 1, 1, 1]  # round(4 (1 - n / 6)), at least 1
NOISY = Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)}, flip=0.1, instance_noise=0.2)
CAST = [member(1), member(2, objective=NOISY), member(3, ema=0.9)]


def pack_of(members, schedule=DOWN, steps=7, critic_steps=4, **settings):
    return AdversarialPack(
        [replace(one, steps=steps) for one in members],
        small_mlp(),
        Shapes().samples,
        PackSettings(batch_size=10),
        critic_steps=critic_steps,
        critic_schedule=schedule,
        **settings,
    )


def play(pack, until=None):
    for report in pack.steps():
        if report.steps[0] == until:
            break
    return pack


@pytest.fixture(params=["numpy", "torch"])
def words(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(philox, "HostWords", philox.DeviceWords)


def test_numbers_of_updates_and_draws_follow_the_schedule():
    pack = pack_of(CAST[:1])
    before, seen = 0, []
    for _ in pack.steps():
        seen.append(int(pack.d.updates.item()) - before)
        before = int(pack.d.updates.item())
    assert seen == COUNTS


def test_batches_follow_each_other_without_gaps():
    """The samples of all updates form whole epochs, as without a schedule."""
    pack, batches = pack_of(CAST[:1]), []
    for n, count in enumerate(COUNTS):
        pack.draws.begin([n], torch.tensor([n]))
        batches += [pack.draws.next("order")[0] for _ in range(count)]
    for epoch in torch.cat(batches)[:120].split(40):
        assert epoch.sort().values.tolist() == list(range(40))


def test_a_change_of_critic_steps_equals_two_successive_trainings():
    """The second training, with one critic step, begins at the end of the first, with three.

    Both use one batch per step, because the position in the data is that of a training with equal critic steps.
    """
    dynamics = Alternating(fresh_batches=False)
    for one in CAST:
        scheduled = play(pack_of([one], Piecewise(((1.0, 4), (1 / 3, 3))), critic_steps=3, dynamics=dynamics))
        first = play(pack_of([one], None, critic_steps=3, dynamics=dynamics), until=4)
        second = pack_of([one], None, critic_steps=1, dynamics=dynamics)
        second.restore(0, first.export(0))
        assert_same(scheduled, 0, play(second))


def test_a_constant_schedule_has_no_effect(words):
    plain = play(pack_of(CAST[:1], None))
    assert_same(play(pack_of(CAST[:1], Constant())), 0, plain)


@pytest.mark.parametrize("one", CAST, ids=["plain", "noisy", "averaged"])
@pytest.mark.parametrize("after", [1, 3, 4, 6])
def test_resumes_bit_for_bit(one, after, words):
    straight = play(pack_of([one]))
    other = pack_of([one])
    other.restore(0, play(pack_of([one]), until=after).export(0))
    assert_same(play(other), 0, straight)


def test_members_are_independent_of_their_pack(words):
    pack = play(pack_of(CAST))
    for k, one in enumerate(CAST):
        assert_same(pack, k, play(pack_of([one])))


def test_members_at_different_steps_are_refused():
    pack = pack_of(CAST[:2])
    pack.restore(0, play(pack_of(CAST[:1]), until=3).export(0))
    with pytest.raises(ValueError, match=r"critic_schedule=Linspace.*expected all members at the same step"):
        next(pack.steps())


def test_joint_dynamics_refuse_scheduled_critic_steps():
    with pytest.raises(ValueError, match=r"schedule_critic=Linspace.*updates both players jointly, expected null"):
        replace(make_run(), dynamics=Simultaneous(), critic_schedule=DOWN)


def runs():
    made = [make_run(8, one, tensorboard=False, sample_every=99) for one in CAST]
    return [replace(run, critic_steps=4, critic_schedule=DOWN) for run in made]


def test_runs_at_different_steps_are_trained_in_turn_and_saved_on_interruption(tmp_path):
    """A run that was interrupted later waits until the others reach its step, and is saved on an interruption."""
    expected = [train(run, tmp_path / f"alone {n}")["metric"]["evaluations"] for n, run in enumerate(runs())]
    asked = iter([False, False, True])
    with pytest.raises(Interrupted):
        train(runs()[0], tmp_path / "0", stop=lambda: next(asked))
    asked = iter([False, True])
    with pytest.raises(Interrupted):
        sessions = [TrainingSession(run, tmp_path / str(n)) for n, run in enumerate(runs())]
        train_together(sessions, stop=lambda: next(asked))
    sessions = [TrainingSession(run, tmp_path / str(n)) for n, run in enumerate(runs())]
    assert [session.step for session in sessions] == [3, 2, 2]
    records = {}
    train_together(sessions, ended=lambda session: records.update({session.directory.name: session.finalize()}))
    assert [records[str(n)]["metric"]["evaluations"] for n in range(3)] == expected


def test_members_are_replaced_when_all_have_ended(tmp_path):
    waiting = [TrainingSession(run, tmp_path / str(n)) for n, run in enumerate(runs())]
    ended = []

    def refill(free):
        taken, waiting[:] = waiting[:free], waiting[free:]
        return taken

    train_together(refill(2), refill=refill, ended=ended.append)
    assert [session.step for session in ended] == [8, 8, 8]
    assert all(session.error is None for session in ended)
