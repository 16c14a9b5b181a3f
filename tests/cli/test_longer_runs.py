"""The same line with more steps, or with other evaluation steps, continues what was trained."""

from __future__ import annotations

import json

import pytest
from tests.cli.tiny import TINY

from gansweep.training import kept

LINE = [text for text in TINY if text not in ("~metric", "steps=2")]
LINE += ["data=ring", "metric=wasserstein1", "metric.num_samples=64", "trainer.eval_every=2"]


@pytest.fixture
def typed(gansweep):
    """Run a line with the smallest networks and a metric; return its output, after a check of the exit code."""

    def run(*more):
        answer = gansweep(*LINE, *more)
        assert answer.code == 0, answer.err
        return answer

    return run


def one_record(gansweep, holds):
    """Return the record below outputs/ whose sweep's name ends in the given text, and its path."""
    paths = [p for p in gansweep.folder.glob("outputs/*/*/record.json") if holds(json.loads(p.read_text()))]
    assert len(paths) == 1, paths
    return json.loads(paths[0].read_text()), paths[0]


def with_steps(gansweep, steps):
    return one_record(gansweep, lambda record: record["config"]["steps"] == steps)[0]


def numbers(record):
    return {key: record[key] for key in ("metric", "steps", "state", "divergence", "identity")}


def test_more_steps_continue_a_finished_cell_of_another_sweep(gansweep, typed):
    typed("steps=4")
    plan = typed("steps=8", "plan=true").out
    assert "new, continues from step 4 of 8" in plan
    assert "1 cell will continue from step 4 of " in plan
    answer = typed("steps=8")
    assert "1 cell will continue from step 4 of " in answer.err + answer.out
    record = with_steps(gansweep, 8)
    assert record["continued"]["step"] == 4
    assert record["continued"]["hash"] == with_steps(gansweep, 4)["cell"]["hash"]
    typed("steps=8", "name=alone")
    alone = json.loads(next(gansweep.folder.glob("outputs/alone/*/record.json")).read_text())
    assert "continued" not in alone
    assert numbers(alone) == numbers(record)
    assert "1 completed" in typed("steps=8", "plan=true").out


def test_a_named_sweep_uses_its_own_cells_only(gansweep, typed):
    typed("-m", "steps=4", "seed=0,1", "name=mine")
    assert "continue" not in typed("steps=8", "name=other", "plan=true").out
    answer = typed("-m", "steps=8", "seed=0,1,2", "name=mine")
    assert "2 cells will continue from step 4 of mine" in answer.err + answer.out
    records = gansweep.records("mine").values()
    continued = {(r["seeds"]["member"], r["steps"]): (r.get("continued") or {}).get("step") for r in records}
    assert continued == {(0, 4): None, (1, 4): None, (0, 8): 4, (1, 8): 4, (2, 8): None}


def test_the_plan_names_the_schedule_that_prevents_it(gansweep, typed):
    typed("steps=4", "schedule=cosine", "name=s")
    plan = typed("steps=8", "schedule=cosine", "name=s", "plan=true").out
    assert "1 cell will be trained from step 0: schedule=Cosine(end=0.0) differs in step 1" in plan
    answer = typed("steps=8", "schedule=cosine", "name=s")
    assert "will be trained from step 0: schedule=Cosine" in answer.err + answer.out
    assert all("continued" not in record for record in gansweep.records("s").values())
    typed("steps=4", "schedule=step", "schedule.period=3", "schedule.num_drops=null", "name=t")
    plan = typed("steps=8", "schedule=step", "schedule.period=3", "schedule.num_drops=null", "name=t", "plan=true").out
    assert "continues from step 4 of 8" in plan


def test_another_schedule_with_the_same_values_so_far(gansweep, typed):
    typed("steps=4", "name=s")
    typed("steps=8", "schedule=piecewise", "schedule.pieces=[[1.0,4],[0.1,4]]", "name=s")
    (record,) = [record for record in gansweep.records("s").values() if record["steps"] == 8]
    assert record["continued"]["step"] == 4


