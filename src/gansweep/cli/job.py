"""One cell as a job: its objects, and the directory that Hydra would have given it."""

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
    """Opens the cells of a sweep, each with the directory that Hydra would have given it.

    Args:
        compositions: by hash of the cell.

    `packing` says in their records how they came to be trained together.
    """

    def __init__(self, compositions: dict[str, Composition]) -> None:
        self._compositions = compositions
        self._numbers = {hash_: n for n, hash_ in enumerate(compositions)}
        self.packing: dict[str, Any] = {}

    def __call__(self, cell: Cell, progress: Step) -> Logbook:
        """Open a cell's logbook; its directory gets .hydra/ and gansweep.log.

        Raises:
            BadConfig, ResumeError, OSError: it can't be trained, which is in its log then.
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
    """Make what the cell's config names.

    Raises:
        BadConfig: it can't be made.
    """
    from gansweep.config.build import build

    about = {"name": cell.name, "hash": cell.hash, "overrides": cell.overrides}
    return build(cell.config, identity=cell.identity, cell=about)


def train(cell: Cell, stop: Callable[[], bool], progress: Step) -> dict[str, Any]:
    """Build what the cell's config names and train it."""
    from gansweep.training.trainer import Interrupted
    from gansweep.training.trainer import train as train_run

    try:
        return train_run(run_of(cell), cell.directory, stop=stop, progress=progress, guard=progress.guard)
    except Interrupted as pause:
        log.info("%s", pause)
        raise
    except BaseException:
        log.info("%s failed", cell.name, exc_info=True)  # the console is told in one line by the sweep
        raise


def hydra_node(composition: Composition, number: int, directory: Path) -> DictConfig:
    """Return the whole configuration as Hydra has it while the job runs."""
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
