"""Plan of a sweep."""

from __future__ import annotations

import torch
from fake_cells import Trainer, cell, one_by_one, record, write

from gansweep.results import table
from gansweep.sweep.plan import Estimate
from gansweep.sweep.sweep import Sweep
from gansweep.training import checkpoint


def test_a_plan_shows_states_and_times_and_writes_nothing(tmp_path):
    cells = [cell(tmp_path, lr=lr, steps=600) for lr in (1, 2, 3)]
    assert "measured by the first cell" in Sweep(tmp_path / "none", cells).plan()
    write(cells[0], record(cells[0], steps=100))  # 20 s for 100 steps
    (tmp_path / cells[1].name).mkdir()
    (tmp_path / cells[1].name / "checkpoint.pt").touch()
    before = sorted(tmp_path.rglob("*"))
    text = Sweep(tmp_path, cells).plan()
    assert sorted(tmp_path.rglob("*")) == before
    assert "3 cells: 1 new, 1 resumable, 1 completed" in text
    assert f"new        2 min  {cells[2].name}" in text
    assert "2 to train, one after the other about 4 min." in text


def test_time_is_estimated_from_cells_of_the_same_model(tmp_path):
    def made(model, lr):
        return cell(tmp_path, model=model, lr=lr)

    small, large = made("mlp", 1), made("dcgan", 1)
    write(small, record(small))
    slow = record(large)
    write(large, slow | {"time": slow["time"] | {"wall_s": 2000.0, "memory_bytes": 3 * 2**30}})
    text = Sweep(tmp_path, [small, large, made("mlp", 2), made("dcgan", 2)]).plan()
    assert "new        20 s " in text
    assert "new        33 min, 3.0 GiB " in text
    assert "about 34 min, 3.0 GiB of memory at most." in text


def test_the_estimate_is_used_without_finished_cells(tmp_path):
    text = Sweep(tmp_path, [cell(tmp_path, lr=1)]).plan(estimate=lambda of: Estimate(90.0, 2**20))
    assert "90 s, 1 MiB" in text


def test_a_failure_that_is_not_retried_costs_nothing(tmp_path):
    cells = [cell(tmp_path, optimizer="sgd")]
    Sweep(tmp_path, cells).run(one_by_one(Trainer(sgd=ValueError())))
    assert "Nothing is left" in Sweep(tmp_path, cells).plan(retry_failed=False)
    assert "1 to train" in Sweep(tmp_path, cells).plan(retry_failed=True)


def test_a_plan_shows_the_step_of_a_checkpoint(tmp_path):
    one = cell(tmp_path, lr=1, steps=600)
    one.directory.mkdir()
    checkpoint.save(one.directory, {}, {"member": {"theta": torch.zeros(3), "step": 300}, "evaluations": []})
    assert f"resumable from step 300 of 600    {one.name}" in Sweep(tmp_path, [one]).plan()
    assert "unfinished (step 300 of 600)" in table.table(Sweep(tmp_path, [one]).results, [])
    (one.directory / "checkpoint.pt").write_bytes(b"damaged")
    assert f"  resumable    {one.name}" in Sweep(tmp_path, [one]).plan()


def test_a_long_plan_lists_the_first_and_the_last_cells(tmp_path):
    cells = [cell(tmp_path, lr=lr, steps=600) for lr in range(1, 302)]
    lines = Sweep(tmp_path, cells).plan().splitlines()
    assert lines[0] == "301 cells: 301 new"
    assert [line.split()[-1] for line in lines[1:21]] == [one.name for one in cells[:20]]
    assert lines[21] == "  ... 261 more"
    assert [line.split()[-1] for line in lines[22:42]] == [one.name for one in cells[-20:]]
    assert lines[42].startswith("301 to train")
    assert len(Sweep(tmp_path, cells[:200]).plan().splitlines()) == 1 + 200 + 1
