"""Number of processes and members per pack for the cells of a sweep on this machine."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gansweep.cli.job import Jobs, run_of
from gansweep.config.errors import SettingError
from gansweep.forking import can_fork, num_cores
from gansweep.sweep import worker
from gansweep.sweep.bounds import TimeLimit
from gansweep.sweep.cell import Cell, state
from gansweep.sweep.pack_executor import in_packs
from gansweep.sweep.plan import Estimate, kind_of
from gansweep.sweep.run_state import Executor
from gansweep.training.interruption import Interrupted, interrupts

log = logging.getLogger(__name__)


def distribute(
    jobs: Jobs,
    cells: Sequence[Cell],
    config: Mapping[str, Any],
    tasks: int = 1,
    cores: int | None = None,
    limit: TimeLimit | None = None,
) -> tuple[Executor, int]:
    """Return a function that trains cells and the number of processes, from `workers` and `pack`.

    On a CPU one process per core with one thread each is fastest for networks of the usual sizes;
    the best pack size is measured. There is one process per GPU.

    Args:
        jobs: opens the run of a cell.
        cells: of the sweep.
        config: of any of the cells.
        tasks: number of machines that share the cells, this one included.
        cores: CPU cores to use; None: all that are available to this process.
        limit: of the time of the command.

    Raises:
        SettingError: there are fewer GPUs than `workers`.
    """
    unsettled = sum(not state(cell).is_result for cell in cells)
    workers = num_workers(config, math.ceil(unsettled / tasks), cores)
    size = _PackSize(jobs, config["pack"], workers, tasks, limit)
    return in_packs(jobs, size, limit=limit, waits=jobs.branches.waits), workers


@dataclass(frozen=True)
class _PackSize:
    """Function that returns the pack size for compatible cells. It can be sent to another process."""

    jobs: Jobs
    pack: int | str
    workers: int
    tasks: int
    limit: TimeLimit | None = None

    def __call__(self, waiting: Sequence[Cell], stop: Callable[[], bool]) -> int:
        share = math.ceil(len(waiting) / (self.workers * self.tasks))
        self.jobs.packing = {"workers": self.workers} | ({"tasks": self.tasks} if self.tasks > 1 else {})
        if self.pack != "auto":
            return int(self.pack)
        from gansweep.device import num_gpus
        from gansweep.training.pack_size import LARGEST, best_size, memory_kinds

        # All have the same networks, data and batch size, so the time is measured with the first cells only.
        measured = waiting[: min(share, LARGEST)]
        try:
            if num_gpus(waiting[0].config["device"]):
                measured = [waiting[n] for n in memory_kinds([cell.config for cell in waiting])]
            choice = best_size([run_of(cell) for cell in measured], share, stop)
        except BaseException as error:  # the cell that causes it fails when it is trained
            if interrupts(error) or isinstance(error, Interrupted):
                raise
            reason = f"{type(error).__name__}: {error}"
            log.warning("The pack size could not be measured; cells are trained one at a time (pack=1): %s", reason)
            return 1
        self.jobs.packing |= {"alone_ms": choice.alone_ms, "together_ms": choice.together_ms}
        if self.limit is None or choice.together_ms is None:
            return choice.size
        seconds = max(cell.config["steps"] for cell in waiting) * choice.together_ms / 1e3
        return min(choice.size, self.limit.num_together(seconds))


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
    """Return the number of processes: `workers`, or one per GPU or core, at most one per unfinished cell.

    Raises:
        SettingError: there are fewer GPUs than `workers`.
    """
    from gansweep.device import num_gpus

    gpus, workers = num_gpus(config["device"]), config["workers"]
    if gpus:
        if workers != "auto" and workers > gpus:
            expected = f"expected at most the number of GPUs, {gpus} with device={config['device']}"
            raise SettingError("workers", workers, f"{expected}: a process uses the memory of a whole GPU")
        if not worker.can_spawn():
            return 1
    elif not _can_fork(config):
        return 1
    if workers == "auto":
        workers = gpus or cores or num_cores()
    return max(1, min(int(workers), unsettled))


def start_method(config: Mapping[str, Any], prepare: Callable[[], None]) -> worker.Start | None:
    """Return how a worker process is started: by a fork, or as a new process for a GPU; None if neither is possible.

    Args:
        config: of any of the cells.
        prepare: picklable function that each new process calls first.
    """
    from gansweep.device import environment_of_gpu, num_gpus

    device = config["device"]
    if gpus := num_gpus(device):
        environments = [environment_of_gpu(device, number) for number in range(gpus)]
        return worker.Spawn(environments, prepare) if worker.can_spawn() else None
    return worker.fork if _can_fork(config) else None


def _can_fork(config: Mapping[str, Any]) -> bool:
    # The threads of a process are not copied by a fork.
    return can_fork() and config["threads"] == 1
