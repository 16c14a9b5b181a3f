"""Number of processes and members per pack for the cells of a sweep on this machine."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gansweep.cli.job import Jobs, run_of
from gansweep.sweep import worker_pool
from gansweep.sweep.cell import Cell, state
from gansweep.sweep.executor import in_packs
from gansweep.sweep.plan import Estimate, kind_of
from gansweep.sweep.run_state import Executor
from gansweep.training.interruption import interrupts

log = logging.getLogger(__name__)


def distribute(
    jobs: Jobs, cells: Sequence[Cell], config: Mapping[str, Any], tasks: int = 1, cores: int | None = None
) -> tuple[Executor, int]:
    """Return a function that trains cells and the number of processes, from `workers` and `pack`.

    On a CPU one process per core with one thread each is fastest for networks of the usual sizes;
    the best pack size is measured. On a GPU there is one process.

    Args:
        jobs: opens the run of a cell.
        cells: of the sweep.
        config: of any of the cells.
        tasks: number of machines that share the cells, this one included.
        cores: CPU cores to use; None: all that are available to this process.
    """
    unsettled = sum(not state(cell).is_result for cell in cells)
    workers = num_workers(config, math.ceil(unsettled / tasks), cores)

    def size(waiting: Sequence[Cell]) -> int:
        share = math.ceil(len(waiting) / (workers * tasks))
        jobs.packing = {"workers": workers} | ({"tasks": tasks} if tasks > 1 else {})
        if config["pack"] != "auto":
            return int(config["pack"])
        from gansweep.training.pack_size import LARGEST, best_size

        # Measure the first cells only: all have the same networks, data and batch size.
        try:
            choice = best_size([run_of(cell) for cell in waiting[: min(share, LARGEST)]], share)
        except BaseException as error:  # the cell that causes it fails when it is trained
            if interrupts(error):
                raise
            log.info("The pack size can't be measured (%s); cells are trained one at a time", error)
            return 1
        jobs.packing |= {"alone_ms": choice.alone_ms, "together_ms": choice.together_ms}
        return choice.size

    return in_packs(jobs, size), workers


def cost_by_probe() -> Callable[[Cell], Estimate | None]:
    """Return a function that estimates a cell's cost by training a few steps of one cell of each kind."""
    measured: dict[str, Estimate | None] = {}

    def estimate(cell: Cell) -> Estimate | None:
        kind = kind_of(cell.config)
        if kind not in measured:
            measured[kind] = _probed(cell)
        alike = measured[kind]
        return alike and replace(alike, wall_s=alike.wall_s * cell.config["steps"])

    return estimate


def _probed(cell: Cell) -> Estimate | None:
    """Measure the time of one step and the peak memory of this process; None if the cell can't be trained."""
    from gansweep.device import peak_memory_bytes, resolve
    from gansweep.training.pack_size import seconds_alone

    try:
        return Estimate(seconds_alone(run_of(cell)), peak_memory_bytes(resolve(cell.config["device"])))
    except Exception as error:
        log.warning("The cost of %s could not be measured: %s", cell.name, error)
        return None


def num_workers(config: Mapping[str, Any], unsettled: int, cores: int | None = None) -> int:
    """Return the number of processes: `workers`, or one per core, at most one per unfinished cell."""
    if not can_fork(config):
        return 1
    if config["workers"] != "auto":
        return max(1, min(int(config["workers"]), unsettled))
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, unsettled))


def can_fork(config: Mapping[str, Any]) -> bool:
    """Return whether cells can be trained in processes forked from this one."""
    # The threads of a process are not copied by a fork.
    return worker_pool.possible() and config["threads"] == 1 and not on_gpu(config["device"])


def on_gpu(device: str) -> bool:
    """Return whether a value of `device` resolves to a GPU on this machine."""
    from gansweep.device import resolve

    return resolve(device).type != "cpu"
