"""Kept weights, and what is done with trained networks, on the pretended device."""

from __future__ import annotations

import pytest
import torch
from tests.config.test_build_conf import composed
from tests.config.test_every_choice_trains import MLP
from tests.rehearsal.pretended import NAME, PretendedDevice
from tests.rehearsal.rehearsal import FEW_SAMPLES, SMALL

from gansweep.config.build import check
from gansweep.sweep import records
from gansweep.sweep.cell import Cell, Result
from gansweep.sweep.identity import digest, identity
from gansweep.trained.measure import add, measured, measurements
from gansweep.trained.pair import load
from gansweep.training import kept
from gansweep.training.trainer import train

pytestmark = pytest.mark.rehearsal
LINES = ["device=cuda", "steps=4", *SMALL, *MLP, *FEW_SAMPLES, "metric=digits", "trainer.keep=all", "trainer.ema=0.9"]


@pytest.fixture
def cell(tmp_path):
    """Return a cell that was trained on the device."""
    checked = check(composed(*LINES))
    identity_ = identity(checked.config, "data", "1")
    cell = Cell({}, checked.config, identity_, digest(identity_), tmp_path / "cell")
    assert checked.run is not None
    with PretendedDevice():
        train(checked.run, cell.directory, header=cell.header)
    return cell


def test_the_networks_of_a_cell_are_loaded_to_the_cpu_and_used_on_the_device(cell):
    content = records.read(cell.directory)
    for which in ("final", "best"):
        pair = load(cell.directory, which=which)
        assert pair.step == content["metric"]["final_step" if which == "final" else "best_step"]
        expected = pair.outputs(pair.latents(5, seed=1))
        with PretendedDevice():
            pair.generator.to(torch.device(NAME, 0))
            torch.testing.assert_close(pair.outputs(pair.latents(5, seed=1)), expected)
    assert [entry.step for entry in kept.kept(cell.directory)] == [0, 2, 4, 4]


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_a_further_metric_is_measured_on_either_device(cell, device):
    result = Result.of(cell.directory, records.read(cell.directory))
    settings = composed(*LINES, "metric=thumbnail")["metric"]
    with PretendedDevice():
        (measurement,) = measurements([result], [settings], device)
        value, _ = measured(measurement)
        entry = add(measurement, value)
    assert entry["final"] == value > 0
    assert records.read(cell.directory)["further_metrics"] == [entry]
