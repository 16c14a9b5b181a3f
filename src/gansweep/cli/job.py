"""Open a cell for training: build its run and write the files that Hydra writes for a job."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from gansweep.cli.cell_log import CellLog
from gansweep.sweep.cell import LOG, Cell

if TYPE_CHECKING:
    from gansweep.cli.compose import Composition
    from gansweep.sweep.run_state import Step
    from gansweep.training.logbook import Logbook
    from gansweep.training.run import Run

log = logging.getLogger(__name__)


class Jobs:
    """Factory of the logbooks of a sweep's cells.

    Args:
        compositions: by hash of the cell.

    Attributes:
        packing: number of workers and measured times, written to the `pack` field of the records.
    """

    def __init__(self, compositions: dict[str, Composition]) -> None:
        self._compositions = compositions
        self._numbers = {hash_: n for n, hash_ in enumerate(compositions)}
        self.packing: dict[str, Any] = {}

    def __call__(self, cell: Cell, progress: Step) -> Logbook:
        """Return a cell's open logbook, after writing .hydra/ and opening gansweep.log in its directory.

        Raises:
            BadConfig, ResumeError, OSError: the cell can't be trained; the traceback is in its log.
        """
        from gansweep.training.logbook import Logbook

        whole = hydra_node(self._compositions[cell.hash], self._numbers[cell.hash], cell.directory)
        cell.directory.mkdir(parents=True, exist_ok=True)
        _save(self._compositions[cell.hash], whole, cell.directory / ".hydra")
        journal = CellLog(cell.directory / LOG)
        with journal():
            try:
                book = Logbook(run_of(cell), cell.directory, progress, journal, progress.guard)
                book.packing = self.packing
                return book
            except BaseException:
                log.exception("%s failed", cell.name)
                journal.close()
                raise


def run_of(cell: Cell) -> Run:
    """Build the run of a cell from its config.

    Raises:
        BadConfig: it can't be built.
    """
    from gansweep.config.build import build

    about = {"name": cell.name, "hash": cell.hash, "overrides": cell.overrides}
    return build(cell.config, identity=cell.identity, cell=about)


def train(cell: Cell, stop: Callable[[], bool], progress: Step) -> dict[str, Any]:
    """Build the run of a cell, train it and return its record."""
    from gansweep.training.trainer import Interrupted
    from gansweep.training.trainer import train as train_run

    try:
        return train_run(run_of(cell), cell.directory, stop=stop, progress=progress, guard=progress.guard)
    except Interrupted as pause:
        log.info("%s", pause)
        raise
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
