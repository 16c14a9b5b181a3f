"""Cells, records and an executor without training, for tests of the sweep."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import cell_name, digest, identity
from gansweep.sweep.pack_executor import in_packs
from gansweep.sweep.run_state import Executor, StepCallback
from gansweep.training.interruption import Interrupted, interrupts


def cell(root: Path, **overrides) -> Cell:
    """Return the cell of some overrides; its config is these and a few settings."""
    config = {"seed": 0, "steps": 100, "metric": {"num_samples": 8}} | overrides
    identity_ = identity(config, "data-hash", "1")
    return Cell(overrides, config, identity_, digest(identity_), root / cell_name(overrides, digest(identity_)))


def record(of: Cell, final: float | None = 50.0, *, untrained=400.0, fingerprint=None, **changes) -> dict:
    """Return a record as a training of the cell would write it."""
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
    """Return the record of a diverged run."""
    divergence = {"step": step, "player": "discriminator", "cause": "loss is not finite"}
    return record(of, None, state="diverged", steps=step, divergence=divergence)


def write(of: Cell, content: dict) -> dict:
    """Write a record to the cell's directory and return it."""
    of.directory.mkdir(parents=True, exist_ok=True)
    (of.directory / "record.json").write_text(json.dumps(content))
    return content


class Trainer:
    """Training function for `one_by_one` that records the names of its cells.

    Args:
        failures: errors to raise, by optimizer.
    """

    def __init__(self, **failures: BaseException) -> None:
        self.failures, self.trained = failures, []

    def __call__(self, of: Cell, stop, progress) -> dict:
        self.trained.append(of.name)
        for key, error in self.failures.items():
            if key == of.overrides.get("optimizer"):
                raise error
        progress(100, 100, "")
        return write(of, record(of))


class FakeSession:
    """Training session whose training is a call of a function."""

    def __init__(self, train: Callable, cell: Cell, callback: StepCallback) -> None:
        self.directory, self.error, self.content = cell.directory, None, None
        self.train = lambda stop: train(cell, stop, callback)

    def run(self, stop: Callable[[], bool]) -> None:
        """Train, and store the record or the error."""
        try:
            self.content = self.train(stop)
        except BaseException as error:
            if isinstance(error, Interrupted) or interrupts(error):
                raise
            self.error = error

    def finalize(self) -> dict:
        """Return the record."""
        return self.content

    def close(self) -> None:
        """Do nothing."""


def train_in_turn(sessions, *, refill, ended, stop, places) -> None:
    """Run the sessions one after another, as `train_together` does side by side."""
    while sessions:
        for session in sessions:
            session.run(stop)
            ended(session)
        sessions = refill(len(sessions))


def one_by_one(train: Callable) -> Executor:
    """Return the executor with packs of one cell, and a function in place of the training.

    Args:
        train: called with the cell, `stop`, and the callback for every step; returns the record.
    """

    return in_packs(lambda cell, callback: FakeSession(train, cell, callback), 1, train_in_turn)
