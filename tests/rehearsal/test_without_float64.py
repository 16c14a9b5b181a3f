"""Training and evaluation on a device without float64, as MPS is."""

from __future__ import annotations

import sys

import pytest
import torch
from tests.config.test_every_choice_trains import MLP, NO_WEIGHTS, OF_DENOISING, SMALLER, choices
from tests.rehearsal.algorithms import ALGORITHMS, CFG
from tests.rehearsal.pretended import PretendedDevice
from tests.rehearsal.rehearsal import FEW_SAMPLES, run_on
from tests.rehearsal.test_every_choice_on_cuda import data_of

from gansweep import device as devices
from gansweep.training.trainer import train

pytestmark = pytest.mark.rehearsal
RUNS = ALGORITHMS | {
    "diagnosis": [*MLP, "trainer.diagnose_every=1"],
    "points": [*MLP, "data=ring", "trainer.ema=0.9"],
    "plateau": [
        *MLP,
        "data=ring",
        "metric=sliced_wasserstein1",
        *FEW_SAMPLES,
        "trainer.eval_every=1",
        "feedback=plateau",
    ],
    "plateau of eta": [*CFG, *FEW_SAMPLES, "feedback@algorithm.feedback_eta=plateau"],
}


@pytest.fixture(autouse=True)
def finest_is_float32(monkeypatch):
    """Let `gansweep.device.finest` return float32, as on MPS."""
    finest = devices.finest
    for name, module in list(sys.modules.items()):
        if name.startswith("gansweep.") and getattr(module, "finest", None) is finest:
            monkeypatch.setattr(module, "finest", lambda device: finest(torch.device("mps")))


@pytest.mark.parametrize("name", RUNS)
def test_a_run_needs_no_float64(name, tmp_path):
    with PretendedDevice(float64=False):
        run = run_on("cuda", *RUNS[name], "trainer.tensorboard=true")
        assert train(run, tmp_path)["state"] == "completed"


@pytest.mark.parametrize("metric", choices("metric", (*NO_WEIGHTS, *OF_DENOISING)))
def test_a_metric_needs_no_float64(metric, tmp_path):
    with PretendedDevice(float64=False):
        run = run_on("cuda", *MLP, *data_of(metric), f"metric={metric}", *FEW_SAMPLES, *SMALLER.get(metric, []))
        assert train(run, tmp_path)["state"] == "completed"
