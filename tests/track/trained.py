"""Runs of the tiny track in outputs/, as `gansweep track try` and `tune` leave them; from one training."""

from __future__ import annotations

import shutil
from pathlib import Path

from gansweep.cli import app
from gansweep.sweep.sweep import Sweep
from gansweep.track.track import Track
from tests.track import tiny

TARGET = 1.9015
GOOD, DIVERGING = 0.3215, 2.0  # rates of SGD: all seeds reach the target; some diverge


def install(monkeypatch, folder):
    """Train SGD with two rates and all seeds below a folder, which becomes the current one, and return the track.

    The runs are distributed to the folders of two entries and of their tuning.
    """
    monkeypatch.setattr("gc.collect", lambda *generation: 0)
    monkeypatch.chdir(folder)
    tiny.install(monkeypatch, folder / "conf", target=TARGET)
    track = Track.load("tiny")
    words = ["optimizer=sgd", f"lr={GOOD},{DIVERGING}", "seed=0,1,2,3,4,1000,1001", "name=all", *tiny.LIGHT, "pack=14"]
    assert app.run(["-m", *track.overrides, *words]) == 0
    for result in Sweep(Path("outputs/all"), []).results:
        cell = result.cell
        is_tuning = cell.config["seed"] in track.tuning_seeds
        shutil.copytree(cell.directory, (tuning() if is_tuning else judging(cell.config["lr"])) / cell.name)
    return track


def tuning():
    """Folder of the tuning runs of both rates."""
    return Path("outputs/track_tiny_tune8_sgd_0")


def judging(lr):
    """Folder of the judging runs of one rate."""
    return Path(f"outputs/track_tiny_judge_sgd-lr-{lr}_0")
