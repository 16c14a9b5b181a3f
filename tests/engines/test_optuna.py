"""Run with `python -m pytest -m optuna` where gansweep[optuna] and optuna 4 or later are installed."""

from __future__ import annotations

import json

import pytest
from engine import Engine

pytestmark = pytest.mark.optuna

SEARCH = ("hydra/sweeper=optuna", "+search=rates", "name=search", "hydra.sweeper.storage=sqlite:///study.db")


@pytest.fixture
def engine(tmp_path) -> Engine:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="needs gansweep[optuna]")
    return Engine(tmp_path, SEARCH)


def trials(engine: Engine) -> list:
    import optuna

    return optuna.load_study(study_name="gansweep", storage=f"sqlite:///{engine.folder}/study.db").trials


def test_the_search_space_and_a_continued_study(engine):
    text = engine("hydra.sweeper.n_trials=2")
    assert text.count("Command:") == 1
    assert "Final W1" in text
    engine("hydra.sweeper.n_trials=1")
    found = trials(engine)
    assert len(found) == 3
    for trial in found:
        assert trial.params["optimizer"] in ("adam", "rmsprop", "sgd")
        assert all(1e-5 <= float(trial.params[key]) <= 1e-1 for key in ("lr", "lr_d"))
    told = sorted(trial.value for trial in found if trial.state.name == "COMPLETE")
    records = engine.records("search").values()
    assert told == sorted(record["metric"]["final"] for record in records if record["state"] == "completed")


def test_a_divergence_is_reported_as_a_failure(engine):
    grid = ("hydra/sweeper/sampler=grid", "lr=choice(1e-3,1e30)", "lr_d=choice(1e-3)", "optimizer=choice(sgd)")
    engine("hydra.sweeper.n_trials=2", *grid)
    found = {str(trial.params["lr"]): trial for trial in trials(engine)}
    assert sorted(trial.state.name for trial in found.values()) == ["COMPLETE", "FAIL"]
    (failed,) = (trial for trial in found.values() if trial.state.name == "FAIL")
    assert failed.value is None
    assert float(failed.params["lr"]) == 1e30
    assert sorted(record["state"] for record in engine.records("search").values()) == ["completed", "diverged"]


def test_a_trial_that_was_trained_before_costs_nothing(engine):
    once = ("lr=choice(1e-3)", "lr_d=choice(1e-3)", "optimizer=choice(sgd)", "hydra.sweeper.n_trials=1")
    engine(*once)
    (path,) = engine.folder.glob("outputs/search/*/record.json")
    written = path.stat().st_mtime_ns
    engine(*once)
    assert path.stat().st_mtime_ns == written
    first, second = trials(engine)
    assert first.value == second.value


def test_a_batch_of_trials_is_one_pack_and_every_trial_gets_its_own_value(engine):
    engine("hydra/launcher=fused", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=4", "pack=4", "workers=1")
    records = list(engine.records("search").values())
    packs = [json.loads(path.read_text())["pack"] for path in engine.folder.glob("outputs/search/*/record.json")]
    assert [pack["members"] for pack in packs] == [4] * 4
    assert len(trials(engine)) == len(records) == 4
    for trial in trials(engine):
        (record,) = (one for one in records if told(one) == told_by(trial))
        if record["state"] == "completed":
            assert trial.value == record["metric"]["final"]
        else:
            assert trial.value is None
            assert trial.state.name == "FAIL"


def told(record) -> tuple:
    return tuple(record["cell"]["overrides"][key] for key in ("optimizer", "lr", "lr_d"))


def told_by(trial) -> tuple:
    return trial.params["optimizer"], float(trial.params["lr"]), float(trial.params["lr_d"])
