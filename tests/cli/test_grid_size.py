"""The cells of a line are counted before they are composed, and composed in little memory."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from gansweep.cli.hydra_app import composed, composer_and_loader, jobs_of
from gansweep.cli.overrides import num_jobs, refuse_too_many
from gansweep.config.errors import BadConfig
from gansweep.sweep.identity import sweep_name, training_config


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (["lr=1"], 1),
        (["lr=1,2", "seed=range(0,3)", "model=mlp"], 6),
        (["lr=1,2,3", "lr=1,2"], 2),  # the last counts
        (["seed=range(10,0,-3)"], 4),
        (["lr=range(0,1,0.25)"], 4),
        (["seed=shuffle(range(0,1000000000000))"], 10**12),
        (["optimizer.betas=[0,1],[1,2]", "seed=choice(1,2)"], 4),
    ],
)
def test_the_number_of_combinations(line, count):
    assert num_jobs(OverridesParser.create().parse_overrides(line)) == count


def test_a_grid_that_is_too_large_is_refused_at_once(gansweep):
    """Mistake: 10^8 cells are listed and composed for minutes, and need gigabytes."""
    answer = gansweep("-m", "optimizer=adam,sgd", "seed=range(0,50000000)", "plan=true")
    assert answer.code == 2
    assert "most_cells=10000: this command line has 100000000 cells" in answer.err
    assert "most_cells=100000000" in answer.err
    assert not (gansweep.folder / "outputs").exists()


def test_the_limit_can_be_set_on_the_command_line_and_in_an_experiment(gansweep):
    answer = gansweep("-m", "seed=1,2,3", "most_cells=2", "plan=true")
    assert answer.code == 2
    assert "has 3 cells" in answer.err
    folder = gansweep.folder / "conf/experiment"
    folder.mkdir(parents=True)
    (folder / "small.yaml").write_text(
        "# @package _global_\nmost_cells: 3\nhydra: {sweeper: {params: {lr: '1e-4,1e-3'}}}\n"
    )
    answer = gansweep("-m", "--config-dir", "conf", "experiment=small", "seed=1,2", "plan=true")
    assert answer.code == 2
    assert "most_cells=3: this command line has 4 cells" in answer.err


def test_commands_that_train_nothing_count_too():
    with composer_and_loader(None) as (_, loader), pytest.raises(BadConfig, match="has 1000000 cells"):
        jobs_of(loader, ["seed=range(0,1000000)"])


def test_a_limit_that_is_no_number_is_left_to_the_check_of_the_configuration():
    refuse_too_many([OverridesParser.create().parse_overrides(["seed=1,2", "most_cells=many"])], 10)


def test_the_limit_is_not_part_of_the_identity_or_the_name():
    assert training_config({"most_cells": 5, "steps": 1}) == {"steps": 1}
    assert sweep_name(["lr=1", "most_cells=5"]) == sweep_name(["lr=1"])


def test_jobs_of_equal_groups_share_one_composition():
    """Mistake: each job keeps a copy of its own, which takes most of the 80 KB of a cell."""
    jobs = composed(["model=mlp_ring", "data=ring", "seed=0,1,2"], None)
    assert all(job.whole is jobs[0].whole and job.base is jobs[0].base for job in jobs)
    assert [job.task.seed for job in jobs] == [0, 1, 2]
    assert jobs[0].base.seed == 0


@pytest.mark.parametrize(
    ("setting", "word"),
    [("threads=10000000", "at most 1024"), ("workers=1000000", "at most 512"), ("most_cells=0", "at least 1")],
)
def test_numbers_no_machine_can_serve_are_refused(gansweep, setting, word):
    answer = gansweep(setting, "plan=true")
    assert answer.code == 2
    assert setting in answer.err
    assert word in answer.err


@pytest.mark.parametrize("key", ["tasks", "cpus"])
def test_a_launcher_takes_no_more_than_it_could_start(gansweep, key):
    answer = gansweep("hydra/launcher=fused", f"hydra.launcher.{key}=1000000", "plan=true")
    assert answer.code == 2
    assert f"hydra.launcher.{key}=1000000: expected a whole number from 1 to 1024" in answer.err
