"""How the cells of a sweep are spread over this machine."""

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
from gansweep.sweep.plan import Estimate, kind_of
from gansweep.sweep.run_state import Settle
from gansweep.sweep.together import in_packs
from gansweep.training.interruption import interrupts

log = logging.getLogger(__name__)


def how(
    jobs: Jobs, cells: Sequence[Cell], config: Mapping[str, Any], tasks: int = 1, cores: int | None = None
) -> tuple[Settle, int]:
    """Choose processes and packs by `workers` and `pack`.

    On a CPU one process per core with one thread each is the fastest for networks of the usual
    sizes, and whether cells gain from a common pack is measured. A GPU has one process.

    Args:
        jobs: opens the cells.
        cells: of the sweep.
        config: of any of them.
        tasks: machines that share the cells, this one included.
        cores: of this machine, for the sweep; None: all that this process may use.

    Returns how to settle cells, and in how many processes.
    """
    unsettled = sum(not state(cell).is_result for cell in cells)
    workers = num_workers(config, math.ceil(unsettled / tasks), cores)

    def size(waiting: Sequence[Cell]) -> int:
        share = math.ceil(len(waiting) / (workers * tasks))
        jobs.packing = {"workers": workers} | ({"tasks": tasks} if tasks > 1 else {})
        if config["pack"] != "auto":
            return int(config["pack"])
        from gansweep.training.pack_size import LARGEST, best_size

        # The first cells stand for all: they share networks, data and batch size.
        try:
            choice = best_size([run_of(cell) for cell in waiting[: min(share, LARGEST)]], share)
        except BaseException as error:  # whose cell that is will show when it is trained
            if interrupts(error):
                raise
            log.info("The best size of a pack can't be measured (%s); cells are trained one by one", error)
            return 1
        jobs.packing |= {"alone_ms": choice.alone_ms, "together_ms": choice.together_ms}
        return choice.size

    return in_packs(jobs, size), workers


def by_probe() -> Callable[[Cell], Estimate | None]:
    """Return a way to estimate cells of which none is finished: a few steps of one of their kind."""
    measured: dict[str, Estimate | None] = {}

    def estimate(cell: Cell) -> Estimate | None:
        kind = kind_of(cell.config)
        if kind not in measured:
            measured[kind] = _probed(cell)
        alike = measured[kind]
        return alike and replace(alike, wall_s=alike.wall_s * cell.config["steps"])

    return estimate


def _probed(cell: Cell) -> Estimate | None:
    """Measure the time of one step and the memory of this process then."""
    from gansweep.device import peak_memory_bytes, resolve
    from gansweep.training.pack_size import seconds_alone

    try:
        return Estimate(seconds_alone(run_of(cell)), peak_memory_bytes(resolve(cell.config["device"])))
    except Exception as error:
        log.warning("%s could not be tried: %s", cell.name, error)
        return None


def num_workers(config: Mapping[str, Any], unsettled: int, cores: int | None = None) -> int:
    """Choose the number of processes: `workers`, or as many as cores, threads and cells allow."""
    if not can_fork(config):
        return 1
    if config["workers"] != "auto":
        return max(1, min(int(config["workers"]), unsettled))
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, unsettled))


def can_fork(config: Mapping[str, Any]) -> bool:
    """Tell whether cells may be trained in processes that are forked from this one."""
    # Threads of a process that has begun do not come along into another one.
    return worker_pool.possible() and config["threads"] == 1 and not on_gpu(config["device"])


def on_gpu(device: str) -> bool:
    """Tell whether a setting of `device` means a GPU here."""
    from gansweep.device import resolve

    return resolve(device).type != "cpu"
