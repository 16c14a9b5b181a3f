"""Train the same run on the CPU and on the pretended device, and compare parameters and metrics."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.config.test_build_conf import composed
from tests.rehearsal.pretended import PretendedDevice

from gansweep.config.build import build
from gansweep.metrics import cache
from gansweep.training.run import Run
from gansweep.training.trainer import train

SMALL = ["batch_size=8", "critic_steps=1", "trainer.tensorboard=false", "trainer.check_every=1", "trainer.log_every=2"]
FEW_SAMPLES = ["metric.num_samples=100", "trainer.eval_every=2"]
BF16_TOLERANCE = 1.0  # only the order of magnitude of the parameters is compared


def run_on(device: str, *overrides: str, steps: int = 3) -> Run:
    """Return a small run without a metric, unless the overrides name one."""
    metric = [] if any(override.startswith("metric") for override in overrides) else ["~metric"]
    lines = [f"device={device}", f"steps={steps}", *SMALL, *overrides, *metric]
    return build(composed(*lines))


def parameters(directory: Path) -> dict[str, torch.Tensor]:
    """Return the parameters of both players in the last checkpoint, as float64."""
    member = torch.load(directory / "checkpoint.pt", weights_only=True)["member"]
    return {player: member[player]["theta"].double() for player in ("generator", "discriminator") if player in member}


def rehearse(tmp_path: Path, *overrides: str, tolerance: float = 1e-3, steps: int = 3) -> PretendedDevice:
    """Train on both devices, compare, and return the device with its counts.

    Args:
        tmp_path: for the outputs.
        overrides: settings of the run.
        tolerance: largest relative distance of the parameters.
        steps: generator steps.
    """
    expected = train(run_on("cpu", *overrides, steps=steps), tmp_path / "cpu")
    cache.forget()
    with PretendedDevice() as device:
        record = train(run_on("cuda", *overrides, steps=steps), tmp_path / "cuda")
    assert record["state"] == expected["state"]
    after = parameters(tmp_path / "cuda")
    for player, theta in parameters(tmp_path / "cpu").items():
        assert float((theta - after[player]).norm()) <= tolerance * float(theta.norm().clamp(min=1e-12)), player
    for one, other in zip(_evaluations(expected), _evaluations(record), strict=True):
        assert other["value"] == pytest.approx(one["value"], rel=2e-2, abs=2e-2)
    return device


def _evaluations(record):
    return (record["metric"] or {}).get("evaluations", [])
