"""Cells and trainings that cost nothing."""

from __future__ import annotations

import json
from pathlib import Path

from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import cell_name, digest, identity


def cell(root: Path, **overrides) -> Cell:
    """Make the cell of some overrides; its config is these and a few numbers."""
    config = {"seed": 0, "steps": 100, "metric": {"num_samples": 8}} | overrides
    who = identity(config, "data-hash", "1")
    return Cell(overrides, config, who, digest(who), root / cell_name(overrides, digest(who)))


def record(of: Cell, final: float | None = 50.0, *, untrained=400.0, fingerprint=None, **changes) -> dict:
    """Make the record that a training of the cell would have left."""
    best = None if final is None else final - 1
    return {
        "format": 1,
        "state": "completed",
        "cell": {"name": of.name, "hash": of.hash, "overrides": of.overrides},
        "config": of.config,
        "identity": of.identity,
        "steps": 100,
        "metric": {
            "name": "fd_digits",
            "fingerprint": fingerprint or {"metric": "fd_digits", "n_real": 1797, "n_fake": 898},
            "lower_is_better": True,
            "evaluations": [
                {"step": 0, "value": untrained},
                {"step": 80, "value": best},
                {"step": 100, "value": final},
            ],
            "untrained": untrained,
            "floor": 3.1,
            "final": final,
            "final_step": None if final is None else 100,
            "best": best,
            "best_step": None if best is None else 80,
        },
        "divergence": None,
        "error": None,
        "seeds": {"member": of.config["seed"]},
        "versions": {"gansweep": "0.1.0", "torch": "2.15.0"},
        "device": {},
        "time": {"started": None, "finished": None, "wall_s": 20.0, "steps_per_s": 5.0, "eval_s": 1.0},
    } | changes


def diverged(of: Cell, step: int = 17) -> dict:
    """Make the record of a training that diverged."""
    why = {"step": step, "player": "discriminator", "cause": "loss is not finite"}
    return record(of, None, state="diverged", steps=step, divergence=why)


def write(of: Cell, content: dict) -> dict:
    """Put a record where the cell's training would have put it."""
    of.directory.mkdir(parents=True, exist_ok=True)
    (of.directory / "record.json").write_text(json.dumps(content))
    return content


class Trainer:
    """Trains nothing, counts who was trained, and fails where it is told to."""

    def __init__(self, **failures: BaseException) -> None:
        self.failures, self.trained = failures, []

    def __call__(self, of: Cell, stop, progress) -> dict:
        self.trained.append(of.name)
        for key, error in self.failures.items():
            if key == of.overrides.get("optimizer"):
                raise error
        progress(100, 100, "")
        return write(of, record(of))
