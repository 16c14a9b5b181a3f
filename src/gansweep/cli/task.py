"""Hydra task function: train one cell in a process that another Hydra launcher started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from gansweep.cli import folders

folders.register()


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
    from gansweep.cli.grid import cell_of
    from gansweep.cli.job import open_session
    from gansweep.sweep.cell import Cell
    from gansweep.sweep.executor import in_packs
    from gansweep.sweep.sweep import Sweep
    from gansweep.training.interruption import Stop

    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    composed: Any = OmegaConf.to_container(config, resolve=True)
    made = cell_of(composed, list(hydra.overrides.task), hydra.runtime.choices, directory.parent)
    if not directory.name.endswith(made.hash[:8]):
        raise JobFailed(
            f"{directory.name} has another hash now: the code or a YAML file was edited after the grid was checked"
        )
    cell = Cell(made.overrides, made.config, made.identity, made.hash, directory)
    with Stop() as stop:
        outcome = Sweep(directory.parent, [cell], "").run(
            in_packs(open_session), retry_failed=composed["retry_failed"], stop=stop
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
