"""Order of the training samples of the members."""

from __future__ import annotations

import pytest
import torch

from gansweep.batched import philox
from gansweep.batched.order import Order
from gansweep.seeding import Streams

CPU = torch.device("cpu")


def order(num_samples=10, batch_size=4, seeds=(0,), count=1, before=None):
    keys = [Streams(seed).key("order") for seed in seeds]
    return Order(keys, num_samples, batch_size, count, CPU, before=before)


def step(one, *done):
    """Return the batches (K, count * B) of the step after `done` steps of each member."""
    return torch.cat(list(one.of_step(done, torch.tensor(done))), 1)


def take(one, count):
    return torch.cat([step(one, at) for at in range(count)], 1)[0]


@pytest.fixture(params=["numpy", "torch"], autouse=True)
def words(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(philox, "HostWords", philox.DeviceWords)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("num_samples", "batch_size"), [(10, 4), (12, 3), (5, 13), (1, 4), (7, 7)])
def test_every_sample_occurs_once_per_epoch_and_batches_are_full(num_samples, batch_size, count):
    one = order(num_samples, batch_size, count=count)
    assert {tuple(batch.shape) for batch in one.of_step([0], torch.tensor([0]))} == {(1, batch_size)}
    for epoch in take(one, num_samples * 3).split(num_samples):
        assert epoch.sort().values.tolist() == list(range(num_samples))


def test_epochs_have_different_permutations():
    first, second = take(order(50, 50), 2).split(50)
    assert not torch.equal(first, second)


def test_batches_depend_on_the_seed():
    a, b, c = (take(order(50, 7, [seed]), 20) for seed in (4, 5, 4))
    assert torch.equal(a, c)
    assert not torch.equal(a, b)


def test_order_depends_neither_on_the_batch_size_nor_on_the_batches_of_a_step():
    assert torch.equal(take(order(11, 4), 11), take(order(11, 11), 4))
    assert torch.equal(take(order(11, 4), 12), take(order(11, 4, count=3), 4))


@pytest.mark.parametrize("steps", [[0], [5], [7, 3, 3, 0], [4, 5, 6, 30, 6]], ids=str)
def test_a_batch_is_a_function_of_the_step(steps):
    """In any sequence of steps, beside members at any other step."""
    expected = take(order(12, 5, [3]), 31).split(5)
    both, neighbour = order(12, 5, [8, 3, 3]), take(order(12, 5, [8]), 3).split(5)[2]
    for at in steps:
        drawn = step(both, 2, at, 30 - at)
        assert torch.equal(drawn[0], neighbour)
        assert torch.equal(drawn[1], expected[at])
        assert torch.equal(drawn[2], expected[30 - at])


def test_the_batch_after_the_last_one_is_known_in_advance():
    one, expected = order(7, 4, count=2), take(order(7, 4), 11).split(4)
    peeked = [one.peek() for at in range(5) for _ in one.of_step([at], torch.tensor([at]))]
    assert torch.equal(torch.cat(peeked, 1)[0], torch.cat(expected[1:]))


def test_with_varying_numbers_of_batches_no_sample_is_skipped():
    used = [3, 1, 2, 1, 3]
    one, expected = order(8, 3, count=3, before=[0, 3, 4, 6, 7, 10]), take(order(8, 3), 10)
    batches = [torch.stack(list(one.of_step([at], torch.tensor([at])))[:number]) for at, number in enumerate(used)]
    assert torch.equal(torch.cat(batches).flatten(), expected)


@pytest.mark.parametrize("wrong", [{"num_samples": 0}, {"batch_size": 0}], ids=str)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}=0"):
        order(**wrong)
