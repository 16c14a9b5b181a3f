"""Order of the training samples of a member."""

from __future__ import annotations

import pytest
import torch

from gansweep import device as devices
from gansweep.data.order import Order
from gansweep.seeding import Streams


def order(num_samples=10, batch_size=4, seed=0):
    return Order(num_samples, batch_size, Streams(seed)["order"])


def take(samples_order, count):
    return torch.cat([samples_order.next() for _ in range(count)], 1)[0]


@pytest.mark.parametrize(("num_samples", "batch_size"), [(10, 4), (12, 3), (5, 13), (1, 4), (7, 7)])
def test_every_sample_occurs_once_per_epoch_and_batches_are_full(num_samples, batch_size):
    samples_order = order(num_samples, batch_size)
    batches = [samples_order.next() for _ in range(num_samples * 3)]
    assert {tuple(batch.shape) for batch in batches} == {(1, batch_size)}
    for epoch in torch.cat(batches, 1)[0].split(num_samples):
        assert epoch.sort().values.tolist() == list(range(num_samples))


def test_several_batches_equal_single_calls():
    assert torch.equal(order(11, 4).next(9).flatten(), take(order(11, 4), 9))


def test_epochs_have_different_permutations():
    first, second = take(order(50, 50), 2).split(50)
    assert not torch.equal(first, second)


def test_batches_depend_on_the_seed():
    a, b, c = (take(order(50, 7, seed), 20) for seed in (4, 5, 4))
    assert torch.equal(a, c)
    assert not torch.equal(a, b)


def test_order_does_not_depend_on_the_batch_size():
    assert torch.equal(take(order(11, 4), 11), take(order(11, 11), 4))


@pytest.mark.parametrize("before", [0, 1, 2, 3, 5, 6])
def test_restored_state_continues_exactly(before):
    """At the start, in the middle, and where an epoch ends with a batch."""
    samples_order = order(12, 4, 3)
    for _ in range(before):
        samples_order.next()
    saved = samples_order.get_state()
    expected = take(samples_order, 9)
    other = order(12, 4, 5)
    other.set_state(saved)
    assert torch.equal(take(other, 9), expected)


def test_saved_state_is_not_modified():
    samples_order = order()
    samples_order.next()
    saved = samples_order.get_state()
    copy = saved["permutation"].clone()
    take(samples_order, 9)
    assert torch.equal(saved["permutation"], copy)


def test_construction_draws_nothing():
    stream = Streams(0)["order"]
    before = stream.get_state()
    Order(10, 4, stream)
    assert torch.equal(stream.get_state(), before)


def test_state_of_another_data_set():
    other = order(11)
    other.next()
    with pytest.raises(ValueError, match="expected 10 samples"):
        order().set_state(other.get_state())


@pytest.mark.parametrize("wrong", [{"num_samples": 0}, {"batch_size": 0}], ids=str)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}=0"):
        order(**wrong)


@pytest.mark.gpu
def test_on_a_gpu_indices_are_drawn_there():
    samples_order = Order(10, 4, Streams(0, "cuda")["order"])
    assert samples_order.next().device.type == devices.resolve("cuda").type
    samples_order = Order(10, 4, Streams(0, "cuda")["order"])
    assert sorted(take(samples_order, 5)[:10].tolist()) == list(range(10))
