"""Order of a bounded sweep. Mistakes: a second seed before another setting; other cells after an interruption."""

from __future__ import annotations

import itertools
import random

from fake_cells import cell

from gansweep.sweep.bounds import bounded, training_order


def grid(root, seeds=3):
    settings = itertools.product(["adam", "sgd", "lion"], [1e-4, 1e-3, 1e-2], range(seeds))
    return [cell(root, optimizer=optimizer, lr=lr, seed=seed) for optimizer, lr, seed in settings]


def test_every_setting_has_its_first_seed_before_any_has_a_second_one(tmp_path):
    cells = grid(tmp_path)
    order = [cells[n] for n in training_order(cells)]
    assert sorted(one.hash for one in order) == sorted(one.hash for one in cells)
    assert [one.config["seed"] for one in order] == [0] * 9 + [1] * 9 + [2] * 9
    first = order[:3]
    assert {one.config["optimizer"] for one in first} == {"adam", "sgd", "lion"}
    assert {one.config["lr"] for one in first} == {1e-4, 1e-3, 1e-2}


def test_crossed_seeds_are_repetitions_too(tmp_path):
    cells = [
        cell(tmp_path, optimizer=name, seed_init=i, seed_data=d)
        for name, i, d in itertools.product(["adam", "sgd"], [4, 5], [6, 7])
    ]
    order = [cells[n] for n in training_order(cells)]
    assert {one.config["optimizer"] for one in order[:2]} == {"adam", "sgd"}
    assert all((one.config["seed_init"], one.config["seed_data"]) == (4, 6) for one in order[:2])


def test_points_of_a_search_keep_the_order_of_their_sampler_with_all_other_settings(tmp_path):
    """Mistake: each optimizer gets every second point of the sequence, which is one half of the interval."""
    rates = [0.5, 0.25, 0.75, 0.125]
    cells = [cell(tmp_path, optimizer=name, lr=rate) for name in ("adam", "sgd") for rate in rates]
    order = [cells[n].config["lr"] for n in training_order(cells, {"lr"})]
    assert order == [rate for rate in rates for _ in range(2)]


def test_an_interrupted_sweep_continues_with_the_same_cells(tmp_path):
    cells, rng = grid(tmp_path), random.Random(0)
    kept = bounded(cells, lambda one: False, 12)
    assert len(kept) == 12
    for _ in range(20):
        done = {cells[n].hash for n in rng.sample(kept, rng.randrange(13))}
        assert bounded(cells, lambda one, done=done: one.hash in done, 12) == kept


def test_finished_cells_count_and_are_all_kept(tmp_path):
    cells = grid(tmp_path)
    last = {one.hash for one in cells[-4:]}
    kept = bounded(cells, lambda one: one.hash in last, 6)
    assert len(kept) == 6
    assert last <= {cells[n].hash for n in kept}
    assert {cells[n].hash for n in bounded(cells, lambda one: one.hash in last, 2)} == last
    assert len(bounded(cells, lambda one: False, None)) == len(cells)


def test_equal_cells_count_once(tmp_path):
    cells = [*grid(tmp_path, 1), *grid(tmp_path, 1)]
    assert len(bounded(cells, lambda one: False, 100)) == 9
