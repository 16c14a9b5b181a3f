"""Cells of a 2D sweep, finished or not, with their checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansweep.config import build
from gansweep.config.errors import BadConfig
from gansweep.formatting import metric_label, number
from gansweep.layers.layer import Pass
from gansweep.npz_file import read_array
from gansweep.sweep.cell import Cell, Result, State, own_record, state
from gansweep.sweep.sweep import Sweep
from gansweep.training import checkpoint
from gansweep.training.run import Run
from gansweep.training.samples import points_files
from gansweep.training.trainer import pack_of

NUM_POINTS = 2048


@dataclass(frozen=True)
class TrainedCell:
    """One cell on 2D data: its config, its evaluations, and both players at its last checkpoint.

    Args:
        result: the cell, its state and its record.
        run: the run built from the config, on the CPU.
        saved: the last checkpoint; None without one.
    """

    result: Result
    run: Run
    saved: Mapping[str, Any] | None

    @property
    def cell(self) -> Cell:
        """The cell, a combination of settings."""
        return self.result.cell

    @property
    def task(self) -> str:
        """Comparison key: data and metric."""
        return json.dumps([self.cell.config.get(key) for key in ("data", "metric")], sort_keys=True)

    @property
    def name(self) -> str:
        """Display name of the metric."""
        name = self.run.metric.name if self.run.metric is not None else ""
        return metric_label(name)

    @property
    def evaluations(self) -> Sequence[Mapping[str, Any]]:
        """All evaluations; for a cell without a record, those up to its checkpoint."""
        return self.result.metric.get("evaluations") or (self.saved or {}).get("evaluations") or []

    @property
    def measured(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values of the evaluations that have one."""
        pairs = [(e["step"], e["value"]) for e in self.evaluations if e["value"] is not None]
        steps, values = np.array(pairs, dtype=float).reshape(-1, 2).T
        return steps, values

    @property
    def diverged_at(self) -> int | None:
        """Step of the divergence; None if the run did not diverge."""
        return ((self.result.record or {}).get("divergence") or {}).get("step")

    @property
    def step(self) -> int | None:
        """Step of the checkpoint; None without one."""
        return None if self.saved is None else int(self.saved["member"]["step"])

    @cached_property
    def real(self) -> np.ndarray:
        """The first `NUM_POINTS` data points (N, 2)."""
        return self.run.data.samples[:NUM_POINTS].numpy()

    @cached_property
    def fake(self) -> np.ndarray | None:
        """Points (N, 2) of the evaluated generator, same latents as the run's sample images."""
        if self._pack is None:
            return None
        with torch.no_grad():
            return self._pack.generate(0, NUM_POINTS, "pictures").numpy()

    @cached_property
    def saved_points(self) -> dict[int, np.ndarray]:
        """Points (N, 2) saved by the run, by ascending step; unreadable files are ignored."""
        points = {}
        for step, path in sorted(points_files(self.cell.directory).items()):
            with suppress(OSError, ValueError, KeyError):
                points[step] = read_array(path, "points")[:NUM_POINTS]
        return points

    @property
    def newest(self) -> tuple[int | None, np.ndarray | None]:
        """Step and points of the checkpoint; without one, the last saved points."""
        if self.fake is not None or not self.saved_points:
            return self.step, self.fake
        return list(self.saved_points.items())[-1]

    def logits(self, at: np.ndarray) -> np.ndarray | None:
        """Return the logits (N,) of the discriminator at points (N, 2); None without checkpoint or discriminator."""
        if self._pack is None:
            return None
        d = self._pack.players.get("discriminator")
        if d is None:
            return None
        x = torch.from_numpy(np.asarray(at, dtype=np.float32))[None]
        with torch.no_grad():
            return d.network(d.params(), x, Pass((), d.buffers, training=False))[0, :, 0].numpy()

    @cached_property
    def _pack(self) -> Any:
        if self.saved is None:
            return None
        pack = pack_of([self.run])
        # Random stream states are device-specific and only needed for training.
        pack.restore(0, {**self.saved["member"], "streams": {}})
        return pack

    def words(self, floor: float | None) -> str:
        """Return the metric and its value of real against real points, or the reason why there is none.

        A value that is not the final one is shown with its step.
        """
        if self.result.state is State.DIVERGED:
            return f"{self.name} N/A: diverged at step {self.diverged_at}"
        if self.result.state is State.FAILED:
            return "failed"
        steps, values = self.measured
        if not len(values):
            return "not started" if self.saved is None else f"step {self.step}, not measured"
        text = f"{self.name} {number(values[-1])}"
        text += "" if floor is None else f", real {number(floor, like=values[-1])}"
        return text if self.result.state is State.COMPLETED else f"{text}; step {steps[-1]:.0f} of {self.run.steps}"


def read(root: Path, allow: Sequence[str] = ()) -> list[TrainedCell]:
    """Read all cells of a sweep, finished or not.

    Args:
        root: directory of the sweep.
        allow: modules other than gansweep whose classes the configs may name.

    Raises:
        FileNotFoundError: the directory does not exist.
        ValueError: the directory holds no sweep, or a sweep on data other than 2D points.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such directory, expected the directory of a sweep")
    cells = Sweep(root, []).all_cells
    if not cells:
        inside = [path.name for path in sorted(root.iterdir()) if (path / "sweep.json").exists()]
        hint = f"; {root} contains {', '.join(inside)}" if inside else ""
        raise ValueError(
            f"{root}: contains no cells, expected the directory of a sweep, for example outputs/mine{hint}"
        )
    return [of(cell, allow) for cell in cells]


def of(cell: Cell, allow: Sequence[str] = ()) -> TrainedCell:
    """Read one cell.

    Raises:
        ValueError: the config cannot be built, or its samples are not 2D points.
    """
    checked = rebuilt(cell, allow)
    shape = tuple(checked.data.sample_shape) if "data" in checked.parts else (2,)
    if shape != (2,):
        wrong = f"{cell.name}: data={checked.data.name} has samples of shape {shape}"
        raise ValueError(f"{wrong}; expected 2D points of shape (2,), for example data=ring")
    if checked.run is None:
        raise ValueError(f"{cell.name} cannot be built from its config:\n{BadConfig(checked.problems)}")
    saved = checkpoint.load(cell.directory, cell.identity)
    return TrainedCell(Result(cell, state(cell), own_record(cell)), checked.run, saved)


def rebuilt(cell: Cell, allow: Sequence[str] = ()) -> build.Checked:
    """Build the objects of a cell's config on the CPU; only modules in `allow` are trusted, not those of the config."""
    trainer = {**(cell.config.get("trainer") or {}), "compile": False}
    here = {"device": "cpu", "precision": "fp32", "threads": 1, "allow": list(allow), "trainer": trainer}
    return build.check({**cell.config, **here})


def floors(cells: Sequence[TrainedCell]) -> dict[str, float]:
    """Return the metric of real against real points by task, from the records of finished cells."""
    by_task = {trained.task: trained.result.metric.get("floor") for trained in cells if trained.result.metric}
    return {task: floor for task, floor in by_task.items() if floor is not None}


def by(cells: Sequence[TrainedCell], key: Callable[[TrainedCell], str]) -> Iterator[tuple[str, list[TrainedCell]]]:
    """Yield groups of cells with equal `key`, in order of first appearance."""
    groups: dict[str, list[TrainedCell]] = {}
    for trained in cells:
        groups.setdefault(key(trained), []).append(trained)
    yield from groups.items()
