"""Run with `bash scripts/engines/ray.sh python -m pytest -m ray`."""

from __future__ import annotations

import os

import pytest
from engine import Engine, assert_failures_stay_alone, assert_packs, assert_same_cells

pytestmark = pytest.mark.ray


@pytest.fixture
def engine(tmp_path) -> Engine:
    pytest.importorskip("hydra_plugins.hydra_ray_launcher", reason="needs gansweep[ray]")
    address = os.environ.get("GANSWEEP_TEST_RAY")
    if not address:
        pytest.skip("no Ray cluster: bash scripts/engines/ray.sh python -m pytest -m ray")
    cluster = (
        "hydra/launcher=ray",
        f"hydra.launcher.ray.init.address={address}",
        "+hydra.launcher.ray.init.object_store_memory=null",
        "+hydra.launcher.ray.remote.num_cpus=1",
    )
    return Engine(tmp_path, cluster)


def test_the_same_cells(engine):
    assert_same_cells(engine)


def test_failures_stay_alone(engine):
    assert_failures_stay_alone(engine, "by_raising", "by_leaving", "by_an_odd_error", killed=False)


@pytest.fixture
def fused(engine) -> Engine:
    address = os.environ["GANSWEEP_TEST_RAY"]
    there = ("hydra.launcher.backend=ray", f"hydra.launcher.ray.init.address={address}", "hydra.launcher.tasks=2")
    return Engine(engine.folder, ("hydra/launcher=fused", *there))


def test_packs(fused):
    assert_packs(fused, "ray")


def test_failures_in_packs_stay_alone(fused):
    assert_failures_stay_alone(fused, "by_raising", "by_leaving", "by_an_odd_error", killed=False)
