"""Random numbers drawn for many steps in one call: equal in any pack and after any interruption."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from tests.batched.test_independence import CAST, assert_same
from tests.training.small import Shapes, small_mlp
from torch.utils._python_dispatch import TorchDispatchMode

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched import random_streams as module
from gansweep.batched.pack import PackSettings
from gansweep.batched.random_streams import Piece, Prefetch
from gansweep.seeding import Streams

CPU = torch.device("cpu")


def make(members, steps=11):
    members = [replace(one, steps=steps) for one in members]
    return AdversarialPack(
        members, small_mlp(), Shapes().samples, PackSettings(batch_size=10, draw_ahead=True), critic_steps=2
    )


def play(pack, until=None):
    for report in pack.steps():
        if report.steps[0] == until:
            break
    return pack


@pytest.fixture
def short_blocks(monkeypatch):
    monkeypatch.setattr(module, "MOST_STEPS", 4)


def normal(generator, count, size):
    return torch.randn(count, size, generator=generator)


def sequence(one, num_steps):
    return torch.stack([torch.cat([one.next() for _ in one.pieces], 1) for _ in range(num_steps)], 1)


def two_pieces(seeds, **settings):
    pieces = [Piece(partial(normal, size=3), 12), Piece(partial(normal, size=2), 8, torch.abs)]
    return Prefetch([Streams(seed)["x"] for seed in seeds], pieces, CPU, **settings)


def test_blocks_do_not_repeat_numbers(short_blocks):
    drawn = sequence(two_pieces([0, 1], at_once=False), 13)
    assert drawn.shape == (2, 13, 5)
    assert len(drawn[0].unique()) == 13 * 5
    assert (drawn[..., 3:] >= 0).all()
    assert (drawn[..., :3] < 0).any()


def test_large_draws_use_short_blocks():
    pieces = [Piece(partial(normal, size=1), module.MOST_BYTES // 3)]
    assert Prefetch([Streams(0)["x"]], pieces, CPU, at_once=False).num_steps == 3
    assert Prefetch([Streams(0)["x"]], [Piece(normal, module.MOST_BYTES * 9)], CPU, at_once=False).num_steps == 1
    assert Prefetch([Streams(0)["x"]], [Piece(normal, 8)], CPU, at_once=True).num_steps == 1


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("before", [0, 1, 3, 4, 5, 8])
def test_a_restored_member_continues_beside_a_member_at_another_step(short_blocks, before, at_once):
    expected = sequence(two_pieces([7], at_once=at_once), 14)[0]
    first = two_pieces([7], at_once=at_once)
    sequence(first, before) if before else None
    second = two_pieces([3, 7], at_once=at_once)
    second.restore(1, first.export(0), before)
    assert torch.equal(sequence(second, 14 - before)[1], expected[before:])
    neighbour = sequence(two_pieces([3], at_once=at_once), 14)[0]
    other = two_pieces([3, 7], at_once=at_once)
    other.restore(1, first.export(0), before)
    assert torch.equal(sequence(other, 9)[0], neighbour[:9])


def test_members_are_independent_of_their_pack(short_blocks):
    pack = play(make(CAST))
    for k, one in enumerate(CAST):
        assert_same(pack, k, play(make([one])))


@pytest.mark.parametrize("stopped", [2, 4, 7])
def test_a_run_continues_bit_for_bit_in_another_pack(short_blocks, stopped):
    whole, half = play(make(CAST[:3])), play(make(CAST[:3]), until=stopped)
    other = make([CAST[2], CAST[3], CAST[0]])
    for k, n in ((0, 2), (2, 0)):
        other.restore(k, half.export(n))
    ends = {}
    for _ in other.steps():
        pass  # ends with the first two members; the third is not finished
    for k, n in ((0, 2), (2, 0)):
        ends[n] = other.export(k)
        assert ends[n]["step"] == 11
        for player in ("generator", "discriminator"):
            assert torch.equal(ends[n][player]["theta"], whole.export(n)[player]["theta"])


class NoSynchronisation(TorchDispatchMode):
    """Raises if an operation would synchronise with a GPU: a tensor read as a number, or made of numbers."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name()
        if name in ("aten::_local_scalar_dense", "aten::lift_fresh", "aten::nonzero", "aten::equal"):
            raise AssertionError(f"{name} would synchronise with the device")
        return func(*args, **(kwargs or {}))


def test_no_step_synchronises_with_the_device():
    """For all rules except those of torch.optim, over several checks and blocks."""
    pack = make(CAST, steps=60)
    steps = pack.steps()
    next(steps)  # copies the first rates to the device
    with NoSynchronisation():
        for _ in range(55):
            next(steps)
