"""In which order members see the data."""

from __future__ import annotations

import pytest
import torch

from gansweep.data.order import Order
from gansweep.seeding import Streams


def order(num_samples=10, batch_size=4, seeds=(0,)):
    return Order(num_samples, batch_size, [Streams(seed)["order"] for seed in seeds])


def take(one, count):
    return torch.cat([one.next() for _ in range(count)], 1)


@pytest.mark.parametrize(("num_samples", "batch_size"), [(10, 4), (12, 3), (5, 13), (1, 4), (7, 7)])
def test_every_sample_comes_once_per_epoch_and_every_batch_is_full(num_samples, batch_size):
    one = order(num_samples, batch_size, (0, 1))
    batches = [one.next() for _ in range(num_samples * 3)]
    assert {tuple(batch.shape) for batch in batches} == {(2, batch_size)}
    for member in torch.cat(batches, 1):
        for epoch in member.split(num_samples):
            assert epoch.sort().values.tolist() == list(range(num_samples))


def test_every_epoch_has_another_order():
    first, second = take(order(50, 50), 2)[0].split(50)
    assert not torch.equal(first, second)


def test_equal_seeds_see_equal_batches_and_others_do_not():
    a, b, c = take(order(50, 7, (4, 5, 4)), 20)
    assert torch.equal(a, c)
    assert not torch.equal(a, b)
    assert torch.equal(take(order(50, 7, (5,)), 20)[0], b)


def test_batch_size_does_not_change_the_order():
    assert torch.equal(take(order(11, 4), 11), take(order(11, 11), 4))


@pytest.mark.parametrize("before", [0, 1, 2, 3, 5, 6])
def test_it_goes_on_exactly_where_it_was_saved(before):
    """At the start, in the middle, and where an epoch ends with a batch."""
    streams = Streams(3)
    one = Order(12, 4, [streams["order"]])
    for _ in range(before):
        one.next()
    saved, position = one.state_dict(), streams.state_dict()
    expected = take(one, 9)

    resumed = Streams(3)
    resumed.load_state_dict(position)
    other = Order(12, 4, [resumed["order"]])
    other.load_state_dict(saved)
    assert torch.equal(take(other, 9), expected)


def test_a_saved_state_does_not_move_with_the_order():
    one = order()
    one.next()
    saved = one.state_dict()
    copy = saved["permutations"].clone()
    take(one, 9)
    assert torch.equal(saved["permutations"], copy)


def test_making_one_draws_nothing():
    stream = Streams(0)["order"]
    before = stream.get_state()
    Order(10, 4, [stream])
    assert torch.equal(stream.get_state(), before)


@pytest.mark.parametrize("other", [order(11), order(10, 4, (0, 1))])
def test_a_state_of_other_data_or_members_is_refused(other):
    other.next()
    with pytest.raises(ValueError, match="expected 1 members and 10 samples"):
        order().load_state_dict(other.state_dict())


@pytest.mark.parametrize("wrong", [{"num_samples": 0}, {"batch_size": 0}], ids=str)
def test_wrong_numbers_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}=0"):
        order(**wrong)


@pytest.mark.gpu
def test_on_a_gpu_indices_are_drawn_there():
    one = Order(10, 4, [Streams(0, "cuda")["order"]])
    assert one.next().device.type == "cuda"
    assert sorted(take(order(), 5)[0][:10].tolist()) == list(range(10))
