"""Sweeps of a few steps whose trained networks are loaded."""

from __future__ import annotations

import shutil

import pytest
from tests.typed import typed

SMALL = [
    *("batch_size=8", "steps=4", "device=cpu", "trainer.eval_every=2", "workers=1", "metric.num_samples=16"),
    *("model.latent_dim=4", "model.generator_widths=[8]", "model.discriminator_widths=[8]"),
]
AVERAGED = ["-m", "name=averaged", "trainer.ema=0.5", "optimizer=adam,sgd", "lr=1e-3", "seed=0,1", *SMALL]
DIVERGED = ["-m", "name=diverged", "lr=1e-3,1e30", "trainer.checkpoint_every=1", *SMALL]


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Return the folder of two sweeps."""
    return typed(tmp_path_factory.mktemp("trained"), AVERAGED, DIVERGED)


@pytest.fixture
def outputs(finished, tmp_path, monkeypatch):
    """Return a copy in the working directory that a test may change."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANSWEEP_CACHE", str(finished.parent / "cache"))
    return shutil.copytree(finished, tmp_path / "outputs")
