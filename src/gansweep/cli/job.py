"""One cell's training, with the directory that Hydra would have given it."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from gansweep.sweep.cell import Cell

if TYPE_CHECKING:
    from gansweep.cli.composing import Composition

log = logging.getLogger(__name__)
LOG_FORMAT = "[%(asctime)s][%(name)s][%(levelname)s] %(message)s"


class Jobs:
    """Trains the cells of a sweep one after the other in this process.

    Args:
        compositions: by hash of the cell.
    """

    def __init__(self, compositions: dict[str, Composition]) -> None:
        self._compositions = compositions
        self._numbers = {hash_: n for n, hash_ in enumerate(compositions)}

    def __call__(self, cell: Cell, stop: Callable[[], bool], progress: Callable[[int, int, str], None]) -> dict:
        """Train one cell and return its record; its directory gets .hydra/ and gansweep.log."""
        whole = hydra_node(self._compositions[cell.hash], self._numbers[cell.hash], cell.directory)
        cell.directory.mkdir(parents=True, exist_ok=True)
        _save(self._compositions[cell.hash], whole, cell.directory / ".hydra")
        before = HydraConfig.instance().cfg
        HydraConfig.instance().set_config(whole)
        try:
            with logged_to(cell.directory / "gansweep.log"):
                return train(cell, stop, progress)
        finally:
            HydraConfig.instance().cfg = before


def train(cell: Cell, stop: Callable[[], bool], progress: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Build what the cell's config names and train it."""
    from gansweep.build import build
    from gansweep.training.session import Interrupted
    from gansweep.training.session import train as train_run

    about = {"name": cell.name, "hash": cell.hash, "overrides": cell.overrides}
    try:
        run = build(cell.config, identity=cell.identity, cell=about)
        return train_run(run, cell.directory, stop=stop, progress=progress)
    except Interrupted as pause:
        log.info("%s", pause)
        raise
    except (Exception, SystemExit):
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


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Let everything that is logged go to a file; the console keeps its progress line, and warnings."""
    root = logging.getLogger()
    others = {handler: handler.level for handler in root.handlers}
    own = logging.FileHandler(path, encoding="utf-8")
    own.setFormatter(logging.Formatter(LOG_FORMAT))
    root.addHandler(own)
    for handler in others:
        handler.setLevel(max(handler.level, logging.WARNING))
    try:
        yield
    finally:
        for handler, level in others.items():
            handler.setLevel(level)
        root.removeHandler(own)
        own.close()


def _save(composition: Composition, whole: DictConfig, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(composition.task, folder / "config.yaml")
    OmegaConf.save(OmegaConf.masked_copy(whole, "hydra"), folder / "hydra.yaml")
    OmegaConf.save(OmegaConf.create(list(composition.overrides)), folder / "overrides.yaml")
