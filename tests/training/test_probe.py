"""The size of a pack is what was measured to be fastest, and measuring leaves no trace."""

from __future__ import annotations

import pytest
import torch
from tests.training.small import make_run, member

from gansweep.training import pack_size
from gansweep.training.pack_size import best_size
from gansweep.training.trainer import train

RUNS = [make_run(8, member(seed), tensorboard=False) for seed in range(20)]


@pytest.fixture
def costs(monkeypatch):
    """Let a step of K members take a time that the test chooses; remember which K were asked for."""
    asked: list[int] = []

    def choose(seconds):
        def measured(runs):
            asked.append(len(runs))
            return seconds(len(runs))

        monkeypatch.setattr(pack_size, "_seconds_per_step", measured)
        return asked

    return choose


def test_one_cell_is_not_measured(costs):
    asked = costs(lambda k: 1 / 0)
    assert best_size(RUNS[:1], 1) == (1, None, None)
    assert asked == []


@pytest.mark.parametrize(("count", "expected"), [(2, 2), (4, 4), (9, 9), (20, 20)])
def test_company_that_costs_little_is_taken_as_far_as_there_are_cells(costs, count, expected):
    costs(lambda k: 1 + 0.1 * k)
    assert best_size(RUNS[:count], count).size == expected


def test_large_networks_stay_alone_and_many_are_not_even_tried(costs):
    """Sixty-four large members would take all memory only to find out that nobody gains."""
    asked = costs(lambda k: k * 0.99)
    assert best_size(RUNS, 20) == (1, 990.0, 990.0)
    assert asked == [1, 4]


def test_a_pack_stops_growing_where_it_gets_slower_and_is_divided_evenly(costs):
    asked = costs(lambda k: 1 + 0.1 * k if k <= 4 else 2.0 * k)
    assert best_size(RUNS[:9], 9) == (3, 1100.0, 350.0)
    assert asked == [1, 4, 9]


def test_fewer_measured_than_there_are(costs):
    costs(lambda k: 1 + 0.01 * k)
    assert best_size(RUNS, 50).size == 17  # three packs of at most the 20 that were tried


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_short_runs_can_be_measured(steps):
    choice = best_size([make_run(steps, member(seed)) for seed in range(3)], 3)
    assert choice.size in (1, 3)
    assert choice.alone_ms > 0
    assert choice.together_ms > 0


def test_measuring_leaves_the_training_and_global_random_numbers_as_they_were(tmp_path):
    torch.manual_seed(4)
    before, random = train(RUNS[0], tmp_path / "before"), torch.get_rng_state()
    best_size(RUNS[:3], 3)
    assert torch.equal(torch.get_rng_state(), random)
    after = train(RUNS[0], tmp_path / "after")
    assert after["metric"] == before["metric"]


def test_measuring_compiles_nothing(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda *step, **more: pytest.fail("a minute for every size"))
    best_size([make_run(8, member(seed), compile=True) for seed in range(2)], 2)
