"""Automatic pack size."""

from __future__ import annotations

import pytest
import torch
from tests.training.small import make_run, member

from gansweep.training import pack_size
from gansweep.training.interruption import Interrupted
from gansweep.training.pack_size import best_size, memory_kinds
from gansweep.training.trainer import pack_of, train

RUNS = [make_run(8, member(seed), tensorboard=False) for seed in range(20)]


@pytest.fixture
def costs(monkeypatch):
    """Return a function that sets the time of a step of K members and returns the list of measured K."""
    asked: list[int] = []

    def choose(seconds):
        def measured(runs, stop):
            asked.append(len(runs))
            return seconds(len(runs))

        monkeypatch.setattr(pack_size, "_seconds_per_step", measured)
        return asked

    return choose


def test_a_single_cell_is_not_measured(costs):
    asked = costs(lambda k: 1 / 0)
    assert best_size(RUNS[:1], 1) == (1, None, None)
    assert asked == []


@pytest.mark.parametrize(("count", "expected"), [(2, 2), (4, 4), (9, 9), (20, 20)])
def test_cheap_members_are_packed_up_to_the_number_of_cells(costs, count, expected):
    costs(lambda k: 1 + 0.1 * k)
    assert best_size(RUNS[:count], count).size == expected


def test_large_networks_are_not_packed_and_large_packs_not_tried(costs):
    """64 large members would need all memory without a gain."""
    asked = costs(lambda k: k * 0.99)
    assert best_size(RUNS, 20) == (1, 990.0, 990.0)
    assert asked == [1, 4]


def test_the_fastest_size_is_used_and_cells_are_divided_evenly(costs):
    asked = costs(lambda k: 1 + 0.1 * k if k <= 4 else 2.0 * k)
    assert best_size(RUNS[:9], 9) == (3, 1100.0, 350.0)
    assert asked == [1, 4, 9]


def test_fewer_cells_are_measured_than_trained(costs):
    costs(lambda k: 1 + 0.01 * k)
    assert best_size(RUNS, 50).size == 17  # three packs of at most the 20 that were tried


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_short_runs_can_be_measured(steps):
    choice = best_size([make_run(steps, member(seed)) for seed in range(3)], 3)
    assert choice.size in (1, 3)
    assert choice.alone_ms > 0
    assert choice.together_ms > 0


def test_measuring_does_not_affect_training_and_global_random_numbers(tmp_path):
    torch.manual_seed(4)
    before, random = train(RUNS[0], tmp_path / "before"), torch.get_rng_state()
    best_size(RUNS[:3], 3)
    assert torch.equal(torch.get_rng_state(), random)
    after = train(RUNS[0], tmp_path / "after")
    assert after["metric"] == before["metric"]


def test_a_request_to_stop_ends_the_measurement_after_a_step(monkeypatch):
    """Mistake: the signal is honoured when all packs have been measured, which takes minutes if a step takes long."""
    stops, packs = iter([False, True]), []

    def counted(runs):
        packs.append(len(runs))
        return pack_of(runs)

    monkeypatch.setattr(pack_size, "pack_of", counted)
    with pytest.raises(Interrupted):
        best_size(RUNS[:4], 4, lambda: next(stops))
    assert packs == [1]


def test_measuring_compiles_nothing(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda *step, **more: pytest.fail("takes a minute for every size"))
    best_size([make_run(8, member(seed), compile=True) for seed in range(2)], 2)


CONFIG = {
    "seed": 0, "lr": 1e-3, "loss": {"_target_": "L", "weight": 10.0, "penalties": {"r1": {"weight": 1.0}}},
    "optimizer": {"_target_": "Adam", "betas": [0.9, 0.999]}, "trainer": {"ema": None}, "schedule": {"_target_": "A"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "num_kinds"),
    [
        ({"seed": 1}, 1),
        ({"lr": 1e-4}, 1),
        ({"schedule": {"_target_": "B"}}, 1),
        ({"optimizer": {"_target_": "Adam", "betas": [0.5, 0.9]}}, 1),
        ({"optimizer": {"_target_": "Adam", "betas": [0.0, 0.9]}}, 2),
        ({"optimizer": {"_target_": "SGD"}}, 2),
        ({"loss": {"_target_": "L", "weight": 10.0, "penalties": {}}}, 2),
        ({"trainer": {"ema": 0.9}}, 2),
    ],
    ids=str,
)
def test_kinds_differ_in_memory(change, num_kinds):
    assert memory_kinds([CONFIG, CONFIG, CONFIG | change]) == [0, 2][:num_kinds]
