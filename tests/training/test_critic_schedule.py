"""Critic steps that follow a schedule: as many as it says, drawn as often, resumed exactly, in any company."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.training.small import Shapes, make_run, member, small_mlp
from tests.training.test_independence import assert_same

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched import rng_prefetch
from gansweep.data.order import Order
from gansweep.dynamics.alternating import Alternating
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.losses.objective import Objective
from gansweep.losses.wasserstein import Wasserstein
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.constant import Constant
from gansweep.schedules.linspace import Linspace
from gansweep.schedules.piecewise import Piecewise
from gansweep.seeding import Streams
from gansweep.training.logbook import Logbook
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
        batch_size=10,
        critic_steps=critic_steps,
        critic_schedule=schedule,
        **settings,
    )


def play(pack, until=None):
    for report in pack.steps():
        if report.steps[0] == until:
            break
    return pack


@pytest.fixture(params=[False, True], ids=["at once", "ahead"])
def draw_ahead(request, monkeypatch):
    monkeypatch.setattr(rng_prefetch, "MOST_STEPS", 4)
    return request.param


def test_as_many_updates_and_draws_as_it_says():
    pack = pack_of(CAST[:1])
    before, seen = 0, []
    for _ in pack.steps():
        seen.append(int(pack.d.updates.item()) - before)
        before = int(pack.d.updates.item())
    assert seen == COUNTS
    moves, streams, drawn = sum(COUNTS), Streams(1), pack.export(0)["streams"]
    order = Order(40, 10, streams["order"])
    order.next(moves)
    assert drawn["order"]["position"] == order.position
    assert torch.equal(drawn["order"]["permutation"], order.permutation)
    for _ in range(moves + len(COUNTS)):
        torch.randn(1, 10, 4, generator=streams["latents"])
    assert torch.equal(drawn["latents"], streams["latents"].get_state())


@pytest.mark.parametrize("fresh_batches", [True, False])
def test_a_number_that_falls_in_the_middle_is_two_trainings_one_after_the_other(fresh_batches):
    """The second, with one critic step, begins where the first, with three, had come."""
    dynamics = Alternating(fresh_batches=fresh_batches)
    for one in CAST:
        scheduled = play(pack_of([one], Piecewise(((1.0, 4), (1 / 3, 3))), critic_steps=3, dynamics=dynamics))
        first = play(pack_of([one], None, critic_steps=3, dynamics=dynamics), until=4)
        second = pack_of([one], None, critic_steps=1, dynamics=dynamics)
        second.restore(0, first.export(0))
        assert_same(scheduled, 0, play(second))


def test_a_schedule_that_stays_changes_nothing(draw_ahead):
    plain = play(pack_of(CAST[:1], None, draw_ahead=draw_ahead))
    assert_same(play(pack_of(CAST[:1], Constant(), draw_ahead=draw_ahead)), 0, plain)


@pytest.mark.parametrize("one", CAST, ids=["plain", "noisy", "averaged"])
@pytest.mark.parametrize("after", [1, 3, 4, 6])
def test_goes_on_to_the_last_bit(one, after, draw_ahead):
    straight = play(pack_of([one], draw_ahead=draw_ahead))
    other = pack_of([one], draw_ahead=draw_ahead)
    other.restore(0, play(pack_of([one], draw_ahead=draw_ahead), until=after).export(0))
    assert_same(play(other), 0, straight)


def test_alone_and_in_company(draw_ahead):
    pack = play(pack_of(CAST, draw_ahead=draw_ahead))
    for k, one in enumerate(CAST):
        assert_same(pack, k, play(pack_of([one], draw_ahead=draw_ahead)))


def test_members_at_different_steps_are_refused():
    pack = pack_of(CAST[:2])
    pack.restore(0, play(pack_of(CAST[:1]), until=3).export(0))
    with pytest.raises(ValueError, match=r"critic_schedule=Linspace.*expected all members at the same step"):
        next(pack.steps())


def test_dynamics_that_move_both_at_once_refuse_it():
    with pytest.raises(ValueError, match=r"schedule_critic=Linspace.*updates both players jointly, expected null"):
        replace(make_run(), dynamics=Simultaneous(), critic_schedule=DOWN)


def runs():
    made = [make_run(8, one, tensorboard=False, sample_every=99) for one in CAST]
    return [replace(run, critic_steps=4, critic_schedule=DOWN) for run in made]


def test_runs_at_different_steps_are_played_one_after_the_other_and_saved_when_asked(tmp_path):
    """The first was interrupted before; while the others catch up it waits, and keeps its place on disk."""
    expected = [train(run, tmp_path / f"alone {n}")["metric"]["evaluations"] for n, run in enumerate(runs())]
    asked = iter([False, False, True])
    with pytest.raises(Interrupted):
        train(runs()[0], tmp_path / "0", stop=lambda: next(asked))
    asked = iter([False, True])
    with pytest.raises(Interrupted):
        books = [Logbook(run, tmp_path / str(n)) for n, run in enumerate(runs())]
        train_together(books, stop=lambda: next(asked))
    books = [Logbook(run, tmp_path / str(n)) for n, run in enumerate(runs())]
    assert [book.step for book in books] == [3, 2, 2]
    records = {}
    train_together(books, ended=lambda book: records.update({book.directory.name: book.close()}))
    assert [records[str(n)]["metric"]["evaluations"] for n in range(3)] == expected


def test_places_are_filled_when_all_are_free(tmp_path):
    waiting = [Logbook(run, tmp_path / str(n)) for n, run in enumerate(runs())]
    ended = []

    def refill(free):
        taken, waiting[:] = waiting[:free], waiting[free:]
        return taken

    train_together(refill(2), refill=refill, ended=ended.append)
    assert [book.step for book in ended] == [8, 8, 8]
    assert all(book.error is None for book in ended)
