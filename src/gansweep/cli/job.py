"""Train one cell: its log and the files that Hydra writes for a job; Hydra's task function."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from gansweep.cli import grid, hydra_app
from gansweep.cli.cell_log import CellLog
from gansweep.config.errors import BadConfig
from gansweep.sweep.branching import Branches
from gansweep.sweep.cell import LOG, Cell

if TYPE_CHECKING:
    from gansweep.cli.compose import Composition
    from gansweep.sweep.run_state import StepCallback
    from gansweep.training.continuation import Source
    from gansweep.training.run import Run
    from gansweep.training.session import TrainingSession

hydra_app.register()  # also in the processes of other launchers, which import this module for `task`
log = logging.getLogger(__name__)


class Jobs:
    """Factory of the training sessions of a sweep's cells.

    Args:
        compositions: by hash of the cell.
        sources: checkpoints from which new cells continue, by hash of the cell.
        branches: cells that begin with the state of another cell of the sweep.
        limits: of a race, by hash of the cell; see `TrainingSession.race`.

    Attributes:
        packing: number of workers and measured times, written to the `pack` field of the records.
    """

    def __init__(
        self,
        compositions: dict[str, Composition],
        sources: Mapping[str, Source] | None = None,
        branches: Branches | None = None,
        limits: Mapping[str, Mapping[int, float]] | None = None,
    ) -> None:
        self._compositions, self._sources, self._limits = compositions, sources or {}, limits or {}
        self.branches = branches or Branches()
        self._numbers = {hash_: n for n, hash_ in enumerate(compositions)}
        self.packing: dict[str, Any] = {}

    def __call__(self, cell: Cell, progress: StepCallback) -> TrainingSession:
        """Return a cell's training session, after writing .hydra/ and opening gansweep.log in its directory.

        Raises:
            BadConfig, ResumeError, OSError: the cell can't be trained; the traceback is in its log.
        """
        from gansweep.training.session import TrainingSession

        whole = hydra_node(self._compositions[cell.hash], self._numbers[cell.hash], cell.directory)
        cell.directory.mkdir(parents=True, exist_ok=True)
        _save(self._compositions[cell.hash], whole, cell.directory / ".hydra")
        journal = CellLog(cell.directory / LOG)
        with journal():
            try:
                run = run_of(cell)
                source = self.branches.source(cell) or self._sources.get(cell.hash)
                continue_from(source, run, cell, progress)
                session = TrainingSession(run, cell.directory, progress, journal, progress.guard, header=cell.header)
                session.branch_steps = self.branches.steps_of(cell)
                session.packing = self.packing
                session.race(self._limits.get(cell.hash, {}))
                return session
            except BaseException:
                log.exception("%s failed", cell.name)
                journal.close()
                raise


def run_of(cell: Cell) -> Run:
    """Return the run of a cell, built from its config unless the check of the grid has built it in this process.

    Raises:
        BadConfig: it can't be built, or this machine lacks the device or the compiler.
    """
    from gansweep.config.build import absent, build

    if cell.run is None:
        return build(cell.config)
    if problems := absent(cell.run):
        raise BadConfig(problems)
    return cell.run


def continue_from(source: Source | None, run: Run, cell: Cell, progress: StepCallback) -> None:
    """Begin the run of a cell with the checkpoint of another one, if there is a source and the cell has none."""
    from gansweep.training import continuation

    if source is not None:
        continuation.begin(source, run, cell.identity, cell.directory, progress.guard)


def open_session(sources: Mapping[str, Source], cell: Cell, progress: StepCallback) -> TrainingSession:
    """Return the training session of a cell whose log and .hydra/ are written by Hydra."""
    from gansweep.training.session import TrainingSession

    try:
        run = run_of(cell)
        continue_from(sources.get(cell.hash), run, cell, progress)
        return TrainingSession(run, cell.directory, progress, guard=progress.guard, header=cell.header)
    except BaseException:
        log.info("%s failed", cell.name, exc_info=True)  # the sweep prints one line to the console
        raise


def hydra_node(composition: Composition, number: int, directory: Path) -> DictConfig:
    """Return the whole configuration of a job, with the values that Hydra sets while the job runs."""
    whole = copy.deepcopy(composition.whole)
    with read_write(whole), open_dict(whole):
        for key in [key for key in whole if key != "hydra"]:
            del whole[key]
        whole.merge_with(composition.task)
    with read_write(whole.hydra), open_dict(whole.hydra):
        whole.hydra.overrides.task = list(composition.overrides)
        whole.hydra.job.override_dirname = ",".join(sorted(composition.overrides))
        whole.hydra.job.id, whole.hydra.job.num = str(number), number
        whole.hydra.runtime.output_dir = str(directory.absolute())
        whole.hydra.sweep.subdir = directory.name
    return whole


def _save(composition: Composition, whole: DictConfig, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(composition.task, folder / "config.yaml")
    OmegaConf.save(OmegaConf.masked_copy(whole, "hydra"), folder / "hydra.yaml")
    OmegaConf.save(OmegaConf.create(list(composition.overrides)), folder / "overrides.yaml")


class JobFailed(RuntimeError):
    """The cell has no result; the reason is in its record."""


class Diverged(ArithmeticError):
    """The cell diverged, and `diverged=raise` is set."""


def task(config: DictConfig) -> float | None:
    """Train the cell of a Hydra job and return the final value of its metric.

    Raises:
        JobFailed: the cell failed, or its hash differs from the planned one.
        Diverged: the cell diverged and `diverged=raise` is set.
    """
    from gansweep.sweep import continuation
    from gansweep.sweep.pack_executor import in_packs
    from gansweep.sweep.sweep import Sweep
    from gansweep.training.interruption import Stop

    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    composed: Any = OmegaConf.to_container(config, resolve=True)
    made = grid.cell_of(composed, list(hydra.overrides.task), hydra.runtime.choices, directory.parent)
    if not directory.name.endswith(made.hash[:8]):
        raise JobFailed(
            f"{directory.name} has another hash now: the code or a YAML file was edited after the grid was checked"
        )
    cell = replace(made, directory=directory)
    sources = continuation.find(directory.parent, [cell]).sources
    with Stop() as stop:
        outcome = Sweep(directory.parent, [cell], "").run(
            in_packs(partial(open_session, sources)), retry_failed=composed["retry_failed"], stop=stop
        )
    return result(outcome.records.get(cell.hash), composed["diverged"] == "raise")


def result(record: dict[str, Any] | None, raise_divergence: bool) -> float | None:
    """Return the final metric value of a record; None after a divergence or without a metric."""
    if record is None:
        raise JobFailed("the cell is locked by another process or was interrupted")
    if record["state"] == "failed":
        raise JobFailed(f"{record['error']['type']}: {record['error']['message']}")
    if record["state"] == "diverged" and raise_divergence:
        raise Diverged(f"diverged at step {record['divergence']['step']}: {record['divergence']['cause']}")
    return record["metric"]["final"] if record["metric"] else None
