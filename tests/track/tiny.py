"""Tiny track of the tests: four steps on eight Gaussians, five judging seeds, two tuning seeds."""

from __future__ import annotations

import yaml

from gansweep.track import track as track_module
from gansweep.track.track import GROUP

CONTENT = {
    "title": "tiny",
    "settings": {
        "data": "ring",
        "data.num_samples": 100,
        "model": "mlp_2d",
        "model.generator_widths": [4],
        "model.discriminator_widths": [4],
        "loss": "r1",
        "batch_size": 8,
        "steps": 4,
        "metric": "wasserstein1",
        "metric.num_samples": 16,
        "trainer.eval_every": 1,
    },
    "target": 1.95,
    "free": ["optimizer", "lr", "schedule", "trainer.ema"],
    "tuning": {"seeds": [1000, 1001], "budget": 8, "search": {"lr": "interval(1e-2,1)"}},
    "judging": {"seeds": 5, "confidence": 0.95, "level": 0.05},
    "skeptical": {"first_seed": 2000},
}
LIGHT = ["logger=none", "pack=8", "workers=1", "progress=off"]


def install(monkeypatch, folder, **changed):
    """Make `tiny` the only track, below a folder, and return the folder."""
    (folder / GROUP).mkdir(parents=True, exist_ok=True)
    (folder / GROUP / "tiny.yaml").write_text(yaml.safe_dump(CONTENT | changed))
    monkeypatch.setattr(track_module, "conf_dir", lambda: folder)
    return folder