def test_fresh_starts_over(gansweep, typed):
    typed("steps=4")
    assert "continue" not in typed("steps=8", "fresh=true", "plan=true").out
    typed("steps=8", "fresh=true")
    assert "continued" not in with_steps(gansweep, 8)


def test_intervals_change_without_training(gansweep, typed, monkeypatch):
    typed("steps=8")
    before = with_steps(gansweep, 8)
    monkeypatch.setattr("gansweep.batched.pack.Pack.steps", lambda self: pytest.fail("trained again"))
    for change in ("trainer.sample_every=3", "trainer.checkpoint_every=5", "trainer.eval_every=8"):
        typed("steps=8", change)
    records = [json.loads(path.read_text()) for path in gansweep.folder.glob("outputs/*/*/record.json")]
    assert len(records) == 4
    assert all(record["metric"]["final"] == before["metric"]["final"] for record in records)
    steps = sorted([e["step"] for e in record["metric"]["evaluations"]] for record in records)
    assert steps == [[0, 2, 4, 6, 8]] * 3 + [[0, 8]]


def test_evaluations_that_were_not_made_need_a_training(gansweep, typed):
    typed("steps=8", "name=s")
    plan = typed("steps=8", "trainer.eval_every=3", "name=s", "plan=true").out
    assert "1 cell will be trained from step 0: trainer.eval_every=3: step 3 was not evaluated" in plan


def test_another_setting_is_another_training(gansweep, typed):
    typed("-m", "steps=4", "lr=1e-3,1e-4", "name=s")
    for other in ("lr=1e-2", "optimizer=sgd", "trainer.ema=0.9", "trainer.check_every=7", "seed=5", "batch_size=4"):
        assert "continues" not in typed("steps=8", other, "name=s", "plan=true").out


def test_the_source_was_deleted_or_damaged(gansweep, typed):
    typed("steps=4", "name=s")
    sweep = gansweep.folder / "outputs" / "s"
    (file,) = sweep.glob("*/checkpoint.pt")
    file.write_bytes(file.read_bytes()[:-100])
    typed("steps=8", "name=s")
    assert {record["steps"] for record in gansweep.records("s").values()} == {4, 8}
    assert all("continued" not in record for record in gansweep.records("s").values())


def test_other_sweeps_that_cannot_be_read_are_ignored(gansweep, typed):
    typed("steps=4")
    for name, text in {"a": "{", "b": '{"cells": [{"name": "../x", "identity": {"config": {}}}]}', "c": "[]"}.items():
        (gansweep.folder / "outputs" / name).mkdir()
        (gansweep.folder / "outputs" / name / "sweep.json").write_text(text)
    assert "continues from step 4 of 8" in typed("steps=8", "plan=true").out


def test_the_best_weights_are_kept_and_the_plan_tells_their_size(gansweep, typed):
    plan = typed("-m", "steps=8", "seed=0,1", "trainer.keep=all", "name=s", "plan=true").out
    assert "trainer.keep: about 4 KiB for 10 files with weights of 2 cells" in plan
    typed("-m", "steps=8", "seed=0,1", "trainer.keep=best", "name=s")
    for directory in gansweep.folder.glob("outputs/s/seed=*"):
        best = json.loads((directory / "record.json").read_text())["metric"]["best_step"]
        assert list(kept.files(directory)) == [best]
    assert "finished without" not in typed("-m", "steps=8", "seed=0,1", "trainer.keep=best", "name=s", "plan=true").out


def test_the_plan_names_finished_cells_without_the_weights(gansweep, typed):
    typed("steps=8", "name=s")
    for answer in (typed("steps=8", "trainer.keep=all", "name=s", *more) for more in ([], ["plan=true"])):
        assert "trainer.keep=all: 1 cell finished without; only new trainings keep weights" in answer.err + answer.out
