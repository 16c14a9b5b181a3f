"""Fused updates, whose parameters are one aligned row, on the pretended device; Triton's code is not run."""

from __future__ import annotations

import pytest
from tests.config.test_every_choice_trains import MLP
from tests.rehearsal.algorithms import ALGORITHMS
from tests.rehearsal.rehearsal import FEW_SAMPLES, rehearse

from gansweep.batched import player
from gansweep.batched.fused_update import update_part

pytestmark = pytest.mark.rehearsal


@pytest.fixture(autouse=True)
def fused(monkeypatch):
    monkeypatch.setattr(player, "can_fuse", lambda device: device.type != "cpu")
    monkeypatch.setattr(player, "fused_update", update_part)


@pytest.mark.parametrize("name", ["critic steps", "batch norm", "clipping", "lookahead", "extragradient", "cfg"])
def test_as_on_a_cpu(name, tmp_path):
    rehearse(tmp_path, *ALGORITHMS[name], tolerance=1e-2)


def test_averages_and_diagnoses(tmp_path):
    rehearse(tmp_path, *MLP, *FEW_SAMPLES, "trainer.ema=0.9", "trainer.diagnose_every=1")
