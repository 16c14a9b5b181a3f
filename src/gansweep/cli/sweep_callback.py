"""Table of a sweep whose cells are chosen while it runs, for example by Optuna."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from gansweep.sweep.sweep import Sweep

GRID = "hydra_plugins.gansweep.grid_sweeper.GridSweeper"
_searched: list[Path] = []


class NoteSearch(Callback):
    """Hydra callback that records the sweep directory of any sweeper other than GridSweeper.

    Hydra 1.3 calls no callback at the end of a sweep in which a job failed, so the command line
    calls `report` after Hydra has returned.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Record the directory of the sweep."""
        if config.hydra.sweeper["_target_"] != GRID:
            _searched.append(Path(str(config.hydra.sweep.dir)).absolute())


def report(command: str) -> None:
    """Print the table of every recorded sweep."""
    while _searched:
        root = _searched.pop()
        if root.is_dir():
            from gansweep.results.table import write  # imports numpy

            print(write(Sweep(root, [], command)))
