"""Plan of a sweep."""

from __future__ import annotations

import json

import pytest
import torch
from fake_cells import Trainer, cell, one_by_one, record, write

from gansweep.results import table
from gansweep.sweep.plan import Estimate
from gansweep.sweep.sweep import Sweep
from gansweep.training import checkpoint


def test_a_plan_shows_states_and_times_and_writes_nothing(tmp_path):
    cells = [cell(tmp_path, lr=lr, steps=600) for lr in (1, 2, 3)]
    assert "measured by the first cell" in Sweep(tmp_path / "none", cells).plan().text()
    write(cells[0], record(cells[0], steps=100))  # 20 s for 100 steps
    (tmp_path / cells[1].name).mkdir()
    (tmp_path / cells[1].name / "checkpoint.pt").touch()
    before = sorted(tmp_path.rglob("*"))
    text = Sweep(tmp_path, cells).plan().text()
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
    text = Sweep(tmp_path, [small, large, made("mlp", 2), made("dcgan", 2)]).plan().text()
    assert "new        20 s " in text
    assert "new        33 min, 3.0 GiB " in text
    assert "about 34 min, 3.0 GiB of memory at most." in text


def test_the_estimate_is_used_without_finished_cells(tmp_path):
    text = Sweep(tmp_path, [cell(tmp_path, lr=1)]).plan(estimate=lambda of: Estimate(90.0, 2**20)).text()
    assert "90 s, 1 MiB" in text


def test_a_failure_that_is_not_retried_costs_nothing(tmp_path):
    cells = [cell(tmp_path, optimizer="sgd")]
    Sweep(tmp_path, cells).run(one_by_one(Trainer(sgd=ValueError())))
    assert "Nothing is left" in Sweep(tmp_path, cells).plan(retry_failed=False).text()
    assert "1 to train" in Sweep(tmp_path, cells).plan(retry_failed=True).text()


def test_a_plan_shows_the_step_of_a_checkpoint(tmp_path):
    one = cell(tmp_path, lr=1, steps=600)
    one.directory.mkdir()
    checkpoint.save(one.directory, {}, {"member": {"theta": torch.zeros(3), "step": 300}, "evaluations": []})
    assert f"resumable from step 300 of 600    {one.name}" in Sweep(tmp_path, [one]).plan().text()
    assert "unfinished (step 300 of 600)" in table.table(Sweep(tmp_path, [one]).results, [])
    (one.directory / "checkpoint.pt").write_bytes(b"damaged")
    assert f"  resumable    {one.name}" in Sweep(tmp_path, [one]).plan().text()


def test_a_long_plan_lists_the_first_and_the_last_cells(tmp_path):
    cells = [cell(tmp_path, lr=lr, steps=600) for lr in range(1, 302)]
    lines = Sweep(tmp_path, cells).plan().text().splitlines()
    assert lines[0] == "301 cells: 301 new"
    assert [line.split()[-1] for line in lines[1:21]] == [one.name for one in cells[:20]]
    assert lines[21] == "  ... 261 more"
    assert [line.split()[-1] for line in lines[22:42]] == [one.name for one in cells[-20:]]
    assert lines[42].startswith("301 to train")
    assert len(Sweep(tmp_path, cells[:200]).plan().text().splitlines()) == 1 + 200 + 1


def test_a_plan_as_json_has_every_cell_with_seconds_and_bytes(tmp_path):
    cells = [cell(tmp_path, lr=lr, steps=600) for lr in range(1, 302)]
    write(cells[0], record(cells[0], steps=100))  # 20 s for 100 steps
    cells[1].directory.mkdir()
    checkpoint.save(cells[1].directory, {}, {"member": {"theta": torch.zeros(3), "step": 450}, "evaluations": []})
    plan = json.loads(Sweep(tmp_path, cells).plan().json())
    assert plan["counts"] == {"new": 299, "resumable": 1, "completed": 1}
    assert (plan["num_trained"], plan["sweep"], plan["notes"]) == (300, str(tmp_path), [])
    assert plan["expected_s"] == pytest.approx(299 * 120 + 30)
    first, second, *_, last = plan["cells"]
    assert (len(plan["cells"]), first["is_trained"], first["expected_s"]) == (301, False, None)
    assert (second["is_trained"], second["from_step"], second["steps"], second["expected_s"]) == (True, 450, 600, 30.0)
    assert (last["cell"], last["hash"], last["overrides"]) == (
        cells[-1].name,
        cells[-1].hash,
        {"lr": 301, "steps": 600},
    )


def test_the_time_of_a_plan_as_json_is_null_if_that_of_a_cell_is_unknown(tmp_path):
    plan = Sweep(tmp_path, [cell(tmp_path, lr=lr) for lr in (1, 2)])
    known = plan.cells[:1]
    text = plan.plan(estimate=lambda of: Estimate(90.0, 2**20) if of in known else None).json()
    assert json.loads(text)["expected_s"] is None
    assert [one["expected_memory_bytes"] for one in json.loads(text)["cells"]] == [2**20, None]
