"""The table at the end of a sweep whose grid nobody knew at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from gansweep.sweep.sweep import Sweep

GRID = "hydra_plugins.gansweep.grid_sweeper.GridSweeper"
_searched: list[Path] = []


class NoteSearch(Callback):
    """Remembers where a sweeper other than ours, such as Optuna's, lets results be put.

    Hydra 1.3 has no callback for the end of a sweep in which a job failed, so the command line
    asks for the tables when Hydra is done.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Note the directory of the sweep."""
        if config.hydra.sweeper["_target_"] != GRID:
            _searched.append(Path(str(config.hydra.sweep.dir)).absolute())


def report(command: str) -> None:
    """Print the table of what such a sweeper has tried."""
    while _searched:
        root = _searched.pop()
        if root.is_dir():
            print(Sweep(root, [], command).report())
