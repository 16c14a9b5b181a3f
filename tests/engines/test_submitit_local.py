"""Run with `python -m pytest -m submitit` where gansweep[submitit] is installed."""

from __future__ import annotations

import pytest
from engine import Engine, assert_failures_stay_alone, assert_packs, assert_same_cells

pytestmark = pytest.mark.submitit


@pytest.fixture
def engine(tmp_path) -> Engine:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs gansweep[submitit]")
    return Engine(tmp_path, ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=10"))


def test_the_same_cells(engine):
    assert_same_cells(engine)


def test_failures_stay_alone(engine):
    assert_failures_stay_alone(engine, "by_raising", "by_leaving", "by_an_odd_error", killed=True)


@pytest.fixture
def fused(engine) -> Engine:
    there = ("hydra.launcher.backend=submitit", "hydra.launcher.submitit.cluster=local", "hydra.launcher.tasks=2")
    return Engine(engine.folder, ("hydra/launcher=fused", *there))


def test_packs(fused):
    assert_packs(fused, "submitit")


def test_failures_in_packs_stay_alone(fused):
    assert_failures_stay_alone(fused, "by_raising", "by_leaving", "by_an_odd_error", killed=False)
