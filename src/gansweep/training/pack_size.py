"""Automatic pack size, from time measurements on CPU and memory measurements on GPU."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from gansweep import device as devices
from gansweep.training.interruption import Interrupted
from gansweep.training.run import Run
from gansweep.training.trainer import never, pack_of

WARM_STEPS, TIMED_STEPS = 1, 3
WORTH_IT = 0.95  # a larger pack is used if its time per member is below this fraction of the smaller one's
SIZES = (4, 16, 64)
LARGEST = SIZES[-1]
LITTLE_MEMORY = ("schedule", "feedback", "metric", "seed", "steps", "epochs", "lr", "name")  # settings
MEMORY_USED = 0.8  # fraction of the free GPU memory


class Choice(NamedTuple):
    """Chosen pack size and the measurements behind it.

    Args:
        size: number of members.
        alone_ms: time of a step of one member in ms, None if not measured.
        together_ms: time of a step per member in the fastest pack that was tried, in ms.
    """

    size: int
    alone_ms: float | None = None
    together_ms: float | None = None


def memory_kinds(configs: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the index of the first config of each kind: those whose members may need different memory.

    Kinds differ in the choices of losses, penalties, optimizers and averages, but not in numbers, except zero. Choices
    that need little memory, such as schedules, are left out.
    """
    first: dict[str, int] = {}
    for n, config in enumerate(configs):
        needed = {key: value for key, value in config.items() if not key.startswith(LITTLE_MEMORY)}
        first.setdefault(repr(_without_numbers(needed)), n)
    return list(first.values())


def _without_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_numbers(entry) for key, entry in sorted(value.items())}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_numbers(entry) for entry in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value != 0
    return value


@devices.restored_matmul_precision()
def best_size(runs: Sequence[Run], num_cells: int, stop: Callable[[], bool] = never) -> Choice:
    """Return the pack size for cells that can share a pack.

    On CPU: packs of 1, 4, 16 and 64 are timed for a few steps, as long as each has a lower time per member than
    the previous one. Small networks gain because every call does more work. Large ones are limited by the
    processor, and the search ends before the memory of 64 members is needed.
    On GPU: as many as fit into its memory, extrapolated from one and two members of the most expensive kind.

    Args:
        runs: some of the cells, at most as many as would be packed; on GPU one of each kind (`memory_kinds`).
        num_cells: number of cells for this process.
        stop: called after every step of a measurement.

    Raises:
        Interrupted: `stop` returned True.
    """
    device = devices.resolve(runs[0].device)
    if num_cells == 1:
        return Choice(1)
    if device.type == "cuda":
        return Choice(min(num_cells, _that_fit(runs, device, stop)))
    alone = best = _seconds_per_step(runs[:1], stop)
    size, together = 1, math.inf
    for count in sorted({min(tried, len(runs)) for tried in SIZES}):
        each = _seconds_per_step(runs[:count], stop) / count
        together = min(together, each)
        if each >= WORTH_IT * best:
            break
        size, best = count, each
    packs = math.ceil(num_cells / size)
    return Choice(math.ceil(num_cells / packs), round(1e3 * alone, 3), round(1e3 * together, 3))


def seconds_alone(run: Run) -> float:
    """Return the time of a step of one member in seconds, measured over a few steps without side effects."""
    return _seconds_per_step([run])


def _seconds_per_step(runs: Sequence[Run], stop: Callable[[], bool] = never) -> float:
    """Return the time of the fastest of a few steps in seconds: CPU time on a CPU with one thread, else wall time.

    Nothing is compiled: it would take minutes per size and does not change the choice.
    """
    times = _train_briefly([_uncompiled(run) for run in runs], stop)
    return min(times[WARM_STEPS:], default=times[0])


def _train_briefly(runs: Sequence[Run], stop: Callable[[], bool] = never) -> list[float]:
    """Train a pack for a few steps without side effects and return the time of each step in seconds."""
    pack = pack_of(runs)
    steps = pack.steps()
    on_cpu = pack.device.type == "cpu"
    clock = time.process_time if on_cpu and torch.get_num_threads() == 1 else time.perf_counter
    times = []
    try:
        for _ in range(min(WARM_STEPS + TIMED_STEPS, *(run.steps for run in runs))):
            devices.synchronize(pack.device)
            start = clock()
            next(steps)
            devices.synchronize(pack.device)
            times.append(clock() - start)
            if stop():
                raise Interrupted(0)
    finally:
        pack.release()
    return times


def _uncompiled(run: Run) -> Run:
    return replace(run, trainer=replace(run.trainer, compile=False))


def _that_fit(kinds: Sequence[Run], device: torch.device, stop: Callable[[], bool] = never) -> int:
    """Return the number of members that fit into memory if all were of the most expensive kind.

    The kinds are compared by the peak memory of one member, after which the data and what is kept between packs are on
    the device. The peaks of one and two members of the most expensive kind give the memory of each member. Compiled
    graphs allocate other temporary tensors, so these two are compiled if the runs are.

    Args:
        kinds: one run of each kind.
        device: where they will be trained.
        stop: as in `best_size`.
    """
    most = max(kinds, key=lambda run: _peak_bytes([_uncompiled(run)], device, stop))
    alone, two = (_peak_bytes([most] * count, device, stop) for count in (1, 2))
    each = max(two - alone, 1)
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, int(MEMORY_USED * free - max(alone - each, 0)) // each)


def _peak_bytes(runs: Sequence[Run], device: torch.device, stop: Callable[[], bool] = never) -> int:
    """Return the peak memory of a few steps of a pack, without the memory that was in use before."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    _train_briefly(runs, stop)
    return torch.cuda.max_memory_allocated(device) - before
