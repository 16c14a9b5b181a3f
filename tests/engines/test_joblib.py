"""Run with `python -m pytest -m joblib` where gansweep[joblib] is installed."""

from __future__ import annotations

import pytest
from engine import Engine, assert_failures_stay_alone, assert_same_cells

pytestmark = pytest.mark.joblib


@pytest.fixture
def engine(tmp_path) -> Engine:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs gansweep[joblib]")
    return Engine(tmp_path, ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"))


def test_the_same_cells(engine):
    assert_same_cells(engine)


def test_failures_stay_alone(engine):
    assert_failures_stay_alone(engine, "by_raising", "by_leaving", "by_memory", "by_an_odd_error", killed=False)


def test_a_killed_job_ends_the_pool_and_the_same_command_continues(engine):
    grid = engine.failures("by_being_killed")
    text = engine(*grid, "name=s", code=1)
    assert "The launcher failed" in text
    assert "| optimizer.how" in text
    engine.mend_it()
    engine(*grid, "name=s")
    assert set(engine.states("s").values()) == {"completed"}
