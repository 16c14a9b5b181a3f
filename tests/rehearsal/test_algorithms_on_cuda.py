"""All algorithms and trainer settings on the pretended device."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.config.test_every_choice_trains import MLP
from tests.rehearsal.algorithms import ALGORITHMS, CFG, COOPNETS, DENOISING
from tests.rehearsal.pretended import PretendedDevice
from tests.rehearsal.rehearsal import BF16_TOLERANCE, FEW_SAMPLES, rehearse, run_on

from gansweep.training.trainer import pack_of

pytestmark = pytest.mark.rehearsal
PRECISIONS = pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-2), ("bf16", BF16_TOLERANCE)])
# The guard decides on the host whether a member returns to its saved state. Shampoo decomposes 12 matrices; each
# decomposition waits, for all members at once.
WAITS_OF_STEP = {"guarded cfg": 1, "shampoo": 12}
GUARD = ["algorithm.guard.enabled=true", "algorithm.guard.window=2", "algorithm.guard.keep_every=1"]


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_quadratic(precision, tmp_path):
    rehearse(
        tmp_path, "experiment=forsyth_quadratic", "data.num_samples=8", "metric.num_samples=1",
        f"precision={precision}", tolerance=1e-2,
    )  # fmt: skip


@PRECISIONS
def test_denoising(precision, tolerance, tmp_path):
    rehearse(tmp_path, *DENOISING, f"precision={precision}", "trainer.ema=0.9", tolerance=tolerance)


@pytest.mark.parametrize(
    "changes", [[], ["algorithm.pool=true"], GUARD, ["feedback@algorithm.feedback_eta=plateau"]],
    ids=["plain", "pool", "guard", "plateau"],
)  # fmt: skip
@PRECISIONS
def test_cfg(changes, precision, tolerance, tmp_path):
    rehearse(tmp_path, *CFG, *FEW_SAMPLES, *changes, f"precision={precision}", tolerance=tolerance)


@pytest.mark.parametrize("changes", [[], ["algorithm.latent_steps=2"]], ids=["plain", "latent_steps"])
@PRECISIONS
def test_coopnets(changes, precision, tolerance, tmp_path):
    rehearse(tmp_path, *COOPNETS, *changes, f"precision={precision}", tolerance=tolerance)


@pytest.mark.parametrize(
    "changes",
    [
        ["trainer.ema=0.9"],
        ["precision=tf32"],
        ["precision=bf16"],
        ["metric@metric_2=coverage", "metric_2.num_samples=100"],
        ["trainer.diagnose_every=1"],
        ["trainer.diagnose_every=1", "precision=bf16"],
        ["trainer.tensorboard=true"],
    ],
    ids=" ".join,
)
def test_trainer_settings(changes, tmp_path):
    tolerance = BF16_TOLERANCE if "precision=bf16" in changes else 1e-3
    rehearse(tmp_path, *MLP, *FEW_SAMPLES, *changes, tolerance=tolerance)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_step_does_not_wait_for_the_device(name):
    with PretendedDevice() as device:
        run = run_on("cuda", *ALGORITHMS[name], steps=12)
        steps = pack_of([replace(run, member=replace(run.member, seed=seed)) for seed in (0, 1)]).steps()
        next(steps)
        device.reset()
        for _ in range(5):
            next(steps)
    assert device.waits.total() <= 5 * WAITS_OF_STEP.get(name, 0), device.waits
    assert not device.uploads
