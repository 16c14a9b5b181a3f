"""Run with `bash scripts/engines/slurm.sh python -m pytest -m slurm`, or on a cluster of your own."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from engine import Engine, assert_failures_stay_alone, assert_packs, assert_same_cells

pytestmark = pytest.mark.slurm


@pytest.fixture
def engine(tmp_path) -> Engine:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs gansweep[submitit]")
    if shutil.which("sinfo") is None or subprocess.run(["sinfo"], capture_output=True, check=False).returncode:
        pytest.skip("no Slurm answers: bash scripts/engines/slurm.sh python -m pytest -m slurm")
    small = ("hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1", "hydra.launcher.timeout_min=10")
    return Engine(tmp_path, ("hydra/launcher=submitit_slurm", *small))


def test_the_same_cells(engine):
    assert_same_cells(engine)


def test_failures_stay_alone(engine):
    assert_failures_stay_alone(engine, "by_raising", "by_leaving", "by_an_odd_error", killed=True)


def test_packs(engine):
    there = ("hydra.launcher.backend=submitit", "hydra.launcher.submitit.cluster=slurm", "hydra.launcher.tasks=2")
    small = ("hydra.launcher.submitit.mem_gb=1", "hydra.launcher.submitit.timeout_min=10")
    assert_packs(Engine(engine.folder, ("hydra/launcher=fused", *there, *small)), "submitit")
