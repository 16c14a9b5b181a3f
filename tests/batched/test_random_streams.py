"""Random draws of a step: distributions, and equality in any pack, in any order and on any device."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from scipy import stats
from tests.batched.test_independence import CAST, assert_same
from tests.training.small import Shapes, small_mlp
from torch.utils._python_dispatch import TorchDispatchMode

from gansweep import device as devices
from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched import philox, random_streams, transforms
from gansweep.batched.pack import PackSettings
from gansweep.batched.random_streams import Draws, masks_of, normal, permutation, uniform
from gansweep.layers import Dropout, Network
from gansweep.models.initialisation import TorchDefault
from gansweep.seeding import Streams

CPU = torch.device("cpu")
DROPOUT = Network([Dropout((5,), 0.3), Dropout((2, 3), 0.0)], TorchDefault())
PIECES = {
    "normal": [normal(3, 2)] * 3,
    "sizes": [normal(1), normal(9), normal(2, 5)],
    "uniform": [uniform(7, 1)] * 2,
    "permutation": [permutation(11)] * 2,
    "masks": masks_of(DROPOUT, 4) * 2,
}


@pytest.fixture(params=["numpy", "torch"])
def words(request, monkeypatch):
    """Compute words as on a CPU, or with the operations for other devices."""
    if request.param == "torch":
        monkeypatch.setattr(philox, "HostWords", philox.DeviceWords)


def draws_of(*seeds, at=None, device=CPU, pieces=None):
    draws = Draws([Streams(seed) for seed in seeds], device)
    for name, each in (pieces or PIECES).items():
        draws.plan(name, each)
    if at is not None:
        draws.begin(at, torch.tensor(at, device=device))
    return draws


def drawn(draws, names=tuple(PIECES)):
    return {(name, n): draws.next(name) for name in names for n in range(len(PIECES[name]))}


def test_numbers_depend_on_seed_step_and_name_only(words):
    """Neither on the other members, their steps, the order of requests, nor on the streams that are planned."""
    expected = {at: drawn(draws_of(7, at=[at])) for at in (0, 3)}
    both = drawn(draws_of(1, 7, 7, at=[9, 3, 0]))
    reverse = drawn(draws_of(7, 1, at=[3, 3]), reversed(PIECES))
    for key, value in expected[3].items():
        assert torch.equal(both[key][1], value[0])
        assert torch.equal(both[key][2], expected[0][key][0])
        assert torch.equal(reverse[key][0], value[0])
        alone = draws_of(7, at=[3], pieces={key[0]: PIECES[key[0]]})
        assert torch.equal([alone.next(key[0]) for _ in range(key[1] + 1)][-1], value)


def test_pieces_steps_members_and_streams_have_different_numbers(words):
    pieces = {"a": [normal(8)] * 3, "b": [normal(8)]}
    numbers = []
    for at in range(3):
        draws = draws_of(0, 1, at=[at, at], pieces=pieces)
        numbers += [draws.next(name) for name in "aaab"]
    assert len(torch.stack(numbers).unique()) == 3 * 4 * 2 * 8


def test_numbers_do_not_depend_on_how_many_pieces_are_drawn_together(words, monkeypatch):
    together = drawn(draws_of(0, 1))
    monkeypatch.setattr(random_streams, "MOST_ON_CPU", 0)
    assert all(torch.equal(value, together[key]) for key, value in drawn(draws_of(0, 1)).items())


def test_all_devices_have_the_same_numbers(monkeypatch):
    host = drawn(draws_of(0, 1, at=[5, 6]))
    monkeypatch.setattr(philox, "HostWords", philox.DeviceWords)
    assert all(torch.equal(value, host[key]) for key, value in drawn(draws_of(0, 1, at=[5, 6])).items())


@pytest.mark.gpu
def test_a_gpu_has_the_numbers_of_a_cpu():
    """Integers, uniform numbers and masks are equal; normal numbers up to the rounding of log, sin and cos."""
    on_gpu = drawn(draws_of(0, 1, at=[5, 6], device=devices.resolve("cuda")))
    for (name, n), value in drawn(draws_of(0, 1, at=[5, 6])).items():
        equal = {"rtol": 1e-5, "atol": 1e-6} if name in ("normal", "sizes") else {"rtol": 0, "atol": 0}
        torch.testing.assert_close(on_gpu[name, n].cpu(), value, **equal)


def sample(piece, count):
    draws = draws_of(0, at=[1], pieces={"x": [piece]})
    numbers = draws.next("x").flatten()
    assert len(numbers) == count
    return numbers


def test_distribution_of_uniform_numbers():
    numbers = sample(uniform(100_000), 100_000)
    assert 0 <= numbers.min() < 1e-4
    assert 1 - 1e-4 < numbers.max() < 1
    assert torch.equal(numbers * 2**24, (numbers * 2**24).round())
    assert stats.kstest(numbers.numpy(), "uniform").pvalue > 0.01


def test_distribution_of_normal_numbers():
    numbers = sample(normal(100_000), 100_000).double()
    assert stats.kstest(numbers.numpy(), "norm").pvalue > 0.01
    x, y = numbers.split(50_000)  # cosine and sine of the same pairs
    for left, right in ((x, y), (x**2, y**2), (x[1:], x[:-1]), (x[1:], y[:-1])):
        assert abs(stats.pearsonr(left.numpy(), right.numpy()).statistic) < 3 / 50_000**0.5
    assert abs(stats.kurtosis(numbers.numpy())) < 3 * (24 / 100_000) ** 0.5
    assert 4 < numbers.abs().max() < 6.6


def test_normal_numbers_of_extreme_words_are_finite():
    smallest, largest = -(2**63), 2**63 - 1
    words = torch.tensor([0, -1, smallest, largest] * 4)
    numbers = transforms.normal(words)
    assert numbers.isfinite().all()
    assert numbers.abs().max() == pytest.approx(math.sqrt(62 * math.log(2)))


@pytest.mark.parametrize("p", [0.0, 0.3, 0.999])
def test_distribution_of_masks(p):
    network = Network([Dropout((1000,), p)], TorchDefault())
    mask = sample(masks_of(network, 100)[0], 100_000)
    kept = int((mask != 0).sum())
    assert mask.unique().tolist() == pytest.approx([0, 1 / (1 - p)] if p else [1])
    assert stats.binomtest(kept, 100_000, 1 - p).pvalue > 0.01


def test_distribution_of_permutations():
    """All 24 permutations of 4 indices are equally frequent, and so are all positions of an index among 1000."""
    draws = Draws([Streams(seed) for seed in range(4000)], CPU)
    draws.plan("x", [permutation(4)])
    code = (draws.next("x") * torch.tensor([64, 16, 4, 1])).sum(1)
    counts = code.unique(return_counts=True)[1]
    assert len(counts) == 24
    assert stats.chisquare(counts.numpy()).pvalue > 0.01
    long = draws_of(0, pieces={"x": [permutation(1000)] * 200})
    orders = torch.stack([long.next("x")[0] for _ in range(200)])
    assert torch.equal(orders.sort(1).values, torch.arange(1000).expand(200, -1))
    assert stats.chisquare(torch.histc(orders.argsort(1)[:, 7].float(), 10, 0, 1000).numpy()).pvalue > 0.01


def test_equal_keys_of_a_permutation_keep_their_order_on_all_devices():
    words = torch.tensor([[5, 5, -1, 5], [-(2**63), 2**63 - 1, 0, 0]])
    expected = torch.argsort(words.view(torch.int32).long() % 2**32, dim=1, stable=True)
    assert torch.equal(transforms.permutation(words, 8), expected)
    assert torch.equal(transforms.by_sorting(words.view(torch.int32)), expected)


def make(members, steps=11):
    members = [replace(one, steps=steps) for one in members]
    return AdversarialPack(members, small_mlp(), Shapes().samples, PackSettings(batch_size=10), critic_steps=2)


def play(pack, until=None):
    for report in pack.steps():
        if report.steps[0] == until:
            break
    return pack


def test_members_are_independent_of_their_pack(words):
    pack = play(make(CAST))
    for k, one in enumerate(CAST):
        assert_same(pack, k, play(make([one])))


@pytest.mark.parametrize("stopped", [2, 7])
def test_a_run_continues_bit_for_bit_in_another_pack(words, stopped):
    whole, half = play(make(CAST[:3])), play(make(CAST[:3]), until=stopped)
    other = make([CAST[2], CAST[3], CAST[0]])
    for k, n in ((0, 2), (2, 0)):
        other.restore(k, half.export(n))
    play(other)  # ends with the two restored members; the third is not finished
    for k, n in ((0, 2), (2, 0)):
        end = other.export(k)
        assert end["step"] == 11
        for player in ("generator", "discriminator"):
            assert torch.equal(end[player]["theta"], whole.export(n)[player]["theta"])


class NoSynchronisation(TorchDispatchMode):
    """Raises if an operation would synchronise with a GPU: a tensor read as a number, or made of numbers."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name()
        if name in ("aten::_local_scalar_dense", "aten::lift_fresh", "aten::nonzero", "aten::equal"):
            raise AssertionError(f"{name} would synchronise with the device")
        return func(*args, **(kwargs or {}))


def test_no_step_synchronises_with_the_device(monkeypatch):
    """For all rules except those of torch.optim, over several checks and epochs."""
    monkeypatch.setattr(philox, "HostWords", philox.DeviceWords)
    monkeypatch.setattr(transforms, "by_radix", transforms.by_sorting)
    pack = make(CAST, steps=60)
    steps = pack.steps()
    next(steps)  # copies the first rates to the device
    with NoSynchronisation():
        for _ in range(55):
            next(steps)
