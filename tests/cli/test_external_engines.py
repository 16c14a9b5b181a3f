"""The engines that are extras, each for real. Run them with -m joblib, -m submitit, -m optuna."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.tiny import TINY

GRID = ["optimizer=adam,sgd", "lr=1e-3,1e30"]


def typed(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess:
    """Run the command line in a process of its own."""
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "gansweep", *arguments]
    answer = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert answer.returncode == code, answer.stderr
    return answer


def records(folder: Path, sweep: str) -> dict[str, dict]:
    found = sorted((folder / "outputs" / sweep).glob("*/record.json"))
    return {path.parent.name: json.loads(path.read_text()) for path in found}


def assert_same_cells(folder: Path, launcher: str, *more: str) -> None:
    """The engine's cells are those of this process, by name and by every number."""
    typed(folder, "-m", *TINY, *GRID, "name=here")
    answer = typed(folder, "-m", *TINY, *GRID, "name=there", f"hydra/launcher={launcher}", *more)
    here, there = records(folder, "here"), records(folder, "there")
    assert there.keys() == here.keys() and len(there) == 4
    for name, record in there.items():
        assert record["state"] == here[name]["state"] and record["identity"] == here[name]["identity"]
    assert "N/A" in answer.stdout


@pytest.mark.joblib
def test_joblib_trains_the_same_cells(tmp_path):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs gansweep[joblib]")
    assert_same_cells(tmp_path, "joblib", "hydra.launcher.n_jobs=2")


@pytest.mark.submitit
def test_submitit_trains_the_same_cells(tmp_path):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs gansweep[submitit]")
    assert_same_cells(tmp_path, "submitit_local")


@pytest.mark.optuna
def test_optuna_hears_of_a_divergence_as_a_failure(tmp_path):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="needs gansweep[optuna]")
    search = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1", "name=search"]
    grid = ["lr=choice(1e-3,1e30)", "hydra/sweeper/sampler=grid"]
    study = [f"hydra.sweeper.storage=sqlite:///{tmp_path}/study.db", "hydra.sweeper.study_name=s"]
    scored = [setting for setting in TINY if setting != "~metric"]
    raised = ["diverged=raise", "hydra.sweeper.max_failure_rate=1.0"]
    answer = typed(tmp_path, "-m", *scored, *search, *grid, *study, *raised)
    import optuna

    trials = optuna.load_study(study_name="s", storage=f"sqlite:///{tmp_path}/study.db").trials
    assert sorted(trial.state.name for trial in trials) == ["COMPLETE", "FAIL"]
    assert answer.stdout.count("Command:") == 1
