"""Other launchers and sweepers of Hydra train the same cells."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from gansweep.cli.backends import chosen

GRID = ["-m", "optimizer=adam,sgd"]


def test_another_launcher_puts_the_same_cells_into_the_same_directories(gansweep):
    """Hydra's launcher represents all that start a job from its overrides."""
    assert gansweep.tiny(*GRID, "name=here").code == 0
    answer = gansweep.tiny(*GRID, "name=there", "hydra/launcher=basic")
    assert answer.code == 0
    assert "adam" in answer.out
    assert gansweep.records("there").keys() == gansweep.records("here").keys()


def test_another_launcher_composes_as_we_do(gansweep):
    """A choice on the command line takes precedence over an experiment's choice; Hydra alone merges both."""
    line = ["experiment=dirac/r1", "loss=wgan_gp", "steps=2", "name=there", "trainer.tensorboard=false"]
    assert gansweep(*line, "hydra/launcher=basic").code == 0
    (record,) = gansweep.records("there").values()
    assert list(record["config"]["loss"]["penalties"]) == ["gp"]


def test_a_launcher_with_a_backend_of_its_own_is_another_one():
    """joblib's. Mistake: its settings are read as those of gansweep's launcher."""
    node = {"_target_": "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher", "backend": None}
    assert chosen(OmegaConf.create({"hydra": {"launcher": node}})) == {"backend": "local"}


def test_another_launcher_gets_no_finished_cells(gansweep, monkeypatch):
    gansweep.tiny(*GRID, "name=both")
    monkeypatch.setattr("gansweep.cli.job.open_session", lambda *a: pytest.fail("trained again"))
    assert gansweep.tiny(*GRID, "name=both", "hydra/launcher=basic").code == 0


def test_a_job_that_fails_elsewhere_is_recorded_and_counted(gansweep, monkeypatch):
    monkeypatch.setattr("gansweep.training.trainer.train_together", lambda *a, **k: 1 / 0)
    assert gansweep.tiny("name=bad", "hydra/launcher=basic").code == 1
    (record,) = gansweep.records("bad").values()
    assert record["error"]["type"] == "ZeroDivisionError"


def test_a_job_that_became_another_training_since_the_plan_is_refused(gansweep, monkeypatch):
    from gansweep.cli import sweeping

    begin = sweeping.Multirun.begin

    def begin_and_edit(self, fresh):
        begin(self, fresh)
        monkeypatch.setattr("gansweep.training.run.NUMERICS", "another")

    monkeypatch.setattr(sweeping.Multirun, "begin", begin_and_edit)
    assert gansweep.tiny("name=edited", "hydra/launcher=basic").code == 1
    assert gansweep.records("edited") == {}


def test_errors_are_reported_before_another_launcher_starts(gansweep):
    answer = gansweep.tiny("-m", "lr=1,-1", "hydra/launcher=basic")
    assert answer.code == 2
    assert list(gansweep.folder.iterdir()) == []


def test_another_sweeper_gets_results_and_one_table(gansweep):
    """Hydra's sweeper represents all that request results of a launcher batch by batch."""
    answer = gansweep.tiny(*GRID, "name=searched", "hydra/sweeper=basic", "hydra.sweeper.max_batch_size=1")
    assert answer.code == 0
    assert len(gansweep.records("searched")) == 2
    assert answer.out.count("Command:") == 1


def test_fresh_applies_to_the_first_batch_only(gansweep):
    gansweep.tiny("name=fresh")
    line = [*GRID, "name=fresh", "fresh=true", "hydra/sweeper=basic", "hydra.sweeper.max_batch_size=1"]
    assert gansweep.tiny(*line).code == 0
    assert len(gansweep.records("fresh")) == 2
    assert len(gansweep.records("fresh.1")) == 1


def test_a_search_can_not_be_planned(gansweep):
    answer = gansweep.tiny("-m", "plan=true", "hydra/sweeper=basic")
    assert answer.code == 2
    assert "plan=true: " in answer.err


def test_a_divergence_is_raised_for_a_sweeper_that_wants_it():
    from gansweep.cli.job import Diverged, JobFailed, result

    diverged = {"state": "diverged", "divergence": {"step": 3, "cause": "x"}, "metric": {"final": None}}
    assert result(diverged, raise_divergence=False) is None
    with pytest.raises(Diverged, match="step 3"):
        result(diverged, raise_divergence=True)
    with pytest.raises(JobFailed, match="OSError: gone"):
        result({"state": "failed", "error": {"type": "OSError", "message": "gone"}}, raise_divergence=False)
    with pytest.raises(JobFailed):
        result(None, raise_divergence=False)
    assert result({"state": "completed", "metric": {"final": 2.5}}, raise_divergence=True) == 2.5
